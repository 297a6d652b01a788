"""Raters that are programs: they answer from measured values, so that the form's whole way can be tried.

They repeat what the measures say, with noise. That they agree with the measures, or with each other, is our assumption
and no finding; nothing that they answer says anything about people.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sidkit.raters.questions import QUESTIONS, SIMULATED, UNSURE
from sidkit.raters.ratings import COLUMNS

NEAR = 0.5  # of the differences' root mean square: what is felt to be nearer than this, nobody can tell


def simulated(
    key: pd.DataFrame,
    differences: pd.DataFrame,
    *,
    raters: int = 5,
    noise: float = 0.5,
    seed: int,
) -> pd.DataFrame:
    """Answers (`ratings.COLUMNS`) of raters named simulated-1 and so on to the form that `key` is of.

    `differences` has a row a pair (the key's names) and a column a question: what was measured of the second arm's
    picture minus that of the first, higher meaning better; NaN is seen as no difference. Each rater sees each
    difference, in units of the question's root mean square, with logistic noise of scale `noise` added.
    Raises ValueError for a question or a pair without a difference.
    """
    unknown_questions = set(QUESTIONS) - set(differences)
    unknown_pairs = set(key["pair"]) - set(differences.index)
    missing = unknown_questions | unknown_pairs
    if missing:
        raise ValueError(f"simulated raters: expected a difference for each question and pair, none for {missing}")
    rng = np.random.default_rng(seed)
    frames = []
    for number in range(1, raters + 1):
        answers = _answers_of_one(key, differences, noise, rng)
        frames.append(answers.assign(rater=f"{SIMULATED}-{number}"))
    return pd.concat(frames, ignore_index=True)[list(COLUMNS)]


def _answers_of_one(
    key: pd.DataFrame,
    differences: pd.DataFrame,
    noise: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """A row an item and question, all that `COLUMNS` names but the rater."""
    second_is_a = key["A"] == key["second"]
    side_of_second = np.where(second_is_a, "A", "B")
    side_of_first = np.where(second_is_a, "B", "A")
    frames = []
    for question in QUESTIONS:
        measured = differences.loc[key["pair"], question].to_numpy(float)
        felt = _scaled(measured) + noise * rng.logistic(size=len(key))
        preferred = np.where(felt > 0, side_of_second, side_of_first)
        answer = np.where(np.abs(felt) < NEAR, UNSURE, preferred)
        frames.append(key[["form", "item"]].assign(question=question, answer=answer))
    return pd.concat(frames, ignore_index=True)


def _scaled(differences: np.ndarray) -> np.ndarray:
    """In units of their root mean square; all 0 where there is none."""
    known = np.nan_to_num(differences)
    scale = np.sqrt(np.mean(known**2))
    if not scale:
        return known
    return known / scale
