"""The base model, before it has learnt a subject: what a training is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from sidkit.study.pieces.base import Base


@dataclass(frozen=True)
class Untrained:
    """All that a model depends on which has learnt nothing."""

    base: Base
    precision: str
