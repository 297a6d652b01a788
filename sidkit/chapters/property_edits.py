"""Property edits (Fig. 11): asked for "a purple [v] dog", what does a personalized model paint purple?

The models are those of the four cases' study. Each edit is compared with the same prompt without the colour, drawn
from the same noise: what has the colour in the edited picture and had it before was not painted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.config import check_name
from sidkit.measure.color import COLORS, color_shares, has_color
from sidkit.runs import Runs
from sidkit.stickers.looks import colors
from sidkit.stickers.sampling import known_designs
from sidkit.stickers.vocabulary import with_article
from sidkit.study.claims import Claim, Verdict, check
from sidkit.study.drawn_masks import agreement, drawn_masks
from sidkit.study.plan import Plan, Stickers, make_plan
from sidkit.study.run import Study, run_study
from sidkit.study.tables import arms_table
from sidkit.subjects import load_images, load_subject

USUAL, SID = 1, 3
ORDER = ("purple", "green", "blue", "red", "yellow", "orange", "pink")  # the paper's first
COUNT = {"smoke": 1, "quick": 2, "full": 4}  # colours by scale
NAMES = {
    "painted_subject": "painted on the subject (higher)",
    "painted_rest": "painted off the subject (lower)",
    "painted_gap": "difference (higher)",
    "identity": "identity",
}
MEASURES = ("painted_subject", "painted_rest", "painted_gap")
PALE = 0.75  # how much a pixel without the colour loses of itself where colours are shown
CLAIMS = tuple(
    Claim(words, measure, SID, USUAL, direction, "Fig. 11")
    for words, measure, direction in (
        ("With SID the colour lands on the subject", "painted_subject", "higher"),
        ("With SID the surroundings stay as they are", "painted_rest", "lower"),
        ("With SID the subject is painted rather than the rest", "painted_gap", "higher"),
    )
)


def make_plans(scale: str, *, subjects: Sequence[str] = (), wanted: Sequence[str] = (), **options: Any) -> list[Plan]:
    """A plan a subject, of the usual captions and SID; the first prompt asks for no colour, each other for one.

    `wanted` are names of colours, in the place of the scale's: those that the subject does not have. `options` are
    those of `make_plan`. Raises ValueError for an unknown scale, class or colour.
    """
    count = COUNT[check_name("scale", scale, COUNT)]
    for color in wanted:
        check_name("color", color, COLORS)
    found = []
    for subject in make_plan(scale, subjects=subjects, **options).subjects:
        word, own = _known(subject)
        asked = [color for color in wanted or ORDER if color not in own][: len(wanted) or count]
        prompts = [f"a photo of a [v] {word}", *(f"a photo of {with_article(one)} [v] {word}" for one in asked)]
        found.append(make_plan(scale, subjects=[str(subject)], cases=(USUAL, SID), prompts=prompts, **options))
    return found


def run_studies(plans: Sequence[Plan], runs: Runs, *, progress: bool = True) -> list[Study]:
    """The study of each subject."""
    return [run_study(plan, runs, progress=progress) for plan in plans]


def measured(studies: Sequence[Study]) -> pd.DataFrame:
    """A row a picture that a colour was asked for: the study's columns, `color`, and what was painted with it.

    `painted_subject` is the share of the subject's pixels that have the colour, minus that share in the picture
    without the colour in its prompt, from the same noise; `painted_rest` the same for all other pixels; `painted_gap`
    the first minus the second. All are in [-1, 1], and NaN where no subject is found in one of the two.
    """
    rows = []
    for study in studies:
        (name,) = study.subjects
        for arm in study.plan.arms:
            masks = drawn_masks(study, name, arm.name)
            for index, color in enumerate(asked(study), start=1):
                for turn in range(study.plan.pictures):
                    rows.append(_painted(study, name, arm.name, masks, index, turn) | {"color": color})
    frame = pd.concat([study.frame for study in studies], ignore_index=True)
    return pd.DataFrame(rows).merge(frame, on=["subject", "arm", "prompt", "seed"], how="left", validate="1:1")


def asked(study: Study) -> list[str]:
    """The colour of each prompt but the first, which has none."""
    return [prompt.text.split("[v]")[0].split()[-1] for prompt in next(iter(study.prompts.values()))[1:]]


def not_found(frame: pd.DataFrame) -> dict[str, float]:
    """For each arm the share of the pictures in which, or in whose plain twin, no subject was found."""
    return frame["painted_gap"].isna().groupby(frame["arm"], sort=False).mean().to_dict()


def pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the pictures in which the subject was found in both arms, so that they can be compared."""
    known = frame.dropna(subset=["painted_gap"])
    both = known.groupby(["subject", "prompt", "seed"])["arm"].transform("size") == frame["arm"].nunique()
    return known[both]


