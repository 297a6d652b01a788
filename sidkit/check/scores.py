"""How often the checker is right: precision and recall of its findings on captions whose faults are known.

Two sets. *Grammar*: folders of four captions as Sticker World's grammar writes them, one fault planted in two of
three captions. *By hand*: 60 captions of photos (`by_hand.json`), written and labelled before the checker was;
it was developed on one half of each set, and what counts is the other half. Photos are not needed: words are what is
measured. A finding counts as right if the file has a fault of that kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from sidkit.check.check import KINDS, find
from sidkit.mark import MARK, class_caption
from sidkit.markdown import Markdown, code
from sidkit.stickers import grammar
from sidkit.stickers.drawing_words import looks
from sidkit.stickers.factors import Scene
from sidkit.stickers.sampling import sample_scene

BY_HAND = Path(__file__).with_name("by_hand.json")
CAPTIONS = 4  # captions of a planted subject
SPOILT = 2 / 3  # of the captions, about
REMARKS = ("on the left side", "facing right", "in the corner of the picture", "to the right of a fence")


@dataclass(frozen=True)
class Sample:
    """The captions of one subject, and the kinds of fault that each of them has."""

    class_word: str
    style: bool
    captions: dict[str, str]
    faults: dict[str, set[str]]

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """(file, kind) of every fault."""
        return {(file, kind) for file, kinds in self.faults.items() for kind in kinds}

    @cached_property
    def found(self) -> set[tuple[str, str]]:
        """(file, kind) of every finding."""
        findings = find(self.captions, self.class_word, style=self.style)
        return {(finding.file, finding.kind) for finding in findings}


def by_hand(half: str) -> list[Sample]:
    """The captions of photos, `half` "develop" or "held"."""
    samples = []
    for row in json.loads(BY_HAND.read_text(encoding="utf-8")):
        if row["half"] == half:
            faults = {file: set(kinds) for file, kinds in row["faults"].items()}
            samples.append(Sample(row["class_word"], False, row["captions"], faults))
    return samples


def planted(count: int, *, seed: int) -> list[Sample]:
    """`count` subjects of the grammar, four captions each, with faults planted in about two captions of three."""
    rng = np.random.default_rng(seed)
    return [_subject(rng) for _ in range(count)]


def scores(samples: list[Sample]) -> pd.DataFrame:
    """A row a kind, and one for all: captions with it, findings, precision and recall (nan where there were none)."""
    rows = {}
    for kind in (*KINDS, "all"):
        faults = findings = right = 0
        for sample in samples:
            planted_here = _of(kind, sample.pairs)
            found_here = _of(kind, sample.found)
            faults += len(planted_here)
            findings += len(found_here)
            right += len(planted_here & found_here)
        if faults or findings:
            precision = right / findings if findings else np.nan
            recall = right / faults if faults else np.nan
            rows[kind] = {"faults": faults, "findings": findings, "precision": precision, "recall": recall}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("kind")


def interval(right: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, which also has a width where all or none are right; (0, 1) of nothing.

    It takes one finding to say nothing of another, which is a little too sure for captions of the same subject.
    """
    from scipy.stats import binomtest  # takes a second, which checking need not wait for

    if not of:
        return 0.0, 1.0
    ends = binomtest(right, of).proportion_ci(method="wilson")
    return ends.low, ends.high


def mistakes(samples: list[Sample]) -> list[str]:
    """Each missed and each wrong finding, in words: what one looks at to make the checker better."""
    lines = []
    for sample in samples:
        for file, kind in sorted(sample.pairs - sample.found):
            lines.append(f"missed {kind}: {sample.captions[file]}")
        for file, kind in sorted(sample.found - sample.pairs):
            lines.append(f"wrong {kind}: {sample.captions[file]}")
    return lines


def table(sets: Mapping[str, list[Sample]]) -> pd.DataFrame:
    """A row a kind of finding: how many of the findings are right, and how many of the faults are found, by set."""
    score_by_set = {name: scores(samples) for name, samples in sets.items()}
    rows = []
    for kind in (*KINDS, "all"):
        if not any(kind in score.index for score in score_by_set.values()):
            continue
        row = {"Finding": code(kind) if kind in KINDS else kind}
        for name, score in score_by_set.items():
            row |= _counts(name, score, kind)
        rows.append(row)
    return pd.DataFrame(rows)


def sentence(name: str, samples: list[Sample]) -> Markdown:
    """A set's precision and recall with 95 % intervals."""
    faults, findings, precision, recall = scores(samples).loc["all"]
    captions = sum(len(sample.captions) for sample in samples)
    right = _share("precision", precision, findings)
    found = _share("recall", recall, faults)
    title = name.capitalize()
    sentence = Markdown("*{}*, {} captions with {:.0f} faults: {} and {}.")
    return sentence.format(title, captions, faults, right, found)


