"""The paper's five biases (Fig. 1) one by one: what is run for each, and what each leaks.

What a thing's references share beside it (a place, a thing beside it, a thing on it) is looked at in the subjects of
the four cases' study, so that their trainings are shared. Pose and substance have subjects of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import cast
from sidkit.config import check_name
from sidkit.describe.cases import captions_of_case
from sidkit.inflection import counted
from sidkit.markdown import code
from sidkit.measure.statistics import case_means
from sidkit.plot import sheets
from sidkit.stickers.references import BIASES, SHARED
from sidkit.study.chapter import Results
from sidkit.study.claims import Claim, Statement, Trial
from sidkit.study.excerpts import subjects_having
from sidkit.study.plan import Plan, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import colored, interval_cell
from sidkit.subjects import Subject, load_images

NAME = "01_biases"
STATEMENT = Statement("Five kinds of bias get tied to `[v]`, and SID unties each", "sec. 3, Fig. 1")
CLAIM_BY_BIAS = {
    "background": "SID keeps the references' place out",
    "nearby": "SID keeps out what stands beside the subject",
    "tied": "SID keeps out what the subject wears",
    "pose": "SID keeps out the pose of a single reference",
    "substance": "SID keeps out what the references of a style show",
}

Studies = Mapping[str, Study]  # by bias


def plans(
    scale: str,
    *,
    biases: Sequence[str] = (),
    classes: Sequence[str] = (),
    references: int = 0,
    **options: Any,
) -> dict[str, Plan]:
    """A plan for each bias, of the usual captions and SID; biases of a thing have the same plan.

    With `classes`, these are the subjects of every bias, and have no other. Of pose there is one reference, as several
    would share it only by intent; `references` holds for the others. `options` are those of `make_plan`. Raises
    ValueError for an unknown bias, class or scale.
    """
    wanted = [check_name("bias", bias, BIASES) for bias in biases or BIASES]
    of_things = [bias for bias in wanted if bias in SHARED]
    options.setdefault("cases", (USUAL_CASE, SID_CASE))
    plan_by_bias = {}
    if of_things:
        things = _things(scale, of_things, classes)
        shared = make_plan(scale, subjects=things, references=references, **options)
        plan_by_bias = dict.fromkeys(of_things, shared)
    for bias in wanted:
        if bias not in of_things:
            plan_by_bias[bias] = make_plan(
                scale,
                subjects=others(scale, bias, classes),
                references=1 if bias == "pose" else references,
                **options,
            )
    return {bias: plan_by_bias[bias] for bias in wanted}


def claims(results: Results) -> list[Trial]:
    """The paper's Fig. 1, bias by bias: SID leaks less than the usual captions."""
    trials = []
    for bias, study in results.studies.items():
        decisive = _rows_having(study, bias)
        trials.append(Trial(claim(bias), decisive))
    return trials


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The captions of the references that are shown, and what each bias leaks."""
    return {
        "captions": captions(results.studies),
        "biases": leakage_table(results),
    }


def measure(bias: str) -> str:
    """The column that a bias is counted in: its own leak; of a style, all that its pictures show."""
    return "leakage" if bias == "substance" else f"leak_{bias}"


def claim(bias: str) -> Claim:
    """The paper's Fig. 1 for one bias."""
    return Claim(
        CLAIM_BY_BIAS[bias],
        measure(bias),
        SID_CASE,
        USUAL_CASE,
        "lower",
        "Fig. 1",
    )


def leakage_table(results: Results) -> pd.DataFrame:
    """A row a bias: leakage after the usual captions and after SID, their difference, and the verdict."""
    rows = []
    for (bias, study), verdict in zip(results.studies.items(), results.verdicts, strict=True):
        frame = _rows_having(study, bias)
        subjects = frame["subject"].nunique()
        column = measure(bias)
        means = case_means(frame, column, seed=results.seed)
        gap = verdict.difference
        ends = (gap.mean, gap.low, gap.high)
        row = {
            "Bias": f"{bias}, {counted(subjects, 'subject')}",
            "Usual captions": interval_cell(means.loc[USUAL_CASE], column),
            "SID": interval_cell(means.loc[SID_CASE], column),
            "Difference": interval_cell(ends, column, "points"),
            "So": colored(verdict.word),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def leaks(studies: Studies, *, seed: int) -> pd.DataFrame:
    """Share of pictures that leak, for `charts.leakage_bars`: index (bias, case), columns `mean`, `low`, `high`."""
    means_by_bias = {}
    for bias, study in studies.items():
        frame = _rows_having(study, bias)
        means_by_bias[bias] = case_means(frame, measure(bias), seed=seed)
    return pd.concat(means_by_bias)


def shown(studies: Studies) -> dict[str, Subject]:
    """For each bias a subject to show, another one wherever there is another."""
    subject_by_bias: dict[str, Subject] = {}
    for bias, study in studies.items():
        having = [study.subjects[name] for name in subjects_having(study, bias)]
        new = [subject for subject in having if subject not in subject_by_bias.values()]
        subject_by_bias[bias] = (new or having)[0]
    return subject_by_bias


def rows(studies: Studies, pictures: int = 2) -> sheets.Rows:
    """Of `sheets.rows`, a row a bias.

    In it the first reference of its subject, then pictures of its first prompt after the usual captions, and after SID
    from the same noise.
    """
    drawn = [study.plan.pictures for study in studies.values()]
    count = min(pictures, *drawn)
    titles, images = [], []
    for bias, subject in shown(studies).items():
        study = studies[bias]
        first_prompt = study.prompts[subject.name][0]
        titles.append(f"{bias}: {first_prompt.text}")
        row = [load_images(subject)[0]]
        for arm in study.plan.arms:
            row += [study.picture(subject.name, arm.name, 0, turn) for turn in range(count)]
        images.append(row)
    columns = ["reference"] + ["usual"] * count + ["SID"] * count
    return titles, images, columns


def captions(studies: Studies) -> pd.DataFrame:
    """A row a bias: the two captions of the reference that `rows` shows."""
    table = []
    for bias, subject in shown(studies).items():
        usual = captions_of_case(subject, USUAL_CASE)[0]
        sid = captions_of_case(subject, SID_CASE)[0]
        row = {
            "Bias": bias,
            "Usual caption": code(usual),
            "SID": code(sid),
        }
        table.append(row)
    return pd.DataFrame(table)


def others(scale: str, bias: str, classes: Sequence[str] = ()) -> list[str]:
    """The subjects of pose or substance."""
    chosen = classes or cast.classes("biases", scale, f"subjects of {bias}")
    return [f"{subject_class}-{bias}" for subject_class in chosen]


def _rows_having(study: Study, bias: str) -> pd.DataFrame:
    """The rows of the subjects that have the bias."""
    having = subjects_having(study, bias)
    return study.frame[study.frame["subject"].isin(having)]


def _things(scale: str, biases: Sequence[str], classes: Sequence[str]) -> list[str]:
    """The four cases' subjects, as far as they have one of the biases."""
    if classes:
        return [f"{subject_class}-{bias}" for bias in biases for subject_class in classes]
    things = []
    for subject_class in cast.classes("biases", scale, "subjects of things"):
        name = cast.pair_of(subject_class)
        _, _, pair = name.partition("-")
        if set(pair.split("+")) & set(biases):
            things.append(name)
    return things
