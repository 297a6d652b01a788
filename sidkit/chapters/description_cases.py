"""Chapter 2: the four kinds of description (Table 1, Fig. 3), and SID beside its baseline (Fig. 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from PIL import Image

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import cast
from sidkit.measure.statistics import paired_difference, subject_differences
from sidkit.plot import charts
from sidkit.study.chapter import Results
from sidkit.study.claims import DESCRIPTION_CASES, Statement, Trial, trials
from sidkit.study.plan import Plan, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import BETTER, captions_table, measured, measures_table

NAME = "02_description_cases"
STATEMENT = Statement(
    "Of four kinds of description, the detailed one of what is not the subject is best", "Fig. 3, Table 1"
)


def plans(scale: str, *, subjects: Sequence[str] = (), cases: Sequence[int] = (), **options: Any) -> dict[str, Plan]:
    """One plan, with an arm a case. `options` are those of `make_plan`; ValueError as there."""
    plan = make_plan(
        scale,
        subjects=subjects or cast.classes("description_cases", scale),
        cases=cases or cast.of("description_cases", "cases", scale),
        **options,
    )
    return {"cases": plan}


def claims(results: Results) -> list[Trial]:
    """What the paper says of the four cases, and of SID beside its baseline."""
    return trials(results.main.frame, DESCRIPTION_CASES)


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """What the first reference is called in each case, and the means of all measures."""
    first = next(iter(results.main.subjects.values()))
    return {
        "captions_of_a_reference": captions_table(first),
        "measures": measures_table(results.main.frame, seed=results.seed),
    }


def rows(study: Study) -> tuple[list[str], list[list[Image.Image]], list[str]]:
    """Titles, pictures and heads of `sheets.rows`: a row a prompt of the first subject, a column a case."""
    name = next(iter(study.subjects))
    prompts = [prompt.text for prompt in study.prompts[name]]
    heads = [f"case {case}" for case in study.plan.cases]
    return prompts, study.grid(name, range(len(prompts))), heads


def panels(study: Study, *, seed: int) -> dict[str, pd.DataFrame]:
    """The means of all measures for `charts.metrics_by_case`."""
    rows_by_measure = measured(study.frame, seed=seed)
    return {f"{name} ({BETTER[name]} is better)": rows for name, rows in rows_by_measure.items()}


def draw_differences(study: Study, ax: Axes, *, seed: int) -> None:
    """What SID changes in each subject's leakage, and in the mean; nothing where a case is missing."""
    if study.frame["leakage"].isna().all() or not {USUAL_CASE, SID_CASE} <= set(study.plan.cases):
        return
    mean = paired_difference(study.frame, "leakage", case=SID_CASE, against=USUAL_CASE, seed=seed)
    by_subject = subject_differences(study.frame, "leakage", case=SID_CASE, against=USUAL_CASE)
    charts.paired_differences(by_subject, mean, ax, "difference in leakage")
