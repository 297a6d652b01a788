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
from matplotlib.axes import Axes
from PIL import Image

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import cast
from sidkit.config import check_name
from sidkit.measure.color import COLORS, color_shares, has_color
from sidkit.measure.statistics import case_means, paired_difference, subject_differences
from sidkit.plot import charts
from sidkit.stickers.looks import colors as colors_of_design
from sidkit.stickers.sampling import known_designs
from sidkit.stickers.vocabulary import with_article
from sidkit.study.chapter import Results
from sidkit.study.claims import Claim, Statement, Trial, reach, trials
from sidkit.study.drawn_masks import agreement, drawn_masks
from sidkit.study.plan import Plan, Stickers, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import arms_table
from sidkit.subjects import load_images, load_subject

NAME = "08_property_edits"
STATEMENT = Statement("A property that is asked for lands on the subject", "Fig. 11")
ORDER = ("purple", "green", "blue", "red", "yellow", "orange", "pink")  # the paper's first
HEADS = {
    "painted_subject": "painted on the subject (higher)",
    "painted_rest": "painted off the subject (lower)",
    "painted_gap": "difference (higher)",
    "identity": "identity",
}
PAINTED = ("painted_subject", "painted_rest", "painted_gap")
PALE = 0.75  # how much a pixel without the colour loses of itself where colours are shown
SHOWN = 3  # subjects
CLAIMS = (
    Claim("With SID the colour lands on the subject", "painted_subject", SID_CASE, USUAL_CASE, "higher", "Fig. 11"),
    Claim("With SID the surroundings stay as they are", "painted_rest", SID_CASE, USUAL_CASE, "lower", "Fig. 11"),
    Claim(
        "With SID the subject is painted rather than the rest", "painted_gap", SID_CASE, USUAL_CASE, "higher", "Fig. 11"
    ),
)


def plans(scale: str, *, subjects: Sequence[str] = (), colors: Sequence[str] = (), **options: Any) -> dict[str, Plan]:
    """A plan a subject, of the usual captions and SID; the first prompt asks for no colour, each other for one.

    `colors` are names of colours, in the place of the scale's: those that the subject does not have. `options` are
    those of `make_plan`. Raises ValueError for an unknown scale, class or colour.
    """
    for color in colors:
        check_name("color", color, COLORS)
    count = len(colors) or cast.of("property_edits", "colours", scale)
    known = make_plan(scale, subjects=subjects or cast.classes("property_edits", scale), **options).subjects
    plan_by_subject = {}
    for subject in known:
        class_word, own = _class_word_and_colors(subject)
        foreign = [color for color in colors or ORDER if color not in own]
        prompts = [f"a photo of a [v] {class_word}"]
        prompts += [f"a photo of {with_article(color)} [v] {class_word}" for color in foreign[:count]]
        name = str(subject)
        plan_by_subject[name] = make_plan(
            scale, subjects=[name], cases=(USUAL_CASE, SID_CASE), prompts=prompts, **options
        )
    return plan_by_subject


def findings(results: Results) -> pd.DataFrame:
    """What each edit painted (`measured`)."""
    return measured(list(results.studies.values()))


def claims(results: Results) -> list[Trial]:
    """The paper's Fig. 11 held against the pictures in which the subject was found."""
    if pairs(results.findings).empty:
        return [Trial(claim, why_not="the subject was found in no pair of pictures") for claim in CLAIMS]
    return trials(results.findings, CLAIMS)


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """What the edits painted, altogether and colour by colour."""
    frame, seed = results.findings, results.seed
    return {"table": painted_table(frame, seed=seed), "colors": by_color(frame, seed=seed)}


def values(results: Results) -> dict[str, Any]:
    """Numbers of the page: how many pictures, how well subjects are found, the prompts of the first subject."""
    frame, studies = results.findings, list(results.studies.values())
    prompts = next(iter(results.main.prompts.values()))
    lost = [round(100 * share) for share in not_found(frame).values()]
    return {
        "subjects": len(studies),
        "asked": len(frame),
        "plain": prompts[0].text,
        "prompt": prompts[1].text,
        "overlap": quality(studies),
        "lost_usual": lost[0],
        "lost_sid": lost[1],
        "reach": reach(frame),
    }


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
    prompts = next(iter(study.prompts.values()))[1:]
    return [prompt.text.split("[v]")[0].split()[-1] for prompt in prompts]


def not_found(frame: pd.DataFrame) -> dict[str, float]:
    """For each arm the share of the pictures in which, or in whose plain twin, no subject was found."""
    return frame["painted_gap"].isna().groupby(frame["arm"], sort=False).mean().to_dict()


def pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the pictures in which the subject was found in both arms, so that they can be compared."""
    known = frame.dropna(subset=["painted_gap"])
    arms_of_a_picture = known.groupby(["subject", "prompt", "seed"])["arm"].transform("size")
    return known[arms_of_a_picture == frame["arm"].nunique()]


def painted_table(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row an arm, a column a measure, each value with its interval."""
    return arms_table(frame, seed=seed, names=tuple(HEADS)).rename(columns=HEADS)


def by_color(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """As `painted_table`, a row an arm and colour."""
    parts = []
    for color, rows_of_color in frame.groupby("color", sort=False):
        if rows_of_color["painted_gap"].notna().any():
            part = painted_table(rows_of_color, seed=seed)
            parts.append(part.assign(Arm=color + ", " + part["Arm"]))
    if not parts:
        return pd.DataFrame({"Arm": ["no subject was found"]})
    return pd.concat(parts, ignore_index=True)


def panels(frame: pd.DataFrame, *, seed: int) -> dict[str, pd.DataFrame]:
    """What was painted, for `charts.metrics_by_case`; empty where no subject was found."""
    known = [name for name in PAINTED if frame[name].notna().any()]
    return {HEADS[name]: case_means(frame, name, seed=seed) for name in known}


def draw_differences(frame: pd.DataFrame, ax: Axes, *, seed: int) -> None:
    """What SID changes in each subject's `painted_gap`, and in the mean; nothing where no subject was found."""
    found_in_both = pairs(frame)
    if found_in_both.empty:
        return
    mean = paired_difference(found_in_both, "painted_gap", case=SID_CASE, against=USUAL_CASE, seed=seed)
    by_subject = subject_differences(found_in_both, "painted_gap", case=SID_CASE, against=USUAL_CASE)
    charts.paired_differences(by_subject, mean, ax, "SID minus usual")


def rows(studies: Sequence[Study], picture: int = 0) -> tuple[list[str], list[list[Image.Image]], list[str]]:
    """Titles, pictures and heads of `sheets.rows`, a row a subject and its first colour.

    In it a reference, then after the usual captions the picture without the colour and with it, and so after SID.
    """
    titles, images = [], []
    for study in studies:
        (subject,) = study.subjects.values()
        row = [load_images(subject)[0]]
        for arm in study.plan.arms:
            row += [study.picture(subject.name, arm.name, prompt, picture) for prompt in (0, 1)]
        titles.append(study.prompts[subject.name][1].text)
        images.append(row)
    return titles, images, ["reference", "usual, no colour", "usual", "SID, no colour", "SID"]


def where(studies: Sequence[Study], picture: int = 0) -> tuple[list[str], list[list[Image.Image]], list[str]]:
    """As `rows`: the edited pictures of both arms, each beside what has the colour in it and the subject's outline."""
    titles, images = [], []
    for study in studies:
        (name,) = study.subjects
        row = []
        for arm in study.plan.arms:
            drawn = study.picture(name, arm.name, 1, picture)
            mask = drawn_masks(study, name, arm.name)[1][picture]
            row += [drawn, with_color_shown(drawn, asked(study)[0], mask)]
        titles.append(study.prompts[name][1].text)
        images.append(row)
    return titles, images, ["usual", "what has the colour", "SID", "what has the colour"]


def with_color_shown(picture: Image.Image, color: str, mask: np.ndarray | None) -> Image.Image:
    """The picture, gray and pale where it does not have the colour; the subject's outline, if it is known, is black."""
    pixels = np.asarray(picture.convert("RGB"))
    gray = np.asarray(picture.convert("L"))[..., None]
    pale = np.uint8(PALE * 255 + (1 - PALE) * gray).repeat(3, axis=2)
    shown = np.where(has_color(picture, color)[..., None], pixels, pale)
    if mask is not None:
        shown = np.where(_outline(mask)[..., None], np.uint8(0), shown)
    return Image.fromarray(shown)


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
    edited = color_shares(study.picture(name, arm, index, turn), color, masks[index][turn])
    plain = color_shares(study.picture(name, arm, 0, turn), color, masks[0][turn])
    on_subject, on_rest = (after - before for after, before in zip(edited, plain))
    prompt = study.prompts[name][index].text
    frame = study.frame
    of_prompt = frame[(frame["subject"] == name) & (frame["arm"] == arm) & (frame["prompt"] == prompt)]
    return {
        "painted_subject": on_subject,
        "painted_rest": on_rest,
        "painted_gap": on_subject - on_rest,
        "subject": name,
        "arm": arm,
        "prompt": prompt,
        "seed": int(of_prompt["seed"].iloc[turn]),
    }


def _class_word_and_colors(subject: Stickers | Path) -> tuple[str, tuple[str, ...]]:
    """The class word of a subject, and the colours that it is known to have."""
    if isinstance(subject, Path):
        return load_subject(subject).class_word, ()
    (design,) = known_designs(subject.subject_class, held_out=True)
    return subject.subject_class, colors_of_design(subject.subject_class, design)
