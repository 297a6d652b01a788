"""Where SID ends (section 7.3 of the paper, and what its users will meet): five limits, a small study each.

The usual captions and SID are those of the other chapters' studies, so that their trainings are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import biases, cast
from sidkit.describe.cases import captions_of_case
from sidkit.markdown import code
from sidkit.plot import sheets
from sidkit.stickers.grammar import leave_out
from sidkit.stickers.references import read_truth
from sidkit.study.chapter import Results
from sidkit.study.claims import Claim, Statement, Trial, Verdict, trials
from sidkit.study.excerpts import first_subject, rows_by_prompt
from sidkit.study.plan import Arm, Plan, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import BETTER, EXPECTED, arms_table, claims_table, measured
from sidkit.subjects import Subject

NAME = "10_limits"
STATEMENT = Statement("What a SID leaves out stays with `[v]`", "sec. 7.3")
USUAL_ARM, SID_ARM = Arm("usual", USUAL_CASE), Arm("SID", SID_CASE)
FEW = 5  # times fewer steps than the profile's
PRIOR = {"prior_weight": 1.0, "prior_images": 16}  # DreamBooth's weight; class pictures that a laptop draws in seconds
MISSED = "leak_missed"  # the leak of that thing which captions miss
HEADS = {MISSED: "leak of the missed thing", "leak_pose": "leak of the pose"}
MEASURES = {  # by limit, in the order of the page
    "captions": (MISSED, "identity", "TA"),
    "pose": ("leak_pose", "identity", "TA"),
    "steps": ("leakage", "identity", "TA"),
    "prior": ("leakage", "identity", "NSD"),
    "references": ("leakage", "identity", "NSD"),
}
LOOKS_TOLD = Claim(
    "Captions that tell the subject's looks lose them", "identity", "looks told", "SID", "lower", "Fig. 3", "arm"
)
POSE_LEFT_OUT = Claim(
    "What a SID leaves out stays, and goes once it is said", "leak_pose", "SID", "pose left out", "lower", "sec. 7.3",
    "arm",
)  # fmt: skip


def plans(scale: str, *, classes: Sequence[str] = (), **options: Any) -> dict[str, Plan]:
    """A plan for each limit; `options` are those of `make_plan`. ValueError for an unknown class or scale."""
    things = list(classes or cast.classes("limits", scale))
    base = make_plan(scale, subjects=things, **options)
    arms_by_limit = _arms(scale, base.training.steps, base.references)
    plan_by_limit = {}
    for limit in MEASURES:
        if limit == "pose":
            plan_by_limit[limit] = _plan_of_pose(scale, classes, options)
        else:
            plan_by_limit[limit] = make_plan(scale, subjects=things, arms=arms_by_limit[limit], **options)
    return plan_by_limit


def _plan_of_pose(scale: str, classes: Sequence[str], options: dict[str, Any]) -> Plan:
    left_out = Arm("pose left out", without(lambda subject: "pose"))
    one_reference = options | {"references": 1}
    return make_plan(
        scale,
        subjects=biases.others(scale, "pose", classes),
        arms=(USUAL_ARM, left_out, SID_ARM),
        **one_reference,
    )


def claims(results: Results) -> list[Trial]:
    """What the paper says of limits, held against the study of each."""
    of_captions = with_missed(results.studies["captions"])
    of_pose = with_missed(results.studies["pose"])
    return [
        Trial(LOOKS_TOLD, of_captions),
        Trial(POSE_LEFT_OUT, of_pose),
    ]


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The measures of each limit, the captions that disobey, and what one would expect beyond the paper."""
    studies = results.studies
    table_by_name = {}
    for limit, study in studies.items():
        table_by_name[f"table_{limit}"] = measures_table(study, limit, seed=results.seed)
    for limit in ("captions", "pose"):
        table_by_name[f"captions_{limit}"] = captions(studies[limit])
    expected = expectations(studies, seed=results.seed)
    table_by_name["expectations"] = claims_table(expected, "One would expect", EXPECTED)
    return table_by_name


def values(results: Results) -> dict[str, Any]:
    """What the captions of the first subject miss, the posed subject, and the settings that are varied."""
    first = first_subject(results.main)
    posed = first_subject(results.studies["pose"])
    return {
        "missed": missed(first),
        "posed_name": posed.class_word,
        "pose": pose(posed),
        "usual_steps": results.plans["steps"].training.steps,
        **PRIOR,
    }


def missed(subject: Subject) -> str:
    """The factor that a describer overlooks: the last of a subject's biases."""
    return subject.bias[-1]


def pose(subject: Subject) -> str:
    """How the references of a subject with the bias pose hold themselves."""
    return read_truth(subject).shared["pose"]


def without(factor: Callable[[Subject], str]) -> Callable[[Subject], list[str]]:
    """Captions of a subject that are SIDs but for a factor, of which they say nothing.

    They raise ValueError where a SID has no words for the factor: then nothing would be left out.
    """

    def captions_without(subject: Subject) -> list[str]:
        left_out = factor(subject)
        return [_shorter(text, left_out) for text in captions_of_case(subject, SID_CASE)]

    return captions_without


def every_other(subject: Subject) -> list[str]:
    """As `without(missed)`, but every other caption says it."""
    sids = captions_of_case(subject, SID_CASE)
    captions = without(missed)(subject)
    captions[1::2] = sids[1::2]
    return captions