def table(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row an arm, a column a measure, each value with its interval."""
    return arms_table(frame, seed=seed, names=tuple(NAMES)).rename(columns=NAMES)


def by_color(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """As `table`, a row an arm and colour."""
    parts = [
        table(part, seed=seed).assign(Arm=lambda rows, color=color: color + ", " + rows["Arm"])
        for color, part in frame.groupby("color", sort=False)
        if part["painted_gap"].notna().any()
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"Arm": ["no subject was found"]})


def verdicts(frame: pd.DataFrame, *, seed: int) -> list[Verdict]:
    """The paper's Fig. 11 held against the pictures."""
    return check(frame.assign(**dict.fromkeys(MEASURES, np.nan)) if pairs(frame).empty else frame, CLAIMS, seed=seed)


def rows(studies: Sequence[Study], picture: int = 0) -> tuple[list[str], list[list[Image.Image]], list[str]]:
    """Titles, pictures and heads of `figures.rows`, a row a subject and its first colour.

    In it a reference, then after the usual captions the picture without the colour and with it, and so after SID.
    """
    titles, images = [], []
    for study in studies:
        (subject,) = study.subjects.values()
        drawn = [study.picture(subject.name, arm.name, prompt, picture) for arm in study.plan.arms for prompt in (0, 1)]
        titles.append(study.prompts[subject.name][1].text)
        images.append([load_images(subject)[0], *drawn])
    return titles, images, ["reference", "usual, no colour", "usual", "SID, no colour", "SID"]


def where(studies: Sequence[Study], picture: int = 0) -> tuple[list[str], list[list[Image.Image]], list[str]]:
    """As `rows`: the edited pictures of both arms, each beside what has the colour in it and the subject's outline."""
    titles, images = [], []
    for study in studies:
        (name,) = study.subjects
        told = []
        for arm in study.plan.arms:
            drawn, mask = study.picture(name, arm.name, 1, picture), drawn_masks(study, name, arm.name)[1][picture]
            told += [drawn, colored(drawn, asked(study)[0], mask)]
        titles.append(study.prompts[name][1].text)
        images.append(told)
    return titles, images, ["usual", "what has the colour", "SID", "what has the colour"]


def colored(picture: Image.Image, color: str, mask: np.ndarray | None) -> Image.Image:
    """The picture, gray and pale where it does not have the colour; the subject's outline, if it is known, is black."""
    pixels, gray = np.asarray(picture.convert("RGB")), np.asarray(picture.convert("L"))[..., None]
    pale = np.uint8(PALE * 255 + (1 - PALE) * gray).repeat(3, axis=2)
    shown = np.where(has_color(picture, color)[..., None], pixels, pale)
    return Image.fromarray(shown if mask is None else np.where(_outline(mask)[..., None], np.uint8(0), shown))


def quality(studies: Sequence[Study]) -> float:
    """How well the subjects of the references are found: mean IoU in [0, 1] with their given masks."""
    return float(np.mean([agreement(study) for study in studies]))


def _outline(mask: np.ndarray) -> np.ndarray:
    """The mask's own pixels that touch what is not in it."""
    inner = mask.copy()
    for axis in (0, 1):
        for step in (1, -1):
            inner &= np.roll(mask, step, axis)
    return mask & ~inner


def _painted(
    study: Study, name: str, arm: str, masks: Sequence[Sequence[np.ndarray | None]], index: int, turn: int
) -> Mapping[str, Any]:
    """One picture's row: the shares of its colour, less those of its plain twin, each with its own mask."""
    color = asked(study)[index - 1]
    pairs = [color_shares(study.picture(name, arm, prompt, turn), color, masks[prompt][turn]) for prompt in (index, 0)]
    subject, rest = (after - before for after, before in zip(*pairs))
    seed = study.frame.query("subject == @name and arm == @arm and prompt == @study.prompts[@name][@index].text")
    told = {"painted_subject": subject, "painted_rest": rest, "painted_gap": subject - rest}
    return told | {
        "subject": name,
        "arm": arm,
        "prompt": study.prompts[name][index].text,
        "seed": int(seed["seed"].iloc[turn]),
    }


def _known(subject: Stickers | Path) -> tuple[str, tuple[str, ...]]:
    """The class word of a subject, and the colours that it is known to have."""
    if isinstance(subject, Path):
        return load_subject(subject).class_word, ()
    (design,) = known_designs(subject.subject_class, held_out=True)
    return subject.subject_class, colors(subject.subject_class, design)
