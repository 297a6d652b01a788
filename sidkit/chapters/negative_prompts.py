"""Two other ways to keep things out (section 7.1, Fig. 10), beside SID: negative prompts, and cutting the subject out.

A negative prompt is used when pictures are drawn, on the model of the usual captions, so nothing is trained for it.
A mask is used in training, with the usual captions: on the references before it, as in the paper, or on the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import biases, cast
from sidkit.describe.cases import captions_of_case
from sidkit.describe.negative_prompt import negative_prompt
from sidkit.markdown import code
from sidkit.masks.given import FILLS, apply_mask
from sidkit.plot import charts, sheets
from sidkit.study.chapter import Results
from sidkit.study.claims import Claim, Statement, Trial, trials
from sidkit.study.excerpts import first_subject, rows_by_prompt
from sidkit.study.guidance import AT, curves, guidance_by_arm_of, guided, way_of
from sidkit.study.masks import as_segmented, given
from sidkit.study.plan import PAIRS, Arm, Plan, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import arms_table, company
from sidkit.subjects import load_images

NAME = "07_negative_prompts"
STATEMENT = Statement("Negative prompts and segmentation do not do what SID does", "sec. 7.1, Fig. 10")
USUAL_ARM, SID_ARM = Arm("usual", USUAL_CASE), Arm("SID", SID_CASE)
NEGATIVE = Arm("negative prompt", 1, negative=negative_prompt)
CUT = Arm("cut out", 1, segment="references", masks=as_segmented)
LOSS = Arm("masked loss", 1, segment="loss", masks=as_segmented)
EXACT = Arm("cut out exactly", 1, segment="references")  # by the renderer's own mask, which no segmenter finds
MEASURES = {  # by study
    "things": ("leakage", "leak_tied", "leak_fill", "identity", "NSD", "TA"),
    "pose": ("leak_pose", "leak_fill", "identity", "NSD", "TA"),
}
HEADS = {"leak_tied": "leak of what is worn", "leak_pose": "leak of the pose", "leak_fill": "leak of the fill"}
GUIDED = (USUAL_ARM, NEGATIVE, SID_ARM)  # the arms that are drawn with other guidances, too
NEAR = 24  # of 255: how far a drawn pixel may be from a fill
NO_POSE = pd.DataFrame({"Arm": ["no subject in an unusual pose was run"]})
CURVES = {"leakage": "leakage (lower)", "identity": "identity (higher)", "TA": "TA (higher)"}  # is better


def plans(
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
    plan_by_name = {"things": _plan_of_things(scale, subjects, guidances, options)}
    if posed or not subjects:
        plan_by_name["pose"] = _plan_of_pose(scale, posed, options)
    return plan_by_name


def _plan_of_things(
    scale: str,
    subjects: Sequence[str],
    guidances: Sequence[float],
    options: dict[str, Any],
) -> Plan:
    exact = [EXACT] if scale == "full" else []
    plan = make_plan(
        scale,
        subjects=[_with_company(name) for name in subjects] or _dressed(scale),
        arms=(USUAL_ARM, NEGATIVE, CUT, LOSS, *exact, SID_ARM),
        **options,
    )
    others = guided(plan, GUIDED, guidances or _usual_guidances(plan, scale))
    return replace(plan, arms=plan.arms + others)


def _plan_of_pose(scale: str, posed: Sequence[str], options: dict[str, Any]) -> Plan:
    loss = [LOSS] if scale == "full" else []
    one_reference = options | {"references": 1}
    return make_plan(
        scale,
        subjects=[_in_a_pose(name) for name in posed] or biases.others(scale, "pose"),
        arms=(USUAL_ARM, NEGATIVE, CUT, *loss, SID_ARM),
        **one_reference,
    )


def claims(results: Results) -> list[Trial]:
    """The paper's section 7.1 held against the studies; where there is no study of poses, nothing decides of them."""
    of_things = trials(results.studies["things"].frame, CLAIMS)
    if "pose" in results.studies:
        of_pose = trials(results.studies["pose"].frame, CLAIMS_OF_POSE)
    else:
        of_pose = [Trial(claim, why_not="no subject in an unusual pose was run") for claim in CLAIMS_OF_POSE]
    return of_things + of_pose


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """What the first subject is called, and the measures of both studies."""
    table_by_name = {
        "texts": texts(results.main),
        "table_pose": NO_POSE,
    }
    for name, study in results.studies.items():
        table_by_name[f"table_{name}"] = measures_table(study, name, seed=results.seed)
    return table_by_name


def values(results: Results) -> dict[str, Any]:
    """The subject in an unusual pose, and what its reference shows."""
    posed = first_subject(posing(results))
    return {
        "posed_name": posed.class_word,
        "posed_company": company(posed),
    }


def posing(results: Results) -> Study:
    """The study of poses; that of things where there is none."""
    return results.studies.get("pose", results.main)


def plain(study: Study) -> list[str]:
    """The names of the arms that are drawn with the profile's guidance."""
    return [arm.name for arm in study.plan.arms if AT not in arm.name]


def measures_table(study: Study, name: str, *, seed: int) -> pd.DataFrame:
    """A row an arm at the profile's guidance, a column a measure, each value with its interval."""
    frame = with_fill(study)
    of_plain_arms = frame[frame["arm"].isin(plain(study))]
    table = arms_table(of_plain_arms, seed=seed, names=MEASURES[name])
    return table.rename(columns=HEADS)


