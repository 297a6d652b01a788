"""Chapter 9: do the measures measure what they should? Against pictures whose truth is known, because we render them.

For a subject, pictures are made in which it is itself or another, and in which each of the undesired things of its
references is there or not, every mixture equally often. So identity and leakage are known and independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, product
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.chapters import cast
from sidkit.masks.given import given_mask
from sidkit.measure.correlation import rank_correlation, rank_difference
from sidkit.measure.encoders import Instruments
from sidkit.measure.metrics import image_alignment
from sidkit.measure.pictures import measure
from sidkit.measure.statistics import Interval, case_means
from sidkit.model_cache import Models
from sidkit.raters import preferences
from sidkit.raters.pairs import Pair
from sidkit.stickers.factors import Scene
from sidkit.stickers.references import read_truth
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import render
from sidkit.study import rater_pairs
from sidkit.study.chapter import Results
from sidkit.study.claims import Claim, Statement, Trial, reach
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
COLORS = {"nearby": "nearby_color", "tied": "tied_color", "background": "variant"}
COPIES = "references copied"
KIND_OF_CORNER = {  # by whether the subject is there, and whether its company is
    (True, False): "the subject elsewhere",
    (True, True): "the subject and all its company",
    (False, True): "the company without the subject",
    (False, False): "nothing of either",
}
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
class Mixture:
    """A picture whose truth is known: whether it shows the subject, and which of the undesired things."""

    image: Image.Image
    is_subject: bool
    kept: tuple[str, ...]  # factors of the references' company that it shows
    turn: int  # among the pictures of the same mixture


@dataclass(frozen=True)
class Findings:
    """The mixtures of each subject, and their measures, a row a mixture."""

    mixtures: dict[str, list[Mixture]]
    frame: pd.DataFrame


def plans(scale: str, *, profile: str = "stickers", subjects: Sequence[str] = (), seed: int = 0) -> dict[str, Plan]:
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
    count = results.parameters.get("each") or cast.of("measures", "pictures of a mixture", results.scale)
    mixtures = {name: mixed(subject, count, seed=results.seed) for name, subject in results.main.subjects.items()}
    return Findings(mixtures, measured(results.main, mixtures))


def claims(results: Results) -> list[Trial]:
    """The paper's reasons for its measures, by differences of rank correlations over the same resamples."""
    frame, seed = results.findings.frame, results.seed
    return [
        Trial(claim, difference=rank_difference(frame, claim.measure, claim.against, claim.case, seed=seed))
        for claim in CLAIMS
    ]


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """Rank correlations with both truths, the corners of the mixtures, the drawn pictures, what raters would say."""
    study, frame, seed = results.main, results.findings.frame, results.seed
    corners = pd.concat([copies(study), frame[frame["kind"] != ""]], ignore_index=True)
    return {
        "table": correlations_table(frame, (IDENTITY, LEAKAGE), seed=seed),
        "kinds": kinds_table(corners, seed=seed),
        "seen": correlations_table(drawn(study), ("leakage", "identity"), seed=seed),
        "rated": rater_pairs.table(_ratings(results), seed=seed),
    }


def values(results: Results) -> dict[str, Any]:
    """How many mixtures and drawn pictures there are, and what is to be said of the raters."""
    frame = results.findings.frame
    return {
        "known": len(frame),
        "drawn": len(results.main.frame),
        "raters": " ".join(preferences.notes(_ratings(results))),
        "reach": reach(frame),
    }


def mixed(subject: Subject, each: int, *, seed: int) -> list[Mixture]:
    """`each` pictures of every mixture: the subject or another, with every subset of what its references share."""
    truth = read_truth(subject)
    shown = next(iter(truth.scenes.values()))
    side = load_images(subject)[0].width
    rng = np.random.default_rng([seed, 9])
    sizes = range(len(truth.shared) + 1)
    subsets = list(chain.from_iterable(combinations(truth.shared, size) for size in sizes))
    mixtures = []
    for is_subject, kept, turn in product((True, False), subsets, range(each)):
        scene = _mixed_scene(shown, truth.shared, is_subject, kept, rng)
        mixtures.append(Mixture(render(scene, side, rng), is_subject, kept, turn))
    return mixtures


def measured(study: Study, mixtures: Mapping[str, Sequence[Mixture]]) -> pd.DataFrame:
    """A row a mixture: subject, prompt (which mixture), seed (its turn), the truth, and what the measures say."""
    instruments = Models(study.plan.profile).instruments
    frames = [_of_subject(instruments, study.subjects[name], of_subject) for name, of_subject in mixtures.items()]
    return pd.concat(frames).reset_index(drop=True)


def scored(instruments: Instruments, subject: Subject, images: Sequence[Image.Image]) -> pd.DataFrame:
    """The measures of pictures against a subject's references, plain image-alignment and 1 - NSD among them."""
    references = load_images(subject)
    masks = [given_mask(path) for path in subject.images]
    prompt = Prompt(f"a photo of a [v] {subject.class_word}", "given", {})
    frame = measure(instruments, references, masks, [prompt], [images], read_truth(subject).shared)
    return frame.assign(**{PLAIN: _image_alignment(instruments, references, images), KEPT: 1 - frame["NSD"]})


def copies(study: Study) -> pd.DataFrame:
    """The references themselves, measured as if a model had drawn them: full identity, full leakage."""
    instruments = Models(study.plan.profile).instruments
    frames = []
    for name, subject in study.subjects.items():
        frame = scored(instruments, subject, load_images(subject))
        frames.append(frame.assign(subject=name, prompt=COPIES, seed=range(len(frame)), kind=COPIES))
    return pd.concat(frames, ignore_index=True)


