"""Where SID ends (section 7.3 of the paper, and what its users will meet): five limits, a small study each.

The usual captions and SID are those of the other chapters' studies, so that their trainings are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from PIL import Image

from sidkit.chapters import biases
from sidkit.config import check_name
from sidkit.describe.cases import captions_of_case
from sidkit.runs import Runs
from sidkit.stickers.grammar import leave_out
from sidkit.stickers.references import read_truth
from sidkit.study.claims import Claim, Verdict, check
from sidkit.study.plan import CLASSES, Arm, Plan, make_plan
from sidkit.study.run import Study, run_study
from sidkit.study.tables import BETTER, arms_table, measured
from sidkit.subjects import Subject

SUBJECTS = {"smoke": 1, "quick": 1, "full": 2}  # by scale; of the pose as many as in `biases`
USUAL, SID = Arm("usual", 1), Arm("SID", 3)
FEW = 5  # times fewer steps than the profile's
MANY = {"smoke": 2, "quick": 2, "full": 4}  # times more
PRIOR = {"prior_weight": 1.0, "prior_images": 16}  # DreamBooth's weight; class pictures that a laptop draws in seconds
MISSED = "leak_missed"  # the leak of that thing which captions miss
NAMES = {MISSED: "leak of the missed thing", "leak_pose": "leak of the pose"}
PAPER = {  # by limit
    "captions": [
        Claim(
            "Captions that tell the subject's looks lose them",
            "identity",
            "looks told",
            "SID",
            "lower",
            "Fig. 3",
            "arm",
        )
    ],
    "pose": [
        Claim(
            "What a SID leaves out stays, and goes once it is said",
            "leak_pose",
            "SID",
            "pose left out",
            "lower",
            "sec. 7.3",
            "arm",
        )
    ],
}
SHOWN = {
    "captions": (MISSED, "identity", "TA"),
    "pose": ("leak_pose", "identity", "TA"),
    "steps": ("leakage", "identity", "TA"),
    "prior": ("leakage", "identity", "NSD"),
    "references": ("leakage", "identity", "NSD"),
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
    return lambda subject: [_shorter(text, factor(subject)) for text in captions_of_case(subject, SID.captions)]


def every_other(subject: Subject) -> list[str]:
    """As `without(missed)`, but every other caption says it."""
    pairs = zip(captions_of_case(subject, SID.captions), without(missed)(subject), strict=True)
    return [sid if index % 2 else less for index, (sid, less) in enumerate(pairs)]


def make_plans(scale: str, *, classes: Sequence[str] = (), **options: Any) -> dict[str, Plan]:
    """A plan for each limit; `options` are those of `make_plan`. ValueError for an unknown class or scale."""
    count = SUBJECTS[check_name("scale", scale, SUBJECTS)]
    things = list(classes or CLASSES[:count])
    base = make_plan(scale, subjects=things, **options)
    plans = {
        limit: make_plan(scale, subjects=things, arms=arms, **options)
        for limit, arms in _arms(scale, base.training.steps, base.references).items()
    }
    posed = biases.others(scale, "pose", classes)
    arms = (USUAL, Arm("pose left out", without(lambda subject: "pose")), SID)
    plans["pose"] = make_plan(scale, subjects=posed, arms=arms, **options | {"references": 1})
    return {limit: plans[limit] for limit in SHOWN}


def run_studies(plans: Mapping[str, Plan], runs: Runs, *, progress: bool = True) -> dict[str, Study]:
    """The study of each limit."""
    return {limit: run_study(plan, runs, progress=progress) for limit, plan in plans.items()}


def frame(study: Study) -> pd.DataFrame:
    """The study's frame with the leak of each subject's missed thing."""
    factors = {name: missed(subject) for name, subject in study.subjects.items()}
    leaks = [row.get(f"leak_{factors[row['subject']]}") for row in study.frame.to_dict("records")]
    return study.frame.assign(**{MISSED: pd.to_numeric(pd.Series(leaks, index=study.frame.index))})


def table(studies: Mapping[str, Study], limit: str, *, seed: int) -> pd.DataFrame:
    """A row an arm of a limit, a column a measure that bears on it, each value with its interval."""
    return arms_table(frame(studies[limit]), seed=seed, names=SHOWN[limit]).rename(columns=NAMES)


def panels(studies: Mapping[str, Study], limit: str, *, seed: int) -> dict[str, pd.DataFrame]:
    """The same numbers for `plot.metrics_by_case`."""
    found = measured(frame(studies[limit]), seed=seed, by="arm", names=SHOWN[limit])
    return {f"{NAMES.get(name, name)} ({BETTER.get(name, 'lower')} is better)": rows for name, rows in found.items()}


def rows(study: Study, prompts: int = 2) -> tuple[list[str], list[list[Image.Image]], list[str]]:
    """Titles, pictures and heads of `figures.rows`: a row a prompt of the first subject, a column an arm."""
    name = next(iter(study.subjects))
    shown = study.prompts[name][:prompts]
    told = [prompt.text for prompt in shown]
    return told, study.grid(name, range(len(shown))), [arm.name for arm in study.plan.arms]


def captions(study: Study) -> pd.DataFrame:
    """A row an arm: what it says of the first subject's first reference."""
    subject = next(iter(study.subjects.values()))
    told = [(arm.name, arm.captions if callable(arm.captions) else None, arm.case) for arm in study.plan.arms]
    texts = [(name, (say(subject) if say else captions_of_case(subject, case))[0]) for name, say, case in told]
    return pd.DataFrame([(name, f"`{text}`") for name, text in texts], columns=["Captions", "Of the first reference"])


