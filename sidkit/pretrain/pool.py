"""Rendered scenes for training: a pool of pictures on disk, so that no step waits for the renderer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from sidkit.files import whole_file, write_text
from sidkit.runs import fingerprint
from sidkit.stickers.factors import Scene
from sidkit.stickers.heads import HEADS, labels
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import compose
from sidkit.stickers.tensors import channels_first

CHUNK = 1000  # scenes a process renders in one go
CELLS = 16  # a side, of `Pool.cover`: as many as the latents have
COVERING = ("subject", "nearby", "tied")  # masks, in the order of `Pool.cover`

Sampler = Callable[[np.random.Generator], Scene]


class Pool:
    """Pictures (n, size, size, 3) uint8, memory-mapped, and their scenes.

    `cover` (n, 3, 16, 16) uint8 is the share of each cell, of 255, that each of COVERING takes.
    """

    def __init__(self, folder: Path) -> None:
        self.pictures = np.load(folder / "pictures.npy", mmap_mode="r")
        self.cover = np.load(folder / "cover.npy", mmap_mode="r")
        rows = json.loads((folder / "scenes.json").read_text())
        self.scenes = [Scene(**factors) for factors in rows]

    def __len__(self) -> int:
        return len(self.scenes)


def pool(folder: Path, count: int, size: int, *, seed: int, sample: Sampler = sample_scene) -> Pool:
    """The pool in `folder`, rendered first if it is not there; `sample` draws its scenes."""
    if not (folder / "scenes.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _render(folder, count, size, seed, sample)
    return Pool(folder)


def batch_of(pool: Pool, index: np.ndarray, device: torch.device) -> torch.Tensor:
    """Pictures of the pool, in the order of `index`, as (n, 3, size, size) in [0, 1]."""
    return channels_first(pool.pictures[index], device) / 255


def pool_labels(pool: Pool) -> dict[str, torch.Tensor]:
    """For each of HEADS the labels (n,) of the pool's scenes."""
    rows = [labels(scene) for scene in pool.scenes]
    return {head: torch.tensor([row[head] for row in rows]) for head in HEADS}


def save_whole(path: Path, array: np.ndarray) -> None:
    """Write an array's file whole or not at all."""
    with whole_file(path) as partial, partial.open("wb") as stream:  # given a name, numpy would add its own suffix
        np.save(stream, array)


def weights_name(*modules: nn.Module) -> str:
    """What tells files computed with these modules from those computed with others: the same for the same weights."""
    return fingerprint(*map(_arrays, modules))


def _arrays(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: value.cpu().numpy() for name, value in module.state_dict().items()}


def share_of_cells(mask: np.ndarray) -> np.ndarray:
    """How much of each cell a mask (side, side) covers, (16, 16) uint8 from 0 to 255."""
    cell = len(mask) // CELLS  # px
    shares = mask.reshape(CELLS, cell, CELLS, cell).mean(axis=(1, 3))
    return (255 * shares).astype(np.uint8)


class _Chunk(NamedTuple):
    pictures: np.ndarray
    cover: np.ndarray
    scenes: list[dict]


def _render(folder: Path, count: int, size: int, seed: int, sample: Sampler) -> None:
    pictures = _new_array(folder / "pictures.npy", (count, size, size, 3))
    cover = _new_array(folder / "cover.npy", (count, len(COVERING), CELLS, CELLS))
    starts = range(0, count, CHUNK)
    work = partial(_chunk, count=count, size=size, seed=seed, sample=sample)
    scenes: list[dict] = []
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        chunks = workers.map(work, starts)
        for start, chunk in zip(starts, tqdm(chunks, f"render {folder.name}", len(starts), unit="k"), strict=True):
            end = start + len(chunk.scenes)
            pictures[start:end] = chunk.pictures
            cover[start:end] = chunk.cover
            scenes += chunk.scenes
    pictures.flush()
    cover.flush()
    write_text(folder / "scenes.json", json.dumps(scenes))


def _new_array(path: Path, shape: tuple[int, ...]) -> np.memmap:
    return np.lib.format.open_memmap(path, "w+", np.uint8, shape)


def _chunk(start: int, *, count: int, size: int, seed: int, sample: Sampler) -> _Chunk:
    rng = np.random.default_rng([seed, start])
    scenes = [sample(rng) for _ in range(min(CHUNK, count - start))]
    pictures, cover = [], []
    for scene in scenes:
        composed = compose(scene, size, rng)
        pictures.append(np.asarray(composed.image))
        cover.append(np.stack([share_of_cells(composed.masks[part]) for part in COVERING]))
    return _Chunk(np.stack(pictures), np.stack(cover), [asdict(scene) for scene in scenes])
