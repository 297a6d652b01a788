"""Chapter 5, one reference (Figs. 6 and 9): methods with and without SID beside a method that only looks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import pandas as pd
from PIL import Image

from sidkit.captions import USUAL_CASE
from sidkit.chapters import biases, cast
from sidkit.chapters.methods import (
    ALIGNMENTS,
    WITH_SID,
    arms,
    baselines,
    claim_of,
    comparable_points,
    front_sentence,
    paper_points,
    points,
    template,
    with_costs,
)
from sidkit.config import check_name, load_profile
from sidkit.encoder_methods import ENCODER_NAMES, ENCODER_PREFIX
from sidkit.measure.statistics import paired_difference
from sidkit.plot import sheets
from sidkit.stickers.subject_encoder import view
from sidkit.study.chapter import Results
from sidkit.study.claims import Claim, Statement, Trial, trials
from sidkit.study.drift import with_drift
from sidkit.study.masks import as_segmented
from sidkit.study.plan import Arm, Plan, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import MEASURES, arms_table, interval_text
from sidkit.subjects import Subject, load_images
from sidkit.worlds import world_of

NAME = "05_single_reference"
STATEMENT = Statement("With one reference, methods with SID are ahead of encoder-based ones", "Figs. 6 and 9")
ENCODER = "Encoder"  # the name of its arm
COMPANY = "nearby+tied"  # what a thing has beside and on it; with one reference the place is shared, too
POSE = "leak_pose"
PAPER_ENCODERS = ("ELITE", "BLIP-Diffusion")
BESIDE_USUAL = (
    template("SID moves pictures away from the reference's surroundings", "NSD", "higher", "Fig. 9"),
    template("SID follows the prompt better", "TA", "higher", "Fig. 9"),
    template("SID keeps the other things out", "leakage", "lower", "Fig. 6"),
    template("SID frees the subject from the reference's pose", POSE, "lower", "Fig. 6"),
)
BESIDE_ENCODER = (
    template("with SID it keeps the subject better than the encoder", "SA", "higher", "Fig. 9, said of the whole"),
    template("with SID it is further from the surroundings than the encoder", "NSD", "higher",
              "Fig. 9, said of the whole"),
    template("with SID it follows the prompt better than the encoder", "TA", "higher", "Fig. 9"),
    template("with SID it keeps the pose less often than the encoder", POSE, "lower", "Fig. 6"),
)  # fmt: skip


def plans(
    scale: str,
    *,
    profile: str = "stickers",
    subjects: Sequence[str] = (),
    methods: Sequence[str] = (),
    encoder: str = "",
    **options: Any,
) -> dict[str, Plan]:
    """One plan: one reference a subject; the methods without and with SID, and the encoder method last.

    `subjects` and `options` are those of `make_plan`. Without `encoder`, Sticker World's own, or IP-Adapter where the
    profile is of photos. ValueError for an unknown scale, method or encoder.
    """
    encoder = check_name("encoder", encoder or _default_encoder(profile), ENCODER_NAMES)
    trained = arms(methods or cast.of("single_reference", "methods", scale))
    looking = Arm(ENCODER, USUAL_CASE, ENCODER_PREFIX + encoder, masks=as_segmented, references=1)
    plan = make_plan(
        scale,
        profile=profile,
        subjects=subjects or _subjects(scale),
        arms=(*trained, looking),
        references=1,
        unrelated=cast.of("single_reference", "unrelated prompts", scale),
        **options,
    )
    return {"single": plan}


def _default_encoder(profile: str) -> str:
    return world_of(load_profile(profile)).encoder


def _subjects(scale: str) -> list[str]:
    """Subjects in an unusual pose, those of the chapter on the biases, then things in company."""
    count = cast.of("single_reference", "subjects of pose", scale)
    posed = biases.others(scale, "pose")[:count]
    things = cast.of("single_reference", "subjects of things", scale)
    return posed + [f"{thing}-{COMPANY}" for thing in things]


def claims(results: Results) -> list[Trial]:
    """The paper's statements on SID beside the usual captions, then beside the encoder, method by method."""
    return trials(results.main.frame, claims_of(results.main.plan))


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The measures and costs of every arm, and how often it shows what the references show."""
    return {
        "table": measures_table(results.main, seed=results.seed),
        "leaks": leaks_table(results.main.frame, seed=results.seed),
    }


def values(results: Results) -> dict[str, Any]:
    """Who is ahead of whom, here and in the paper, and what SID changes in the subject."""
    here = points(results.main.frame, seed=results.seed)
    paper = paper_points(9)
    sentences = {
        "ahead": ahead_sentence(here, [ENCODER]),
        "paper_ahead": ahead_sentence(paper, PAPER_ENCODERS),
        "in_subject": _change_in_subject(results.main, seed=results.seed),
    }
    for measure in ("SA", "NSD"):
        sentences[f"front_{measure}"] = front_sentence(here, "TA", measure)
        sentences[f"paper_{measure}"] = front_sentence(paper, "TA", measure)
    return sentences


def claims_of(plan: Plan) -> list[Claim]:
    """The claims of a plan."""
    paper = comparable_points(plan, 9)
    methods = baselines(plan)
    claims = []
    for method, words in product(methods, BESIDE_USUAL):
        claims.append(claim_of(method, words, method, paper))
    for method, words in product(methods, BESIDE_ENCODER):
        claims.append(claim_of(method, words, ENCODER, paper))
    return claims


def measures_table(study: Study, *, seed: int) -> pd.DataFrame:
    """A row an arm: the measures, how often the reference's pose is kept, drift, and what a training takes."""
    table = arms_table(study.frame, seed=seed, names=(*MEASURES, POSE))
    table = with_costs(with_drift(table, study.drift, seed=seed), study)
    return table.rename(columns={POSE: "pose"})