def verdicts(studies: Mapping[str, Study], *, seed: int) -> list[Verdict]:
    """What the paper says of limits, held against the study of each."""
    return _checked(studies, PAPER, seed)


def expectations(studies: Mapping[str, Study], *, seed: int) -> list[Verdict]:
    """What the paper does not say and a user would expect; nobody claims it, so it is not for a ledger of claims."""
    return _checked(studies, _expected(studies), seed)


def _shorter(text: str, factor: str) -> str:
    left = leave_out(text, factor)
    if left == text:
        raise ValueError(f"expected a caption of Sticker World with words for the {factor}, got {text!r}")
    return left


def _arms(scale: str, steps: int, references: int) -> dict[str, tuple[Arm, ...]]:
    """The arms of each limit of a thing. The full scale also has the usual captions' side of some, and more between."""
    full = scale == "full"
    few, many = max(1, steps // FEW), MANY[scale] * steps
    told = [Arm("thing missed", without(missed)), *([Arm("half missed", every_other)] if full else [])]
    priors = [_with(SID, "+ prior", training=PRIOR)] if full else []
    return {
        "captions": (USUAL, *told, SID, Arm("looks told", 4)),
        "steps": tuple(arm for base in ([USUAL, SID] if full else [SID]) for arm in _of_steps(base, few, steps, many)),
        "prior": (USUAL, _with(USUAL, "+ prior", training=PRIOR), SID, *priors),
        "references": tuple(_of_references(SID, references, full)),
    }


def _of_steps(base: Arm, few: int, steps: int, many: int) -> list[Arm]:
    counted = [_with(base, f"{count} steps", training={"steps": count}) for count in (few, many)]
    return [counted[0], _with(base, f"{steps} steps"), counted[1]]


def _of_references(base: Arm, most: int, full: bool) -> list[Arm]:
    fewer = [count for count in ((1, 2) if full else (1,)) if count < most]
    return [*(_with(base, f"{count} ref.", references=count) for count in fewer), _with(base, f"{most} ref.")]


def _with(base: Arm, told: str, **changes: Any) -> Arm:
    return Arm(f"{base.name}, {told}".replace(", +", " +"), base.captions, **changes)


def _checked(studies: Mapping[str, Study], claims: Mapping[str, Sequence[Claim]], seed: int) -> list[Verdict]:
    return [one for limit, study in studies.items() for one in check(frame(study), claims.get(limit, ()), seed=seed)]


def _expected(studies: Mapping[str, Study]) -> dict[str, list[Claim]]:
    """The arms of steps and references are called by their numbers, which are a plan's."""
    names = {limit: [arm.name for arm in study.plan.arms] for limit, study in studies.items()}
    of_sid = {limit: [name for name in told if name.startswith(SID.name)] for limit, told in names.items()}
    few, usual, many = of_sid["steps"]
    fewest, *_, all_of_them = of_sid["references"]
    told = {
        "captions": (("A thing that the captions miss leaks", MISSED, "thing missed", SID.name, "higher"),),
        "steps": (
            ("Too few steps have not learnt the subject", "identity", few, usual, "lower"),
            ("Too many steps leak in spite of SID", "leakage", many, usual, "higher"),
        ),
        "prior": (("Prior preservation alone keeps things out", "leakage", *names["prior"][1::-1], "lower"),),
        "references": (("With one reference SID leaks more", "leakage", fewest, all_of_them, "higher"),),
    }
    return {limit: [Claim(*one, "our expectation", by="arm") for one in each] for limit, each in told.items()}
