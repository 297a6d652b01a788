"""A model that was trained on a subject, and the pictures of the subject's class that keep it from forgetting."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from diffusers import DiffusionPipeline
from PIL import Image

from sidkit.config import Sampling, Training
from sidkit.generation import class_pictures
from sidkit.image_files import opened
from sidkit.personalization.loop import TrainingLog, personalize
from sidkit.personalization.saving import load_personalized, save_personalized
from sidkit.study.pieces.base import Base

CHECKPOINT_EVERY = 250  # steps; in Sticker World a personalization is over before the first
LOG = "training.json"
CAPTIONS = "captions.json"

Prior = tuple[list[Image.Image], list[str]]  # class pictures with their captions


@dataclass(frozen=True)
class ClassPictures:
    """All that the class pictures of prior preservation depend on; every subject of a class has the same."""

    base: Base
    class_word: str
    count: int
    precision: str
    sampling: Sampling
    seed: int


@dataclass(frozen=True)
class Trained:
    """All that the weights of a personalized model depend on."""

    base: Base
    method: str
    training: Training
    images: Sequence[Image.Image]
    masks: Sequence[np.ndarray] | None  # boolean (height, width): where the loss counts
    captions: Sequence[str]  # with the identifier, one an image
    prior: ClassPictures | None
    class_word: str | None  # where the method starts from it
    seed: int

    @property
    def precision(self) -> str:
        """In which the model draws, as it was trained."""
        return self.training.precision


def draw_class(wanted: ClassPictures, pipe: DiffusionPipeline, folder: Path) -> None:
    """Fill the folder of class pictures; `pipe` is the base model."""
    images, captions = class_pictures(
        pipe,
        wanted.class_word,
        wanted.count,
        wanted.sampling,
        seed=wanted.seed,
        precision=wanted.precision,
        progress=False,
    )
    for index, image in enumerate(images):
        image.save(folder / f"{index:04}.png")
    (folder / CAPTIONS).write_text(json.dumps(captions))


def read_class(folder: Path) -> Prior:
    """The class pictures in a folder, with their captions."""
    images = [opened(path).convert("RGB") for path in sorted(folder.glob("*.png"))]
    return images, json.loads((folder / CAPTIONS).read_text())


def train(
    wanted: Trained,
    pipe: DiffusionPipeline,
    prior: Prior | None,
    *,
    watch: Callable[[int, float], None] | None,
    checkpoint: Path,
) -> TrainingLog:
    """Train a copy of the base model in place; the state in `checkpoint` outlives a kill."""
    return personalize(
        pipe,
        wanted.images,
        wanted.captions,
        wanted.method,
        wanted.training,
        seed=wanted.seed,
        prior=prior,
        masks=wanted.masks,
        class_word=wanted.class_word,
        watch=watch,
        progress=False,
        checkpoint=checkpoint,
        checkpoint_every=CHECKPOINT_EVERY,
    )


def save_trained(wanted: Trained, pipe: DiffusionPipeline, log: TrainingLog, folder: Path) -> None:
    """Fill the folder of a personalized model: its weights and how its training went."""
    save_personalized(pipe, folder, wanted.method, wanted.training)
    (folder / LOG).write_text(json.dumps(asdict(log)))


def load_trained(pipe: DiffusionPipeline, folder: Path) -> None:
    """Put the weights of a folder into a copy of the base model."""
    load_personalized(pipe, folder)
