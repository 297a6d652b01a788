"""Chapter 9: do the measures measure what they should? Against pictures whose truth we know, as we render them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import cast
from sidkit.mark import class_caption
from sidkit.masks.given import given_mask
from sidkit.measure.correlation import rank_correlation, rank_difference
from sidkit.measure.instruments import Instruments
from sidkit.measure.metrics import image_alignment
from sidkit.measure.pictures import measure
from sidkit.measure.statistics import Interval, case_means
from sidkit.model_cache import Models
from sidkit.raters import preferences
from sidkit.raters.pairs import Pair
from sidkit.raters.ratings import Ratings
from sidkit.stickers.mixtures import KIND_OF_CORNER, Mixture, kind_of, mixed
from sidkit.stickers.references import read_truth
from sidkit.study import rater_pairs
from sidkit.study.chapter import Results
from sidkit.study.claims import Claim, Statement, Trial, reach
from sidkit.study.excerpts import first_subject, pictures_of
from sidkit.study.plan import Plan, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import correlation_cell
from sidkit.subjects import Prompt, Subject, load_images

NAME = "09_measures"
STATEMENT = Statement("SA and NSD tell more than plain image-alignment", "sec. 6, appendix A")
PLAIN = "image-alignment"  # cosine of whole references and picture: CLIP-I
KEPT = "1 - NSD"  # so that, as leakage does, it rises with what is dragged along
MEASURES = (PLAIN, "SA", KEPT, "identity", "leakage")
IDENTITY, LEAKAGE = "true identity", "true leakage"
COPIES = "references copied"
KINDS = (COPIES, *KIND_OF_CORNER.values())
RATED_PAIRS, RATERS, NOISE = 20, 5, 0.5  # of the form that simulated raters answer
CLAIMS = (
    Claim("SA follows the subject better than plain image-alignment", "SA", IDENTITY, PLAIN, "higher", "sec. 6"),
    Claim("NSD follows what is dragged along better than plain image-alignment", KEPT, LEAKAGE, PLAIN, "higher",
          "sec. 6"),
    Claim("SA is moved less by what is dragged along than plain image-alignment", "SA", LEAKAGE, PLAIN, "lower",
          "sec. 6, appendix A"),
)  # fmt: skip


@dataclass(frozen=True)
class Findings:
    """The mixtures of each subject, and their measures, a row a mixture."""

    mixtures: dict[str, list[Mixture]]
    frame: pd.DataFrame


def plans(
    scale: str,
    *,
    profile: str = "stickers",
    subjects: Sequence[str] = (),
    seed: int = 0,
) -> dict[str, Plan]:
    """The study of the four descriptions, whose subjects and drawn pictures are measured here in other ways."""
    plan = make_plan(
        scale,
        profile=profile,
        subjects=subjects or cast.classes("measures", scale),
        cases=cast.of("measures", "cases", scale),
        seed=seed,
    )
    return {"cases": plan}


def findings(results: Results) -> Findings:
    """Mixtures of every subject, and what the measures say of them."""
    usual = cast.of("measures", "pictures of a mixture", results.scale)
    count = results.parameters.get("each") or usual
    mixtures = {}
    for name, subject in results.main.subjects.items():
        mixtures[name] = mixed(subject, count, seed=results.seed)
    frame = measured(results.main, mixtures)
    return Findings(mixtures, frame)


def claims(results: Results) -> list[Trial]:
    """The paper's reasons for its measures, by differences of rank correlations over the same resamples."""
    trials = []
    for claim in CLAIMS:
        difference = rank_difference(
            results.findings.frame,
            claim.measure,
            claim.against,
            claim.case,
            seed=results.seed,
        )
        trials.append(Trial(claim, difference=difference))
    return trials


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Rank correlations with both truths, the corners of the mixtures, the drawn pictures, what raters would say."""
    study = results.main
    frame = results.findings.frame
    corners = frame[frame["kind"] != ""]
    with_copies = pd.concat([copies(study), corners], ignore_index=True)
    seed = results.seed
    return {
        "table": correlations_table(frame, (IDENTITY, LEAKAGE), seed=seed),
        "kinds": kinds_table(with_copies, seed=seed),
        "seen": correlations_table(drawn(study), ("leakage", "identity"), seed=seed),
        "rated": rater_pairs.table(_ratings(results), seed=seed),
    }


def values(results: Results) -> dict[str, Any]:
    """How many mixtures and drawn pictures there are, and what is to be said of the raters."""
    frame = results.findings.frame
    notes = preferences.notes(_ratings(results))
    return {
        "known": len(frame),
        "drawn": len(results.main.frame),
        "raters": " ".join(notes),
        "reach": reach(frame),
    }


def measured(study: Study, mixtures: Mapping[str, Sequence[Mixture]]) -> pd.DataFrame:
    """A row a mixture: subject, prompt (which mixture), seed (its turn), the truth, and what the measures say."""
    instruments = Models(study.plan.profile).instruments
    frames = []
    for name, mixtures_of_subject in mixtures.items():
        subject = study.subjects[name]
        frames.append(_of_subject(instruments, subject, mixtures_of_subject))
    return pd.concat(frames).reset_index(drop=True)


def scored(instruments: Instruments, subject: Subject, images: Sequence[Image.Image]) -> pd.DataFrame:
    """The measures of pictures against a subject's references, plain image-alignment and 1 - NSD among them."""
    references = load_images(subject)
    masks = [given_mask(path) for path in subject.images]
    prompt = Prompt(class_caption(subject.class_word), "given", {})
    company = read_truth(subject).shared
    frame = measure(instruments, references, masks, [prompt], [images], company)
    frame[PLAIN] = _image_alignment(instruments, references, images)
    frame[KEPT] = 1 - frame["NSD"]
    return frame


