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
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]" if self.known else f"{self.mean:.3f} [unknown]"

    @property
    def known(self) -> bool:
        """Whether there was anything to resample."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0

    @property
    def basis(self) -> str:
        """What was resampled, in words: "12 subjects, 48 prompts, 192 seeds", or that one subject is all there is."""
        told = ", ".join(f"{count} {level}{'s' * (count > 1)}" for level, count in self.counts.items())
        first = next(iter(self.counts), None)
        return f"{told}: says nothing of another {first}" if first and self.counts[first] == 1 else told


def mean_interval(
    frame: pd.DataFrame, value: str, *, seed: int, levels: Sequence[str] = LEVELS, resamples: int = RESAMPLES
) -> Interval:
    """Mean of a column with its interval; rows that lack the value are left out.

    Raises ValueError for a missing column, for two rows of one picture, and where no row has the value.
    """
    return _bootstrap(_by_level(frame, value, list(levels)), seed, resamples)


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
    return _bootstrap(_differences(frame, value, case, against, by, levels), seed, resamples)


def subject_differences(
    frame: pd.DataFrame,
    value: str,
    case: Hashable,
    against: Hashable,
    *,
    by: str = "case",
    levels: Sequence[str] = LEVELS,
) -> pd.Series:
    """The difference of each subject (the first of `levels`), whose mean is that of `paired_difference`."""
    return _nested_means(_differences(frame, value, case, against, by, levels), keep=1).rename(value)


def case_means(
    frame: pd.DataFrame, value: str, *, seed: int, by: str = "case", levels: Sequence[str] = LEVELS
) -> pd.DataFrame:
    """A row for each case that has the value: `mean`, `low`, `high`."""
    kept = frame.dropna(subset=[value])
    rows = {case: mean_interval(part, value, seed=seed, levels=levels) for case, part in kept.groupby(by)}
    return _table(rows, by)


def case_differences(
    frame: pd.DataFrame,
    value: str,
    against: Hashable,
    *,
    seed: int,
    by: str = "case",
    levels: Sequence[str] = LEVELS,
) -> pd.DataFrame:
    """A row for each case but `against`, minus which it is taken: `mean`, `low`, `high`."""
    others = [case for case in sorted(frame[by].unique()) if case != against]
    options = dict(seed=seed, by=by, levels=levels)
    return _table({case: paired_difference(frame, value, case, against, **options) for case in others}, by)


def _table(rows: dict[Hashable, Interval], by: str) -> pd.DataFrame:
    cells = [(row.mean, row.low, row.high) for row in rows.values()]
    return pd.DataFrame(cells, index=pd.Index(rows, name=by), columns=["mean", "low", "high"], dtype=float)


def _differences(
    frame: pd.DataFrame, value: str, case: Hashable, against: Hashable, by: str, levels: Sequence[str]
) -> pd.Series:
    table = _by_level(frame, value, [*levels, by]).unstack(by)
    if missing := [name for name in (case, against) if name not in table]:
        names = f"{missing} not among {list(table)}"
        raise ValueError(f"difference in {value}: expected {by} {case} and {against}, {names}")
    difference = (table[case] - table[against]).dropna()
    if difference.empty:
        raise ValueError(f"difference in {value}: {by} {case} and {against} have no {', '.join(levels)} in common")
    return difference


def _by_level(frame: pd.DataFrame, value: str, levels: list[str]) -> pd.Series:
    """The column with the levels as its index, sorted, so that the rows' order decides nothing."""
    if missing := ", ".join(name for name in (*levels, value) if name not in frame):
        raise ValueError(f"expected the columns {', '.join((*levels, value))}; {missing} not among {list(frame)}")
    column = frame.dropna(subset=[value]).set_index(levels)[value].astype(float).sort_index()
    if column.empty:
        raise ValueError(f"no row has a value of {value!r}")
    if column.index.has_duplicates:
        twice = column.index[column.index.duplicated()][0]
        raise ValueError(f"expected one row for each {', '.join(levels)}, got {twice} more than once")
    return column


def _nested_means(column: pd.Series, keep: int) -> pd.Series:
    """Means over the last level of the index, then over the one before it, until `keep` levels are left."""
    for count in range(column.index.nlevels - 1, keep - 1, -1):
        column = column.groupby(level=list(range(count))).mean()
    return column


def _bootstrap(column: pd.Series, seed: int, resamples: int) -> Interval:
    names = column.index.names
    counts = {name: len(column.groupby(level=names[: depth + 1])) for depth, name in enumerate(names)}
    mean = float(_nested_means(column, keep=1).mean())
    if len(column) == 1:
        return Interval(mean, -np.inf, np.inf, counts)
    rows = [(*labels, value) for labels, value in zip(column.index.to_frame().to_numpy(), column, strict=True)]
    means = _resampled(_tree(rows), resamples, np.random.default_rng(seed))
    low, high = np.quantile(means, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(mean, float(low), float(high), counts)


def _tree(rows: list[tuple]) -> list:
    """Nested lists of sorted rows (label, ..., value), a level of labels a level of nesting."""
    if len(rows[0]) == 2:
        return [value for _, value in rows]
    return [_tree([row[1:] for row in group]) for _, group in groupby(rows, key=itemgetter(0))]


def _resampled(node: list, count: int, rng: np.random.Generator) -> np.ndarray:
    """Means (count,) of a node, each of children drawn with replacement, and each of these resampled anew."""
    drawn = rng.integers(0, len(node), (count, len(node)))
    if not isinstance(node[0], list):
        return np.asarray(node)[drawn].mean(axis=1)
    values = np.empty(drawn.shape)
    for index, child in enumerate(node):
        here = drawn == index
        values[here] = _resampled(child, int(here.sum()), rng)
    return values.mean(axis=1)
