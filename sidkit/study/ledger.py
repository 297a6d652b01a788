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

from sidkit.config import check_name
from sidkit.files import write_json
from sidkit.study.claims import NOT_RUN, WORDS, Verdict
from sidkit.study.tables import STYLES, told_row

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


def record(verdicts: Iterable[Verdict], chapter: str, store: Path | str, *, scale: str) -> Path:
    """Write a chapter's verdicts into the run store, in the place of those of its last run; returns the file."""
    folder = Path(store) / FOLDER / scale
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {**asdict(one.claim), "word": one.word, "reason": one.reason, "difference": _numbers(one)} for one in verdicts
    ]
    write_json(folder / f"{chapter}.json", rows)
    return folder / f"{chapter}.json"


def read(store: Path | str, *, scale: str) -> dict[str, list[dict]]:
    """What the chapters have written at a scale, by chapter in the book's order."""
    files = sorted((Path(store) / FOLDER / scale).glob("*.json"))
    return {file.stem: json.loads(file.read_text()) for file in files}


def statements_table(found: dict[str, list[dict]]) -> pd.DataFrame:
    """A row a statement of the paper: where it is tried, and how many of its tests came out how."""
    rows = []
    for one in STATEMENTS:
        tried = found.get(one.chapter, [])
        words = [row["word"] for row in tried]
        told = ", ".join(f"{words.count(word)} {_colored(word)}" for word in WORDS if word in words)
        rows.append(
            {
                "The paper states": f"{one.words} ({one.source})",
                "Tried in": f"[{_title(one.chapter)}]({one.chapter}.ipynb)" if tried else "-",
                "Tests": told or f"{_colored(NOT_RUN)}: {one.why}",
            }
        )
    return pd.DataFrame(rows)


def tests_table(found: dict[str, list[dict]]) -> pd.DataFrame:
    """A row a test: the claim, what was measured, the difference with its interval, the verdict, and where."""
    rows = [
        {
            "Claim": f"{row['words']} ({row['source']})",
            "Measure": row["measure"],
            "Difference": _difference(row),
            "So": _colored(row["word"]),
            "Where": f"[{chapter[:2]}]({chapter}.ipynb)",
        }
        for chapter, tests in found.items()
        for row in tests
    ]
    return pd.DataFrame(rows, columns=["Claim", "Measure", "Difference", "So", "Where"])


def counts(found: dict[str, list[dict]]) -> pd.DataFrame:
    """For `plot.verdicts`: a row a chapter, a column a verdict, how many tests of it came out so."""
    told = {_title(chapter): [row["word"] for row in tests] for chapter, tests in found.items()}
    return pd.DataFrame({word: {name: words.count(word) for name, words in told.items()} for word in WORDS})


def summary(found: dict[str, list[dict]]) -> str:
    """How many statements were tried, and how the tests came out, in a sentence."""
    words = [row["word"] for tests in found.values() for row in tests]
    tried = sum(one.chapter in found for one in STATEMENTS)
    counts = ", ".join(f"{words.count(word)} {word}" for word in WORDS if word in words)
    return f"Of {len(STATEMENTS)} statements, {tried} are tried here, by {len(words)} tests: {counts}."


def _numbers(verdict: Verdict) -> list[float] | None:
    gap = verdict.difference
    return [gap.mean, gap.low, gap.high] if gap is not None and gap.known else None


def _difference(row: dict) -> str:
    return "-" if row["difference"] is None else told_row(np.array(row["difference"]), row["measure"], "points")


def _colored(word: str) -> str:
    return f'<span class="{STYLES[check_name("verdict", word, STYLES)]}">{word}</span>'


def _title(chapter: str) -> str:
    number, _, words = chapter.partition("_")
    return f"{int(number)} {words.replace('_', ' ')}"