def with_fill(study: Study) -> pd.DataFrame:
    """The study's frame with `leak_fill`: the share of each picture's pixels that look like what fills a mask."""
    shade = FILLS[study.plan.profile.encoders.fill]
    shares = []
    for subject, arm in study.folders:
        for prompt in range(len(study.prompts[subject])):
            for turn in range(study.plan.pictures):
                picture = study.picture(subject, arm, prompt, turn)
                shares.append(_share_near(picture, shade))
    return study.frame.assign(leak_fill=shares)


def _share_near(picture: Image.Image, shade: int) -> float:
    """Share of the pixels whose channels are all near a shade, which is in [0, 255]."""
    pixels = np.asarray(picture, int)
    distance = abs(pixels - shade).max(axis=2)
    return float((distance <= NEAR).mean())


def draw_curves(study: Study, *, seed: int) -> Figure:
    """Leakage, identity and text-alignment over the guidance, as far as they are measured."""
    measures = [name for name in CURVES if study.frame[name].notna().any()]
    figure, axes = plt.subplots(
        len(measures),
        1,
        figsize=(4.6, 2.1 * len(measures)),
        dpi=130,
        layout="constrained",
        squeeze=False,
    )
    for ax, name in zip(axes[:, 0], measures):
        points = curves(study, name, seed=seed)
        charts.curves(points, ax, "guidance scale", CURVES[name])
    axes[0, 0].legend(
        fontsize=9,
        ncols=3,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        frameon=False,
    )
    return figure


def rows(study: Study, prompts: int = 3) -> sheets.Rows:
    """Of `sheets.rows`: a row a prompt of the first subject, a column an arm at the profile's guidance."""
    return rows_by_prompt(study, prompts, plain(study))


def by_guidance(study: Study, prompt: int = 0) -> sheets.Rows:
    """As `rows`, for one prompt of the first subject: a row a way, a column a guidance."""
    subject = first_subject(study)
    guidance_by_arm = guidance_by_arm_of(study)
    guidances = sorted(set(guidance_by_arm.values()))
    arm_by_place = {(way_of(arm), guidance): arm for arm, guidance in guidance_by_arm.items()}
    ways, images = [], []
    for arm in GUIDED:
        names = [arm_by_place[arm.name, guidance] for guidance in guidances]
        row = [study.picture(subject.name, name, prompt) for name in names]
        ways.append(arm.name)
        images.append(row)
    columns = [f"guidance {guidance:g}" for guidance in guidances]
    return ways, images, columns


def cut(study: Study) -> tuple[list[Image.Image], list[str]]:
    """The first subject's first reference, as a segmenter would cut it out, and as the renderer's mask does."""
    subject = first_subject(study)
    fill = study.plan.profile.encoders.fill
    reference = load_images(subject)[0]
    images = [reference]
    for masks in (as_segmented, given):
        mask = masks(subject)[0]
        images.append(apply_mask(reference, mask, fill))
    return images, ["reference", CUT.name, EXACT.name]


def texts(study: Study) -> pd.DataFrame:
    """What the first subject's first reference is called in training, and what its pictures are drawn away from."""
    subject = first_subject(study)
    usual = captions_of_case(subject, USUAL_CASE)[0]
    sid = captions_of_case(subject, SID_CASE)[0]
    text_by_use = {
        "the usual caption, in training": usual,
        "the negative prompt, in drawing": negative_prompt(subject),
        "SID, in training": sid,
    }
    rows = [(use, code(text)) for use, text in text_by_use.items()]
    return pd.DataFrame(rows, columns=["What", "Text"])


def _claim(words: str, measure: str, against: Arm, direction: str, source: str) -> Claim:
    return Claim(
        words,
        measure,
        SID_ARM.name,
        against.name,
        direction,
        source,
        by="arm",
    )


CLAIMS = (
    _claim("A negative prompt leaves things in that SID keeps out", "leakage", NEGATIVE, "lower", "Fig. 10"),
    _claim("SID is further from the surroundings than a negative prompt", "NSD", NEGATIVE, "higher", "sec. 7.1"),
    _claim("SID follows the prompt better than with a negative prompt", "TA", NEGATIVE, "higher", "sec. 7.1"),
    _claim("SID is further from the surroundings than segmentation", "NSD", CUT, "higher", "sec. 7.1"),
    _claim("SID follows the prompt better than after segmentation", "TA", CUT, "higher", "sec. 7.1"),
    _claim("Segmentation leaves in what the subject wears", "leak_tied", CUT, "lower", "sec. 3.1"),
)
CLAIMS_OF_POSE = (_claim("Segmentation leaves the pose in", "leak_pose", CUT, "lower", "Fig. 10"),)


def _dressed(scale: str) -> list[str]:
    """The scale's subjects; those that wear something come first."""
    return [cast.pair_of(name) for name in cast.classes("negative_prompts", scale)]


def _with_company(name: str) -> str:
    """A class alone is one that wears something and has a thing beside it."""
    if _is_whole(name):
        return name
    company = "+".join(PAIRS[1])
    return f"{name}-{company}"


def _in_a_pose(name: str) -> str:
    return name if _is_whole(name) else f"{name}-pose"


def _is_whole(name: str) -> bool:
    """Whether a subject is a folder or says what its references share."""
    return Path(name).is_dir() or "/" in name or "-" in name


def _usual_guidances(plan: Plan, scale: str) -> list[float]:
    """The profile's guidance times the scale's factors."""
    usual = plan.profile.sampling.guidance
    factors = cast.of("negative_prompts", "guidance, times the usual", scale)
    return [usual * factor for factor in factors]
