"""What makes embeddings: an image-text model (CLIP's role), an identity encoder (DINO's role), the factor reader.

Each scales pictures as its model asks for; where that model crops to a square (CLIP and DINO do), so it is done here.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
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
from sidkit.stickers.heads import ABSENT, PAIR, PLACE
from sidkit.stickers.nets import IdentityNet, Reader

BATCH = 16  # 1.5 times the speed of 64 on a CPU
BROKEN = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError)  # what loading raises
T = TypeVar("T")


class ImageTextEncoder:
    """Pictures and texts in one space, by open_clip: a folder of weights, or "MODEL/PRETRAINED"."""

    def __init__(self, encoders: Encoders, device: str = "cpu") -> None:
        """Raises ValueError for an unknown model and for weights that are missing or damaged."""
        self.name, self.device = encoders.image_text, device
        model, pretrained = _open_clip_names(encoders.image_text)
        self.model, _, self.transform = _loaded(
            encoders.image_text,
            lambda: open_clip.create_model_and_transforms(model, pretrained, device=device, require_pretrained=True),
        )
        self.tokenizer = _loaded(encoders.image_text, lambda: open_clip.get_tokenizer(model))
        self.model.float().eval()

    @torch.inference_mode()
    def images(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        """(n, d), rows of length 1."""
        parts = (_transformed(self.transform, part) for part in _batches(pictures))
        return _joined(self.model.encode_image(part.to(self.device), normalize=True) for part in parts)

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d), rows of length 1. Raises ValueError for a text that the model would cut."""
        parts = (self._tokens(list(part)) for part in _batches(texts))
        return _joined(self.model.encode_text(part.to(self.device), normalize=True) for part in parts)

    def _tokens(self, texts: list[str]) -> torch.Tensor:
        limit = self.tokenizer.context_length
        tokens, longer = (self.tokenizer(texts, context_length=length) for length in (limit, limit + 1))
        cut = (tokens != longer[:, :limit]).any(1)  # with room for one more, a text that was cut ends otherwise
        if cut.any():
            text = texts[int(cut.int().argmax())]
            raise ValueError(f"text: expected at most {limit} tokens, start and end included; shorten {text!r}")
        return tokens


