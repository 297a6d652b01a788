"""What makes embeddings: an image-text model (CLIP's role), an identity encoder (DINO's role), the factor reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from sidkit import torchvision_ops  # noqa: F401  (before open_clip and timm)
from sidkit.config import EMBEDDED, Encoders, locate
from sidkit.stickers.nets import IdentityNet, Reader

import open_clip  # isort: skip
import timm  # isort: skip

BATCH = 64


class ImageTextEncoder:
    """Pictures and texts in one space, by open_clip: a shipped model, or "MODEL/PRETRAINED"."""

    def __init__(self, encoders: Encoders, device: str = "cpu") -> None:
        self.name, self.device = encoders.image_text, device
        model, pretrained = _open_clip_names(encoders.image_text)
        self.model, _, self.transform = open_clip.create_model_and_transforms(model, pretrained=pretrained, device=device)
        self.tokenizer = open_clip.get_tokenizer(model)
        self.model.float().eval()

    @torch.inference_mode()
    def images(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        """(n, d), rows of length 1."""
        parts = (torch.stack([self.transform(p) for p in part]).to(self.device) for part in _batches(pictures))
        return np.concatenate([self.model.encode_image(part, normalize=True).cpu().numpy() for part in parts])

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d), rows of length 1."""
        parts = (self.tokenizer(list(part)).to(self.device) for part in _batches(texts))
        return np.concatenate([self.model.encode_text(part, normalize=True).cpu().numpy() for part in parts])


class IdentityEncoder:
    """Pictures as vectors that say which subject they show: the shipped net, or a timm model by name."""

    def __init__(self, encoders: Encoders, device: str = "cpu") -> None:
        self.name, self.device = encoders.identity, device
        if encoders.identity.startswith(EMBEDDED):
            self.net = IdentityNet.load(_folder(encoders.identity)).to(device)
        else:
            self.net = timm.create_model(encoders.identity, pretrained=True, num_classes=0).eval().to(device)
            config = timm.data.resolve_model_data_config(self.net)
            self.transform = timm.data.create_transform(**config, is_training=False)

    @torch.inference_mode()
    def images(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        """(n, d), rows of length 1."""
        parts = [F.normalize(self.net(self._pixels(part)), dim=-1) for part in _batches(pictures)]
        return torch.cat(parts).cpu().numpy()

    def _pixels(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        if isinstance(self.net, IdentityNet):
            return to_tensor(pictures).to(self.device)
        return torch.stack([self.transform(picture) for picture in pictures]).to(self.device)


class FactorReader:
    """What is in a Sticker World picture; `values` names what each factor can be."""

    def __init__(self, encoders: Encoders, device: str = "cpu") -> None:
        if encoders.reader is None:
            raise ValueError("this profile has no factor reader: leakage is known in Sticker World only (profile stickers)")
        self.name, self.device = encoders.reader, device
        self.net = Reader.load(_folder(encoders.reader)).to(device)
        self.values: dict[str, list[str]] = self.net.config["heads"]

    @torch.inference_mode()
    def read(self, pictures: Sequence[Image.Image]) -> dict[str, np.ndarray]:
        """Probabilities (n, values) of each factor."""
        parts = [self.net(to_tensor(part).to(self.device)) for part in _batches(pictures)]
        return {head: torch.cat([part[head].softmax(1) for part in parts]).cpu().numpy() for head in self.values}


def to_tensor(pictures: Sequence[Image.Image]) -> torch.Tensor:
    """RGB pictures of one size as (n, 3, height, width) in [0, 1]."""
    sizes = {picture.size for picture in pictures}
    if len(sizes) != 1:
        raise ValueError(f"expected pictures of one size, got {sorted(sizes)}; resize them first")
    arrays = np.stack([np.asarray(picture.convert("RGB")) for picture in pictures])
    return torch.from_numpy(arrays).permute(0, 3, 1, 2).float() / 255


def _batches(items: Sequence) -> Iterator[Sequence]:
    if not len(items):
        raise ValueError("nothing to encode: expected at least one picture or text")
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _folder(reference: str):
    from pathlib import Path

    folder = Path(locate(reference))
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"expected weights in {folder}, found no {name}; restore the file with git, or train it: sidkit stickers pretrain")
    return folder


def _open_clip_names(reference: str) -> tuple[str, str | None]:
    """open_clip's model name and `pretrained` tag."""
    if reference.startswith(EMBEDDED):
        return f"local-dir:{locate(reference)}", None
    model, slash, pretrained = reference.partition("/")
    if not slash:
        raise ValueError(f"encoders.image_text: expected MODEL/PRETRAINED, such as ViT-B-32/openai, got {reference!r}")
    return model, pretrained