def _counts(name: str, score: pd.DataFrame, kind: str) -> dict[str, str]:
    """Two cells of a kind; a dash where a set has no such finding or fault."""
    faults = findings = precision = recall = 0.0
    if kind in score.index:
        faults, findings, precision, recall = score.loc[kind]
    right = _count(precision, findings)
    found = _count(recall, faults)
    return {f"Right, {name}": right, f"Found, {name}": found}


def _count(share: float, of: float) -> str:
    if not of:
        return "-"
    return f"{round(share * of)} of {of:.0f}"


def _share(name: str, share: float, of: float) -> str:
    count = round(share * of)
    low, high = interval(count, int(of))
    return f"{name} {share:.2f} [{low:.2f}, {high:.2f}]"


def _of(kind: str, pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    if kind == "all":
        return pairs
    return {(file, fault) for file, fault in pairs if fault == kind}


def _subject(rng: np.random.Generator) -> Sample:
    """Scenes of one subject that share an object, their case 3, and a fault in some. A copy is planted last."""
    scenes = _scenes(rng)
    captions = {f"{index:02}.png": _caption(scene, rng) for index, scene in enumerate(scenes)}
    sample = Sample(scenes[0].subject, False, captions, {})
    kinds = rng.permutation(list(PLANTS)).tolist()
    rows = zip(captions, scenes, kinds)
    for file, scene, kind in sorted(rows, key=lambda row: row[2] == "alike"):
        if rng.random() < SPOILT:
            _spoil(sample, file, scene, kind, rng)
    return sample


def _spoil(sample: Sample, file: str, scene: Scene, kind: str, rng: np.random.Generator) -> None:
    """Plant a fault in one caption, in place, if it can have it."""
    whole = []
    for other, text in sample.captions.items():
        if other < file and other not in sample.faults:
            whole.append(text)
    spoilt = PLANTS[kind](sample.captions[file], scene, rng, whole)
    if spoilt is not None:
        sample.captions[file] = spoilt
        sample.faults[file] = {kind}


def _scenes(rng: np.random.Generator) -> list[Scene]:
    """One subject with something that it wears and a balloon, in as many places as there are captions."""
    first = _with_balloon(rng)
    while first.tied is None:
        first = _with_balloon(rng)
    by_place: dict[str, Scene] = {first.background: first}
    while len(by_place) < CAPTIONS:
        other = sample_scene(rng)
        by_place.setdefault(other.background, other)
    return [
        replace(first, background=other.background, variant=other.variant, pose=other.pose)
        for other in by_place.values()
    ]


def _with_balloon(rng: np.random.Generator) -> Scene:
    return replace(sample_scene(rng), style=None, attribute=None, nearby="balloon", nearby_color="blue")


def _caption(scene: Scene, rng: np.random.Generator) -> str:
    return grammar.caption(scene, grammar.UNDESIRED, True, rng, identifier=MARK)


def _plant_looks(text: str, scene: Scene, rng: np.random.Generator, _: list[str]) -> str:
    """The grammar's own case 4, or the same looks in other places of the sentence."""
    word, *colors = looks(scene)
    colored = " and ".join(colors) or word
    subject = f"{MARK} {scene.subject}"
    ways = (
        f"{word} {colored} {subject}",
        f"{MARK} {colored} {scene.subject}",
        f"{subject} with {colored} markings",
        f"{subject} that is {colored}",
        f"{subject}, {colored}, ",
    )
    described = ways[int(rng.integers(len(ways)))]
    return text.replace(subject, described, 1)


def _plant_unsaid(text: str, scene: Scene, rng: np.random.Generator, _: list[str]) -> str:
    factors = ("background", "tied", "pose")
    return grammar.caption(scene, factors, True, rng, identifier=MARK)


def _plant_alike(text: str, scene: Scene, rng: np.random.Generator, whole: list[str]) -> str | None:
    """An earlier caption once more, with other little words; None where there is none to copy."""
    if not whole:
        return None
    copied = whole[int(rng.integers(len(whole)))]
    if "a photo of" in copied:
        return copied.replace("a photo of ", "here is ", 1)
    return f"this is {copied}"


def _plant_too_long(text: str, scene: Scene, rng: np.random.Generator, _: list[str]) -> str:
    """What stands behind the subject, six times more."""
    longer = _caption(scene, rng)
    _, _, rest = longer.partition(scene.subject)
    return text + 6 * f", {rest}"


PLANTS: dict[str, Callable[[str, Scene, np.random.Generator, list[str]], str | None]] = {
    "identifier-missing": lambda text, *_: text.replace(f"{MARK} ", "", 1),
    "identifier-twice": lambda text, scene, *_: f"{text}, the {MARK} {scene.subject}",
    "class-missing": lambda text, scene, *_: text.replace(f"{MARK} {scene.subject}", MARK, 1),
    "looks": _plant_looks,
    "bare": lambda text, scene, *_: class_caption(scene.subject),
    "unsaid": _plant_unsaid,
    "alike": _plant_alike,
    "too-long": _plant_too_long,
    "mirror": lambda text, scene, rng, _: f"{text} {REMARKS[int(rng.integers(len(REMARKS)))]}",
}