def with_missed(study: Study) -> pd.DataFrame:
    """The study's frame with the leak of each subject's missed thing."""
    frame = study.frame.assign(**{MISSED: np.nan})
    for name, subject in study.subjects.items():
        column = f"leak_{missed(subject)}"
        if column in frame:
            rows = frame["subject"] == name
            frame.loc[rows, MISSED] = frame.loc[rows, column]
    return frame


def measures_table(study: Study, limit: str, *, seed: int) -> pd.DataFrame:
    """A row an arm of a limit, a column a measure that bears on it, each value with its interval."""
    table = arms_table(with_missed(study), seed=seed, names=MEASURES[limit])
    return table.rename(columns=HEADS)


def panels(study: Study, limit: str, *, seed: int) -> dict[str, pd.DataFrame]:
    """The same numbers for `charts.metrics_by_case`."""
    means_by_measure = measured(
        with_missed(study),
        seed=seed,
        by="arm",
        names=MEASURES[limit],
    )
    means_by_head = {}
    for name, means in means_by_measure.items():
        head = HEADS.get(name, name)
        better = BETTER.get(name, "lower")
        means_by_head[f"{head} ({better} is better)"] = means
    return means_by_head


def rows(study: Study, prompts: int = 2) -> sheets.Rows:
    """Of `sheets.rows`: a row a prompt of the first subject, a column an arm."""
    return rows_by_prompt(study, prompts)


def captions(study: Study) -> pd.DataFrame:
    """A row an arm: what it says of the first subject's first reference."""
    subject = first_subject(study)
    rows = []
    for arm in study.plan.arms:
        texts = captions_of_case(subject, arm.case) if arm.case else arm.captions(subject)
        rows.append((arm.name, code(texts[0])))
    return pd.DataFrame(rows, columns=["Captions", "Of the first reference"])


def expectations(studies: Mapping[str, Study], *, seed: int) -> list[Verdict]:
    """What the paper does not say and a user would expect; nobody claims it, so it is not for a ledger of claims."""
    expected = _expected(studies)
    verdicts = []
    for limit, study in studies.items():
        of_limit = trials(with_missed(study), expected.get(limit, ()))
        verdicts += [trial.verdict(seed) for trial in of_limit]
    return verdicts


def _shorter(text: str, factor: str) -> str:
    left = leave_out(text, factor)
    if left == text:
        raise ValueError(f"expected a caption of Sticker World with words for the {factor}, got {text!r}")
    return left


def _arms(scale: str, steps: int, references: int) -> dict[str, tuple[Arm, ...]]:
    """The arms of each limit of a thing. The full scale also has the usual captions' side of some, and more between."""
    full = scale == "full"
    many = steps * cast.of("limits", "steps, times the usual", scale)
    sid_by_steps = _of_steps(SID_ARM, steps, many)
    usual_by_steps = _of_steps(USUAL_ARM, steps, many) if full else []
    half_missed = [Arm("half missed", every_other)] if full else []
    usual_with_prior = _with(USUAL_ARM, " + prior", training=PRIOR)
    sid_with_prior = [_with(SID_ARM, " + prior", training=PRIOR)] if full else []
    return {
        "captions": (
            USUAL_ARM,
            Arm("thing missed", without(missed)),
            *half_missed,
            SID_ARM,
            Arm("looks told", 4),
        ),
        "steps": (*usual_by_steps, *sid_by_steps),
        "prior": (USUAL_ARM, usual_with_prior, SID_ARM, *sid_with_prior),
        "references": _of_references(SID_ARM, references, full),
    }


def _of_steps(base: Arm, usual: int, many: int) -> list[Arm]:
    few = max(1, usual // FEW)
    return [
        _with(base, f", {few} steps", training={"steps": few}),
        _with(base, f", {usual} steps"),
        _with(base, f", {many} steps", training={"steps": many}),
    ]


def _of_references(base: Arm, most: int, full: bool) -> tuple[Arm, ...]:
    arms = []
    for count in (1, 2) if full else (1,):
        if count < most:
            arms.append(_with(base, f", {count} ref.", references=count))
    arms.append(_with(base, f", {most} ref."))
    return tuple(arms)


def _with(base: Arm, ending: str, **changes: Any) -> Arm:
    """An arm with the captions of another, and its name with an ending."""
    return Arm(base.name + ending, base.captions, **changes)


def _expected(studies: Mapping[str, Study]) -> dict[str, list[Claim]]:
    """The arms of steps and references are called by their numbers, which are a plan's."""
    few, usual, many = _arms_of_sid(studies["steps"])
    fewest, *_, all_of_them = _arms_of_sid(studies["references"])
    without_prior, with_prior = (arm.name for arm in studies["prior"].plan.arms[:2])
    return {
        "captions": [
            _expectation("A thing that the captions miss leaks", MISSED, "thing missed", SID_ARM.name, "higher"),
        ],
        "steps": [
            _expectation("Too few steps have not learnt the subject", "identity", few, usual, "lower"),
            _expectation("Too many steps leak in spite of SID", "leakage", many, usual, "higher"),
        ],
        "prior": [
            _expectation("Prior preservation alone keeps things out", "leakage", with_prior, without_prior, "lower"),
        ],
        "references": [
            _expectation("With one reference SID leaks more", "leakage", fewest, all_of_them, "higher"),
        ],
    }


def _arms_of_sid(study: Study) -> list[str]:
    return [arm.name for arm in study.plan.arms if arm.name.startswith(SID_ARM.name)]


def _expectation(words: str, measure: str, case: str, against: str, direction: str) -> Claim:
    return Claim(
        words,
        measure,
        case,
        against,
        direction,
        "our expectation",
        by="arm",
    )
