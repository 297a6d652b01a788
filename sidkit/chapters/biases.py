"""The paper's five biases (Fig. 1) one by one: what is run for each, and what each leaks.

What a thing's references share beside it (a place, a thing beside it, a thing on it) is looked at in the subjects of
the four cases' study, so that their trainings are shared. Pose and substance have subjects of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from PIL import Image

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import cast
from sidkit.config import check_name
from sidkit.inflection import counted
from sidkit.measure.statistics import case_means
from sidkit.stickers.references import BIASES, SHARED
from sidkit.study.chapter import Results
from sidkit.study.claims import Claim, Statement, Trial
from sidkit.study.plan import Plan, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import colored, interval_cell
from sidkit.subjects import Subject, load_images

NAME = "01_biases"
STATEMENT = Statement("Five kinds of bias get tied to `[v]`, and SID unties each", "sec. 3, Fig. 1")
FIRST_CLASS = {"pose": 3, "substance": 4}  # the turn of the class they begin with: a small scale shows different ones
CLAIM_BY_BIAS = {
    "background": "SID keeps the references' place out",
    "nearby": "SID keeps out what stands beside the subject",
    "tied": "SID keeps out what the subject wears",
    "pose": "SID keeps out the pose of a single reference",
    "substance": "SID keeps out what the references of a style show",
}


def plans(
    scale: str, *, biases: Sequence[str] = (), classes: Sequence[str] = (), references: int = 0, **options: Any
) -> dict[str, Plan]:
    """A plan for each bias, of the usual captions and SID; biases of a thing have the same plan.

    With `classes`, these are the subjects of every bias, and have no other. Of pose there is one reference, as several
    would share it only by intent; `references` holds for the others. `options` are those of `make_plan`. Raises
    ValueError for an unknown bias, class or scale.
    """
    wanted = [check_name("bias", bias, BIASES) for bias in biases or BIASES]
    of_things = [bias for bias in wanted if bias in SHARED]
    common = {"cases": (USUAL_CASE, SID_CASE), **options}
    plan_by_bias = {}
    if of_things:
        things = _things(scale, of_things, classes)
        shared = make_plan(scale, subjects=things, references=references, **common)
        plan_by_bias = dict.fromkeys(of_things, shared)
    for bias in wanted:
        if bias not in SHARED:
            shown = 1 if bias == "pose" else references
            plan_by_bias[bias] = make_plan(scale, subjects=others(scale, bias, classes), references=shown, **common)
    return {bias: plan_by_bias[bias] for bias in wanted}


def claims(results: Results) -> list[Trial]:
    """The paper's Fig. 1, bias by bias: SID leaks less than the usual captions."""
    return [Trial(claim(bias), _rows_having(study, bias)) for bias, study in results.studies.items()]


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The captions of the references that are shown, and what each bias leaks."""
    return {"captions": captions(results.studies), "biases": leakage_table(results)}


def measure(bias: str) -> str:
    """The column that a bias is counted in: its own leak; of a style, all that its pictures show."""
    return "leakage" if bias == "substance" else f"leak_{bias}"


def claim(bias: str) -> Claim:
    """The paper's Fig. 1 for one bias."""
    return Claim(CLAIM_BY_BIAS[bias], measure(bias), SID_CASE, USUAL_CASE, "lower", "Fig. 1")


def leakage_table(results: Results) -> pd.DataFrame:
    """A row a bias: leakage after the usual captions and after SID, their difference, and the verdict."""
    rows = []
    for (bias, study), verdict in zip(results.studies.items(), results.verdicts, strict=True):
        frame, column = _rows_having(study, bias), measure(bias)
        means = case_means(frame, column, seed=results.seed)
        difference = verdict.difference
        row = {
            "Bias": f"{bias}, {counted(frame['subject'].nunique(), 'subject')}",
            "Usual captions": interval_cell(means.loc[USUAL_CASE], column),
            "SID": interval_cell(means.loc[SID_CASE], column),
            "Difference": interval_cell((difference.mean, difference.low, difference.high), column, "points"),
            "So": colored(verdict.word),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def leaks(studies: Mapping[str, Study], *, seed: int) -> pd.DataFrame:
    """Share of pictures that leak, for `charts.leakage_bars`: index (bias, case), columns `mean`, `low`, `high`."""
    means = {bias: case_means(_rows_having(study, bias), measure(bias), seed=seed) for bias, study in studies.items()}
    return pd.concat(means)


def shown(studies: Mapping[str, Study]) -> dict[str, Subject]:
    """For each bias a subject to show, another one wherever there is another."""
    subject_by_bias: dict[str, Subject] = {}
    for bias, study in studies.items():
        having = [subject for subject in study.subjects.values() if bias in subject.bias]
        new = [subject for subject in having if subject not in subject_by_bias.values()]
        subject_by_bias[bias] = (new or having)[0]
    return subject_by_bias


def rows(studies: Mapping[str, Study], pictures: int = 2) -> tuple[list[str], list[list[Image.Image]], list[str]]:
    """Titles, pictures and heads of `sheets.rows`, a row a bias.

    In it the first reference of its subject, then pictures of its first prompt after the usual captions, and after SID
    from the same noise.
    """
    count = min(pictures, *(study.plan.pictures for study in studies.values()))
    titles, images = [], []
    for bias, subject in shown(studies).items():
        study = studies[bias]
        row = [load_images(subject)[0]]
        for arm in study.plan.arms:
            row += [study.picture(subject.name, arm.name, 0, turn) for turn in range(count)]
        images.append(row)
        titles.append(f"{bias}: {study.prompts[subject.name][0].text}")
    return titles, images, ["reference", *["usual"] * count, *["SID"] * count]


def captions(studies: Mapping[str, Study]) -> pd.DataFrame:
    """A row a bias: the two captions of the reference that `rows` shows."""
    cells = []
    for bias, subject in shown(studies).items():
        file = subject.images[0].name
        usual, sid = (subject.captions[case][file] for case in (USUAL_CASE, SID_CASE))
        cells.append((bias, f"`{usual}`", f"`{sid}`"))
    return pd.DataFrame(cells, columns=["Bias", "Usual caption", "SID"])


def others(scale: str, bias: str, classes: Sequence[str] = ()) -> list[str]:
    """The subjects of pose or substance."""
    known = classes or cast.classes("biases", scale, f"subjects of {bias}", FIRST_CLASS[bias])
    return [f"{subject_class}-{bias}" for subject_class in known]


def _rows_having(study: Study, bias: str) -> pd.DataFrame:
    """The rows of the subjects that have the bias."""
    having = [name for name, subject in study.subjects.items() if bias in subject.bias]
    return study.frame[study.frame["subject"].isin(having)]


def _things(scale: str, biases: Sequence[str], classes: Sequence[str]) -> list[str]:
    """The four cases' subjects, as far as they have one of the biases."""
    if classes:
        return [f"{subject_class}-{bias}" for bias in biases for subject_class in classes]
    known = [cast.pair_of(name) for name in cast.classes("biases", scale, "subjects of things")]
    return [name for name in known if set(name.partition("-")[2].split("+")) & set(biases)]