class IdentityEncoder:
    """Pictures as vectors that say which subject they show: a folder of weights, or a timm model by name."""

    def __init__(self, encoders: Encoders, device: str = "cpu") -> None:
        """Raises ValueError for an unknown model and for weights that are missing or damaged."""
        self.name, self.device = encoders.identity, device
        if folder := _folder(encoders.identity):
            net = _loaded(encoders.identity, lambda: IdentityNet.load(folder))
            self.pixels = partial(to_tensor, size=net.backbone.size)
        else:
            _check_known("timm model", encoders.identity, timm.list_models(pretrained=True))
            net = _loaded(encoders.identity, lambda: timm.create_model(encoders.identity, True, num_classes=0))
            self.pixels = partial(_transformed, timm.data.create_transform(**timm.data.resolve_model_data_config(net)))
        self.net = net.eval().to(device)

    @torch.inference_mode()
    def images(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        """(n, d), rows of length 1."""
        parts = (self.pixels(part).to(self.device) for part in _batches(pictures))
        return _joined(F.normalize(self.net(part), dim=-1) for part in parts)


class FactorReader:
    """What is in a Sticker World picture; `values` names what each factor can be, "none" among them."""

    def __init__(self, encoders: Encoders, device: str = "cpu") -> None:
        """Raises ValueError where the profile has no reader, or its weights are missing or damaged."""
        if encoders.reader is None:
            raise ValueError("this profile has no factor reader; what leaks is known in profile stickers only")
        folder = _folder(encoders.reader)
        if folder is None:
            raise ValueError(f"encoders.reader: expected a folder of weights, got {encoders.reader!r}")
        self.name, self.device = encoders.reader, device
        self.net = _loaded(encoders.reader, lambda: Reader.load(folder)).to(device)
        self.things = self.net.config["things"]
        heads = self.net.config["heads"]
        self.values: dict[str, list[str]] = {head: names for head, names in heads.items() if head != PLACE}
        self.values |= {head: [ABSENT, *heads[head]] for head in self.things}
        self.parts = _parts_of(heads.get(PLACE, ()))
        self.values |= {factor: list(pairs) for factor, pairs in self.parts.items()}

    @torch.inference_mode()
    def read(self, pictures: Sequence[Image.Image]) -> dict[str, np.ndarray]:
        """Probabilities (n, values) of each factor.

        Rows sum to 1, but for things, of which a picture may show several: there each value has a probability of its
        own, and "none" what the likeliest thing leaves. A picture is read together with its mirror image, which shows
        the same things: it is misread less often.
        """
        size = self.net.backbone.size
        parts = [self._read(to_tensor(part, size).to(self.device)) for part in _batches(pictures)]
        return {factor: _joined(part[factor] for part in parts) for factor in self.values}

    def _read(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        both = self.net(torch.cat([pixels, pixels.flip(3)]))
        read = {head: logits.unflatten(0, (2, -1)).mean(0) for head, logits in both.items()}
        found = {head: logits.softmax(1) for head, logits in read.items() if head not in self.things}
        for head in self.things:
            shown = read[head].sigmoid()
            found[head] = torch.cat([1 - shown.amax(1, keepdim=True), shown], dim=1)
        if PLACE in found:
            found |= {factor: _summed(found[PLACE], list(pairs.values())) for factor, pairs in self.parts.items()}
        return found


def _parts_of(pairs: Sequence[str]) -> dict[str, dict[str, list[int]]]:
    """Of the values of PLACE, "beach, night", those with the same place and those with the same variant."""
    found: dict[str, dict[str, list[int]]] = {}
    for index, pair in enumerate(pairs):
        for factor, part in zip(("background", "variant"), pair.split(PAIR), strict=True):
            found.setdefault(factor, {}).setdefault(part, []).append(index)
    return found


def _summed(shares: torch.Tensor, groups: Sequence[Sequence[int]]) -> torch.Tensor:
    return torch.stack([shares[:, list(group)].sum(1) for group in groups], dim=1)


def to_tensor(pictures: Sequence[Image.Image], size: int) -> torch.Tensor:
    """Pictures of any sizes as (n, 3, size, size) in [0, 1], scaled as the shipped nets scale them."""
    arrays = (np.array(picture.convert("RGB")) for picture in pictures)
    pixels = (torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255 for array in arrays)
    return torch.cat([F.interpolate(x, (size, size), mode="bilinear", antialias=True) for x in pixels])


def _transformed(transform: Callable[[Image.Image], torch.Tensor], pictures: Sequence[Image.Image]) -> torch.Tensor:
    return torch.stack([transform(picture.convert("RGB")) for picture in pictures])


def _batches(items: Sequence) -> Iterator[Sequence]:
    if not len(items):
        raise ValueError("nothing to encode: expected at least one picture or text, got none")
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _joined(parts: Iterable[torch.Tensor]) -> np.ndarray:
    return torch.cat([part.float().cpu() for part in parts]).numpy()


def _folder(reference: str) -> Path | None:
    """The folder that holds the weights; None for a name in a library."""
    folder = Path(locate(reference))
    return folder if shipped(reference) or folder.is_dir() else None


def _open_clip_names(reference: str) -> tuple[str, str | None]:
    """open_clip's model name and `pretrained` tag."""
    if folder := _folder(reference):
        return f"local-dir:{folder}", None
    model, slash, pretrained = reference.partition("/")
    if not slash:
        raise ValueError(f"encoders.image_text: expected MODEL/PRETRAINED, such as ViT-B-32/openai, got {reference!r}")
    _check_known("open_clip model", model, open_clip.list_models())
    _check_known(f"weights of {model}", pretrained, open_clip.list_pretrained_tags_by_model(model))
    return model, pretrained


def _check_known(kind: str, name: str, known: list[str]) -> None:
    """Like `config.check_name`, for lists too long to be shown."""
    if name not in known:
        near = " or ".join(map(repr, difflib.get_close_matches(name, known, n=3))) or "another name"
        raise ValueError(f"unknown {kind} {name!r}; did you mean {near}?")


def _loaded(reference: str, load: Callable[[], T]) -> T:
    """What `load` returns; its errors as one that says what to do."""
    try:
        return load()
    except BROKEN as error:
        remedy = "is the network there? A model of the hub is downloaded the first time"
        if part := shipped(reference):
            remedy = f"restore the shipped weights with git checkout, or train them: sidkit stickers pretrain {part}"
        raise ValueError(f"the weights of {reference} are missing or damaged ({error}); {remedy}") from error