def copies(study: Study) -> pd.DataFrame:
    """The references themselves, measured as if a model had drawn them: full identity, full leakage."""
    instruments = Models(study.plan.profile).instruments
    frames = []
    for name, subject in study.subjects.items():
        frame = scored(instruments, subject, load_images(subject))
        frame = frame.assign(
            subject=name,
            prompt=COPIES,
            seed=range(len(frame)),
            kind=COPIES,
        )
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def drawn(study: Study) -> pd.DataFrame:
    """The study's own frame with plain image-alignment and 1 - NSD."""
    instruments = Models(study.plan.profile).instruments
    frame = study.frame.copy()
    frame[PLAIN] = np.nan
    frame[KEPT] = 1 - frame["NSD"]
    for (name, arm), rows in frame.groupby(["subject", "arm"], sort=False):
        references = load_images(study.subjects[name])
        images = pictures_of(study, name, arm)
        frame.loc[rows.index, PLAIN] = _image_alignment(instruments, references, images)
    return frame


def correlations(frame: pd.DataFrame, truth: str, *, seed: int) -> pd.DataFrame:
    """For `charts.metrics_by_case`: a row a measure, its rank correlation with a truth: `mean`, `low`, `high`."""
    rows = []
    for name in MEASURES:
        if name != truth:
            interval = rank_correlation(frame, name, truth, seed=seed)
            rows.append((name, interval.mean, interval.low, interval.high))
    table = pd.DataFrame(rows, columns=["measure", "mean", "low", "high"])
    return table.set_index("measure")


def panels(frame: pd.DataFrame, *, seed: int) -> dict[str, pd.DataFrame]:
    """The rank correlations with both truths for `charts.metrics_by_case`."""
    return {f"with {truth}": correlations(frame, truth, seed=seed) for truth in (IDENTITY, LEAKAGE)}


def correlations_table(frame: pd.DataFrame, truths: Sequence[str], *, seed: int) -> pd.DataFrame:
    """A row a measure, a column a truth: rank correlations with 95 % intervals."""
    rows_by_truth = {truth: correlations(frame, truth, seed=seed) for truth in truths}
    table = []
    for name in MEASURES:
        row = {"Measure": name}
        for truth, rows in rows_by_truth.items():
            row[truth] = _cell(rows, name)
        table.append(row)
    return pd.DataFrame(table)


def kinds_table(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row a kind of picture, the degenerate ones among them; a column a measure, with intervals."""
    means_by_measure = {name: case_means(frame, name, seed=seed, by="kind") for name in MEASURES}
    there = set(frame["kind"])
    table = []
    for kind in [kind for kind in KINDS if kind in there]:
        row = {"Pictures": kind}
        for name, means in means_by_measure.items():
            row[name] = _cell(means, kind)
        table.append(row)
    return pd.DataFrame(table)


def examples(results: Results) -> tuple[list[Image.Image], list[str]]:
    """One picture of each corner of the first subject's mixtures, with its name."""
    subject = first_subject(results.main)
    image_by_kind: dict[str, Image.Image] = {}
    for mixture in results.findings.mixtures[subject.name]:
        kind = kind_of(mixture, len(subject.bias))
        image_by_kind.setdefault(kind, mixture.image)
    shown = [kind for kind in KINDS if kind in image_by_kind]
    return [image_by_kind[kind] for kind in shown], shown


def rated_pairs(results: Results) -> list[Pair]:
    """Pairs of the usual captions' pictures and SID's, as raters would see them."""
    study = results.main
    name_by_case = {arm.case: arm.name for arm in study.plan.arms}
    return rater_pairs.pairs_of(
        study,
        name_by_case[USUAL_CASE],
        name_by_case[SID_CASE],
        RATED_PAIRS,
        results.seed,
    )


def _ratings(results: Results) -> Ratings:
    return rater_pairs.simulated_ratings(
        results.main,
        rated_pairs(results),
        raters=RATERS,
        noise=NOISE,
        seed=results.seed,
    )


def _of_subject(
    instruments: Instruments,
    subject: Subject,
    mixtures: Sequence[Mixture],
) -> pd.DataFrame:
    company = len(read_truth(subject).shared)
    images = [mixture.image for mixture in mixtures]
    truths = []
    for mixture in mixtures:
        kept = "+".join(mixture.kept)
        row = {
            "subject": subject.name,
            "prompt": f"{mixture.is_subject} {kept}",
            "seed": mixture.turn,
            "kind": kind_of(mixture, company),
            IDENTITY: float(mixture.is_subject),
            LEAKAGE: len(mixture.kept) / company,
        }
        truths.append(row)
    columns = pd.DataFrame(truths).to_dict("list")
    return scored(instruments, subject, images).assign(**columns)


def _image_alignment(
    instruments: Instruments,
    references: Sequence[Image.Image],
    images: Sequence[Image.Image],
) -> np.ndarray:
    """Each picture's mean cosine with the whole references (M,)."""
    look = instruments.image_text.images
    return image_alignment(look(references), look(list(images)))


def _cell(rows: pd.DataFrame, name: str) -> str:
    if name not in rows.index:
        return "-"
    mean, low, high = rows.loc[name, ["mean", "low", "high"]]
    return correlation_cell(Interval(mean, low, high))
