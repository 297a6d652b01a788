"""Property edits (Fig. 11): asked for "a purple [v] dog", what does a personalized model paint purple?

The models are those of the four cases' study. Each edit is compared with the same prompt without the colour, drawn
from the same noise: what has the colour in the edited picture and had it before was not painted.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from PIL import Image

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import cast
from sidkit.config import check_name
from sidkit.measure.color import COLORS, has_color
from sidkit.measure.statistics import case_means, paired_difference, subject_differences
from sidkit.plot import charts, sheets
from sidkit.stickers.drawing_words import colors as colors_of_design
from sidkit.stickers.sampling import known_designs
from sidkit.stickers.vocabulary import with_article
from sidkit.study.chapter import Results
from sidkit.study.claims import Claim, Statement, Trial, reach, trials
from sidkit.study.drawn_masks import agreement, drawn_masks
from sidkit.study.excerpts import first_prompts
from sidkit.study.painted import PAINTED, asked, measured
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
PALE = 0.75  # how much a pixel without the colour loses of itself where colours are shown
SHOWN = 3  # subjects
CLAIMS = (
    Claim("With SID the colour lands on the subject", "painted_subject", SID_CASE, USUAL_CASE, "higher", "Fig. 11"),
    Claim("With SID the surroundings stay as they are", "painted_rest", SID_CASE, USUAL_CASE, "lower", "Fig. 11"),
    Claim("With SID the subject is painted rather than the rest", "painted_gap", SID_CASE, USUAL_CASE, "higher",
          "Fig. 11"),
)  # fmt: skip


def plans(
    scale: str,
    *,
    subjects: Sequence[str] = (),
    colors: Sequence[str] = (),
    **options: Any,
) -> dict[str, Plan]:
    """A plan a subject, of the usual captions and SID; the first prompt asks for no colour, each other for one.

    `colors` are names of colours, in the place of the scale's: those that the subject does not have. `options` are
    those of `make_plan`. Raises ValueError for an unknown scale, class or colour.
    """
    for color in colors:
        check_name("color", color, COLORS)
    count = len(colors) or cast.of("property_edits", "colours", scale)
    names = subjects or cast.classes("property_edits", scale)
    together = make_plan(scale, subjects=names, **options)
    plan_by_subject = {}
    for subject in together.subjects:
        name = str(subject)
        plan_by_subject[name] = make_plan(
            scale,
            subjects=[name],
            cases=(USUAL_CASE, SID_CASE),
            prompts=_prompts(subject, colors or ORDER, count),
            **options,
        )
    return plan_by_subject


def _prompts(subject: Stickers | Path, colors: Sequence[str], count: int) -> list[str]:
    """The plain prompt, then one for each of the first `count` colours that the subject does not have."""
    class_word, own = _class_word_and_colors(subject)
    foreign = [color for color in colors if color not in own]
    prompts = [f"a photo of a [v] {class_word}"]
    for color in foreign[:count]:
        prompts.append(f"a photo of {with_article(color)} [v] {class_word}")
    return prompts


def findings(results: Results) -> pd.DataFrame:
    """What each edit painted (`measured`)."""
    return measured(list(results.studies.values()))


def claims(results: Results) -> list[Trial]:
    """The paper's Fig. 11 held against the pictures in which the subject was found."""
    if _pairs(results.findings).empty:
        return [Trial(claim, why_not="the subject was found in no pair of pictures") for claim in CLAIMS]
    return trials(results.findings, CLAIMS)


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """What the edits painted, altogether and colour by colour."""
    frame = results.findings
    return {
        "table": painted_table(frame, seed=results.seed),
        "colors": by_color(frame, seed=results.seed),
    }


def values(results: Results) -> dict[str, Any]:
    """Numbers of the page: how many pictures, how well subjects are found, the prompts of the first subject."""
    frame = results.findings
    studies = list(results.studies.values())
    plain, first_edit = first_prompts(results.main, 2)
    lost_usual, lost_sid = not_found(frame).values()
    return {
        "subjects": len(studies),
        "asked": len(frame),
        "plain": plain,
        "prompt": first_edit,
        "overlap": quality(studies),
        "lost_usual": round(100 * lost_usual),
        "lost_sid": round(100 * lost_sid),
        "reach": reach(frame),
    }


def not_found(frame: pd.DataFrame) -> dict[str, float]:
    """For each arm the share of the pictures in which, or in whose plain twin, no subject was found."""
    missing = frame["painted_gap"].isna()
    share_by_arm = missing.groupby(frame["arm"], sort=False).mean()
    return share_by_arm.to_dict()


