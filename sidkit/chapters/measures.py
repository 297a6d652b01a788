"""Chapter 9: do the measures measure what they should? Against pictures whose truth is known, because we render them.

For a subject, pictures are made in which it is itself or another, and in which each of the undesired things of its
references is there or not, every mixture equally often. So identity and leakage are known and independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.masks.files import given_mask
from sidkit.measure.correlation import rank_correlation, rank_difference
from sidkit.measure.metrics import similarities
from sidkit.measure.pictures import measure
from sidkit.measure.statistics import Interval, case_means
from sidkit.model_cache import Models
from sidkit.stickers.factors import Scene
from sidkit.stickers.references import read_truth
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import render
from sidkit.study.claims import Claim, Verdict, judge
from sidkit.study.run import Study
from sidkit.study.tables import told_correlation
from sidkit.subjects import Prompt, Subject, load_images

EACH = {"smoke": 1, "quick": 4, "full": 12}  # pictures of a mixture and subject
PLAIN = "image-alignment"  # cosine of whole references and picture: CLIP-I
KEPT = "1 - NSD"  # so that, as leakage does, it rises with what is dragged along
MEASURES = (PLAIN, "SA", KEPT, "identity", "leakage")
IDENTITY, LEAKAGE = "true identity", "true leakage"
COLORS = {"nearby": "nearby_color", "tied": "tied_color", "background": "variant"}
COPIES, WANTED, DRAGGED = "references copied", "the subject elsewhere", "the subject and all its company"
COMPANY, UNRELATED = "the company without the subject", "nothing of either"
KINDS = (COPIES, WANTED, DRAGGED, COMPANY, UNRELATED)
SAID = (
    Claim("SA follows the subject better than plain image-alignment", "SA", IDENTITY, PLAIN, "higher", "sec. 6"),
    Claim("NSD follows what is dragged along better than plain image-alignment", KEPT, LEAKAGE, PLAIN, "higher",
          "sec. 6"),
    Claim("SA is moved less by what is dragged along than plain image-alignment", "SA", LEAKAGE, PLAIN, "lower",
          "sec. 6, appendix A"),
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A picture whose truth is known: whether it shows the subject, and which of the undesired things."""

    image: Image.Image
    same: bool
    kept: tuple[str, ...]
    turn: int


def made(subject: Subject, each: int, *, seed: int) -> list[Made]:
    """`each` pictures of every mixture: the subject or another, with every subset of what its references share."""
    truth = read_truth(subject)
    shown, rng = next(iter(truth.scenes.values())), np.random.default_rng([seed, 9])
    subsets = [kept for size in range(len(truth.shared) + 1) for kept in combinations(truth.shared, size)]
    return [
        Made(render(_mixed(shown, truth.shared, same, kept, rng), _side(subject), rng), same, kept, turn)
        for same in (True, False)
        for kept in subsets
        for turn in range(each)
    ]


def _mixed(shown: Scene, shared: Mapping[str, str], same: bool, kept: Sequence[str], rng: np.random.Generator) -> Scene:
    """A scene drawn anew until nothing of the references is in it by chance, then with what is wanted of them."""
    while True:
        scene = replace(sample_scene(rng), style=None, attribute=None, pose="standing")
        if scene.subject != shown.subject and not any(getattr(scene, factor) == shared[factor] for factor in shared):
            break
    told = {"subject": shown.subject, "design": shown.design, "hue": shown.hue} if same else {}
    told |= {name: getattr(shown, name) for factor in kept for name in (factor, COLORS[factor])}
    return replace(scene, **told)


def measured(study: Study, pictures: Mapping[str, Sequence[Made]]) -> pd.DataFrame:
    """A row a made picture: subject, prompt (its mixture), seed (its turn), the truth, and what the measures say."""
    models = Models(study.plan.profile)
    return pd.concat([_of_subject(models, study.subjects[name], made) for name, made in pictures.items()]).reset_index(
        drop=True
    )


def _of_subject(models: Models, subject: Subject, pictures: Sequence[Made]) -> pd.DataFrame:
    shared = read_truth(subject).shared
    frame = scored(models, subject, [one.image for one in pictures])
    return frame.assign(
        subject=subject.name,
        prompt=[f"{one.same} {'+'.join(one.kept)}" for one in pictures],
        seed=[one.turn for one in pictures],
        kind=[_kind(one, len(shared)) for one in pictures],
        **{IDENTITY: [float(one.same) for one in pictures], LEAKAGE: [len(one.kept) / len(shared) for one in pictures]},
    )


