"""Leakage: does a picture show what the references held beside the subject, though the prompt did not ask for it?

Ground truth that only Sticker World has: its factor reader says what is in a picture. What counts, for each undesired
factor (all references are on a beach, beside a ball, ...):

- a picture leaks if the reader's first choice for the factor is the references' value, or if that is more likely there
  than not: of things a picture may show several;
- it does not count where the prompt asks for that very value: there it may be;
- it counts where the prompt asks for another value (a prompt on the moon, a picture on the beach) and where it asks for
  none. A place there always is, so without a place in the prompt some pictures are on the beach by chance: one in as
  many as the world has places, and in every case alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sidkit.config import check_name

Probabilities = Mapping[str, np.ndarray]  # factor -> (pictures, values)
Values = Mapping[str, Sequence[str]]  # factor -> names of the values
Wanted = Mapping[str, str]  # factor -> value


def leaks(read: Probabilities, values: Values, undesired: Wanted, asked: Wanted) -> dict[str, np.ndarray]:
    """For each undesired factor (`{"nearby": "ball"}`) whether the reader sees it: (pictures,) of 0 and 1.

    `asked` is what the prompt asks for; a factor whose undesired value it asks for is left out. Raises ValueError for a
    factor or value that the reader does not know.
    """
    columns = _columns(values, undesired, asked)
    return {factor: shown(read[factor])[:, column].astype(float) for factor, column in columns.items()}


def shown(shares: np.ndarray) -> np.ndarray:
    """Which values (pictures, values) the reader sees: its first choice, and whatever is more likely there than not."""
    first = np.arange(shares.shape[1]) == shares.argmax(1)[:, None]
    return first | (shares > 0.5)


def leak_probabilities(read: Probabilities, values: Values, undesired: Wanted, asked: Wanted) -> dict[str, np.ndarray]:
    """As `leaks`, but the reader's probability of the undesired value: (pictures,) in [0, 1]."""
    columns = _columns(values, undesired, asked)
    return {factor: read[factor][:, column].astype(float) for factor, column in columns.items()}


def leakage(read: Probabilities, values: Values, undesired: Wanted, asked: Wanted) -> np.ndarray:
    """Share of the undesired factors that each picture shows: (pictures,) in [0, 1], lower is better.

    NaN where none counts. The mean over pictures is the leakage rate.
    """
    return _share(leaks(read, values, undesired, asked), read)


def obedience(read: Probabilities, values: Values, asked: Wanted) -> np.ndarray:
    """Share of what the prompt asks for that each picture shows: (pictures,) in [0, 1], higher is better.

    What the reader does not read (an attribute) is left out; NaN where nothing is left.
    """
    readable = {factor: value for factor, value in asked.items() if value in values.get(factor, ())}
    return _share(leaks(read, values, readable, asked={}), read)


def _columns(values: Values, undesired: Wanted, asked: Wanted) -> dict[str, int]:
    """Where the value of each factor that counts stands among the reader's."""
    for factor, value in undesired.items():
        check_name(f"value of {factor}", value, values[check_name("undesired factor", factor, values)])
    return {factor: values[factor].index(value) for factor, value in undesired.items() if asked.get(factor) != value}


def _share(shown: Mapping[str, np.ndarray], read: Probabilities) -> np.ndarray:
    pictures = len(next(iter(read.values())))
    return np.mean(list(shown.values()), axis=0) if shown else np.full(pictures, np.nan)
