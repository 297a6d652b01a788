"""The ledger: what the paper states, where this book tried it, and what came out.

Each chapter writes its verdicts into the run store; the page on the claims reads them all. What no chapter tried is a
row, too, and says why.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from sidkit.files import make_folder, make_way, set_aside, write_json
from sidkit.markdown import Markdown, prose
from sidkit.study.claims import NOT_RUN, WORDS, Claim, Statement, Verdict
from sidkit.study.tables import VERDICT, colored, interval_cell

FOLDER = "ledger"  # inside the run store
COLUMNS = {*(field.name for field in fields(Claim)), "word", "reason", "difference"}  # of a row

NOT_AT_THIS_SCALE = "its chapter was not run at this scale"


def record(
    verdicts: Iterable[Verdict],
    chapter: str,
    store: Path | str,
    *,
    scale: str,
) -> Path:
    """Write a chapter's verdicts into the run store, in the place of those of its last run; returns the file."""
    folder = _folder(store, scale)
    make_folder(folder.parent)
    make_folder(folder)
    path = folder / f"{chapter}.json"
    make_way(path)
    rows = [_row(verdict) for verdict in verdicts]
    write_json(path, rows)
    return path


def read(store: Path | str, *, scale: str) -> dict[str, list[dict]]:
    """What the chapters have written at a scale, by chapter in the book's order; a damaged file is set aside."""
    files = sorted(_folder(store, scale).glob("*.json"))
    rows_by_chapter = {}
    for file in files:
        try:
            rows_by_chapter[file.stem] = _rows(file)
        except ValueError as error:
            set_aside(file, str(error))
    return rows_by_chapter


def _rows(file: Path) -> list[dict]:
    """A chapter's rows. Raises ValueError where they are damaged."""
    if not file.is_file():  # a pipe would be waited for
        raise ValueError("it is no file; run the chapter again")
    try:
        rows = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError("it is no JSON; run the chapter again") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.keys() >= COLUMNS for row in rows):
        raise ValueError("it holds no verdicts; run the chapter again")
    return rows


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
        tests = rows_by_chapter.get(chapter, [])
        link = _link(chapter, _title(chapter)) if tests else "-"
        outcomes = Markdown(", ").join(_outcome(*counted) for counted in _counted(tests))
        rows.append(_statement_row(statement, link, outcomes if tests else _not_run(NOT_AT_THIS_SCALE)))
    for statement, reason in untried.items():
        rows.append(_statement_row(statement, "-", _not_run(reason)))
    return pd.DataFrame(rows)


def tests_table(rows_by_chapter: dict[str, list[dict]]) -> pd.DataFrame:
    """A row a test: the claim, what was measured, the difference with its interval, the verdict, and where."""
    rows = []
    for chapter, tests in rows_by_chapter.items():
        for test in tests:
            row = {
                "Claim": prose(f"{test['words']} ({test['source']})"),
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


def summary(rows_by_chapter: Mapping[str, list[dict]], statements: int) -> str:
    """How many of the paper's statements were tried, and how the tests came out, in a sentence."""
    tests = list(chain.from_iterable(rows_by_chapter.values()))
    outcomes = ", ".join(f"{count} {word}" for count, word in _counted(tests))
    return f"Of {statements} statements, {len(rows_by_chapter)} are tried here, by {len(tests)} tests: {outcomes}."


def _statement_row(statement: Statement, where: Any, tests: Markdown) -> dict[str, Any]:
    words = prose(f"{statement.words} ({statement.source})")
    return {"The paper states": words, "Tried in": where, "Tests": tests}


def _not_run(reason: str) -> Markdown:
    return VERDICT.format(colored(NOT_RUN), reason)


def _counted(tests: list[dict]) -> list[tuple[int, str]]:
    """How many tests came out how, such as 3 reproduced; what none did is left out."""
    counter = Counter(test["word"] for test in tests)
    return [(counter[word], word) for word in WORDS if counter[word]]


def _outcome(count: int, word: str) -> Markdown:
    return Markdown("{} {}").format(count, colored(word))


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


def _link(chapter: str, text: str) -> Markdown:
    return Markdown("[{}](<{}.ipynb>)").format(text, chapter)


def _title(chapter: str) -> str:
    number, _, name = chapter.partition("_")
    words = name.replace("_", " ")
    return f"{int(number)} {words}"