def _pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the pictures in which the subject was found in both arms, so that they can be compared."""
    with_subject = frame.dropna(subset=["painted_gap"])
    arms_of_a_picture = with_subject.groupby(["subject", "prompt", "seed"])["arm"].transform("size")
    return with_subject[arms_of_a_picture == frame["arm"].nunique()]


def painted_table(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row an arm, a column a measure, each value with its interval."""
    table = arms_table(frame, seed=seed, names=tuple(HEADS))
    return table.rename(columns=HEADS)


def by_color(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """As `painted_table`, a row an arm and colour."""
    parts = []
    for color, rows_of_color in frame.groupby("color", sort=False):
        if rows_of_color["painted_gap"].notna().any():
            part = painted_table(rows_of_color, seed=seed)
            part["Arm"] = f"{color}, " + part["Arm"]
            parts.append(part)
    if not parts:
        return pd.DataFrame({"Arm": ["no subject was found"]})
    return pd.concat(parts, ignore_index=True)


def panels(frame: pd.DataFrame, *, seed: int) -> dict[str, pd.DataFrame]:
    """What was painted, for `charts.metrics_by_case`; empty where no subject was found."""
    means_by_head = {}
    for name in PAINTED:
        if frame[name].notna().any():
            means_by_head[HEADS[name]] = case_means(frame, name, seed=seed)
    return means_by_head


def draw_differences(frame: pd.DataFrame, ax: Axes, *, seed: int) -> None:
    """What SID changes in each subject's `painted_gap`, and in the mean; nothing where no subject was found."""
    found_in_both = _pairs(frame)
    if found_in_both.empty:
        return
    compared = (found_in_both, "painted_gap", SID_CASE, USUAL_CASE)
    mean = paired_difference(*compared, seed=seed)
    by_subject = subject_differences(*compared)
    charts.paired_differences(by_subject, mean, ax, "SID minus usual")


def rows(studies: Sequence[Study], picture: int = 0) -> sheets.Rows:
    """Of `sheets.rows`, a row a subject and its first colour.

    In it a reference, then after the usual captions the picture without the colour and with it, and so after SID.
    """
    titles, images = [], []
    for study in studies:
        (subject,) = study.subjects.values()
        plain, first_edit = 0, 1
        row = [load_images(subject)[0]]
        for arm in study.plan.arms:
            row.append(study.picture(subject.name, arm.name, plain, picture))
            row.append(study.picture(subject.name, arm.name, first_edit, picture))
        titles.append(first_prompts(study)[first_edit])
        images.append(row)
    columns = ["reference", "usual, no colour", "usual", "SID, no colour", "SID"]
    return titles, images, columns


def where(studies: Sequence[Study], picture: int = 0) -> sheets.Rows:
    """As `rows`: the edited pictures of both arms, each beside what has the colour in it and the subject's outline."""
    titles, images = [], []
    for study in studies:
        (name,) = study.subjects
        color = asked(study)[0]
        first_edit = 1
        row = []
        for arm in study.plan.arms:
            drawn = study.picture(name, arm.name, first_edit, picture)
            mask = drawn_masks(study, name, arm.name)[first_edit][picture]
            row.append(drawn)
            row.append(with_color_shown(drawn, color, mask))
        titles.append(first_prompts(study)[first_edit])
        images.append(row)
    columns = ["usual", "what has the colour", "SID", "what has the colour"]
    return titles, images, columns


def with_color_shown(picture: Image.Image, color: str, mask: np.ndarray | None) -> Image.Image:
    """The picture, gray and pale where it does not have the colour; the subject's outline, if it is known, is black."""
    gray = np.asarray(picture.convert("L"))
    pale = np.uint8(PALE * 255 + (1 - PALE) * gray)
    shown = np.stack([pale] * 3, axis=2)
    colored = has_color(picture, color)
    shown[colored] = np.asarray(picture.convert("RGB"))[colored]
    if mask is not None:
        shown[_outline(mask)] = 0
    return Image.fromarray(shown)


def quality(studies: Sequence[Study]) -> float:
    """How well the subjects of the references are found: mean IoU in [0, 1] with their given masks."""
    overlaps = [agreement(study) for study in studies]
    return float(np.mean(overlaps))


def _outline(mask: np.ndarray) -> np.ndarray:
    """The mask's own pixels that touch what is not in it."""
    inner = mask.copy()
    for axis in (0, 1):
        for step in (1, -1):
            inner &= np.roll(mask, step, axis)
    return mask & ~inner


def _class_word_and_colors(subject: Stickers | Path) -> tuple[str, tuple[str, ...]]:
    """The class word of a subject, and the colours that it is known to have."""
    if isinstance(subject, Path):
        return load_subject(subject).class_word, ()
    (design,) = known_designs(subject.subject_class, held_out=True)
    return subject.subject_class, colors_of_design(subject.subject_class, design)
