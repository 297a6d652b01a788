"""What an edit painted: how much of a picture's subject, and of the rest, took the colour that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from sidkit.measure.color import color_shares
from sidkit.study.drawn_masks import drawn_masks
from sidkit.study.excerpts import first_prompts
from sidkit.study.run import Study

Masks = Sequence[Sequence[np.ndarray | None]]  # of the subject, a row a prompt, one a picture; None: not found


@dataclass(frozen=True)
class Painted:
    """What an edit painted, in [-1, 1]; NaN where the subject was not found in one of the two pictures."""

    painted_subject: float  # share of the subject's pixels with the colour, less that in the plain picture
    painted_rest: float  # the same of all other pixels
    painted_gap: float  # the first minus the second


PAINTED = tuple(Painted.__annotations__)


def measured(studies: Sequence[Study]) -> pd.DataFrame:
    """A row a picture that a colour was asked for: the study's columns, `color`, and what was painted with it.

    The columns of `Painted` compare it with the picture without the colour in its prompt, from the same noise.
    """
    rows, frames = [], []
    for study in studies:
        frames.append(study.frame)
        for arm in study.plan.arms:
            rows += _painted_by_arm(study, arm.name)
    painted = pd.DataFrame(rows)
    pictures = pd.concat(frames, ignore_index=True)
    picture = ["subject", "arm", "prompt", "seed"]
    return painted.merge(pictures, on=picture, how="left", validate="1:1")


def asked(study: Study) -> list[str]:
    """The colour of each prompt but the first, which has none."""
    colors = []
    for prompt in first_prompts(study)[1:]:
        before_the_mark, _, _ = prompt.partition("[v]")
        colors.append(before_the_mark.split()[-1])
    return colors


def _painted_by_arm(study: Study, arm: str) -> list[dict[str, Any]]:
    """A row a picture of an arm that a colour was asked for."""
    (name,) = study.subjects
    masks = drawn_masks(study, name, arm)
    colors = enumerate(asked(study), start=1)
    rows = []
    for (prompt, color), turn in product(colors, range(study.plan.pictures)):
        painted = _painted(study, arm, color, masks, prompt, turn)
        text = study.prompts[name][prompt].text
        row = {
            **asdict(painted),
            "subject": name,
            "arm": arm,
            "prompt": text,
            "seed": _noise_of(study, arm, text, turn),
            "color": color,
        }
        rows.append(row)
    return rows


def _painted(study: Study, arm: str, color: str, masks: Masks, prompt: int, turn: int) -> Painted:
    """The shares of a picture's colour, less those of its plain twin, each with its own mask."""
    (name,) = study.subjects
    edited = study.picture(name, arm, prompt, turn)
    plain = study.picture(name, arm, 0, turn)
    subject_after, rest_after = color_shares(edited, color, masks[prompt][turn])
    subject_before, rest_before = color_shares(plain, color, masks[0][turn])
    on_subject = subject_after - subject_before
    on_rest = rest_after - rest_before
    return Painted(on_subject, on_rest, on_subject - on_rest)


def _noise_of(study: Study, arm: str, prompt: str, turn: int) -> int:
    """The seed of the noise from which a picture of a prompt is drawn."""
    rows = study.frame.query("arm == @arm and prompt == @prompt")
    return int(rows["seed"].iloc[turn])
