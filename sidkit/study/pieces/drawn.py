"""The pictures of a subject and arm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from diffusers import DiffusionPipeline

from sidkit.config import Sampling
from sidkit.generation import Picture, generate
from sidkit.study.pieces.picture_files import file_name

if TYPE_CHECKING:  # which of them it is, and so whose code counts, is said where the pictures are asked for
    from sidkit.study.pieces.encoded import Encoded
    from sidkit.study.pieces.trained import Trained
    from sidkit.study.pieces.untrained import Untrained


@dataclass(frozen=True)
class Drawn:
    """All that the pictures of a subject and arm depend on."""

    model: Trained | Encoded | Untrained
    prompts: tuple[str, ...]  # with the identifier
    seeds: tuple[int, ...]  # a picture of each prompt for each
    sampling: Sampling


def noise(seed: int, pictures: int) -> tuple[int, ...]:
    """The seeds of a prompt's pictures: the same for every subject, arm and prompt of a plan, which has a seed."""
    return tuple(1000 * seed + turn for turn in range(pictures))


def pictures_of(wanted: Drawn, pipe: DiffusionPipeline) -> list[Picture]:
    """The pictures, prompt by prompt; `pipe` has learnt the subject."""
    return generate(
        pipe,
        list(wanted.prompts),
        list(wanted.seeds),
        wanted.sampling,
        precision=wanted.model.precision,
        progress=False,
    )


def draw(wanted: Drawn, pipe: DiffusionPipeline, folder: Path) -> None:
    """Fill the folder of the pictures."""
    for index, picture in enumerate(pictures_of(wanted, pipe)):
        prompt, turn = divmod(index, len(wanted.seeds))
        picture.image.save(folder / file_name(prompt, turn))
