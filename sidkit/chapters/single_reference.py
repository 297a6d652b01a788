"""One reference (Figs. 6 and 9): methods with and without SID beside a method that only looks, pose bias included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from PIL import Image

from sidkit.chapters.biases import others
from sidkit.chapters.methods import NAMES, SID, costs, front_told, gain, paper_points, same_measures
from sidkit.config import check_name, load_profile
from sidkit.encoder_methods import NAMES as ENCODERS
from sidkit.encoder_methods import PREFIX
from sidkit.measure.statistics import paired_difference
from sidkit.stickers.subject_encoder import view
from sidkit.study.claims import Claim
from sidkit.study.masks import as_segmented
from sidkit.study.plan import Arm, Plan, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import MEASURES, arms_table, told
from sidkit.subjects import Subject, load_images
from sidkit.worlds import world_of

SHOWN = "Encoder"  # the name of its arm
METHODS = {"smoke": ("dreambooth",), "quick": ("dreambooth",), "full": ("dreambooth", "custom_diffusion", "svdiff")}
POSED = {"smoke": 1, "quick": 1, "full": 2}  # subjects in an unusual pose: those of the chapter on the biases
THINGS = {"smoke": (), "quick": ("robot",), "full": ("robot", "dog")}
TOGETHER = "nearby+tied"  # what these have beside and on them; with one reference the place is shared, too
POSE = "leak_pose"
PAPER_SHOWN = ("ELITE", "BLIP-Diffusion")
AXES = ("SA", "NSD", "TA")

WITH_SID = {
    "NSD": ("SID moves pictures away from the reference's surroundings", "higher", "Fig. 9"),
    "TA": ("SID follows the prompt better", "higher", "Fig. 9"),
    "leakage": ("SID keeps the other things out", "lower", "Fig. 6"),
    POSE: ("SID frees the subject from the reference's pose", "lower", "Fig. 6"),
}
BESIDE = {
    "SA": ("with SID it keeps the subject better than the encoder", "higher", "Fig. 9, said of the whole"),
    "NSD": ("with SID it is further from the surroundings than the encoder", "higher", "Fig. 9, said of the whole"),
    "TA": ("with SID it follows the prompt better than the encoder", "higher", "Fig. 9"),
    POSE: ("with SID it keeps the pose less often than the encoder", "lower", "Fig. 6"),
}


def make_single(
    scale: str,
    *,
    profile: str,
    subjects: Sequence[str] = (),
    methods: Sequence[str] = (),
    encoder: str = "",
    **rest: Any,
) -> Plan:
    """The plan: one reference a subject; the methods without and with SID, and the encoder method last.

    `subjects` are those of `make_plan`, `rest` its other options. Without `encoder`, Sticker World's own, or
    IP-Adapter where the profile is of photos. ValueError for an unknown scale, method or encoder.
    """
    check_name("scale", scale, METHODS)
    chosen = [check_name("method", one, NAMES) for one in methods or METHODS[scale]]
    encoder = check_name("encoder", encoder or _default_encoder(profile), ENCODERS)
    arms = [arm for one in chosen for arm in (Arm(NAMES[one], 1, one), Arm(NAMES[one] + SID, 3, one))]
    arms.append(Arm(SHOWN, 1, PREFIX + encoder, masks=as_segmented, references=1))
    wanted = subjects or [*others(scale, "pose")[: POSED[scale]], *(f"{one}-{TOGETHER}" for one in THINGS[scale])]
    return make_plan(scale, profile=profile, subjects=wanted, arms=arms, references=1, **rest)


def _default_encoder(profile: str) -> str:
    return world_of(load_profile(profile)).encoder


def claims(study: Study) -> list[Claim]:
    """The paper's statements on SID beside its baseline, then on SID beside the encoder, method by method."""
    names = [arm.name for arm in study.plan.arms]
    bases = [name for name in names if name + SID in names]
    paper = paper_points(9) if same_measures(study.plan) else pd.DataFrame()
    beside_usual = [_claim(name, measure, said, name, paper) for name in bases for measure, said in WITH_SID.items()]
    return beside_usual + [
        _claim(name, measure, said, SHOWN, paper) for name in bases for measure, said in BESIDE.items()
    ]


