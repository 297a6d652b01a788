"""Two other ways to keep things out (section 7.1, Fig. 10), beside SID: negative prompts, and cutting the subject out.

A negative prompt is used when pictures are drawn, on the model of the usual captions, so nothing is trained for it.
A mask is used in training, with the usual captions: on the references before it, as in the paper, or on the loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.chapters import biases
from sidkit.config import check_name
from sidkit.describe.cases import captions_of_case
from sidkit.describe.negative import negative_prompt
from sidkit.masks.files import FILLS, apply_mask
from sidkit.measure.statistics import case_means
from sidkit.runs import Runs
from sidkit.study.claims import Claim, Verdict, check
from sidkit.study.masks import as_segmented, given
from sidkit.study.plan import CLASSES, PAIRS, Arm, Plan, make_plan
from sidkit.study.run import Study, run_study
from sidkit.study.tables import arms_table
from sidkit.subjects import load_images

SUBJECTS = {"smoke": 1, "quick": 1, "full": 6}  # by scale; of the pose as many as in `biases`
ORDER = (1, 2, 0, 4, 5, 3)  # of CLASSES: those come first that wear something
TIMES = {"smoke": (1.0, 2.0), "quick": (0.5, 1.0, 2.0), "full": (0.5, 1.0, 2.0)}  # the profile's guidance
USUAL, SID = Arm("usual", 1), Arm("SID", 3)
NEGATIVE = Arm("negative prompt", 1, negative=negative_prompt)
CUT = Arm("cut out", 1, segment="references", masks=as_segmented)
LOSS = Arm("masked loss", 1, segment="loss", masks=as_segmented)
EXACT = Arm("cut out exactly", 1, segment="references")  # by the renderer's own mask, which no segmenter finds
AT = ", guidance "  # in the names of arms that are drawn with another guidance than the profile's
SHOWN = {
    "things": ("leakage", "leak_tied", "leak_fill", "identity", "NSD", "TA"),
    "pose": ("leak_pose", "leak_fill", "identity", "NSD", "TA"),
}
NAMES = {"leak_tied": "leak of what is worn", "leak_pose": "leak of the pose", "leak_fill": "leak of the fill"}
NEAR = 24  # of 255: how far a drawn pixel may be from a fill
NO_POSE = pd.DataFrame({"Arm": ["no subject in an unusual pose was run"]})
CURVES = {"leakage": "leakage (lower)", "identity": "identity (higher)", "TA": "TA (higher)"}  # is better


def make_plans(
    scale: str,
    *,
    subjects: Sequence[str] = (),
    posed: Sequence[str] = (),
    guidances: Sequence[float] = (),
    **options: Any,
) -> dict[str, Plan]:
    """The plans "things" and "pose"; of the latter each subject has one reference.

    `subjects` and `posed` are classes of Sticker World or folders, in the place of the scale's; with `subjects` and no
    `posed` there is no plan "pose". `options` are those of `make_plan`. ValueError for an unknown scale or class, and
    for a guidance of 1 or less, with which a negative prompt does nothing.
    """
    count = SUBJECTS[check_name("scale", scale, SUBJECTS)]
    full = (EXACT,) if scale == "full" else ()
    things = [_thing(name) for name in subjects] or [_pair(index) for index in ORDER[:count]]
    plan = make_plan(scale, subjects=things, arms=(USUAL, NEGATIVE, CUT, LOSS, *full, SID), **options)
    plans = {
        "things": replace(
            plan,
            arms=plan.arms
            + _guided(plan, guidances or [plan.profile.sampling.guidance * times for times in TIMES[scale]]),
        )
    }
    if posed or not subjects:
        names = [_posed(name) for name in posed] or biases.others(scale, "pose")
        arms = (USUAL, NEGATIVE, CUT, *((LOSS,) if full else ()), SID)
        plans["pose"] = make_plan(scale, subjects=names, arms=arms, **options | {"references": 1})
    return plans


def run_studies(plans: Mapping[str, Plan], runs: Runs, *, progress: bool = True) -> dict[str, Study]:
    """The study of each plan."""
    return {name: run_study(plan, runs, progress=progress) for name, plan in plans.items()}


def plain(study: Study) -> list[str]:
    """The names of the arms that are drawn with the profile's guidance."""
    return [arm.name for arm in study.plan.arms if AT not in arm.name]


def table(studies: Mapping[str, Study], name: str, *, seed: int) -> pd.DataFrame:
    """A row an arm at the profile's guidance, a column a measure, each value with its interval."""
    frame = with_fill(studies[name])
    kept = frame[frame["arm"].isin(plain(studies[name]))]
    return arms_table(kept, seed=seed, names=SHOWN[name]).rename(columns=NAMES)


def with_fill(study: Study) -> pd.DataFrame:
    """The study's frame with `leak_fill`: the share of each picture's pixels that look like what fills a mask."""
    shade = FILLS[study.plan.profile.encoders.fill]
    drawn = (
        np.asarray(study.picture(*of_arm, prompt, turn), int)
        for of_arm in study.folders
        for prompt in range(len(study.prompts[of_arm[0]]))
        for turn in range(study.plan.pictures)
    )
    return study.frame.assign(leak_fill=[(abs(pixels - shade).max(axis=2) <= NEAR).mean() for pixels in drawn])


