"""What makes embeddings: an image-text model (CLIP's role), an identity encoder (DINO's role), the factor reader.

Each scales pictures as its model asks for; where that model crops to a square (CLIP and DINO do), so it is done here.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import open_clip
import timm
import torch
from PIL import Image
from safetensors import SafetensorError
from torch.nn import functional as F

from sidkit.config import Encoders, locate, shipped
from sidkit.measure.activation import check_open_clip, check_timm
from sidkit.stickers.nets import IdentityNet, Reader

BATCH = 16  # pictures or texts; 1.5 times the speed of 64 on a CPU
BROKEN = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError)  # what loading raises
T = TypeVar("T")


class Instruments:
    """All that a profile's measures look with, each loaded when it is first needed."""

    def __init__(self, encoders: Encoders, device: str = "cpu") -> None:
        self.encoders, self.device = encoders, device

    @property
    def fill(self) -> str:
        """What a mask leaves behind, one of `masks.given.FILLS`."""
        return self.encoders.fill

    @cached_property
    def image_text(self) -> ImageTextEncoder:
        """CLIP's role."""
        return ImageTextEncoder(self.encoders, self.device)

    @cached_property
    def identity(self) -> IdentityEncoder:
        """DINO's role."""
        return IdentityEncoder(self.encoders, self.device)

    @cached_property
    def reader(self) -> FactorReader | None:
        """What sees leaking; there is none outside of Sticker World."""
        return FactorReader(self.encoders, self.device) if self.encoders.reader else None


def check_encoders(encoders: Encoders) -> None:
    """Raise ValueError for a name that no library knows, or whose weights want another activation; loads nothing."""
    _open_clip_names(encoders.image_text)
    if _folder(encoders.identity) is None:
        _check_timm_name(encoders.identity)


class ImageTextEncoder:
    """Pictures and texts in one space, by open_clip: a folder of weights, or "MODEL/PRETRAINED"."""

    def __init__(self, encoders: Encoders, device: str = "cpu") -> None:
        """Raises ValueError as `check_encoders`, and for weights that are missing or damaged."""
        self.name = encoders.image_text
        self.device = device
        model, pretrained = _open_clip_names(self.name)

        def load():
            return open_clip.create_model_and_transforms(model, pretrained, device=device, require_pretrained=True)

        self.model, _, self.transform = _loaded(self.name, load)
        self.tokenizer = _loaded(self.name, lambda: open_clip.get_tokenizer(model))
        self.model.float().eval()

    @torch.inference_mode()
    def images(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        """(n, d), rows of length 1. Raises ValueError for no pictures."""
        embeddings = []
        for batch in _batches(pictures):
            pixels = _transformed(self.transform, batch).to(self.device)
            embeddings.append(self.model.encode_image(pixels, normalize=True))
        return _joined(embeddings)

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d), rows of length 1. Raises ValueError for no texts, and for one that the model would cut."""
        embeddings = []
        for batch in _batches(texts):
            tokens = self._tokens(list(batch)).to(self.device)
            embeddings.append(self.model.encode_text(tokens, normalize=True))
        return _joined(embeddings)

    def _tokens(self, texts: list[str]) -> torch.Tensor:
        limit = self.tokenizer.context_length
        tokens = self.tokenizer(texts, context_length=limit)
        longer = self.tokenizer(texts, context_length=limit + 1)
        is_cut = (tokens != longer[:, :limit]).any(1)  # with room for one more, a text that was cut ends otherwise
        if is_cut.any():
            first = int(is_cut.int().argmax())
            raise ValueError(f"text: expected at most {limit} tokens, start and end included; shorten {texts[first]!r}")
        return tokens


class IdentityEncoder:
    """Pictures as vectors that say which subject they show: a folder of weights, or a timm model by name."""

    def __init__(self, encoders: Encoders, device: str = "cpu") -> None:
        """Raises ValueError as `check_encoders`, and for weights that are missing or damaged."""
        self.name = encoders.identity
        self.device = device
        folder = _folder(self.name)
        if folder:
            net = _loaded(self.name, lambda: IdentityNet.load(folder))
            self.pixels = partial(_scaled, size=net.backbone.size)
        else:
            _check_timm_name(self.name)
            net = _loaded(self.name, lambda: timm.create_model(self.name, True, num_classes=0))
            settings = timm.data.resolve_model_data_config(net)
            self.pixels = partial(_transformed, timm.data.create_transform(**settings))
        self.net = net.eval().to(device)

    @torch.inference_mode()
    def images(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        """(n, d), rows of length 1. Raises ValueError for no pictures."""
        embeddings = []
        for batch in _batches(pictures):
            pixels = self.pixels(batch).to(self.device)
            embeddings.append(F.normalize(self.net(pixels), dim=-1))
        return _joined(embeddings)


class FactorReader:
    """What is in a Sticker World picture; `values` names what each factor can be, "none" among them."""

    def __init__(self, encoders: Encoders, device: str = "cpu") -> None:
        """Raises ValueError where the profile has no reader, or its weights are missing or damaged."""
        if encoders.reader is None:
            raise ValueError("this profile has no factor reader; what leaks is known in profile stickers only")
        folder = _folder(encoders.reader)
        if folder is None:
            raise ValueError(f"encoders.reader: expected a folder of weights, got {encoders.reader!r}")
        self.name = encoders.reader
        self.device = device
        self.net = _loaded(self.name, lambda: Reader.load(folder)).to(device)
        self.values: dict[str, list[str]] = self.net.config["heads"]

    @torch.inference_mode()
    def read(self, pictures: Sequence[Image.Image]) -> dict[str, np.ndarray]:
        """Probabilities (n, values) of each factor; rows sum to 1.

        A picture is read together with its mirror image, which shows the same things: it is misread less often.
        Raises ValueError for no pictures.
        """
        by_batch = []
        for batch in _batches(pictures):
            pixels = _scaled(batch, self.net.backbone.size)
            by_batch.append(self._read(pixels.to(self.device)))
        probabilities = {}
        for factor in self.values:
            probabilities[factor] = _joined([batch[factor] for batch in by_batch])
        return probabilities

    def _read(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        mirrored = pixels.flip(3)
        logits_by_factor = self.net(torch.cat([pixels, mirrored]))
        probabilities = {}
        for factor, logits in logits_by_factor.items():
            both = logits.unflatten(0, (2, -1))  # (as it is and mirrored, n, values)
            probabilities[factor] = both.mean(0).softmax(1)
        return probabilities


def _scaled(pictures: Sequence[Image.Image], size: int) -> torch.Tensor:
    """Pictures of any sizes as (n, 3, size, size) in [0, 1], scaled as the shipped nets scale them."""
    scaled = []
    for picture in pictures:
        array = np.array(picture.convert("RGB"))
        pixels = torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255
        scaled.append(F.interpolate(pixels, (size, size), mode="bilinear", antialias=True))
    return torch.cat(scaled)


def _transformed(
    transform: Callable[[Image.Image], torch.Tensor],
    pictures: Sequence[Image.Image],
) -> torch.Tensor:
    """Pictures as (n, 3, h, w), prepared as a library's model asks for."""
    return torch.stack([transform(picture.convert("RGB")) for picture in pictures])


