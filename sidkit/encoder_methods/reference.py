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
    """One picture of a subject, and its class word ("dog").

    `mask`, boolean (height, width), is True on the subject; None where the encoder needs none.
    """

    image: Image.Image
    mask: np.ndarray | None
    class_word: str


class ReferencePipeline:
    """A pipeline for `generate` that draws in its own way, `draw(prompts, **options)`; the rest is the pipeline's.

    `attributes` are those that the pipeline itself may lack.
    """

    def __init__(
        self,
        pipe: DiffusionPipeline,
        draw: Callable[..., Any],
        **attributes: Any,
    ) -> None:
        self.pipe = pipe
        self.draw = draw
        self.attributes = attributes

    def __call__(self, prompts: list[str], **options: Any) -> Any:
        """What the pipeline returns, with `images`."""
        return self.draw(prompts, **options)

    def __getattr__(self, name: str) -> Any:
        if name in ("pipe", "draw", "attributes"):  # while a copy is made these are not there yet
            raise AttributeError(name)
        if name in self.attributes:
            return self.attributes[name]
        return getattr(self.pipe, name)