def curves(study: Study, measure: str, *, seed: int) -> pd.DataFrame:
    """For `plot.curves`: index (arm, guidance), columns `mean`, `low`, `high`; empty where it is not measured."""
    known = {
        arm.name: (arm.name.partition(AT)[0], study.plan.sampling_of(arm, one).guidance)
        for arm in study.plan.arms
        for one in study.subjects.values()
    }
    bases = {told.partition(AT)[0] for told in known if AT in told}
    means = case_means(study.frame, measure, seed=seed, by="arm")
    rows = means.loc[[name for name in known if name in means.index and known[name][0] in bases]]
    rows.index = pd.MultiIndex.from_tuples([known[name] for name in rows.index], names=["arm", "guidance"])
    return rows


def rows(study: Study, prompts: int = 3) -> tuple[list[str], list[list[Image.Image]], list[str]]:
    """Titles, pictures and heads of `figures.rows`: a row a prompt of the first subject, a column an arm."""
    name, arms = next(iter(study.subjects)), plain(study)
    told = [prompt.text for prompt in study.prompts[name][:prompts]]
    return told, [[study.picture(name, arm, index) for arm in arms] for index in range(len(told))], arms


def by_guidance(study: Study, prompt: int = 0) -> tuple[list[str], list[list[Image.Image]], list[str]]:
    """As `rows`, for one prompt of the first subject: a row a way, a column a guidance."""
    subject = next(iter(study.subjects.values()))
    found: dict[str, dict[float, Image.Image]] = {arm.name.partition(AT)[0]: {} for arm in study.plan.arms}
    for arm in study.plan.arms:
        guidance = study.plan.sampling_of(arm, subject).guidance
        found[arm.name.partition(AT)[0]][guidance] = study.picture(subject.name, arm.name, prompt)
    several = {name: dict(sorted(images.items())) for name, images in found.items() if len(images) > 1}
    heads = [f"guidance {guidance:g}" for guidance in next(iter(several.values()))]
    return list(several), [list(images.values()) for images in several.values()], heads


def cut(study: Study) -> tuple[list[Image.Image], list[str]]:
    """The first subject's first reference, as a segmenter would cut it out, and as the renderer's mask does."""
    subject, fill = next(iter(study.subjects.values())), study.plan.profile.encoders.fill
    image = load_images(subject)[0]
    masked = [apply_mask(image, masks(subject)[0], fill) for masks in (as_segmented, given)]
    return [image, *masked], ["reference", CUT.name, EXACT.name]


def texts(study: Study) -> pd.DataFrame:
    """What the first subject's first reference is called in training, and what its pictures are drawn away from."""
    subject = next(iter(study.subjects.values()))
    told = [
        ("the usual caption, in training", captions_of_case(subject, USUAL.captions)[0]),
        ("the negative prompt, in drawing", negative_prompt(subject)),
        ("SID, in training", captions_of_case(subject, SID.captions)[0]),
    ]
    return pd.DataFrame([(what, f"`{text}`") for what, text in told], columns=["What", "Text"])


def verdicts(studies: Mapping[str, Study], *, seed: int) -> list[Verdict]:
    """The paper's section 7.1 held against the studies; where there is no study of poses, what it says is not run."""
    posed = studies.get("pose", studies["things"]).frame
    posed = posed if "pose" in studies else posed.assign(leak_pose=float("nan"))
    return [*check(studies["things"].frame, CLAIMS, seed=seed), *check(posed, POSED, seed=seed)]


def _claim(words: str, measure: str, against: Arm, direction: str, source: str) -> Claim:
    return Claim(words, measure, SID.name, against.name, direction, source, by="arm")


CLAIMS = (
    _claim("A negative prompt leaves things in that SID keeps out", "leakage", NEGATIVE, "lower", "Fig. 10"),
    _claim("SID is further from the surroundings than a negative prompt", "NSD", NEGATIVE, "higher", "sec. 7.1"),
    _claim("SID follows the prompt better than with a negative prompt", "TA", NEGATIVE, "higher", "sec. 7.1"),
    _claim("SID is further from the surroundings than segmentation", "NSD", CUT, "higher", "sec. 7.1"),
    _claim("SID follows the prompt better than after segmentation", "TA", CUT, "higher", "sec. 7.1"),
    _claim("Segmentation leaves in what the subject wears", "leak_tied", CUT, "lower", "sec. 3.1"),
)
POSED = (_claim("Segmentation leaves the pose in", "leak_pose", CUT, "lower", "Fig. 10"),)


def _pair(index: int) -> str:
    return f"{CLASSES[index]}-{'+'.join(PAIRS[index % len(PAIRS)])}"


def _thing(name: str) -> str:
    """A class alone is one that wears something and has a thing beside it."""
    return name if _told(name) else f"{name}-{'+'.join(PAIRS[1])}"


def _posed(name: str) -> str:
    return name if _told(name) else f"{name}-pose"


def _told(name: str) -> bool:
    """Whether a subject is a folder or says what its references share."""
    return Path(name).is_dir() or "/" in name or "-" in name


def _guided(plan: Plan, guidances: Sequence[float]) -> tuple[Arm, ...]:
    """The arms that need no training, at every other guidance than the profile's."""
    usual = plan.profile.sampling.guidance
    if low := [value for value in guidances if value <= 1]:
        raise ValueError(f"guidances: expected numbers above 1, through which a negative prompt works, got {low[0]:g}")
    return tuple(
        replace(arm, name=f"{arm.name}{AT}{value:g}", sampling={"guidance": float(value)})
        for arm in (USUAL, NEGATIVE, SID)
        for value in guidances
        if value != usual
    )
