"""A model that was shown a subject's first reference by an encoder method; nothing is trained, and nothing kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from diffusers import DiffusionPipeline
from PIL import Image

from sidkit.config import EncoderMethod, ModelKey, Profile
from sidkit.encoder_methods.reference import Reference, ReferencePipeline
from sidkit.encoder_methods.registry import encoded
from sidkit.study.pieces.base import Base


@dataclass(frozen=True)
class Encoded:
    """All that a model depends on which an encoder has shown a reference."""

    base: Base
    encoder: str
    settings: EncoderMethod
    weights: ModelKey
    eyes: ModelKey | None  # the reader's backbone, through which Sticker World's encoder looks
    image: Image.Image
    mask: np.ndarray | None  # boolean (height, width)
    class_word: str
    precision: str


def encode(wanted: Encoded, pipe: DiffusionPipeline, profile: Profile) -> DiffusionPipeline | ReferencePipeline:
    """The copy of the base model that draws the subject."""
    reference = Reference(wanted.image, wanted.mask, wanted.class_word)
    return encoded(wanted.encoder, pipe, profile, reference)
