"""What raters prefer, and whether they agree.

Intervals are 95 % bootstrap intervals in which subjects, the pairs of each, and raters are drawn anew, so they speak of
other pairs and other raters. Agreement is Krippendorff's alpha for nominal data, of the sides that were answered: which
arm is A is random, so agreeing by chance is what it is for someone who sees no difference, however the arms compare.
"""

from __future__ import annotations

from collections.abc import Sequence

import krippendorff
import numpy as np
import pandas as pd

from sidkit.inflection import counted
from sidkit.measure.statistics import ENDS, RESAMPLES, Interval
from sidkit.raters.questions import QUESTIONS, UNSURE
from sidkit.raters.ratings import Ratings

NOBODY = "The raters are simulated: nobody looked at a picture, and this says nothing about people."
MINUS = "\u2212"


def preferences(ratings: Ratings, *, seed: int) -> pd.DataFrame:
    """A row a question, a column an `Interval`: each arm's share of all answers, that of 'cannot tell', and `second -
    first`; shares are in [0, 1]. A question that nobody answered is left out."""
    rows = {}
    for question in _asked(ratings):
        choices = _by_pair_and_rater(ratings, question, "choice")
        draws = _draws(choices, seed)
        first = _indicator(choices, ratings.arms[0])
        second = _indicator(choices, ratings.arms[1])
        unsure = _indicator(choices, UNSURE)
        rows[question] = {
            ratings.arms[0]: _interval(first, draws),
            ratings.arms[1]: _interval(second, draws),
            UNSURE: _interval(unsure, draws),
            "difference": _interval(second - first, draws),
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.rename_axis("question")


def agreement(ratings: Ratings, question: str, *, seed: int) -> Interval | str:
    """Krippendorff's alpha of a question with its interval over pairs, or in words why there is none.

    1 is full agreement, 0 what chance gives, below 0 is less than that.
    """
    answers = _by_pair_and_rater(ratings, question, "answer")
    reason = _why_incomparable(answers)
    if reason:
        return reason
    counts = _value_counts(answers)
    alpha = _alpha(counts)
    if len(answers) == 1:
        return Interval(alpha, -np.inf, np.inf)
    pairs_drawn, _ = _draws(answers, seed)
    alphas = _resampled_alphas(alpha, counts, pairs_drawn)
    low, high = np.quantile(alphas, ENDS)
    return Interval(alpha, float(low), float(high))


def reading_table(ratings: Ratings, *, seed: int) -> pd.DataFrame:
    """A row a question: shares in percent with intervals, their difference in points, and alpha, all as text."""
    rows = []
    for question, intervals in preferences(ratings, seed=seed).iterrows():
        row = {"Question": QUESTIONS[question]}
        for answer in (*ratings.arms, UNSURE):
            row[answer] = _percent(intervals[answer], "%")
        row["Difference"] = _percent(intervals["difference"], "points")
        row["Agreement"] = _alpha_for_reading(agreement(ratings, question, seed=seed))
        rows.append(row)
    return pd.DataFrame(rows)


def notes(ratings: Ratings) -> list[str]:
    """What must be said beside the table: who rated how much, what is missing, what an interval cannot promise."""
    frame = ratings.frame
    raters = len(ratings.raters)
    pairs = frame["item"].nunique()
    subjects = frame["subject"].nunique()
    missing = ratings.items * raters * len(QUESTIONS) - len(frame)
    lines = []
    if ratings.simulated:
        lines.append(NOBODY)
    lines.append(f"{counted(raters, 'rater')}, {counted(pairs, 'pair')} of {counted(subjects, 'subject')}.")
    if missing:
        lines.append(f"{counted(missing, 'answer')} missing, which counts for nobody.")
    if (frame["choice"] == UNSURE).all():
        lines.append(f"Every answer is {UNSURE!r}: nobody saw a difference, or nobody looked.")
    if raters == 1:
        lines.append("One rater: the intervals speak of other pairs, not of other people.")
    if subjects == 1:
        lines.append("One subject: the intervals say nothing of another.")
    return lines


def _asked(ratings: Ratings) -> list[str]:
    answered = set(ratings.frame["question"])
    return [question for question in QUESTIONS if question in answered]


def _by_pair_and_rater(ratings: Ratings, question: str, column: str) -> pd.DataFrame:
    """A row a pair, in the order of subjects, a column a rater; NaN where there is no answer."""
    rows = ratings.frame[ratings.frame["question"] == question]
    table = rows.pivot(index=["subject", "item"], columns="rater", values=column)
    return table.sort_index()


def _indicator(choices: pd.DataFrame, name: str) -> np.ndarray:
    """(pairs, raters) of 0 and 1, NaN where there is no answer."""
    return np.where(choices.isna(), np.nan, choices == name)


def _draws(table: pd.DataFrame, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each pair (resamples, pairs) and each rater (resamples, raters) of the table is drawn."""
    rng = np.random.default_rng(seed)
    pairs_of_subjects = table.groupby(level="subject").size()
    pairs_drawn = [_pairs_drawn(pairs_of_subjects, rng) for _ in range(RESAMPLES)]
    _, raters = table.shape
    raters_drawn = rng.multinomial(raters, _even(raters), RESAMPLES)
    return np.array(pairs_drawn), raters_drawn


def _pairs_drawn(
    pairs_of_subjects: Sequence[int],
    rng: np.random.Generator,
) -> np.ndarray:
    """How often each pair is drawn: subjects first, then as many pairs of each drawn one as it has."""
    subjects = len(pairs_of_subjects)
    times = rng.multinomial(subjects, _even(subjects))
    drawn = []
    for count, pairs in zip(times, pairs_of_subjects):
        drawn.append(rng.multinomial(count * pairs, _even(pairs)))
    return np.concatenate(drawn)


def _even(count: int) -> np.ndarray:
    """The same probability for each."""
    return np.full(count, 1 / count)


def _interval(values: np.ndarray, draws: tuple[np.ndarray, np.ndarray]) -> Interval:
    """Mean of (pairs, raters) with its interval; unknown where there is only one answer."""
    is_answered = np.isfinite(values)
    mean = float(values[is_answered].mean())
    if values.size == 1:
        return Interval(mean, -np.inf, np.inf)
    sums = _drawn_sums(np.where(is_answered, values, 0), draws)
    sizes = _drawn_sums(is_answered.astype(float), draws)
    is_drawn = sizes > 0
    means = sums[is_drawn] / sizes[is_drawn]
    low, high = np.quantile(means, ENDS)
    return Interval(mean, float(low), float(high))


def _drawn_sums(
    values: np.ndarray,
    draws: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """The sum of (pairs, raters) in each resample, (resamples,)."""
    pairs_drawn, raters_drawn = draws
    return np.einsum("bp,pr,br->b", pairs_drawn, values, raters_drawn, optimize=True)


def _why_incomparable(answers: pd.DataFrame) -> str:
    """Why there is no telling whether raters agree; "" where there is."""
    if answers.shape[1] == 1:
        return "one rater: nobody to agree with"
    comparable = answers[answers.notna().sum(axis=1) > 1]
    if comparable.empty:
        return "no pair was answered by two raters"
    given = pd.unique(comparable.stack())
    if len(given) == 1:
        return f"everybody always answered {given[0]!r}: agreement or habit"
    return ""


def _value_counts(answers: pd.DataFrame) -> np.ndarray:
    """How many raters gave each answer to each pair: (pairs, answers)."""
    given = pd.unique(answers.stack())
    columns = [(answers == answer).sum(axis=1) for answer in given]
    return np.stack(columns, axis=1)


def _alpha(counts: np.ndarray) -> float:
    """Krippendorff's alpha for nominal data of (units, values)."""
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))


