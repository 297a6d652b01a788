"""What the subject encoder learns from: scenes, each with what a step of training needs of it, made once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from tqdm import tqdm

from sidkit.files import whole_file, write_text
from sidkit.pretrain.augmentation import jitter
from sidkit.pretrain.pool import CELL, share_of_cells, weights_name
from sidkit.stickers.factors import Scene
from sidkit.stickers.nets import Backbone
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import Composition, compose
from sidkit.stickers.subject_encoder import look, view
from sidkit.stickers.tensors import pixels

COUNT = 10_000  # scenes
MADE_AT_ONCE = 100
SIDE = 16 * CELL  # px of a picture
ARRAYS = ("latents", "cover", "fine", "coarse")
WORN_SHARE = 0.5  # how often a subject is cut out with what it wears


@dataclass(frozen=True)
class Views:
    """Scenes with what training needs of each, so that no step waits for it.

    `latents` (n, c, 16, 16), `cover` (n, 16, 16) the subject's share of each cell, `fine` and `coarse` the eyes' maps
    of the subject's view; float16, but for `cover`, which is uint8 of 255.
    """

    scenes: list[Scene]
    latents: np.ndarray
    cover: np.ndarray
    fine: np.ndarray
    coarse: np.ndarray

    def __len__(self) -> int:
        return len(self.scenes)


def views_on_disk(folder: Path, count: int, eyes: Backbone, vae: nn.Module) -> Views:
    """`count` scenes rendered, encoded and looked at; made once for each encoder and backbone, then read again."""
    folder = folder / weights_name(eyes, vae.encoder, vae.quant_conv)
    done = folder / f"scenes-{count}.json"
    paths = {name: folder / f"{name}-{count}.npy" for name in ARRAYS}
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        views = _made(count, eyes, vae)
        for name, path in paths.items():
            with whole_file(path) as partial, partial.open("wb") as stream:
                np.save(stream, getattr(views, name))
        write_text(done, json.dumps([asdict(scene) for scene in views.scenes]))
    scenes = [Scene(**factors) for factors in json.loads(done.read_text())]
    return Views(scenes, **{name: np.load(path) for name, path in paths.items()})


def outline(composed: Composition, worn: bool) -> np.ndarray:
    """The mask of a subject, alone or with what it wears."""
    if worn:
        return composed.masks["subject"] | composed.masks["tied"]
    return composed.masks["subject"]


@torch.no_grad()
def _made(count: int, eyes: Backbone, vae: nn.Module) -> Views:
    """A subject is cut out with what it wears every other time, as a segmenter would, otherwise without."""
    rng = np.random.default_rng([2, count])
    generator = torch.Generator().manual_seed(0)
    chunks = []
    for start in tqdm(range(0, count, MADE_AT_ONCE), "views"):
        scenes = [sample_scene(rng) for _ in range(min(MADE_AT_ONCE, count - start))]
        composed = [compose(scene, SIDE, rng) for scene in scenes]
        whole = pixels([composition.image for composition in composed]).to(vae.device)
        latents = vae.encode(whole * 2 - 1).latent_dist.mean
        cover = np.stack([share_of_cells(composition.masks["subject"]) for composition in composed])
        shown = pixels(_views(composed, rng)).to(vae.device)
        fine, coarse = look(eyes, jitter(shown, generator))
        chunks.append(Views(scenes, _halved(latents), cover, _halved(fine), _halved(coarse)))
    return _joined(chunks)


def _views(composed: Sequence[Composition], rng: np.random.Generator) -> list[Image.Image]:
    views = []
    for scene in composed:
        worn = rng.random() < WORN_SHARE
        views.append(view(scene.image, outline(scene, worn)))
    return views


def _halved(tensor: torch.Tensor) -> np.ndarray:
    return tensor.half().cpu().numpy()


def _joined(chunks: Sequence[Views]) -> Views:
    scenes = [scene for chunk in chunks for scene in chunk.scenes]
    arrays = {name: np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in ARRAYS}
    return Views(scenes, **arrays)
