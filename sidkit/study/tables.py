"""A study in numbers: means by case with their intervals, and the tables that the book's pages show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from sidkit.captions import USUAL_CASE
from sidkit.config import check_name
from sidkit.describe.cases import CASE_NAMES, captions_of_case
from sidkit.markdown import Markdown, code, prose
from sidkit.measure.statistics import Interval, case_means
from sidkit.study.claims import NOT_REPRODUCED, NOT_RUN, REPRODUCED, WITHIN, Verdict
from sidkit.subjects import Subject
from sidkit.worlds import world_of_folder

MEASURES = ("leakage", "identity", "recognized", "SA", "NSD", "TA", "CLIP-I")
BETTER = dict.fromkeys(MEASURES, "higher") | {"leakage": "lower"}
SHARES = ("leakage", "obedience", "recognized", "leak_", "painted_")  # how shares' names begin: told in percent
COLUMNS = {1: "Case 1", 2: "Case 2", 3: "Case 3 (SID)", 4: "Case 4"}
EXPECTED = {REPRODUCED: "as expected", NOT_REPRODUCED: "not as expected"}  # of what nobody claimed
NO_OTHER_WORDS: Mapping[str, str] = MappingProxyType({})
IN_COLOR = {
    REPRODUCED: Markdown('<span class="claim-yes">{}</span>'),
    WITHIN: Markdown('<span class="claim-open">{}</span>'),
    NOT_REPRODUCED: Markdown('<span class="claim-no">{}</span>'),
    NOT_RUN: Markdown('<span class="claim-none">{}</span>'),
}
VERDICT = Markdown("{}: {}")  # a word in its colour, and the reason


def measured(
    frame: pd.DataFrame,
    *,
    seed: int,
    by: str = "case",
    names: Sequence[str] = MEASURES,
) -> dict[str, pd.DataFrame]:
    """For each measure that the study has, a row a case or arm, in the frame's order: `mean`, `low`, `high`."""
    order = frame[by].unique()
    rows_by_measure = {}
    for name in names:
        if name not in frame or frame[name].isna().all():
            continue
        means = case_means(frame, name, seed=seed, by=by)
        in_order = [value for value in order if value in means.index]
        rows_by_measure[name] = means.loc[in_order]
    return rows_by_measure


def leaks(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Share of pictures that show each undesired factor: index (factor, case), columns `mean`, `low`, `high`."""
    means_by_factor = {}
    for name in frame:
        if name.startswith("leak_") and frame[name].notna().any():
            factor = name.removeprefix("leak_")
            means_by_factor[factor] = case_means(frame, name, seed=seed)
    if not means_by_factor:
        raise ValueError("leaks: expected a study of Sticker World, this one has no factor reader")
    return pd.concat(means_by_factor)


def measures_table(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row a measure, a column a case, each value with its interval; what was not measured is left out."""
    rows = []
    for measure, means in measured(frame, seed=seed).items():
        row = {"Measure": f"{measure} ({BETTER[measure]} is better)"}
        for case, mean in zip(means.index, means.to_numpy()):
            row[COLUMNS[case]] = interval_cell(mean, measure)
        rows.append(row)
    return pd.DataFrame(rows)


def arms_table(frame: pd.DataFrame, *, seed: int, names: Sequence[str] = MEASURES) -> pd.DataFrame:
    """A row an arm, in the order in which they ran, a column a measure, each value with its interval."""
    means_by_measure = measured(frame, seed=seed, by="arm", names=names)
    rows = []
    for arm in frame["arm"].unique():
        row = {"Arm": arm}
        for name, means in means_by_measure.items():
            row[name] = interval_cell(means.loc[arm], name)
        rows.append(row)
    return pd.DataFrame(rows)


def claims_table(
    verdicts: Sequence[Verdict],
    title: str = "The paper says",
    words: Mapping[str, str] = NO_OTHER_WORDS,
) -> pd.DataFrame:
    """A row a claim: what it says under `title`, the difference that decides, and the verdict in its colour.

    `words` are said in the place of a verdict's own, where nobody claimed what is checked (`EXPECTED`).
    """
    rows = []
    for verdict in verdicts:
        row = {
            title: prose(f"{verdict.claim.words} ({verdict.claim.source})."),
            "Here": _difference(verdict),
            "So": VERDICT.format(colored(verdict.word, words), verdict.reason),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def colored(word: str, words: Mapping[str, str] = NO_OTHER_WORDS) -> Markdown:
    """A verdict's word in its colour; `words` may say another in its place."""
    check_name("verdict", word, IN_COLOR)
    return IN_COLOR[word].format(words.get(word, word))


def company(subject: Subject) -> str:
    """What the references share beside the subject, in words; of photos, only which kinds of things it is."""
    undesired = world_of_folder(subject.folder).undesired(subject)
    return " and ".join(undesired.values() or subject.bias)


def captions_table(subject: Subject, image: int = 0) -> pd.DataFrame:
    """The descriptions of one reference picture, a row a case that there is."""
    cases = sorted({USUAL_CASE, *subject.captions})
    rows = []
    for case in cases:
        caption = captions_of_case(subject, case)[image]
        rows.append((CASE_NAMES[case], code(caption)))
    return pd.DataFrame(rows, columns=["Case", "Description"])


def interval_text(interval: Interval, measure: str, unit: str = "%") -> str:
    """`0.612 [0.590, 0.634]`; a share in percent, `41 % [33, 50]`, and a difference of shares in points."""
    text = str(interval)
    if measure.startswith(SHARES) and interval.known:
        mean = round(100 * interval.mean)
        low = round(100 * interval.low)
        high = round(100 * interval.high)
        text = f"{mean} {unit} [{low}, {high}]"
    return text.replace("-", "−")


def interval_cell(row: Iterable[float], measure: str, unit: str = "%") -> str:
    """`interval_text` for a mean and its interval's two ends, in two lines of a table's cell."""
    text = interval_text(Interval(*row), measure, unit)
    return _in_two_lines(text)


def correlation_cell(correlation: Interval) -> str:
    """A rank correlation with its interval, in two lines of a table's cell; words where a column has but one value."""
    if np.isnan(correlation.mean):
        return "does not vary"
    text = str(correlation).replace("-", "−")
    return _in_two_lines(text)


def _in_two_lines(interval: str) -> str:
    """The mean above its interval's ends."""
    return interval.replace(" [", "\n[")


def _difference(verdict: Verdict) -> str:
    claim = verdict.claim
    kind = "case " if claim.by == "case" else ""
    compared = f"{claim.measure}, {kind}{claim.case} − {kind}{claim.against}"
    if not verdict.difference:
        return compared
    difference = interval_text(verdict.difference, claim.measure, "points")
    return f"{compared}: {difference}"
