"""The shipped subject encoder: one picture and its subject's mask to the embedding of one word, without any training.

It is of the family of ELITE (arXiv 2302.13848) and BLIP-Diffusion (arXiv 2305.14720): what it says of a picture takes
the identifier's place in the text encoder. Its eyes are the factor reader's backbone, which it does not carry itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedTokenizerBase

from sidkit.masks.files import apply_mask
from sidkit.stickers.nets import COARSE, FINE, Attending, Backbone, Reader, Saved

SIDE = 128  # px of a view
MARGIN = 0.08  # of its longer side, around a subject
FILL = "grey"  # of all that is not the subject
SHADES = 4  # a fine cell's own colours, as a grid of this many a side


class SubjectNet(Saved):
    """The eyes' maps of a view to a word, in two parts that are added.

    `direct` is linear and solved for, not trained: it says the looks in the text encoder's own words. What words do not
    say is learnt by `look` and `word`. `reader` says whose eyes the net reads with.
    """

    def __init__(
        self, shapes: int, fine: int, coarse: int, reader: str, *, word: int = 160, width: int = 192, layers: int = 3
    ) -> None:
        super().__init__()
        self.config = dict(
            shapes=shapes, fine=fine, coarse=coarse, reader=reader, word=word, width=width, layers=layers
        )
        self.direct = nn.Linear(shapes + fine + coarse * COARSE**2 + 3 * FINE**2, word).requires_grad_(False)
        self.look = Attending(shapes, fine + 3 * SHADES**2, coarse, width, layers)
        self.word = nn.Linear(width, word)
        self.scale = width**0.5
        self.register_buffer("size", torch.ones(()))  # of the text encoder's words
        for weight in (*self.direct.parameters(), *self.word.parameters()):
            nn.init.zeros_(weight)

    def forward(self, fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        """Maps (n, c, 6, 6) and (n, d, 3, 3), as `seen` makes them, to (n, word)."""
        return self.size * (self.direct(flat(fine, coarse)) + self.word(self.look(fine, coarse) * self.scale))


def make_net(eyes: Backbone, reader: str, table: torch.Tensor) -> SubjectNet:
    """A net that has learnt nothing, for words like those of `table` (tokens, word).

    A word that is much longer than the others would drown them in the text encoder.
    """
    *_, shapes, fine, coarse = (layer["num_chs"] for layer in eyes.net.feature_info)
    net = SubjectNet(shapes, fine, coarse, reader, word=table.shape[1])
    net.size.copy_(table.std())
    return net


def flat(fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
    """A row (n, features) a view: the fine map's mean, the coarse one whole, and the mean colour of each cell."""
    maps, shades = fine[:, : -3 * SHADES**2], fine[:, -3 * SHADES**2 :]
    colors = shades.unflatten(1, (3, SHADES**2)).mean(2)
    return torch.cat([maps.mean((2, 3)), coarse.flatten(1), colors.flatten(1)], dim=1)


def seen(eyes: Backbone, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The eyes' maps of views (n, 3, h, w) in [0, 1]; each cell of the fine one with its own colours beside it."""
    fine, coarse = eyes.maps(pixels)
    shades = F.adaptive_avg_pool2d(pixels, FINE * SHADES)
    return torch.cat([fine, F.pixel_unshuffle(shades, SHADES)], dim=1), coarse


def view(image: Image.Image, mask: np.ndarray, side: int = SIDE) -> Image.Image:
    """The subject alone, in the middle of a square of `side` px: what lies outside of the mask is filled, then cut off.

    Raises ValueError for a mask of another size, and for one without a subject.
    """
    alone = apply_mask(image, mask, FILL)
    if not mask.any():
        raise ValueError("mask: expected a subject to encode, the mask covers nothing; draw one for this picture")
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    middle = np.array([columns[0] + columns[-1] + 1, rows[0] + rows[-1] + 1]) / 2
    half = (0.5 + MARGIN) * max(columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0])
    left, top, right, bottom = (round(float(edge)) for edge in (*(middle - half), *(middle + half)))
    square = Image.new("RGB", (right - left, bottom - top), (128, 128, 128))
    square.paste(alone, (-left, -top))
    return square.resize((side, side), Image.BICUBIC)


def pixels(images: list[Image.Image]) -> torch.Tensor:
    """Pictures of one size as (n, 3, h, w) in [0, 1]."""
    arrays = np.stack([np.asarray(image) for image in images])
    return torch.from_numpy(arrays).permute(0, 3, 1, 2).float() / 255


def token_of(tokenizer: PreTrainedTokenizerBase, identifier: str) -> int:
    """The identifier's token. ValueError for a word of several, whose place no single word can take."""
    found = tokenizer(identifier, add_special_tokens=False).input_ids
    if len(found) != 1:
        raise ValueError(f"identifier: expected one token, got {identifier!r}, which is {len(found)}; try 'sks'")
    return found[0]


@contextmanager
def spelling(encoder: nn.Module, token: int, words: torch.Tensor) -> Iterator[None]:
    """While it lasts, `token` in the i-th text of a batch has the embedding `words[i]`; words are (n, width)."""

    def say(table: nn.Module, asked: tuple[torch.Tensor], found: torch.Tensor) -> torch.Tensor:
        return torch.where((asked[0] == token)[..., None], words[:, None].to(found.dtype), found)

    handle = encoder.get_input_embeddings().register_forward_hook(say)
    try:
        yield
    finally:
        handle.remove()


class SubjectEncoder:
    """The saved encoder with the reader's eyes, ready to look."""

    def __init__(self, folder: Path, reader: Path, device: str = "cpu"):
        if not (folder / "model.safetensors").is_file():
            raise ValueError(f"expected the subject encoder in {folder}, found none; {_remedy()}")
        self.net, self.eyes = SubjectNet.load(folder).to(device), Reader.load(reader).backbone.to(device)
        if self.net.config["reader"] != eyes_name(reader):
            raise ValueError(f"{folder} has learnt to look with another factor reader than {reader}; {_remedy()}")

    @torch.no_grad()
    def word(self, image: Image.Image, mask: np.ndarray) -> torch.Tensor:
        """The subject's embedding (width,) for the text encoder that this encoder was trained with."""
        shown = pixels([view(image, mask)]).to(self.net.word.weight.device)
        return self.net(*seen(self.eyes, shown))[0]


def eyes_name(reader: Path) -> str:
    """Of a reader's weights: the same for the same bytes."""
    return hashlib.sha256((reader / "model.safetensors").read_bytes()).hexdigest()[:12]


def _remedy() -> str:
    return "restore the shipped weights with git checkout, or train it: sidkit stickers pretrain subject_encoder"
