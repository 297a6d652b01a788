"""What encoder methods have in common: the reference they look at, and a pipeline that is shown it when it draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from diffusers import DiffusionPipeline
from PIL import Image


@dataclass(frozen=True)
class Reference:
    """One picture of a subject. `mask` (height, width) is True on the subject; None where the encoder needs none."""

    image: Image.Image
    mask: np.ndarray | None
    class_word: str


class Shown:
    """A pipeline for `generate` that draws in its own way, `draw(prompts, **options)`; the rest is the pipeline's.

    `given` are attributes that the pipeline itself may lack.
    """

    def __init__(self, pipe: DiffusionPipeline, draw: Callable[..., Any], **given: Any):
        self.pipe, self.draw, self.given = pipe, draw, given

    def __call__(self, prompts: list[str], **options: Any) -> Any:
        """What the pipeline returns, with `images`."""
        return self.draw(prompts, **options)

    def __getattr__(self, name: str) -> Any:
        if name in ("pipe", "draw", "given"):  # while a copy is made these are not there yet
            raise AttributeError(name)
        return self.given[name] if name in self.given else getattr(self.pipe, name)
