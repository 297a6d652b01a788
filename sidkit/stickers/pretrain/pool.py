"""Rendered scenes for training: a pool of pictures on disk, so that no step waits for the renderer."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from sidkit.stickers.factors import Scene
from sidkit.stickers.scenes import render, sample_scene

CHUNK = 1000  # scenes a process renders in one go


class Pool:
    """Pictures (n, size, size, 3) uint8, memory-mapped, and their scenes."""

    def __init__(self, folder: Path) -> None:
        self.pictures = np.load(folder / "pictures.npy", mmap_mode="r")
        self.scenes = [Scene(**factors) for factors in json.loads((folder / "scenes.json").read_text())]

    def __len__(self) -> int:
        return len(self.scenes)


def pool(folder: Path, count: int, size: int, *, seed: int, held_out: bool = False) -> Pool:
    """The pool in `folder`, rendered first if it is not there; `held_out` draws the designs that no training shows."""
    if not (folder / "scenes.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _render(folder, count, size, seed, held_out)
    return Pool(folder)


def _render(folder: Path, count: int, size: int, seed: int, held_out: bool) -> None:
    pictures = np.lib.format.open_memmap(folder / "pictures.npy", "w+", np.uint8, (count, size, size, 3))
    starts = range(0, count, CHUNK)
    work = partial(_chunk, count=count, size=size, seed=seed, held_out=held_out)
    scenes: list[dict] = []
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        for start, (pixels, factors) in zip(
            starts, tqdm(workers.map(work, starts), f"render {folder.name}", len(starts), unit="k")
        ):
            pictures[start : start + len(pixels)] = pixels
            scenes += factors
    pictures.flush()
    partial_file = folder / "scenes.json.partial"
    partial_file.write_text(json.dumps(scenes))
    partial_file.rename(folder / "scenes.json")


def _chunk(start: int, *, count: int, size: int, seed: int, held_out: bool) -> tuple[np.ndarray, list[dict]]:
    rng = np.random.default_rng([seed, start])
    scenes = [sample_scene(rng, held_out=held_out) for _ in range(min(CHUNK, count - start))]
    return np.stack([np.asarray(render(scene, size, rng)) for scene in scenes]), [asdict(scene) for scene in scenes]
