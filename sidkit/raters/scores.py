"""What raters prefer, and whether they agree.

Intervals are 95 % bootstrap intervals in which subjects, the pairs of each, and raters are drawn anew, so they speak of
other pairs and other raters. Agreement is Krippendorff's alpha for nominal data, of the sides that were answered: which
arm is A is random, so agreeing by chance is what it is for someone who sees no difference, however the arms compare.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pandas as pd

from sidkit.measure.statistics import COVERAGE, RESAMPLES, Interval
from sidkit.raters.questions import QUESTIONS, UNSURE
from sidkit.raters.ratings import Ratings

ENDS = ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2)
NOBODY = "The raters are simulated: nobody looked at a picture, and this says nothing about people."


def preferences(ratings: Ratings, *, seed: int) -> pd.DataFrame:
    """A row a question, a column an `Interval`: each arm's share of all answers, that of 'cannot tell', and `second -
    first`; shares are in [0, 1]. A question that nobody answered is left out."""
    rows = {}
    for question in _asked(ratings):
        chosen = _table(ratings, question, "choice")
        shares = {name: _indicator(chosen, name) for name in (*ratings.arms, UNSURE)}
        first, second = (shares[arm] for arm in ratings.arms)
        draws = _draws(ratings, chosen, seed)
        rows[question] = {name: _interval(values, draws) for name, values in shares.items()}
        rows[question]["difference"] = _interval(second - first, draws)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("question")


def agreement(ratings: Ratings, question: str, *, seed: int) -> Interval | str:
    """Krippendorff's alpha of a question with its interval over pairs, or in words why there is none."""
    answered = _table(ratings, question, "answer")
    if why := _incomparable(answered):
        return why
    alphas = _alpha(_counts(answered), _draws(ratings, answered, seed)[0])
    known = alphas[np.isfinite(alphas)]  # a draw may hold no pair with two answers
    ends = np.quantile(known, ENDS) if len(answered) > 1 else (-np.inf, np.inf)
    return Interval(krippendorff_alpha(answered), *map(float, ends))


def _incomparable(answered: pd.DataFrame) -> str:
    """Why there is no telling whether raters agree; "" where there is."""
    if answered.shape[1] == 1:
        return "one rater: nobody to agree with"
    several = answered[answered.notna().sum(axis=1) > 1]
    if several.empty:
        return "no pair was answered by two raters"
    given = pd.unique(several.stack())
    return f"everybody always answered {given[0]!r}: agreement or habit" if len(given) == 1 else ""


def krippendorff_alpha(answers: pd.DataFrame) -> float:
    """Alpha for nominal data of a table with a row a unit and a column a rater; what is missing is NaN or None.

    1 is full agreement, 0 what chance gives, below 0 is less than that. NaN where no unit has two answers, or all
    answers are equal. K. Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011.
    """
    counts = _counts(answers)
    return float(_alpha(counts, np.ones((1, len(counts))))[0])


def told(ratings: Ratings, *, seed: int) -> pd.DataFrame:
    """A row a question for reading: shares in percent with intervals, their difference in points, and alpha."""
    first, second = ratings.arms
    found = preferences(ratings, seed=seed)
    rows = [
        {
            "Question": QUESTIONS[question],
            **{name: _percent(row[name], "%") for name in (first, second, UNSURE)},
            "Difference": _percent(row["difference"], "points"),
            "Agreement": _alpha_told(agreement(ratings, question, seed=seed)),
        }
        for question, row in found.iterrows()
    ]
    return pd.DataFrame(rows)


def notes(ratings: Ratings) -> list[str]:
    """What must be said beside the table: who rated how much, what is missing, what an interval cannot promise."""
    raters, subjects = len(ratings.raters), ratings.frame["subject"].nunique()
    lines = [NOBODY] if ratings.simulated else []
    pairs = _many(ratings.frame["item"].nunique(), "pair")
    lines.append(f"{_many(raters, 'rater')}, {pairs} of {_many(subjects, 'subject')}.")
    if missing := ratings.items * raters * len(QUESTIONS) - len(ratings.frame):
        lines.append(f"{_many(missing, 'answer')} missing, which counts for nobody.")
    if (ratings.frame["choice"] == UNSURE).all():
        lines.append(f"Every answer is {UNSURE!r}: nobody saw a difference, or nobody looked.")
    lines += ["One rater: the intervals speak of other pairs, not of other people."] * (raters == 1)
    lines += ["One subject: the intervals say nothing of another."] * (subjects == 1)
    return lines


def _asked(ratings: Ratings) -> list[str]:
    return [question for question in QUESTIONS if question in set(ratings.frame["question"])]


def _table(ratings: Ratings, question: str, value: str) -> pd.DataFrame:
    """A row a pair, in the order of subjects, a column a rater; NaN where there is no answer."""
    rows = ratings.frame[ratings.frame["question"] == question]
    return rows.pivot(index=["subject", "item"], columns="rater", values=value).sort_index()


def _indicator(chosen: pd.DataFrame, name: str) -> np.ndarray:
    """(pairs, raters) of 0 and 1, NaN where there is no answer."""
    return np.where(chosen.isna(), np.nan, chosen == name)


def _draws(ratings: Ratings, table: pd.DataFrame, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each pair (resamples, pairs) and each rater (resamples, raters) is drawn."""
    rng = np.random.default_rng(seed)
    subjects = [len(list(group)) for _, group in groupby(table.index.get_level_values("subject"))]
    raters = table.shape[1]
    return (
        np.array([_pairs_drawn(subjects, rng) for _ in range(RESAMPLES)]),
        rng.multinomial(raters, np.full(raters, 1 / raters), RESAMPLES),
    )


def _pairs_drawn(subjects: list[int], rng: np.random.Generator) -> np.ndarray:
    """How often each pair is drawn: subjects first, then as many pairs of each drawn one as it has."""
    times = rng.multinomial(len(subjects), np.full(len(subjects), 1 / len(subjects)))
    drawn = [rng.multinomial(count * size, np.full(size, 1 / size)) for count, size in zip(times, subjects)]
    return np.concatenate(drawn)


def _interval(values: np.ndarray, draws: tuple[np.ndarray, np.ndarray]) -> Interval:
    """Mean of (pairs, raters) with its interval; unknown where there is only one answer."""
    there = np.isfinite(values)
    mean = float(values[there].mean())
    if values.size == 1:
        return Interval(mean, -np.inf, np.inf)
    pairs, raters = draws
    sums = np.einsum("bp,pr,br->b", pairs, np.where(there, values, 0), raters, optimize=True)
    sizes = np.einsum("bp,pr,br->b", pairs, there.astype(float), raters, optimize=True)
    means = sums[sizes > 0] / sizes[sizes > 0]
    return Interval(mean, *map(float, np.quantile(means, ENDS)))


def _counts(answers: pd.DataFrame) -> np.ndarray:
    """How many raters gave each value to each unit: (units, values)."""
    values = pd.unique(answers.stack())
    return np.stack([(answers == value).sum(axis=1).to_numpy(float) for value in values], axis=1)


def _alpha(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Alpha (n,) of units that are taken as often as `weights` (n, units) say.

    What chance gives is that of all units in each: drawn anew with few units, it would pull alpha down.
    """
    counts, weights = counts[several := counts.sum(axis=1) > 1], weights[:, several]  # others compare with nothing
    sizes, totals, size = counts.sum(axis=1), counts.sum(axis=0), counts.sum()
    apart = sizes - (counts * (counts - 1)).sum(axis=1) / (sizes - 1)
    chance = (size**2 - (totals**2).sum()) / max(size * (size - 1), 1)
    taken = weights @ sizes
    found = np.divide(weights @ apart, taken, np.full(len(taken), np.nan), where=taken > 0)
    return 1 - found / chance if chance else np.full(len(taken), np.nan)


def _percent(share: Interval, unit: str) -> str:
    mean, low, high = (100 * value for value in (share.mean, share.low, share.high))
    span = f"[{low:.0f}, {high:.0f}]" if share.known else "[unknown]"
    return f"{mean:.0f} {unit} {span}".replace("-", "−")


def _alpha_told(found: Interval | str) -> str:
    if isinstance(found, str):
        return found
    span = f"[{found.low:.2f}, {found.high:.2f}]" if found.known else "[unknown]"
    return f"{found.mean:.2f} {span}".replace("-", "−")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
