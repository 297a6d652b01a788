"""Leakage: does a picture show what the references held beside the subject, though the prompt did not ask for it?

Ground truth that only Sticker World has: its factor reader says what is in a picture. What counts, for each undesired
factor (all references are on a beach, beside a ball, ...):

- a picture leaks if the reader's first choice for the factor is the references' value;
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


def leaks(
    read: Probabilities,
    values: Values,
    undesired: Wanted,
    asked: Wanted,
) -> dict[str, np.ndarray]:
    """For each undesired factor (`{"nearby": "ball"}`) whether it is the reader's first choice: (pictures,) of 0 and 1.

    `asked` is what the prompt asks for; a factor whose undesired value it asks for is left out. Raises ValueError for a
    factor or value that the reader does not know.
    """
    leaks_by_factor = {}
    for factor, value in undesired.items():
        check_name("undesired factor", factor, values)
        check_name(f"value of {factor}", value, values[factor])
        if asked.get(factor) == value:
            continue
        first_choice = read[factor].argmax(1)
        leaks_by_factor[factor] = (first_choice == values[factor].index(value)).astype(float)
    return leaks_by_factor


def leakage(
    read: Probabilities,
    values: Values,
    undesired: Wanted,
    asked: Wanted,
) -> np.ndarray:
    """Share of the undesired factors that each picture shows: (pictures,) in [0, 1], lower is better.

    NaN where none counts. The mean over pictures is the leakage rate. Raises ValueError as `leaks` does.
    """
    return _share(leaks(read, values, undesired, asked), read)


def obedience(read: Probabilities, values: Values, asked: Wanted) -> np.ndarray:
    """Share of what the prompt asks for that each picture shows: (pictures,) in [0, 1], higher is better.

    What the reader does not read (an attribute) is left out; NaN where nothing is left.
    """
    readable = {}
    for factor, value in asked.items():
        if value in values.get(factor, ()):
            readable[factor] = value
    obeyed = leaks(read, values, readable, asked={})
    return _share(obeyed, read)


def _share(by_factor: Mapping[str, np.ndarray], read: Probabilities) -> np.ndarray:
    """The mean over factors, (pictures,); NaN without any."""
    if by_factor:
        return np.mean(list(by_factor.values()), axis=0)
    pictures = len(next(iter(read.values())))
    return np.full(pictures, np.nan)