def leaks_table(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row a thing that the references show, how often each arm's pictures show it unasked, with intervals.

    Empty where nothing is known of what they show.
    """
    columns_with_values = frame.dropna(axis=1, how="all")
    leaks = [name for name in columns_with_values if name.startswith("leak_")]
    by_arm = arms_table(frame, seed=seed, names=leaks)
    table = by_arm.set_index("Arm").T
    table.index = table.index.str.removeprefix("leak_")
    return table.rename_axis("Leaks").reset_index()


def rows(study: Study, prompts: int = 2) -> sheets.Rows:
    """Of `sheets.rows`: for each subject its first prompts, from the same noise.

    In a row the reference, what the encoder sees of it, and a picture each of the first method, the encoder, and the
    first method with SID.
    """
    method = study.plan.arms[0].name
    drawing = (method, ENCODER, method + WITH_SID)
    titles, images = [], []
    for name, subject in study.subjects.items():
        given = load_images(subject)[0]
        seen = _seen_by_encoder(study.plan, subject, given)
        for index, prompt in enumerate(study.prompts[name][:prompts]):
            drawn = [study.picture(name, arm, index) for arm in drawing]
            images.append([given, seen, *drawn])
            titles.append(f"{subject.class_word}: {prompt.text}")
    return titles, images, ["reference", "seen by encoder", *drawing]


def _seen_by_encoder(plan: Plan, subject: Subject, image: Image.Image) -> Image.Image:
    """What the encoder is given of the reference: Sticker World's a cut-out, others the whole picture."""
    encoder = plan.arms[-1].encoder
    if encoder != "stickers":
        return image
    mask = as_segmented(subject)[0]
    return view(image, mask)


def ahead_sentence(points: pd.DataFrame, encoders: Sequence[str]) -> str:
    """Whether every arm with SID is ahead of every encoder, in words, by the means alone: what the paper's text says.

    `points` has a row an arm and of the columns SA, NSD and TA those that were measured; `encoders` are among its rows.
    """
    measures = [name for name in ALIGNMENTS if name in points]
    exceptions = []
    for measure, encoder in product(measures, encoders):
        means = points[measure]
        behind = " and ".join(_behind(means, encoder))
        if behind:
            exceptions.append(f"on {measure} {encoder} ({means[encoder]:.4f}) is ahead of {behind}")
    if exceptions:
        return f"Not every model with SID is ahead everywhere: {'; '.join(exceptions)}."
    *first, last = measures
    where = f"{', '.join(first)} and {last}" if first else last
    return f"Every model with SID is ahead of {' and '.join(encoders)} on {where}."


def _behind(means: pd.Series, encoder: str) -> list[str]:
    """The arms with SID whose mean is less than the encoder's."""
    uses_sid = means.index.str.endswith(WITH_SID)
    is_less = means < means[encoder]
    behind = means[uses_sid & is_less]
    return [f"{arm} ({mean:.4f})" for arm, mean in behind.items()]


def _change_in_subject(study: Study, *, seed: int) -> str:
    """What SID changes in SA, method by method, which the paper expects to be nothing with one reference.

    Of photos without masks it is not known.
    """
    if study.frame["SA"].isna().all():
        return "not measured, for want of masks"
    changes = []
    for method in baselines(study.plan):
        gap = paired_difference(study.frame, "SA", method + WITH_SID, method, seed=seed, by="arm")
        changes.append(f"{method} {interval_text(gap, 'SA')}")
    return ", ".join(changes)
