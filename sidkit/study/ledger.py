"""The ledger: what the paper states, where this book tried it, and what came out.

Each chapter writes its verdicts into the run store; the page on the claims reads them all. What no chapter tried is a
row, too, and says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from sidkit.files import write_json
from sidkit.study.claims import NOT_RUN, WORDS, Statement, Verdict
from sidkit.study.tables import colored, interval_cell

FOLDER = "ledger"  # inside the run store
NOT_AT_THIS_SCALE = "its chapter was not run at this scale"


def record(verdicts: Iterable[Verdict], chapter: str, store: Path | str, *, scale: str) -> Path:
    """Write a chapter's verdicts into the run store, in the place of those of its last run; returns the file."""
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


def statements_table(
    rows_by_chapter: Mapping[str, list[dict]],
    statement_by_chapter: Mapping[str, Statement],
    untried: Mapping[Statement, str],
) -> pd.DataFrame:
    """A row a statement of the paper: where it is tried, and how many of its tests came out how.

    `untried` are statements that no chapter tries, each with the reason.
    """
    rows = []
    for chapter, statement in statement_by_chapter.items():
        verdicts = [row["word"] for row in rows_by_chapter.get(chapter, [])]
        link = f"[{_title(chapter)}]({chapter}.ipynb)" if verdicts else "-"
        rows.append(_statement_row(statement, link, _counted(verdicts) or _not_run(NOT_AT_THIS_SCALE)))
    for statement, why in untried.items():
        rows.append(_statement_row(statement, "-", _not_run(why)))
    return pd.DataFrame(rows)


def tests_table(rows_by_chapter: Mapping[str, list[dict]]) -> pd.DataFrame:
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


def counts(rows_by_chapter: Mapping[str, list[dict]]) -> pd.DataFrame:
    """For `charts.verdicts`: a row a chapter, a column a verdict, how many tests of it came out so."""
    table = {}
    for chapter, tests in rows_by_chapter.items():
        verdicts = [test["word"] for test in tests]
        table[_title(chapter)] = {word: verdicts.count(word) for word in WORDS}
    return pd.DataFrame.from_dict(table, orient="index", columns=list(WORDS))


def summary(rows_by_chapter: Mapping[str, list[dict]], statements: int) -> str:
    """How many of the paper's statements were tried, and how the tests came out, in a sentence."""
    verdicts = [test["word"] for tests in rows_by_chapter.values() for test in tests]
    counted = ", ".join(f"{verdicts.count(word)} {word}" for word in WORDS if word in verdicts)
    return f"Of {statements} statements, {len(rows_by_chapter)} are tried here, by {len(verdicts)} tests: {counted}."


def _statement_row(statement: Statement, where: str, tests: str) -> dict[str, str]:
    return {"The paper states": f"{statement.words} ({statement.source})", "Tried in": where, "Tests": tests}


def _not_run(why: str) -> str:
    return f"{colored(NOT_RUN)}: {why}"


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
