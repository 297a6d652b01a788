"""Rendered scenes for training: a pool of pictures on disk, so that no step waits for the renderer."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from torch import nn
from tqdm import tqdm

from sidkit.files import whole_file, write_text
from sidkit.runs import fingerprint
from sidkit.stickers.factors import Scene
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import Composition, compose

CHUNK = 1000  # scenes a process renders in one go
CELL = 4  # px; side of a cell of `Pool.cover`


class Pool:
    """Pictures (n, size, size, 3) uint8, memory-mapped, and their scenes.

    `cover` (n, size / 4, size / 4) uint8 is the share of each cell, of 255, that the subject and the things take.
    """

    def __init__(self, folder: Path) -> None:
        self.pictures = np.load(folder / "pictures.npy", mmap_mode="r")
        self.cover = np.load(folder / "cover.npy", mmap_mode="r")
        self.scenes = [Scene(**factors) for factors in json.loads((folder / "scenes.json").read_text())]

    def __len__(self) -> int:
        return len(self.scenes)


def pool(folder: Path, count: int, size: int, *, seed: int, **scenes) -> Pool:
    """The pool in `folder`, rendered first if it is not there; `scenes` are options of `sample_scene`."""
    if not (folder / "scenes.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _render(folder, count, size, seed, scenes)
    return Pool(folder)


def save_whole(path: Path, array: np.ndarray) -> None:
    """Write an array's file whole or not at all."""
    with whole_file(path) as partial, partial.open("wb") as stream:  # given a name, numpy would add its own suffix
        np.save(stream, array)


def weights_name(*modules: nn.Module) -> str:
    """What tells files computed with these modules from those computed with others: the same for the same weights."""
    return fingerprint(*({name: value.cpu().numpy() for name, value in one.state_dict().items()} for one in modules))


def _render(folder: Path, count: int, size: int, seed: int, options: dict) -> None:
    pictures = np.lib.format.open_memmap(folder / "pictures.npy", "w+", np.uint8, (count, size, size, 3))
    cover = np.lib.format.open_memmap(folder / "cover.npy", "w+", np.uint8, (count, size // CELL, size // CELL))
    starts = range(0, count, CHUNK)
    work = partial(_chunk, count=count, size=size, seed=seed, options=options)
    scenes: list[dict] = []
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        bar = tqdm(workers.map(work, starts), f"render {folder.name}", len(starts), unit="k")
        for start, (pixels, covered, factors) in zip(starts, bar):
            pictures[start : start + len(pixels)] = pixels
            cover[start : start + len(pixels)] = covered
            scenes += factors
    pictures.flush()
    cover.flush()
    write_text(folder / "scenes.json", json.dumps(scenes))


def _chunk(start: int, *, count: int, size: int, seed: int, options: dict) -> tuple[np.ndarray, np.ndarray, list[dict]]:
    rng = np.random.default_rng([seed, start])
    scenes = [sample_scene(rng, **options) for _ in range(min(CHUNK, count - start))]
    composed = [compose(scene, size, rng) for scene in scenes]
    pixels = np.stack([np.asarray(one.image) for one in composed])
    return pixels, np.stack([_covered(one) for one in composed]), [asdict(scene) for scene in scenes]


def _covered(composed: Composition) -> np.ndarray:
    """How much of each cell is not background, 0 to 255."""
    mask = ~composed.masks["background"]
    side = len(mask) // CELL
    return (255 * mask.reshape(side, CELL, side, CELL).mean(axis=(1, 3))).astype(np.uint8)
