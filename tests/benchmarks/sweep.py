"""Settings of every method in Sticker World, tried on two subjects that no chapter shows.

    python tests/benchmarks/sweep.py [--method lora svdiff] [--store runs]

prints, for each method and learning rate, what its pictures keep of the subject (identity), drag along (leakage) and do
of the prompt (TA), with the usual captions and with SID, as Markdown. Chosen is the rate that, with SID, keeps most of
the subject among those whose TA is within 0.02 of the best. What is dragged along is what the chapters measure, so it
has no say.
"""

from __future__ import annotations

import argparse

import pandas as pd

from sidkit.runs import Runs
from sidkit.study.plan import Arm, make_plan
from sidkit.study.run import run_study

RATES = {
    "dreambooth": (6e-5, 2e-4, 3.5e-4, 6e-4),
    "lora": (6e-4, 2e-3, 6e-3),
    "custom_diffusion": (6e-4, 2e-3, 6e-3),
    "svdiff": (1.5e-3, 5e-3, 1.5e-2),
    "textual_inversion": (3e-3, 1e-2, 3e-2),
}
NEAR = 0.02
SUBJECTS = ["turtle-background+nearby", "camel-nearby+tied"]


def arms(method: str) -> list[Arm]:
    """A method at each learning rate, with the usual captions and with SID."""
    return [
        Arm(f"{method}, {rate:.2g}, case {case}", case, method, {"learning_rate": rate})
        for rate in RATES[method]
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
    good = rows[rows["TA, case 3"] >= rows["TA, case 3"].max() - NEAR]
    return good.loc[good["identity, case 3"].idxmax(), "rate"]


def main() -> None:
    """Run what is missing, and print."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--method", nargs="*", default=list(RATES), choices=list(RATES))
    reader.add_argument("--store", default="runs")
    given = reader.parse_args()
    for method in given.method:
        plan = make_plan("quick", subjects=SUBJECTS, arms=arms(method), pictures=1, seed=7)
        rows = table(run_study(plan, Runs(given.store)).frame)
        print(rows.to_markdown(index=False, disable_numparse=True), f"\n{method}: {chosen(rows)}\n", flush=True)


if __name__ == "__main__":
    main()
