"""Settings of every method in Sticker World, tried on two subjects that no chapter shows.

    python tests/benchmarks/sweep.py [--method lora svdiff] [--store runs]

prints, for each method and learning rate, what its pictures keep of the subject (identity), drag along (leakage) and do
of the prompt (TA), with the usual captions and with SID, as Markdown. Chosen is the rate that keeps most of the subject
with SID. What is dragged along is what the chapters measure, so it has no say.
"""

from __future__ import annotations

import argparse

import pandas as pd

from sidkit.config import load_profile
from sidkit.runs import Runs
from sidkit.study.plan import Arm, make_plan
from sidkit.study.run import run_study
from sidkit.study.tables import markdown

FACTORS = (0.3, 1.0, 3.0)  # of the profile's learning rate
SUBJECTS = ["turtle-background+nearby", "camel-nearby+tied"]


def arms(method: str) -> list[Arm]:
    """A method at each learning rate, with the usual captions and with SID."""
    rate = load_profile("stickers").training[method].learning_rate
    return [
        Arm(f"{method}, {factor * rate:.2g}, case {case}", case, method, {"learning_rate": factor * rate})
        for factor in FACTORS
        for case in (1, 3)
    ]


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a method and rate."""
    told = frame["arm"].str.split(", ", expand=True)
    means = frame.assign(method=told[0], rate=told[1]).groupby(["method", "rate", "case"], sort=False)
    wide = means[["identity", "leakage", "TA"]].mean().unstack("case").round(3)
    wide.columns = [f"{measure}, case {case}" for measure, case in wide.columns]
    return wide.reset_index()


def chosen(rows: pd.DataFrame) -> str:
    """The rate of a method that is taken."""
    return rows.loc[rows["identity, case 3"].idxmax(), "rate"]


def main() -> None:
    """Run what is missing, and print."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = list(load_profile("stickers").training)
    reader.add_argument("--method", nargs="*", default=known, choices=known)
    reader.add_argument("--store", default="runs")
    given = reader.parse_args()
    for method in given.method:
        plan = make_plan("quick", subjects=SUBJECTS, arms=arms(method), pictures=1, seed=7)
        rows = table(run_study(plan, Runs(given.store)).frame)
        print(markdown(rows), f"\n{method}: {chosen(rows)}\n", flush=True)


if __name__ == "__main__":
    main()
