"""Intervals for paired comparisons: the same subjects, prompts and seeds in both cases, resampled level by level.

A frame has a row a picture. Means are nested as the paper's measures are: over the pictures of a prompt, then over the
prompts of a subject, then over subjects. In simulations 95 % intervals held the truth 91 to 98 times in 100 with 8
subjects or more, and 88 times with 3: of few subjects they promise a little too much.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

import numpy as np
import pandas as pd

LEVELS = ("subject", "prompt", "seed")
RESAMPLES = 2000
COVERAGE = 0.95
ENDS = ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2)  # quantiles of the resamples: an interval's ends


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % bootstrap interval, which is infinitely wide where there is nothing to resample.

    `counts` is how many of each level it comes from: {"subject": 1, "prompt": 4, "seed": 16} is one subject with 16
    pictures, and such an interval speaks of that subject only.
    """

    mean: float
    low: float
    high: float
    counts: dict[str, int] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        ends = f"{self.low:.3f}, {self.high:.3f}" if self.known else "unknown"
        return f"{self.mean:.3f} [{ends}]"

    @property
    def known(self) -> bool:
        """Whether there was anything to resample."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))


def mean_interval(
    frame: pd.DataFrame,
    value: str,
    *,
    seed: int,
    levels: Sequence[str] = LEVELS,
    resamples: int = RESAMPLES,
) -> Interval:
    """Mean of a column with its interval; rows that lack the value are left out.

    Raises ValueError for a missing column, for two rows of one picture, and where no row has the value.
    """
    column = _by_level(frame, value, list(levels))
    return _bootstrap(column, seed, resamples)


def paired_difference(
    frame: pd.DataFrame,
    value: str,
    case: Hashable,
    against: Hashable,
    *,
    seed: int,
    by: str = "case",
    levels: Sequence[str] = LEVELS,
    resamples: int = RESAMPLES,
) -> Interval:
    """Mean of `value` in `case` minus `against`, over the pictures that both have, with its interval.

    Each resample draws subjects, then prompts of each drawn subject, then seeds of each drawn prompt, with replacement.
    Raises ValueError as `mean_interval` does, and where a case is missing or the two share no picture.
    """
    differences = _differences(frame, value, case, against, by, levels)
    return _bootstrap(differences, seed, resamples)


def subject_differences(
    frame: pd.DataFrame,
    value: str,
    case: Hashable,
    against: Hashable,
    *,
    by: str = "case",
    levels: Sequence[str] = LEVELS,
) -> pd.Series:
    """The difference of each subject (the first of `levels`), whose mean is that of `paired_difference`.

    Raises ValueError as `paired_difference` does.
    """
    differences = _differences(frame, value, case, against, by, levels)
    return _nested_means(differences, keep=1).rename(value)


def case_means(
    frame: pd.DataFrame,
    value: str,
    *,
    seed: int,
    by: str = "case",
    levels: Sequence[str] = LEVELS,
) -> pd.DataFrame:
    """A row for each case that has the value: `mean`, `low`, `high`. Raises ValueError as `mean_interval` does."""
    rows = {}
    for case, part in frame.dropna(subset=[value]).groupby(by):
        interval = mean_interval(part, value, seed=seed, levels=levels)
        rows[case] = (interval.mean, interval.low, interval.high)
    index = pd.Index(rows, name=by)
    return pd.DataFrame(list(rows.values()), index=index, columns=["mean", "low", "high"], dtype=float)


def _differences(
    frame: pd.DataFrame,
    value: str,
    case: Hashable,
    against: Hashable,
    by: str,
    levels: Sequence[str],
) -> pd.Series:
    """`case` minus `against`, a row a picture that both have."""
    table = _by_level(frame, value, [*levels, by]).unstack(by)
    missing = [name for name in (case, against) if name not in table]
    if missing:
        names = f"{missing} not among {list(table)}"
        raise ValueError(f"difference in {value}: expected {by} {case} and {against}, {names}")
    difference = (table[case] - table[against]).dropna()
    if difference.empty:
        raise ValueError(f"difference in {value}: {by} {case} and {against} have no {', '.join(levels)} in common")
    return difference


def _by_level(frame: pd.DataFrame, value: str, levels: list[str]) -> pd.Series:
    """The column with the levels as its index, sorted, so that the rows' order decides nothing."""
    expected = [*levels, value]
    missing = [name for name in expected if name not in frame]
    if missing:
        names = f"{', '.join(missing)} not among {list(frame)}"
        raise ValueError(f"expected the columns {', '.join(expected)}; {names}")
    rows = frame.dropna(subset=[value])
    if rows.empty:
        raise ValueError(f"no row has a value of {value!r}")
    column = rows.set_index(levels)[value].astype(float).sort_index()
    if column.index.has_duplicates:
        repeated = column.index[column.index.duplicated()]
        raise ValueError(f"expected one row for each {', '.join(levels)}, got {repeated[0]} more than once")
    return column


def _nested_means(column: pd.Series, keep: int) -> pd.Series:
    """Means over the last level of the index, then over the one before it, until `keep` levels are left."""
    while column.index.nlevels > keep:
        outer = list(range(column.index.nlevels - 1))
        column = column.groupby(level=outer).mean()
    return column


def _bootstrap(column: pd.Series, seed: int, resamples: int) -> Interval:
    """The nested mean of a sorted column whose index has the levels, with its interval."""
    mean = float(_nested_means(column, keep=1).mean())
    counts = _counts(column)
    if len(column) == 1:
        return Interval(mean, -np.inf, np.inf, counts)
    rng = np.random.default_rng(seed)
    means = _resampled(_tree(column), resamples, rng)
    low, high = np.quantile(means, ENDS)
    return Interval(mean, float(low), float(high), counts)


def _counts(column: pd.Series) -> dict[str, int]:
    """How many different ones there are of each level, of prompts over all subjects."""
    counts = {}
    outer = []
    for level in column.index.names:
        outer.append(level)
        counts[level] = column.groupby(level=outer).ngroups
    return counts


def _tree(column: pd.Series) -> list:
    """Nested lists of the values, a level of the index a level of nesting."""
    labels = column.index.to_frame().to_numpy()
    rows = [(*row, value) for row, value in zip(labels, column, strict=True)]
    return _nested(rows)


def _nested(rows: list[tuple]) -> list:
    """Sorted rows (label, ..., value) as nested lists."""
    if len(rows[0]) == 2:
        return [value for _, value in rows]
    branches = []
    for _, group in groupby(rows, key=itemgetter(0)):
        branches.append(_nested([row[1:] for row in group]))
    return branches


def _resampled(node: list, count: int, rng: np.random.Generator) -> np.ndarray:
    """Means (count,) of a node, each of children drawn with replacement, and each of these resampled anew."""
    size = len(node)
    drawn = rng.integers(0, size, (count, size))
    if not isinstance(node[0], list):
        values = np.asarray(node)
        return values[drawn].mean(axis=1)
    values = np.empty(drawn.shape)
    for index, child in enumerate(node):
        here = drawn == index
        values[here] = _resampled(child, int(here.sum()), rng)
    return values.mean(axis=1)