def _batches(items: Sequence) -> Iterator[Sequence]:
    if not len(items):
        raise ValueError("nothing to encode: expected at least one picture or text, got none")
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _joined(batches: Sequence[torch.Tensor]) -> np.ndarray:
    on_cpu = [batch.float().cpu() for batch in batches]
    return torch.cat(on_cpu).numpy()


def _folder(reference: str) -> Path | None:
    """The folder that holds the weights; None for a name in a library."""
    folder = Path(locate(reference))
    if shipped(reference) or folder.is_dir():
        return folder
    return None


def _open_clip_names(reference: str) -> tuple[str, str | None]:
    """open_clip's model name and `pretrained` tag."""
    folder = _folder(reference)
    if folder:
        return f"local-dir:{folder}", None
    model, slash, pretrained = reference.partition("/")
    if not slash:
        raise ValueError(
            f"encoders.image_text: expected MODEL/PRETRAINED, such as ViT-B-32-quickgelu/openai, got {reference!r}"
        )
    _check_known("open_clip model", model, open_clip.list_models())
    _check_known(f"weights of {model}", pretrained, open_clip.list_pretrained_tags_by_model(model))
    check_open_clip(model, pretrained)
    return model, pretrained


def _check_timm_name(name: str) -> None:
    _check_known("timm model", name, timm.list_models(pretrained=True))
    check_timm(name)


def _check_known(kind: str, name: str, known: list[str]) -> None:
    """Like `config.check_name`, for lists too long to be shown."""
    if name in known:
        return
    nearest = difflib.get_close_matches(name, known, n=3)
    offer = " or ".join(map(repr, nearest)) or "another name"
    raise ValueError(f"unknown {kind} {name!r}; did you mean {offer}?")


def _loaded(reference: str, load: Callable[[], T]) -> T:
    """What `load` returns; its errors as one that says what to do."""
    try:
        return load()
    except BROKEN as error:
        remedy = "is the network there? A model of the hub is downloaded the first time"
        if part := shipped(reference):
            remedy = f"restore the shipped weights with git checkout, or train them: sidkit stickers pretrain {part}"
        raise ValueError(f"the weights of {reference} are missing or damaged ({error}); {remedy}") from error
