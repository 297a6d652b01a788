"""The ledger: what the paper states, where this book tried it, and what came out.

Each chapter writes its verdicts into the run store; the page on the claims reads them all. What no chapter tried is a
row, too, and says why.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from sidkit.files import write_json
from sidkit.study.claims import NOT_RUN, WORDS, Verdict
from sidkit.study.tables import colored, interval_cell

FOLDER = "ledger"  # inside the run store


@dataclass(frozen=True)
class Statement:
    """One statement of the paper. `chapter` tries it; without one, `why` it is not tried."""

    words: str
    source: str
    chapter: str = ""
    why: str = "its chapter was not run at this scale"


# Sections and figures of arXiv 2403.15330. The appendices were not at hand; what is said of them is in the main text.
STATEMENTS = (
    Statement("Five kinds of bias get tied to `[v]`, and SID unties each", "sec. 3, Fig. 1", "01_biases"),
    Statement("Of four kinds of description, the detailed one of what is not the subject is best", "Fig. 3, Table 1",
              "02_description_cases"),
    Statement("A captioner that follows the instruction is good enough, and better than one that does not", "Fig. 4",
              "03_vlm_comparison"),
    Statement("SID helps every optimization-based method", "Figs. 5 and 8", "04_methods"),
    Statement("With one reference, methods with SID are ahead of encoder-based ones", "Figs. 6 and 9",
              "05_single_reference"),
    Statement("With SID, `[v]` attends to the subject and not to what is around it", "Fig. 7", "06_attention_maps"),
    Statement("Negative prompts and segmentation do not do what SID does", "sec. 7.1, Fig. 10", "07_negative_prompts"),
    Statement("A property that is asked for lands on the subject", "Fig. 11", "08_property_edits"),
    Statement("SA and NSD tell more than plain image-alignment", "sec. 6, appendix A", "09_measures"),
    Statement("What a SID leaves out stays with `[v]`", "sec. 7.3", "10_limits"),
    Statement("People prefer pictures made with SID", "appendix B",
              why="it takes people, for whom chapter 9 has a form; the paper's numbers are in an appendix that we did "
              "not have"),
    Statement("GPT-4's descriptions give the best alignment", "appendix E.2",
              why="that GPT-4 is no longer to be had; chapter 3 compares other describers"),
)  # fmt: skip


def record(
    verdicts: Iterable[Verdict],
    chapter: str,
    store: Path | str,
    *,
    scale: str,
) -> Path | None:
    """Write a chapter's verdicts into the run store, in the place of those of its last run; returns the file.

    A chapter that tries no statement of the paper has no place here, and nothing is written.
    """
    if not any(statement.chapter == chapter for statement in STATEMENTS):
        return None
    folder = _folder(store, scale)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{chapter}.json"
    rows = [_row(verdict) for verdict in verdicts]
    write_json(path, rows)
    return path


def read(store: Path | str, *, scale: str) -> dict[str, list[dict]]:
    """What the chapters have written at a scale, by chapter in the book's order."""
    files = sorted(_folder(store, scale).glob("*.json"))
    rows_by_chapter = {}
    for file in files:
        rows_by_chapter[file.stem] = json.loads(file.read_text())
    return rows_by_chapter


def statements_table(rows_by_chapter: dict[str, list[dict]]) -> pd.DataFrame:
    """A row a statement of the paper: where it is tried, and how many of its tests came out how."""
    rows = []
    for statement in STATEMENTS:
        tests = rows_by_chapter.get(statement.chapter, [])
        row = {
            "The paper states": f"{statement.words} ({statement.source})",
            "Tried in": _link(statement.chapter, _title(statement.chapter)) if tests else "-",
            "Tests": _outcomes(tests) or f"{colored(NOT_RUN)}: {statement.why}",
        }
        rows.append(row)
    return pd.DataFrame(rows)


def tests_table(rows_by_chapter: dict[str, list[dict]]) -> pd.DataFrame:
    """A row a test: the claim, what was measured, the difference with its interval, the verdict, and where."""
    rows = []
    for chapter, tests in rows_by_chapter.items():
        for test in tests:
            row = {
                "Claim": f"{test['words']} ({test['source']})",
                "Measure": test["measure"],
                "Difference": _difference(test),
                "So": colored(test["word"]),
                "Where": _link(chapter, chapter[:2]),
            }
            rows.append(row)
    return pd.DataFrame(rows, columns=["Claim", "Measure", "Difference", "So", "Where"])


def counts(rows_by_chapter: dict[str, list[dict]]) -> pd.DataFrame:
    """For `charts.verdicts`: a row a chapter, a column a verdict, how many tests of it came out so."""
    rows_by_title = {}
    for chapter, tests in rows_by_chapter.items():
        counter = Counter(test["word"] for test in tests)
        rows_by_title[_title(chapter)] = [counter[word] for word in WORDS]
    return pd.DataFrame.from_dict(rows_by_title, orient="index", columns=list(WORDS))


def summary(rows_by_chapter: dict[str, list[dict]]) -> str:
    """How many statements were tried, and how the tests came out, in a sentence."""
    tests = list(chain.from_iterable(rows_by_chapter.values()))
    tried = [statement for statement in STATEMENTS if statement.chapter in rows_by_chapter]
    outcomes = _outcomes(tests, str)
    return f"Of {len(STATEMENTS)} statements, {len(tried)} are tried here, by {len(tests)} tests: {outcomes}."


def _outcomes(tests: list[dict], written: Callable[[str], str] = colored) -> str:
    """Such as "3 reproduced, 1 not run", each word as it is `written`: by default in its colour."""
    counter = Counter(test["word"] for test in tests)
    outcomes = []
    for word in WORDS:
        if counter[word]:
            outcomes.append(f"{counter[word]} {written(word)}")
    return ", ".join(outcomes)


def _folder(store: Path | str, scale: str) -> Path:
    return Path(store) / FOLDER / scale


def _row(verdict: Verdict) -> dict[str, Any]:
    """A verdict as it is written: its claim's fields, and how it came out."""
    return {
        **asdict(verdict.claim),
        "word": verdict.word,
        "reason": verdict.reason,
        "difference": _numbers(verdict),
    }


def _numbers(verdict: Verdict) -> list[float] | None:
    gap = verdict.difference
    if gap is None or not gap.known:
        return None
    return [gap.mean, gap.low, gap.high]


def _difference(test: dict) -> str:
    if test["difference"] is None:
        return "-"
    return interval_cell(test["difference"], test["measure"], "points")


def _link(chapter: str, text: str) -> str:
    return f"[{text}]({chapter}.ipynb)"


def _title(chapter: str) -> str:
    number, _, name = chapter.partition("_")
    words = name.replace("_", " ")
    return f"{int(number)} {words}"
