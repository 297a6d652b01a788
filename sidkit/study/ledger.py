"""The ledger: what the paper states, where this book tried it, and what came out.

Each chapter writes its verdicts into the run store; the page on the claims reads them all. What no chapter tried is a
row, too, and says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
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


def record(verdicts: Iterable[Verdict], chapter: str, store: Path | str, *, scale: str) -> Path | None:
    """Write a chapter's verdicts into the run store, in the place of those of its last run; returns the file.

    A chapter that tries no statement of the paper has no place here, and nothing is written.
    """
    if chapter not in {statement.chapter for statement in STATEMENTS}:
        return None
    rows = [
        {
            **asdict(verdict.claim),
            "word": verdict.word,
            "reason": verdict.reason,
            "difference": _numbers(verdict),
        }
        for verdict in verdicts
    ]
    path = Path(store) / FOLDER / scale / f"{chapter}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, rows)
    return path


def read(store: Path | str, *, scale: str) -> dict[str, list[dict]]:
    """What the chapters have written at a scale, by chapter in the book's order."""
    files = sorted((Path(store) / FOLDER / scale).glob("*.json"))
    return {file.stem: json.loads(file.read_text()) for file in files}


def statements_table(rows_by_chapter: dict[str, list[dict]]) -> pd.DataFrame:
    """A row a statement of the paper: where it is tried, and how many of its tests came out how."""
    rows = []
    for statement in STATEMENTS:
        verdicts = [row["word"] for row in rows_by_chapter.get(statement.chapter, [])]
        row = {
            "The paper states": f"{statement.words} ({statement.source})",
            "Tried in": f"[{_title(statement.chapter)}]({statement.chapter}.ipynb)" if verdicts else "-",
            "Tests": _counted(verdicts) or f"{colored(NOT_RUN)}: {statement.why}",
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
                "Where": f"[{chapter[:2]}]({chapter}.ipynb)",
            }
            rows.append(row)
    return pd.DataFrame(rows, columns=["Claim", "Measure", "Difference", "So", "Where"])


def counts(rows_by_chapter: dict[str, list[dict]]) -> pd.DataFrame:
    """For `charts.verdicts`: a row a chapter, a column a verdict, how many tests of it came out so."""
    table = {}
    for chapter, tests in rows_by_chapter.items():
        verdicts = [test["word"] for test in tests]
        table[_title(chapter)] = {word: verdicts.count(word) for word in WORDS}
    return pd.DataFrame.from_dict(table, orient="index", columns=list(WORDS))


def summary(rows_by_chapter: dict[str, list[dict]]) -> str:
    """How many statements were tried, and how the tests came out, in a sentence."""
    verdicts = [test["word"] for tests in rows_by_chapter.values() for test in tests]
    tried = sum(statement.chapter in rows_by_chapter for statement in STATEMENTS)
    counted = ", ".join(f"{verdicts.count(word)} {word}" for word in WORDS if word in verdicts)
    return f"Of {len(STATEMENTS)} statements, {tried} are tried here, by {len(verdicts)} tests: {counted}."


def _counted(verdicts: list[str]) -> str:
    """Such as "3 reproduced, 1 not run", each word in its colour."""
    return ", ".join(f"{verdicts.count(word)} {colored(word)}" for word in WORDS if word in verdicts)


def _numbers(verdict: Verdict) -> list[float] | None:
    gap = verdict.difference
    if gap is None or not gap.known:
        return None
    return [gap.mean, gap.low, gap.high]


def _difference(test: dict) -> str:
    if test["difference"] is None:
        return "-"
    return interval_cell(np.array(test["difference"]), test["measure"], "points")


def _title(chapter: str) -> str:
    number, _, words = chapter.partition("_")
    return f"{int(number)} {words.replace('_', ' ')}"