def scored(models: Models, subject: Subject, images: Sequence[Image.Image]) -> pd.DataFrame:
    """The measures of pictures against a subject's references, plain image-alignment and 1 - NSD among them."""
    references, masks = load_images(subject), [given_mask(path) for path in subject.images]
    prompt = Prompt(f"a photo of a [v] {subject.class_word}", "given", {})
    frame = measure(models, references, masks, [prompt], [images], read_truth(subject).shared)
    look = models.image_text.images
    plain = similarities(look(references), look(list(images))).mean(axis=0)
    return frame.assign(**{PLAIN: plain, KEPT: 1 - frame["NSD"]})


def copies(study: Study) -> pd.DataFrame:
    """The references themselves, measured as if a model had drawn them: full identity, full leakage."""
    models, frames = Models(study.plan.profile), []
    for name, subject in study.subjects.items():
        frame = scored(models, subject, load_images(subject))
        frames.append(frame.assign(subject=name, prompt=COPIES, seed=range(len(frame)), kind=COPIES))
    return pd.concat(frames, ignore_index=True)


def drawn(study: Study) -> pd.DataFrame:
    """The study's own frame with plain image-alignment and 1 - NSD."""
    models, frame = Models(study.plan.profile), study.frame.copy()
    frame[PLAIN], frame[KEPT] = np.nan, 1 - frame["NSD"]
    for (name, arm), rows in frame.groupby(["subject", "arm"], sort=False):
        look = models.image_text.images
        count = study.plan.pictures
        images = [study.picture(name, arm, index // count, index % count) for index in range(len(rows))]
        references = load_images(study.subjects[name])
        frame.loc[rows.index, PLAIN] = similarities(look(references), look(images)).mean(axis=0)
    return frame


def correlations(frame: pd.DataFrame, truth: str, *, seed: int) -> pd.DataFrame:
    """For `plot.metrics_by_case`: a row a measure, its rank correlation with a truth: `mean`, `low`, `high`."""
    found = {name: rank_correlation(frame, name, truth, seed=seed) for name in MEASURES if name != truth}
    cells = [(one.mean, one.low, one.high) for one in found.values()]
    return pd.DataFrame(cells, index=pd.Index(found, name="measure"), columns=["mean", "low", "high"])


def table(frame: pd.DataFrame, truths: Sequence[str], *, seed: int) -> pd.DataFrame:
    """A row a measure, a column a truth: rank correlations with 95 % intervals."""
    columns = {truth: correlations(frame, truth, seed=seed) for truth in truths}
    rows = [{"Measure": name, **{truth: _told(rows, name) for truth, rows in columns.items()}} for name in MEASURES]
    return pd.DataFrame(rows)


def kinds_table(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row a kind of picture, the degenerate ones among them; a column a measure, with intervals."""
    means = {name: case_means(frame, name, seed=seed, by="kind") for name in MEASURES}
    rows = [
        {"Pictures": kind, **{name: _told(rows, kind) for name, rows in means.items()}}
        for kind in KINDS
        if kind in set(frame["kind"])
    ]
    return pd.DataFrame(rows)


def verdicts(frame: pd.DataFrame, *, seed: int) -> list[Verdict]:
    """The paper's reasons for its measures, by differences of rank correlations over the same resamples."""
    gaps = [rank_difference(frame, one.measure, one.against, one.case, seed=seed) for one in SAID]
    return [judge(claim, gap) for claim, gap in zip(SAID, gaps)]


def examples(pictures: Sequence[Made], shared: int) -> tuple[list[Image.Image], list[str]]:
    """One picture of each kind that is made, with its name."""
    found = {}
    for one in pictures:
        found.setdefault(_kind(one, shared), one.image)
    shown = [kind for kind in KINDS if kind in found]
    return [found[kind] for kind in shown], shown


def _kind(one: Made, shared: int) -> str:
    """One of KINDS for the corners of the mixtures, otherwise nothing."""
    if len(one.kept) not in (0, shared):
        return ""
    return {(True, False): WANTED, (True, True): DRAGGED, (False, True): COMPANY, (False, False): UNRELATED}[
        one.same, bool(one.kept)
    ]


def _side(subject: Subject) -> int:
    return load_images(subject)[0].width


def _told(rows: pd.DataFrame, name: str) -> str:
    if name not in rows.index:
        return "-"
    return told_correlation(Interval(*rows.loc[name, ["mean", "low", "high"]]))
