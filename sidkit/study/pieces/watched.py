"""What `[v]` looks at while the pictures of a subject and arm are drawn once more, and in the references."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from diffusers import DiffusionPipeline
from PIL import Image
from safetensors.numpy import load_file, save_file

from sidkit.attention import capture, look
from sidkit.files import whole_file
from sidkit.generation import Picture
from sidkit.study.pieces.drawn import Drawn, pictures_of
from sidkit.study.pieces.picture_files import open_picture

MAPS, ABOUT = "maps.safetensors", "maps.json"


@dataclass(frozen=True)
class Watched:
    """All that the maps of a subject and arm depend on."""

    drawn: Drawn
    pictures: str  # the name of their folder: what was drawn the first time
    word: str  # that is watched: the identifier
    convention: str  # of `attention.CONVENTIONS`
    references: Sequence[Image.Image]
    caption: str  # with the word, under which the references are looked at
    seed: int  # of the noise on them


@dataclass(frozen=True)
class Seen:
    """Of one subject and arm, for its pictures prompt by prompt, and for its references.

    `steps` (steps, pictures, h, w) and `layers` (layers, pictures, h, w) of the drawn pictures, whose mean over the
    first axis is the same; `references` (noise levels, references, h, w), the noisiest first. `names` are the layers'.
    `same` is the share of the pictures that were drawn again to the bit while the attention was watched.
    """

    steps: np.ndarray
    layers: np.ndarray
    references: np.ndarray
    names: tuple[str, ...]
    same: float

    @property
    def mean(self) -> np.ndarray:
        """(pictures, h, w)."""
        return self.steps.mean(axis=0)

    def blocks(self) -> Iterator[tuple[str, np.ndarray]]:
        """For each block of the denoiser, "down 1" or "middle", the mean (pictures, h, w) of its layers."""
        block_of_layer = [_block(name) for name in self.names]
        for block in dict.fromkeys(block_of_layer):
            is_inside = [other == block for other in block_of_layer]
            yield block, self.layers[is_inside].mean(axis=0)


def watch(wanted: Watched, pipe: DiffusionPipeline, pictures: Path, folder: Path) -> None:
    """Fill the folder of the maps; `pipe` has learnt the subject, and `pictures` has what it drew the first time."""
    word = wanted.word
    with capture(pipe, [word], convention=wanted.convention) as maps:
        drawn = pictures_of(wanted.drawn, pipe)
    count = len(drawn)  # `generate` fills up its last batch, and drops what is not wanted
    by_layer = {name: layer[:count] for name, layer in maps.by_layer(word).items()}
    arrays = {
        "steps": maps.by_step(word)[:, :count],
        "layers": np.stack(list(by_layer.values())),
        "references": _at_references(wanted, pipe),
    }
    halves = {name: np.ascontiguousarray(array.astype(np.float16)) for name, array in arrays.items()}
    with whole_file(folder / MAPS) as partial:
        save_file(halves, partial)
    about = {"layers": list(by_layer), "same": _share_drawn_again(wanted.drawn, drawn, pictures)}
    (folder / ABOUT).write_text(json.dumps(about))


def read_seen(folder: Path) -> Seen:
    """What a folder says that `[v]` looked at."""
    about = json.loads((folder / ABOUT).read_text())
    arrays = {name: array.astype(np.float32) for name, array in load_file(folder / MAPS).items()}
    return Seen(**arrays, names=tuple(about["layers"]), same=about["same"])


def _at_references(wanted: Watched, pipe: DiffusionPipeline) -> np.ndarray:
    """(noise levels, references, h, w)."""
    texts = [wanted.caption] * len(wanted.references)
    precision = wanted.drawn.model.precision
    maps = look(pipe, wanted.references, texts, [wanted.word], seed=wanted.seed, precision=precision)
    return maps.by_step(wanted.word)


def _share_drawn_again(wanted: Drawn, drawn: Sequence[Picture], folder: Path) -> float:
    """How many of the pictures have the bits of those in the folder: in [0, 1]."""
    same = []
    for index, picture in enumerate(drawn):
        before = open_picture(folder, *divmod(index, len(wanted.seeds)))
        same.append(picture.image.convert("RGB").tobytes() == before.tobytes())
    return float(np.mean(same))


def _block(layer: str) -> str:
    """ "down_blocks.1.attentions.0" is in "down 1"."""
    kind, number = layer.split(".")[:2]
    return "middle" if kind == "mid_block" else f"{kind.removesuffix('_blocks')} {number}"
