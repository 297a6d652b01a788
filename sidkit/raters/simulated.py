"""Raters that are programs: they answer from measured values, so that the form's whole way can be tried.

They repeat what the measures say, with noise. That they agree with the measures, or with each other, is our assumption
and no finding; nothing that they answer says anything about people.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sidkit.raters.questions import QUESTIONS, SIDES, SIMULATED, UNSURE
from sidkit.raters.ratings import COLUMNS

NEAR = 0.5  # of the differences' root mean square: what is felt to be nearer than this, nobody can tell


def simulated(
    key: pd.DataFrame, differences: pd.DataFrame, *, raters: int = 5, noise: float = 0.5, seed: int
) -> pd.DataFrame:
    """Answers (`answers.COLUMNS`) of raters named simulated-1 and so on to the form that `key` is of.

    `differences` has a row a pair (the key's names) and a column a question: what was measured of the second arm's
    picture minus that of the first, higher meaning better; NaN is seen as no difference. Each rater sees each
    difference, in units of the question's root mean square, with logistic noise of scale `noise` added.
    Raises ValueError for a question or a pair without a difference.
    """
    if missing := (set(QUESTIONS) - set(differences)) | (set(key["pair"]) - set(differences.index)):
        raise ValueError(f"simulated raters: expected a difference for each question and pair, none for {missing}")
    rng = np.random.default_rng(seed)
    frames = [_rater(f"{SIMULATED}-{turn + 1}", key, differences, noise, rng) for turn in range(raters)]
    return pd.concat(frames, ignore_index=True)


def _rater(
    name: str, key: pd.DataFrame, differences: pd.DataFrame, noise: float, rng: np.random.Generator
) -> pd.DataFrame:
    swapped = key["A"] == key["second"]
    better, worse = np.where(swapped, *SIDES), np.where(swapped, *SIDES[::-1])  # of the second arm, of the first
    rows = []
    for question in QUESTIONS:
        seen = _scaled(differences.loc[key["pair"], question].to_numpy(float))
        felt = seen + noise * rng.logistic(size=len(key))
        answers = np.where(np.abs(felt) < NEAR, UNSURE, np.where(felt > 0, better, worse))
        rows += [(form, name, item, question, one) for form, item, one in zip(key["form"], key["item"], answers)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _scaled(differences: np.ndarray) -> np.ndarray:
    """In units of their root mean square; all 0 where there is none."""
    known = np.nan_to_num(differences)
    return known / (np.sqrt(np.mean(known**2)) or 1)
