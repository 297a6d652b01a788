"""A study in numbers: means by case with their intervals, and the Markdown tables that the book's pages show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from sidkit.describe.cases import CASE_NAMES, captions_of_case
from sidkit.measure.statistics import Interval, case_means
from sidkit.study.claims import NOT_REPRODUCED, NOT_RUN, REPRODUCED, WITHIN, Verdict, check
from sidkit.subjects import Subject
from sidkit.worlds import world_of_folder

MEASURES = ("leakage", "identity", "SA", "NSD", "TA")
BETTER = {"leakage": "lower", "identity": "higher", "SA": "higher", "NSD": "higher", "TA": "higher"}
SHARES = ("leakage", "obedience", "leak_", "painted_")  # how the names of shares begin, which are told in percent
COLUMNS = {1: "Case 1", 2: "Case 2", 3: "Case 3 (SID)", 4: "Case 4"}
EXPECTED = {REPRODUCED: "as expected", NOT_REPRODUCED: "not as expected"}  # of what nobody claimed
STYLES = {REPRODUCED: "claim-yes", WITHIN: "claim-open", NOT_REPRODUCED: "claim-no", NOT_RUN: "claim-none"}


def measured(
    frame: pd.DataFrame, *, seed: int, by: str = "case", names: Sequence[str] = MEASURES
) -> dict[str, pd.DataFrame]:
    """For each measure that the study has, a row a case or arm, in the frame's order: `mean`, `low`, `high`."""
    known = [name for name in names if name in frame and frame[name].notna().any()]
    means = {name: case_means(frame, name, seed=seed, by=by) for name in known}
    return {name: rows.loc[[one for one in frame[by].unique() if one in rows.index]] for name, rows in means.items()}


def leaks(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Share of pictures that show each undesired factor: index (factor, case), columns `mean`, `low`, `high`."""
    factors = [name for name in frame if name.startswith("leak_") and frame[name].notna().any()]
    if not factors:
        raise ValueError("leaks: expected a study of Sticker World, this one has no factor reader")
    return pd.concat({name.removeprefix("leak_"): case_means(frame, name, seed=seed) for name in factors})


def measures_table(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row a measure, a column a case, each value with its interval; what was not measured is left out."""
    rows = []
    for measure, means in measured(frame, seed=seed).items():
        cells = (told_row(row, measure) for row in means.to_numpy())
        values = {COLUMNS[case]: cell for case, cell in zip(means.index, cells)}
        rows.append({"Measure": f"{measure} ({BETTER[measure]} is better)", **values})
    return pd.DataFrame(rows)


def arms_table(frame: pd.DataFrame, *, seed: int, names: Sequence[str] = MEASURES) -> pd.DataFrame:
    """A row an arm, in the order in which they ran, a column a measure, each value with its interval."""
    found = measured(frame, seed=seed, by="arm", names=names)
    rows = []
    for arm in dict.fromkeys(frame["arm"]):
        cells = {name: told_row(means.loc[arm], name) for name, means in found.items()}
        rows.append({"Arm": arm, **cells})
    return pd.DataFrame(rows)


def claims_table(
    verdicts: Sequence[Verdict], title: str = "The paper says", words: Mapping[str, str] = MappingProxyType({})
) -> pd.DataFrame:
    """A row a claim: what it says under `title`, the difference that decides, and the verdict in its colour.

    `words` are said in the place of a verdict's own, where nobody claimed what is checked (`EXPECTED`).
    """
    told = [words.get(verdict.word, verdict.word) for verdict in verdicts]
    rows = [
        {
            title: f"{verdict.claim.words} ({verdict.claim.source}).",
            "Here": _difference(verdict),
            "So": f'<span class="{STYLES[verdict.word]}">{said}</span>: {verdict.reason}',
        }
        for verdict, said in zip(verdicts, told)
    ]
    return pd.DataFrame(rows)


def headline(frame: pd.DataFrame, *, seed: int) -> str:
    """The paper's main point in two sentences of Markdown: SID (case 3) beside the usual captions (case 1)."""
    verdict = next(one for one in check(frame, seed=seed) if (one.claim.case, one.claim.against) == (3, 1))
    if verdict.difference is None:
        return f"Whether it is so, this run cannot say: {verdict.reason}."
    measure = verdict.claim.measure
    means = case_means(frame, measure, seed=seed)
    usual, sid = (told(Interval(*means.loc[case]), measure) for case in (1, 3))
    return (
        f"Of the things that a picture should not show it shows {usual} after the usual captions, and {sid} after "
        f"captions that say what is not the subject. The difference is {told(verdict.difference, measure, 'points')}, "
        f"and the claim is **{verdict.word}**: {verdict.reason}."
    )


def company(subject: Subject) -> str:
    """What the references share beside the subject, in words; of photos, only which kinds of things it is."""
    undesired = world_of_folder(subject.folder).undesired(subject)
    return " and ".join(undesired.values() or subject.bias)


def captions_table(subject: Subject, image: int = 0) -> pd.DataFrame:
    """The descriptions of one reference picture, a row a case that there is."""
    written = sorted({1, *subject.captions})
    rows = [(CASE_NAMES[case], f"`{captions_of_case(subject, case)[image]}`") for case in written]
    return pd.DataFrame(rows, columns=["Case", "Description"])


def markdown(table: pd.DataFrame) -> str:
    """A table as Markdown, without its index."""
    rows = [list(map(str, table.columns)), ["---"] * len(table.columns), *table.astype(str).to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows)


def told(interval: Interval, measure: str, unit: str = "%") -> str:
    """`0.612 [0.590, 0.634]`; a share in percent, `41 % [33, 50]`, and a difference of shares in points."""
    text = str(interval)
    if measure.startswith(SHARES) and interval.known:
        mean, low, high = (round(100 * value) for value in (interval.mean, interval.low, interval.high))
        text = f"{mean} {unit} [{low}, {high}]"
    return text.replace("-", "−")


def told_row(row: Iterable[float], measure: str, unit: str = "%") -> str:
    """`told` for a mean and its interval's two ends, in two lines of a table's cell."""
    return told(Interval(*row), measure, unit).replace(" [", "<br>[")


def told_correlation(found: Interval) -> str:
    """A rank correlation with its interval, in two lines of a table's cell; words where a column has but one value."""
    if np.isnan(found.mean):
        return "does not vary"
    return str(found).replace("-", "−").replace(" [", "<br>[")


def _difference(verdict: Verdict) -> str:
    claim = verdict.claim
    kind = "case " if claim.by == "case" else ""
    what = f"{claim.measure}, {kind}{claim.case} − {kind}{claim.against}"
    return f"{what}: {told(verdict.difference, claim.measure, 'points')}" if verdict.difference else what
