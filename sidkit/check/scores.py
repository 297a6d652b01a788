"""How often the checker is right: precision and recall of its findings on captions whose faults are known.

Two sets. *Grammar*: folders of four captions as Sticker World's grammar writes them, one fault planted in two of
three captions. *By hand*: 60 captions of photos (`by_hand.json`), written and labelled before the checker was;
it was developed on one half of each set, and what counts is the other half. Photos are not needed: words are what is
measured. A finding counts as right if the file has a fault of that kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from sidkit.check.check import KINDS, find
from sidkit.mark import MARK
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.looks import looks
from sidkit.stickers.sampling import sample_scene

BY_HAND = Path(__file__).with_name("by_hand.json")
FOLDER = 4  # captions of a planted subject
REMARKS = ("on the left side", "facing right", "in the corner of the picture", "to the right of a fence")


@dataclass(frozen=True)
class Sample:
    """The captions of one subject, and the kinds of fault that each of them has."""

    class_word: str
    style: bool
    captions: dict[str, str]
    faults: dict[str, set[str]]


def by_hand(half: str) -> list[Sample]:
    """The captions of photos, `half` "develop" or "held"."""
    told = [row for row in json.loads(BY_HAND.read_text(encoding="utf-8")) if row["half"] == half]
    return [
        Sample(row["class_word"], False, row["captions"], {file: set(kinds) for file, kinds in row["faults"].items()})
        for row in told
    ]


def planted(count: int, *, seed: int) -> list[Sample]:
    """`count` subjects of the grammar, four captions each, with faults planted in about two captions of three."""
    rng = np.random.default_rng(seed)
    return [_subject(rng) for _ in range(count)]


def scores(samples: list[Sample]) -> pd.DataFrame:
    """A row a kind, and one for all: captions with it, findings, precision and recall (nan where there were none)."""
    pairs = [(set(_pairs(sample)), set(_found(sample))) for sample in samples]
    rows = []
    for kind in (*KINDS, "all"):
        wanted, given, right = np.sum([_counts(_of(kind, true), _of(kind, found)) for true, found in pairs], axis=0)
        if wanted or given:
            rows.append((kind, wanted, given, right / given if given else np.nan, right / wanted if wanted else np.nan))
    return pd.DataFrame(rows, columns=["kind", "faults", "findings", "precision", "recall"]).set_index("kind")


def interval(right: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, which also has a width where all or none are right; (0, 1) of nothing.

    It takes one finding to say nothing of another, which is a little too sure for captions of the same subject.
    """
    if not of:
        return 0.0, 1.0
    share, z = right / of, 1.96
    middle, half = share + z * z / (2 * of), z * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return float((middle - half) / (1 + z * z / of)), float((middle + half) / (1 + z * z / of))


def mistakes(samples: list[Sample]) -> list[str]:
    """Each missed and each wrong finding, in words: what one looks at to make the checker better."""
    told = []
    for sample in samples:
        true, found = set(_pairs(sample)), set(_found(sample))
        told += [f"missed {kind}: {sample.captions[file]}" for file, kind in sorted(true - found)]
        told += [f"wrong {kind}: {sample.captions[file]}" for file, kind in sorted(found - true)]
    return told


def _counts(true: set, found: set) -> tuple[int, int, int]:
    """Faults that are there, findings, and findings that are right."""
    return len(true), len(found), len(true & found)


def _of(kind: str, pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {pair for pair in pairs if kind in ("all", pair[1])}


def _pairs(sample: Sample) -> Iterator[tuple[str, str]]:
    yield from ((file, kind) for file, kinds in sample.faults.items() for kind in kinds)


def _found(sample: Sample) -> Iterator[tuple[str, str]]:
    for finding in find(sample.captions, sample.class_word, style=sample.style):
        yield finding.file, finding.kind


def _subject(rng: np.random.Generator) -> Sample:
    """Scenes of one subject that share an object, their case 3, and a fault in some. A copy is planted last."""
    scenes = _scenes(rng)
    captions = {f"{index:02}.png": _caption(scene, rng) for index, scene in enumerate(scenes)}
    faults: dict[str, set[str]] = {}
    kinds = rng.permutation(list(PLANTS)).tolist()[:FOLDER]
    for (file, text), scene, kind in sorted(zip(captions.items(), scenes, kinds), key=lambda row: row[2] == "alike"):
        whole = [captions[other] for other in captions if other < file and other not in faults]
        if rng.random() < 2 / 3 and (new := PLANTS[kind](text, scene, rng, whole)) is not None:
            captions[file], faults[file] = new, {kind}
    return Sample(scenes[0].subject, False, captions, faults)


def _scenes(rng: np.random.Generator) -> list[Scene]:
    first = replace(sample_scene(rng), style=None, attribute=None, nearby="balloon", nearby_color="blue")
    while first.tied is None:
        first = replace(sample_scene(rng), style=None, attribute=None, nearby="balloon", nearby_color="blue")
    others: dict[str, Scene] = {first.background: first}
    while len(others) < FOLDER:
        other = sample_scene(rng)
        others.setdefault(other.background, other)
    return [replace(first, background=one.background, variant=one.variant, pose=one.pose) for one in others.values()]


def _caption(scene: Scene, rng: np.random.Generator) -> str:
    return grammar.caption(scene, grammar.UNDESIRED, True, rng, identifier=MARK)


def _plant_looks(text: str, scene: Scene, rng: np.random.Generator, _: list) -> str:
    """The grammar's own case 4, or the same looks in other places of the sentence."""
    word, *colors = looks(scene)
    told = " and ".join(colors) or word
    subject = f"{MARK} {scene.subject}"
    ways = (
        text.replace(MARK, f"{word} {told} {MARK}", 1),
        text.replace(subject, f"{MARK} {told} {scene.subject}", 1),
        text.replace(subject, f"{subject} with {told} markings", 1),
        text.replace(subject, f"{subject} that is {told}", 1),
        text.replace(subject, f"{subject}, {told}, ", 1),
    )
    return ways[int(rng.integers(len(ways)))]


def _plant_unsaid(text: str, scene: Scene, rng: np.random.Generator, _: list) -> str:
    return grammar.caption(scene, ("background", "tied", "pose"), True, rng, identifier=MARK)


def _plant_alike(text: str, scene: Scene, rng: np.random.Generator, whole: list[str]) -> str | None:
    """An earlier caption once more, with other little words; None where there is none to copy."""
    if not whole:
        return None
    copied = whole[int(rng.integers(len(whole)))]
    return copied.replace("a photo of ", "here is ", 1) if "a photo of" in copied else f"this is {copied}"


PLANTS: dict[str, Callable[[str, Scene, np.random.Generator, list[str]], str | None]] = {
    "identifier-missing": lambda text, *_: text.replace(f"{MARK} ", "", 1),
    "identifier-twice": lambda text, scene, *_: f"{text}, the {MARK} {scene.subject}",
    "class-missing": lambda text, scene, *_: text.replace(f"{MARK} {scene.subject}", MARK, 1),
    "looks": _plant_looks,
    "bare": lambda text, scene, *_: f"a photo of a {MARK} {scene.subject}",
    "unsaid": _plant_unsaid,
    "alike": _plant_alike,
    "too-long": lambda text, scene, rng, _: (
        f"{text}, " + ", ".join([_caption(scene, rng).partition(scene.subject)[2]] * 6)
    ),
    "mirror": lambda text, scene, rng, _: f"{text} {REMARKS[int(rng.integers(len(REMARKS)))]}",
}
