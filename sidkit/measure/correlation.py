"""Rank correlation of two measures over pictures, with an interval that knows which pictures belong together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from sidkit.measure.statistics import ENDS, LEVELS, Interval

RESAMPLES = 1000
FEWEST = 4  # rows; below, no correlation says anything
DIGITS = 12  # of which values may differ and still be a tie: without its group's mean a value is only nearly itself


def rank_correlation(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    seed: int,
    within: Sequence[str] = (),
    levels: Sequence[str] = LEVELS,
    resamples: int = RESAMPLES,
) -> Interval:
    """Spearman's correlation in [-1, 1] of two columns over the rows that have both.

    `within` takes each group's mean (of a case, of a subject) out of both first, so that what is left is the
    correlation inside of the groups. The 95 % bootstrap interval draws subjects, then prompts of each, then seeds, with
    replacement; all rows of a picture's prompt and seed (the cases) come along together. NaN, with an interval that is
    not known, where a column does not vary or there are fewer than 4 rows.
    """
    rows = frame.dropna(subset=[x, y]).reset_index(drop=True)
    values = rows[[x, y]].astype(float)
    if within:
        groups = [rows[name] for name in within]
        values = values - values.groupby(groups).transform("mean")
    return _bootstrap(rows, values.to_numpy(), _spearman, seed, list(levels), resamples)


def rank_difference(
    frame: pd.DataFrame,
    x: str,
    other: str,
    y: str,
    *,
    seed: int,
    levels: Sequence[str] = LEVELS,
    resamples: int = RESAMPLES,
) -> Interval:
    """Spearman's correlation of `x` and `y` minus that of `other` and `y`, with the interval over joint resamples.

    In [-2, 2]; rows, levels and what is not known are as in `rank_correlation`.
    """
    rows = frame.dropna(subset=[x, other, y]).reset_index(drop=True)
    values = rows[[x, other, y]].to_numpy(float)
    return _bootstrap(rows, values, _gap, seed, list(levels), resamples)


def _gap(values: np.ndarray) -> float:
    """How much better the first column (n, 3) goes with the last than the second does."""
    return _spearman(values[:, [0, 2]]) - _spearman(values[:, [1, 2]])


def _spearman(pairs: np.ndarray) -> float:
    """Spearman's correlation of two columns (n, 2); NaN where one does not vary, or there is too little."""
    if len(pairs) < FEWEST:
        return float("nan")
    rounded = np.round(pairs, DIGITS)
    if (np.ptp(rounded, axis=0) == 0).any():
        return float("nan")
    return float(stats.spearmanr(rounded).statistic)


def _bootstrap(
    rows: pd.DataFrame,
    values: np.ndarray,
    statistic: Callable[[np.ndarray], float],
    seed: int,
    levels: list[str],
    resamples: int,
) -> Interval:
    """The statistic of all `values` (a line for each of `rows`), and its interval over resamples level by level."""
    whole = statistic(values)
    counts = _counts(rows, levels)
    if np.isnan(whole):
        return Interval(float("nan"), -np.inf, np.inf, counts)
    rng = np.random.default_rng(seed)
    tree = _tree(rows, levels)
    drawn = [statistic(values[_draw(tree, rng)]) for _ in range(resamples)]
    low, high = np.nanquantile(drawn, ENDS)
    return Interval(whole, float(low), float(high), counts)


def _counts(rows: pd.DataFrame, levels: list[str]) -> dict[str, int]:
    """How many different ones there are of each level, of prompts over all subjects."""
    counts = {}
    for depth, level in enumerate(levels, 1):
        counts[level] = len(rows[levels[:depth]].drop_duplicates())
    return counts


def _tree(rows: pd.DataFrame, levels: list[str]) -> list:
    """Nested lists, a level a nesting, with arrays of row numbers at the bottom."""
    if not levels:
        return rows.index.to_numpy()
    branches = rows.groupby(levels[0], sort=True)
    return [_tree(branch, levels[1:]) for _, branch in branches]


def _draw(node: list | np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Row numbers of one resample."""
    if isinstance(node, np.ndarray):
        return node
    drawn = rng.integers(0, len(node), len(node))
    branches = [_draw(node[index], rng) for index in drawn]
    return np.concatenate(branches)
