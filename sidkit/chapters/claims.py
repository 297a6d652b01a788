"""Chapter 12: what the paper states, where this book tried it, and what came out. It gathers, and runs nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sidkit.study import ledger
from sidkit.study.chapter import Results
from sidkit.study.claims import Trial
from sidkit.study.plan import Plan

NAME = "12_claims"


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
        "statements": ledger.statements_table(results.findings),
        "tests": ledger.tests_table(results.findings),
    }


def values(results: Results) -> dict[str, Any]:
    """How it came out, in a sentence."""
    return {"summary": ledger.summary(results.findings)}
