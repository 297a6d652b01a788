"""Leakage: does a picture show what the references held beside the subject, though the prompt did not ask for it?

Ground truth that only Sticker World has: its factor reader says what is in a picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

Probabilities = Mapping[str, np.ndarray]  # factor -> (pictures, values)
Values = Mapping[str, Sequence[str]]  # factor -> names of the values


def leaks(read: Probabilities, values: Values, undesired: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, np.ndarray]:
    """For each undesired factor (`{"nearby": "ball"}`) whether it is the reader's first choice, (pictures,) of 0 and 1.

    A factor whose very value the prompt asks for (`asked`) is left out: it may be there. Asking for another value, or
    for none, makes the references' value a leak.
    """
    _known(values, undesired)
    counted = {factor: value for factor, value in undesired.items() if asked.get(factor) != value}
    return {factor: (read[factor].argmax(1) == values[factor].index(value)).astype(float) for factor, value in counted.items()}


def leakage(read: Probabilities, values: Values, undesired: Mapping[str, str], asked: Mapping[str, str]) -> np.ndarray:
    """Share of the undesired factors that each picture shows, (pictures,) in [0, 1]; lower is better, NaN if none counts."""
    shown = list(leaks(read, values, undesired, asked).values())
    pictures = len(next(iter(read.values())))
    return np.mean(shown, axis=0) if shown else np.full(pictures, np.nan)


def obedience(read: Probabilities, values: Values, asked: Mapping[str, str]) -> np.ndarray:
    """Share of what the prompt asks for that each picture shows, (pictures,) in [0, 1]; higher is better."""
    known = {factor: value for factor, value in asked.items() if value in values.get(factor, ())}
    shown = [(read[factor].argmax(1) == values[factor].index(value)).astype(float) for factor, value in known.items()]
    pictures = len(next(iter(read.values())))
    return np.mean(shown, axis=0) if shown else np.full(pictures, np.nan)


def _known(values: Values, undesired: Mapping[str, str]) -> None:
    for factor, value in undesired.items():
        if value not in values.get(factor, ()):
            raise ValueError(f"leakage: the reader knows no {value!r} of {factor!r}; it reads {dict(values).get(factor, list(values))}")
