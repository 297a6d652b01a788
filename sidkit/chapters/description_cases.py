"""Chapter 2: the four kinds of description (Table 1, Fig. 3), and SID beside its baseline (Fig. 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import cast
from sidkit.measure.statistics import paired_difference, subject_differences
from sidkit.plot import charts, sheets
from sidkit.study.chapter import Results
from sidkit.study.claims import DESCRIPTION_CASES, Statement, Trial, trials
from sidkit.study.excerpts import first_subject, rows_by_prompt
from sidkit.study.plan import Plan, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import BETTER, captions_table, measured, measures_table

NAME = "02_description_cases"
STATEMENT = Statement(
    "Of four kinds of description, the detailed one of what is not the subject is best", "Fig. 3, Table 1"
)


def plans(
    scale: str,
    *,
    subjects: Sequence[str] = (),
    cases: Sequence[int] = (),
    **options: Any,
) -> dict[str, Plan]:
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
    study = results.main
    return {
        "captions_of_a_reference": captions_table(first_subject(study)),
        "measures": measures_table(study.frame, seed=results.seed),
    }


def rows(study: Study) -> sheets.Rows:
    """Of `sheets.rows`: a row a prompt of the first subject, a column a case."""
    prompts, images, _ = rows_by_prompt(study)
    columns = [f"case {case}" for case in study.plan.cases]
    return prompts, images, columns


def panels(study: Study, *, seed: int) -> dict[str, pd.DataFrame]:
    """The means of all measures for `charts.metrics_by_case`."""
    means_by_title = {}
    for name, means in measured(study.frame, seed=seed).items():
        title = f"{name} ({BETTER[name]} is better)"
        means_by_title[title] = means
    return means_by_title


def draw_differences(study: Study, ax: Axes, *, seed: int) -> None:
    """What SID changes in each subject's leakage, and in the mean; nothing where a case is missing."""
    unknown = study.frame["leakage"].isna().all()
    both = {USUAL_CASE, SID_CASE} <= set(study.plan.cases)
    if unknown or not both:
        return
    compared = (study.frame, "leakage", SID_CASE, USUAL_CASE)
    mean = paired_difference(*compared, seed=seed)
    by_subject = subject_differences(*compared)
    charts.paired_differences(by_subject, mean, ax, "difference in leakage")
