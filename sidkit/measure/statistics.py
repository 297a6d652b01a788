"""Intervals for paired comparisons: the same subjects, prompts and seeds in both cases, resampled level by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

LEVELS = ("subject", "prompt", "seed")
RESAMPLES = 2000
COVERAGE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


def mean_interval(frame: pd.DataFrame, value: str, *, seed: int, levels: Sequence[str] = LEVELS, resamples: int = RESAMPLES) -> Interval:
    """Mean of a column with its interval; rows that lack the value are left out."""
    kept = frame.dropna(subset=[value])
    if kept.empty:
        raise ValueError(f"no row has a value of {value!r}")
    return _bootstrap(kept.groupby(list(levels))[value].mean(), seed, resamples)


def paired_difference(
    frame: pd.DataFrame,
    value: str,
    case: object,
    against: object,
    *,
    seed: int,
    by: str = "case",
    levels: Sequence[str] = LEVELS,
    resamples: int = RESAMPLES,
) -> Interval:
    """Mean of `value` in `case` minus `against`, over what both hold, with its interval.

    `frame` has a row for each `by`, subject, prompt and seed. Resampling draws subjects, then prompts of each subject,
    then seeds of each prompt, all with replacement. With one subject the interval speaks of that subject only.
    """
    table = frame.pivot_table(index=list(levels), columns=by, values=value, aggfunc="mean")
    if missing := [name for name in (case, against) if name not in table]:
        raise ValueError(f"paired difference of {value}: expected the {by}s {case} and {against}, {missing} not among {list(table)}")
    difference = (table[case] - table[against]).dropna()
    if difference.empty:
        raise ValueError(f"paired difference of {value}: {by}s {case} and {against} share no {', '.join(levels)}")
    return _bootstrap(difference, seed, resamples)


def _bootstrap(series: pd.Series, seed: int, resamples: int) -> Interval:
    rng = np.random.default_rng(seed)
    means = _resampled(_tree(series), rng, resamples)
    low, high = np.quantile(means, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(float(series.groupby(level=0).mean().mean()), float(low), float(high))


def _tree(series: pd.Series) -> list | float:
    """Nested lists, a level of the index a level of nesting."""
    if series.index.nlevels == 1:
        return series.tolist()
    return [_tree(group.droplevel(0)) for _, group in series.groupby(level=0)]


def _resampled(node: list | float, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """Means (resamples,) of a node whose children are drawn with replacement at every level."""
    if isinstance(node[0], list):
        children = np.stack([_resampled(child, rng, resamples) for child in node])
    else:
        children = np.repeat(np.asarray(node, float)[:, None], resamples, axis=1)
    drawn = rng.integers(0, len(node), (len(node), resamples))
    return np.take_along_axis(children, drawn, axis=0).mean(axis=0)
