"""Chapter 12: what the paper states, where this book tried it, and what came out. It gathers, and runs nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sidkit import chapters
from sidkit.study import ledger
from sidkit.study.chapter import Results
from sidkit.study.claims import Statement, Trial
from sidkit.study.plan import Plan

NAME = "12_claims"
# The appendices were not at hand; what is said of them is in the paper's main text.
UNTRIED = {
    Statement("People prefer pictures made with SID", "appendix B"): (
        "it takes people, for whom chapter 9 has a form; the paper's numbers are in an appendix that we did not have"
    ),
    Statement("GPT-4's descriptions give the best alignment", "appendix E.2"): (
        "that GPT-4 is no longer to be had; chapter 3 compares other describers"
    ),
}


def statements() -> dict[str, Statement]:
    """What the paper states, by the notebook of the chapter that tries it; each chapter says its own."""
    tried = {name: getattr(chapters.find(name), "STATEMENT", None) for name in chapters.NOTEBOOKS}
    return {name: statement for name, statement in tried.items() if statement}


def plans(scale: str) -> dict[str, Plan]:
    """None: the other chapters have run."""
    return {}


def findings(results: Results) -> dict[str, list[dict]]:
    """What the chapters have written into the ledger at this scale, by chapter."""
    return ledger.read(results.runs.root, scale=results.scale)


def claims(results: Results) -> list[Trial]:
    """None of its own."""
    return []


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The paper's statements, and every test of them."""
    return {
        "statements": ledger.statements_table(results.findings, statements(), UNTRIED),
        "tests": ledger.tests_table(results.findings),
    }


def values(results: Results) -> dict[str, Any]:
    """How it came out, in a sentence."""
    return {"summary": ledger.summary(results.findings, len(statements()) + len(UNTRIED))}