def _claim(name: str, measure: str, said: tuple[str, str, str], against: str, paper: pd.DataFrame) -> Claim:
    words, direction, source = said
    known = gain(paper, measure, name, against)
    return Claim(f"{name}: {words}", measure, name + SID, against, direction, source, "arm", known)


def table(study: Study, *, seed: int) -> pd.DataFrame:
    """A row an arm: the measures, how often the reference's pose is kept, and what a training takes."""
    found, cost = arms_table(study.frame, seed=seed, names=(*MEASURES, POSE)), costs(study)
    found = found.assign(**{column: found["Arm"].map(cost[column]) for column in cost})
    return found.rename(columns={POSE: "pose"})


def rows(study: Study, prompts: int = 2) -> tuple[list[str], list[list[Image.Image]], list[str]]:
    """Titles, pictures and heads of `figures.rows`: for each subject its first prompts, from the same noise.

    In a row the reference, what the encoder sees of it, and a picture each of the first method, the encoder, and the
    first method with SID.
    """
    base = study.plan.arms[0].name
    shown = (base, SHOWN, base + SID)
    titles, images = [], []
    for subject in study.subjects.values():
        for index, prompt in enumerate(study.prompts[subject.name][:prompts]):
            drawn = [study.picture(subject.name, arm, index) for arm in shown]
            titles.append(f"{subject.class_word}: {prompt.text}")
            images.append([load_images(subject)[0], _looked_at(study, subject), *drawn])
    return titles, images, ["reference", "seen by encoder", *shown]


def _looked_at(study: Study, subject: Subject) -> Image.Image:
    """What the encoder is given of the reference: Sticker World's a cut-out, others the whole picture."""
    image, arm = load_images(subject)[0], study.plan.arms[-1]
    return view(image, as_segmented(subject)[0]) if arm.encoder == "stickers" else image


def biases_table(study: Study, *, seed: int) -> pd.DataFrame:
    """A row a thing that the references show, how often each arm's pictures show it unasked, with intervals.

    Empty where nothing is known of what they show.
    """
    leaks = [name for name in study.frame if name.startswith("leak_") and study.frame[name].notna().any()]
    found = arms_table(study.frame, seed=seed, names=leaks).set_index("Arm").T
    found.index = [name.removeprefix("leak_") for name in found.index]
    return found.rename_axis("Leaks").reset_index()


def fronts_told(found: pd.DataFrame) -> dict[str, str]:
    """For the planes of TA with SA and NSD, whether all that nobody beats use SID; `found` is of `methods.points`."""
    return {y: front_told(found, "TA", y) for y in ("SA", "NSD")}


def ahead_told(found: pd.DataFrame, shown: Sequence[str]) -> str:
    """Whether every arm with SID is ahead of every encoder, in words, by the means alone: what the paper's text says.

    `found` has a row an arm and the columns SA, NSD and TA; `shown` are the encoders among its rows.
    """
    with_sid = [arm for arm in found.index if str(arm).endswith(SID)]
    behind = [
        f"on {name} {encoder} ({found.loc[encoder, name]:.4f}) is ahead of {' and '.join(ahead)}"
        for name in AXES
        for encoder in shown
        if (
            ahead := [
                f"{arm} ({found.loc[arm, name]:.4f})" for arm in with_sid if _is_behind(found, arm, encoder, name)
            ]
        )
    ]
    if not behind:
        return f"Every model with SID is ahead of {' and '.join(shown)} on {', '.join(AXES[:-1])} and {AXES[-1]}."
    return f"Not every model with SID is ahead everywhere: {'; '.join(behind)}."


def _is_behind(found: pd.DataFrame, arm: str, encoder: str, name: str) -> bool:
    return bool(found.loc[arm, name] < found.loc[encoder, name])


def change_in_subject(study: Study, *, seed: int) -> str:
    """What SID changes in SA, method by method, which the paper expects to be nothing with one reference."""
    names = [arm.name for arm in study.plan.arms]
    gaps = {
        name: paired_difference(study.frame, "SA", name + SID, name, seed=seed, by="arm")
        for name in names
        if name + SID in names
    }
    return ", ".join(f"{name} {told(gap, 'SA')}" for name, gap in gaps.items())