def _resampled_alphas(alpha: float, counts: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Alpha (n,) of units that are taken as often as `drawn` (n, units) says; less than n where none compares.

    As in Krippendorff's own bootstrap, what chance gives is that of all units in each: drawn anew with few units, it
    would pull alpha down. So 1 - alpha changes as the share of unequal answers does.
    """
    is_comparable = counts.sum(axis=1) > 1
    drawn = drawn[:, is_comparable]
    counts = counts[is_comparable]
    answers = counts.sum(axis=1)
    partners = answers - 1
    equal_pairs = (counts * (counts - 1)).sum(axis=1)
    unequal = answers - equal_pairs / partners
    if not unequal.any():
        return np.ones(1)
    drawn_answers = drawn @ answers
    drawn_unequal = drawn @ unequal
    is_drawn = drawn_answers > 0
    shares = drawn_unequal[is_drawn] / drawn_answers[is_drawn]
    share = unequal.sum() / answers.sum()
    return 1 - (1 - alpha) * (shares / share)


def _percent(share: Interval, unit: str) -> str:
    span = "[unknown]"
    if share.known:
        span = f"[{100 * share.low:.0f}, {100 * share.high:.0f}]"
    text = f"{100 * share.mean:.0f} {unit} {span}"
    return text.replace("-", MINUS)


def _alpha_for_reading(alpha: Interval | str) -> str:
    if isinstance(alpha, str):
        return alpha
    span = "[unknown]"
    if alpha.known:
        span = f"[{alpha.low:.2f}, {alpha.high:.2f}]"
    text = f"{alpha.mean:.2f} {span}"
    return text.replace("-", MINUS)
