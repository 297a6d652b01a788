"""A subject of Sticker World, rendered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sidkit.stickers.atlas import ART
from sidkit.stickers.references import make_subject


@dataclass(frozen=True)
class Rendered:
    """All that a sticker subject depends on; see `make_subject`."""

    subject_class: str
    bias: tuple[str, ...]
    references: int
    seed: int
    size: int
    art: Path = ART  # the drawings, by their bytes


def render(rendered: Rendered, folder: Path) -> None:
    """Fill the subject's folder."""
    make_subject(
        folder,
        rendered.subject_class,
        rendered.bias,
        rendered.references,
        seed=rendered.seed,
        size=rendered.size,
    )