def drawn(study: Study) -> pd.DataFrame:
    """The study's own frame with plain image-alignment and 1 - NSD."""
    instruments = Models(study.plan.profile).instruments
    frame = study.frame.assign(**{PLAIN: np.nan, KEPT: 1 - study.frame["NSD"]})
    count = study.plan.pictures
    for (name, arm), rows in frame.groupby(["subject", "arm"], sort=False):
        images = [study.picture(name, arm, *divmod(index, count)) for index in range(len(rows))]
        frame.loc[rows.index, PLAIN] = _image_alignment(instruments, load_images(study.subjects[name]), images)
    return frame


def correlations(frame: pd.DataFrame, truth: str, *, seed: int) -> pd.DataFrame:
    """For `charts.metrics_by_case`: a row a measure, its rank correlation with a truth: `mean`, `low`, `high`."""
    names = [name for name in MEASURES if name != truth]
    intervals = [rank_correlation(frame, name, truth, seed=seed) for name in names]
    cells = [(interval.mean, interval.low, interval.high) for interval in intervals]
    return pd.DataFrame(cells, index=pd.Index(names, name="measure"), columns=["mean", "low", "high"])


def panels(frame: pd.DataFrame, *, seed: int) -> dict[str, pd.DataFrame]:
    """The rank correlations with both truths for `charts.metrics_by_case`."""
    return {f"with {truth}": correlations(frame, truth, seed=seed) for truth in (IDENTITY, LEAKAGE)}


def correlations_table(frame: pd.DataFrame, truths: Sequence[str], *, seed: int) -> pd.DataFrame:
    """A row a measure, a column a truth: rank correlations with 95 % intervals."""
    rows_by_truth = {truth: correlations(frame, truth, seed=seed) for truth in truths}
    table = []
    for name in MEASURES:
        cells = {truth: _cell(rows, name) for truth, rows in rows_by_truth.items()}
        table.append({"Measure": name, **cells})
    return pd.DataFrame(table)


def kinds_table(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row a kind of picture, the degenerate ones among them; a column a measure, with intervals."""
    means_by_measure = {name: case_means(frame, name, seed=seed, by="kind") for name in MEASURES}
    known = set(frame["kind"])
    table = []
    for kind in KINDS:
        if kind in known:
            cells = {name: _cell(means, kind) for name, means in means_by_measure.items()}
            table.append({"Pictures": kind, **cells})
    return pd.DataFrame(table)


def examples(results: Results) -> tuple[list[Image.Image], list[str]]:
    """One picture of each corner of the first subject's mixtures, with its name."""
    name, subject = next(iter(results.main.subjects.items()))
    image_by_kind: dict[str, Image.Image] = {}
    for mixture in results.findings.mixtures[name]:
        image_by_kind.setdefault(_kind(mixture, len(subject.bias)), mixture.image)
    shown = [kind for kind in KINDS if kind in image_by_kind]
    return [image_by_kind[kind] for kind in shown], shown


def rated_pairs(results: Results) -> list[Pair]:
    """Pairs of the usual captions' pictures and SID's, as raters would see them."""
    usual, sid = (arm.name for arm in results.main.plan.arms if arm.case in (1, 3))
    return rater_pairs.pairs_of(results.main, usual, sid, RATED_PAIRS, results.seed)


def _ratings(results: Results):
    pairs = rated_pairs(results)
    return rater_pairs.simulated_ratings(results.main, pairs, raters=RATERS, noise=NOISE, seed=results.seed)


def _mixed_scene(
    shown: Scene, shared: Mapping[str, str], is_subject: bool, kept: Sequence[str], rng: np.random.Generator
) -> Scene:
    """A scene drawn anew until nothing of the references is in it by chance, then with what is wanted of them."""
    while True:
        scene = replace(sample_scene(rng), style=None, attribute=None, pose="standing")
        by_chance = any(getattr(scene, factor) == value for factor, value in shared.items())
        if scene.subject != shown.subject and not by_chance:
            break
    wanted = ["subject", "design", "hue"] if is_subject else []
    for factor in kept:
        wanted += [factor, COLORS[factor]]
    return replace(scene, **{name: getattr(shown, name) for name in wanted})


def _of_subject(instruments: Instruments, subject: Subject, mixtures: Sequence[Mixture]) -> pd.DataFrame:
    company = read_truth(subject).shared
    frame = scored(instruments, subject, [mixture.image for mixture in mixtures])
    truths = {
        IDENTITY: [float(mixture.is_subject) for mixture in mixtures],
        LEAKAGE: [len(mixture.kept) / len(company) for mixture in mixtures],
    }
    return frame.assign(
        subject=subject.name,
        prompt=[f"{mixture.is_subject} {'+'.join(mixture.kept)}" for mixture in mixtures],
        seed=[mixture.turn for mixture in mixtures],
        kind=[_kind(mixture, len(company)) for mixture in mixtures],
        **truths,
    )


def _image_alignment(
    instruments: Instruments, references: Sequence[Image.Image], images: Sequence[Image.Image]
) -> np.ndarray:
    """Each picture's mean cosine with the whole references (M,)."""
    look = instruments.image_text.images
    return image_alignment(look(references), look(list(images)))


def _kind(mixture: Mixture, shared: int) -> str:
    """One of KINDS for the corners of the mixtures, otherwise nothing."""
    if len(mixture.kept) not in (0, shared):
        return ""
    return KIND_OF_CORNER[mixture.is_subject, bool(mixture.kept)]


def _cell(rows: pd.DataFrame, name: str) -> str:
    if name not in rows.index:
        return "-"
    return correlation_cell(Interval(*rows.loc[name, ["mean", "low", "high"]]))
