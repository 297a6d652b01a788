"""Rank correlation of two measures over pictures, with an interval that knows which pictures belong together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sidkit.measure.statistics import COVERAGE, LEVELS, Interval

RESAMPLES = 1000
FEWEST = 4  # rows; below, no correlation says anything


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
        values = values - values.groupby([rows[name] for name in within]).transform("mean")
    pairs, counts = values.to_numpy(), {level: rows[list(levels[: at + 1])].drop_duplicates().shape[0]
                                        for at, level in enumerate(levels)}  # fmt: skip
    whole = _spearman(pairs)
    if np.isnan(whole):
        return Interval(float("nan"), -np.inf, np.inf, counts)
    rng, tree = np.random.default_rng(seed), _tree(rows, list(levels))
    drawn = [_spearman(pairs[_draw(tree, rng)]) for _ in range(resamples)]
    low, high = np.nanquantile(drawn, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(whole, float(low), float(high), counts)


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
    counts = {level: rows[list(levels[: at + 1])].drop_duplicates().shape[0] for at, level in enumerate(levels)}

    def gap(drawn: np.ndarray) -> float:
        return _spearman(drawn[:, [0, 2]]) - _spearman(drawn[:, [1, 2]])

    if np.isnan(gap(values)):
        return Interval(float("nan"), -np.inf, np.inf, counts)
    rng, tree = np.random.default_rng(seed), _tree(rows, list(levels))
    drawn = [gap(values[_draw(tree, rng)]) for _ in range(resamples)]
    low, high = np.nanquantile(drawn, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(gap(values), float(low), float(high), counts)


def _spearman(pairs: np.ndarray) -> float:
    """Pearson's correlation of the ranks (n, 2), ties by their mean rank."""
    if len(pairs) < FEWEST:
        return float("nan")
    x, y = pd.DataFrame(pairs).round(12).rank().to_numpy().T
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / scale) if scale else float("nan")


def _tree(rows: pd.DataFrame, levels: list[str]) -> list:
    """Nested lists, a level a nesting, with arrays of row numbers at the bottom."""
    if not levels:
        return rows.index.to_numpy()
    return [_tree(part, levels[1:]) for _, part in rows.groupby(levels[0], sort=True)]


def _draw(node: list | np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Row numbers of one resample."""
    if isinstance(node, np.ndarray):
        return node
    return np.concatenate([_draw(node[at], rng) for at in rng.integers(0, len(node), len(node))])
