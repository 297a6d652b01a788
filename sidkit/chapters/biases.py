"""The paper's five biases (Fig. 1) one by one: what is run for each, and what each leaks.

What a thing's references share beside it (a place, a thing beside it, a thing on it) is looked at in the subjects of
the four cases' study, so that their trainings are shared. Pose and substance have subjects of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from PIL import Image

from sidkit.config import check_name
from sidkit.measure.statistics import case_means
from sidkit.runs import Runs
from sidkit.stickers.references import BIASES, SHARED
from sidkit.study.claims import Claim, Verdict, check
from sidkit.study.plan import CLASSES, PAIRS, Plan, make_plan
from sidkit.study.run import Study, run_study
from sidkit.study.tables import STYLES, told_row
from sidkit.subjects import Subject, load_images

# Subjects by scale: of the three biases of a thing together, as in the four cases' study, and of each of the others.
THINGS = {"smoke": 2, "quick": 3, "full": 9}
OTHERS = {"smoke": 1, "quick": 1, "full": 4}
FIRST = {"pose": 3, "substance": 4}  # the class they begin with, so that a small scale shows different ones
USUAL, SID = 1, 3
SAID = {
    "background": "SID keeps the references' place out",
    "nearby": "SID keeps out what stands beside the subject",
    "tied": "SID keeps out what the subject wears",
    "pose": "SID keeps out the pose of a single reference",
    "substance": "SID keeps out what the references of a style show",
}


def make_plans(
    scale: str, *, biases: Sequence[str] = (), classes: Sequence[str] = (), references: int = 0, **options: Any
) -> dict[str, Plan]:
    """A plan for each bias, of the usual captions and SID; biases of a thing have the same plan.

    With `classes`, these are the subjects of every bias, and have no other. Of pose there is one reference, as several
    would share it only by intent; `references` holds for the others. `options` are those of `make_plan`. Raises
    ValueError for an unknown bias, class or scale.
    """
    check_name("scale", scale, THINGS)
    wanted = [check_name("bias", bias, BIASES) for bias in biases or BIASES]
    things = [bias for bias in wanted if bias in SHARED]
    common = dict(cases=(USUAL, SID), **options)
    shared = make_plan(scale, subjects=_things(scale, things, classes), references=references, **common)
    found = {}
    for bias in wanted:
        shown = 1 if bias == "pose" else references
        names = others(scale, bias, classes)
        found[bias] = shared if bias in SHARED else make_plan(scale, subjects=names, references=shown, **common)
    return found


def run_studies(plans: Mapping[str, Plan], runs: Runs, *, progress: bool = True) -> dict[str, Study]:
    """The study of each bias; a plan that several have is run once."""
    done: dict[int, Study] = {}
    for plan in plans.values():
        done[id(plan)] = done.get(id(plan)) or run_study(plan, runs, progress=progress)
    return {bias: done[id(plan)] for bias, plan in plans.items()}


def measure(bias: str) -> str:
    """The column that a bias is counted in: its own leak; of a style, all that its pictures show."""
    return "leakage" if bias == "substance" else f"leak_{bias}"


def claim(bias: str) -> Claim:
    """The paper's Fig. 1 for one bias."""
    return Claim(SAID[bias], measure(bias), SID, USUAL, "lower", "Fig. 1")


def verdicts(studies: Mapping[str, Study], *, seed: int) -> dict[str, Verdict]:
    """For each bias, whether SID leaks less than the usual captions."""
    return {bias: check(_frame(study, bias), [claim(bias)], seed=seed)[0] for bias, study in studies.items()}


def table(studies: Mapping[str, Study], *, seed: int) -> pd.DataFrame:
    """A row a bias: leakage after the usual captions and after SID, their difference, and the verdict."""
    rows = []
    for bias, verdict in verdicts(studies, seed=seed).items():
        frame, name = _frame(studies[bias], bias), measure(bias)
        means = case_means(frame, name, seed=seed)
        gap = verdict.difference
        cells = {
            "Bias": f"{bias}, {_many(frame['subject'].nunique(), 'subject')}",
            "Usual captions": told_row(means.loc[USUAL], name),
            "SID": told_row(means.loc[SID], name),
            "Difference": told_row((gap.mean, gap.low, gap.high), name, "points"),
            "So": f'<span class="{STYLES[verdict.word]}">{verdict.word}</span>',
        }
        rows.append(cells)
    return pd.DataFrame(rows)


def leaks(studies: Mapping[str, Study], *, seed: int) -> pd.DataFrame:
    """Share of pictures that leak, for `plot.leakage_bars`: index (bias, case), columns `mean`, `low`, `high`."""
    return pd.concat(
        {bias: case_means(_frame(study, bias), measure(bias), seed=seed) for bias, study in studies.items()}
    )


def shown(studies: Mapping[str, Study]) -> dict[str, Subject]:
    """For each bias a subject to show, another one wherever there is another."""
    found: dict[str, Subject] = {}
    for bias, study in studies.items():
        having = [one for one in study.subjects.values() if bias in one.bias]
        new = [one for one in having if one not in found.values()]
        found[bias] = (new or having)[0]
    return found


def rows(studies: Mapping[str, Study], pictures: int = 2) -> tuple[list[str], list[list[Image.Image]], list[str]]:
    """Titles, pictures and heads of `figures.rows`, a row a bias.

    In it the first reference of its subject, then pictures of its first prompt after the usual captions, and after SID
    from the same noise.
    """
    count = min(pictures, *(study.plan.pictures for study in studies.values()))
    titles, images = [], []
    for bias, subject in shown(studies).items():
        study = studies[bias]
        drawn = [study.grid(subject.name, [0], turn)[0] for turn in range(count)]
        images.append([load_images(subject)[0], *(image for arm in zip(*drawn) for image in arm)])
        titles.append(f"{bias}: {study.prompts[subject.name][0].text}")
    return titles, images, ["reference", *["usual"] * count, *["SID"] * count]


def captions(studies: Mapping[str, Study]) -> pd.DataFrame:
    """A row a bias: the two captions of the reference that `rows` shows."""
    cells = []
    for bias, subject in shown(studies).items():
        usual, sid = (subject.captions[case][subject.images[0].name] for case in (USUAL, SID))
        cells.append((bias, f"`{usual}`", f"`{sid}`"))
    return pd.DataFrame(cells, columns=["Bias", "Usual caption", "SID"])


def _frame(study: Study, bias: str) -> pd.DataFrame:
    """The rows of the subjects that have the bias."""
    having = [name for name, subject in study.subjects.items() if bias in subject.bias]
    return study.frame[study.frame["subject"].isin(having)]


def _things(scale: str, biases: Sequence[str], classes: Sequence[str]) -> list[str]:
    """The four cases' subjects, as far as they have one of the biases."""
    if classes:
        return [f"{one}-{bias}" for bias in biases for one in classes]
    pairs = [(one, PAIRS[index % len(PAIRS)]) for index, one in enumerate(CLASSES[: THINGS[scale]])]
    return [f"{one}-{'+'.join(pair)}" for one, pair in pairs if set(pair) & set(biases)]


def others(scale: str, bias: str, classes: Sequence[str] = ()) -> list[str]:
    """The subjects of pose or substance."""
    first = FIRST.get(bias, 0)
    return [f"{one}-{bias}" for one in classes or CLASSES[first : first + OTHERS[scale]]]


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
