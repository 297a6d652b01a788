"""Sticker subjects: reference pictures of a design that pretraining never saw, all with the same undesired things.

As in the paper's Fig. 3 the references share what shall not be learnt, so we know what may leak. The rest changes from
picture to picture: the layout, with several references the pose, and the place where it is not one of the biases.

Two biases are of another kind (Fig. 1). Of *pose*, all references show the same unusual pose. Of *substance*, what is
learnt is not a thing but a style that pretraining never saw, and what shall not be learnt is all that is painted.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from sidkit.captions import CAPTIONS
from sidkit.config import check_name
from sidkit.mark import MARK
from sidkit.stickers import factors, grammar, vocabulary
from sidkit.stickers.factors import Scene, subject_classes
from sidkit.stickers.looks import looks
from sidkit.stickers.sampling import known_designs
from sidkit.stickers.scenes import compose
from sidkit.subjects import Prompt, Subject, load_subject

SHARED = ("background", "nearby", "tied")  # what the references of a thing may share
BIASES = (*SHARED, "pose", "substance")
STYLE_WORD = "art"  # the class word of a style: "in the style of [v] art"
SCENES = "scenes.json"
MASKS, OUTLINES = "masks", "outlines"  # folders: of the subject alone, and with what it wears
UNUSUAL = ("upside down", "lying", "tilted")  # poses that a prompt would have to ask for
POSES = ("standing", "tilted", "jumping", "close up")  # of several references, in turn; the first one stands


@dataclass(frozen=True)
class Truth:
    """What the references show: each file's scene, and the undesired value that all of them share, by factor."""

    scenes: dict[str, Scene]
    shared: dict[str, str]


def make_subject(
    folder: Path | str,
    subject_class: str,
    bias: str | Collection[str],
    references: int = 4,
    *,
    seed: int,
    size: int = 64,
) -> Subject:
    """Render a subject into `folder`: pictures of `size` px, captions of the four cases, masks and the true scenes.

    `masks` hold the subject alone, as only the renderer knows it; `outlines` (the function) what it wears, too.
    `bias` is one or more of BIASES: which undesired things the references share; nearby and tied things that are not
    shared are not there. A class and seed have the same things, whichever of them `bias` keeps. `substance` stands
    alone: the subject is a style, whose pictures all show the class in one place, and there are no masks.
    Raises ValueError for an unknown class or bias.
    """
    check_name("subject class", subject_class, subject_classes())
    bias = tuple(check_name("bias", one, BIASES) for one in ([bias] if isinstance(bias, str) else bias))
    if references < 1 or not bias:
        raise ValueError(f"expected at least one reference and one bias, got {references} and {len(bias)}")
    if "substance" in bias and len(bias) > 1:
        raise ValueError(f"bias: expected substance alone, since a style has no other, got {' and '.join(bias)}")
    rng = np.random.default_rng([seed, zlib.crc32(subject_class.encode())])
    scenes = (_painted if "substance" in bias else _scenes)(subject_class, bias, references, rng)
    _write(Path(folder), scenes, bias, size, rng)
    return load_subject(folder)


def read_truth(subject: Subject) -> Truth:
    """The scenes of a sticker subject. `shared` names what every picture has and none should give to `[v]`.

    That is a background, a nearby and a tied thing, the pose where it is the bias, and of a style the class and place.
    """
    path = subject.folder / SCENES
    if not path.is_file():
        raise ValueError(f"subject {subject.name}: expected a sticker subject with {path}, found none")
    scenes = {file: Scene(**told) for file, told in json.loads(path.read_text()).items()}
    fields = {factor: factor for factor in (*SHARED, "pose") if factor != "pose" or "pose" in subject.bias}
    if subject.of_style:
        fields = {"class": "subject", "background": "background"}
    values = {factor: {getattr(scene, name) for scene in scenes.values()} for factor, name in fields.items()}
    return Truth(scenes, {factor: seen.pop() for factor, seen in values.items() if len(seen) == 1 and None not in seen})


def things_by_picture(folder: Path) -> dict[str, dict[str, str]]:
    """What the scenes of a sticker subject's folder hold of each undesired factor, by file."""
    scenes = json.loads((folder / SCENES).read_text())
    return {file: {factor: scene[factor] for factor in BIASES if scene.get(factor)} for file, scene in scenes.items()}


def outlines(subject: Subject) -> list[np.ndarray]:
    """Boolean (height, width) masks of a subject with what it wears, one an image; none where there are none."""
    files = [subject.folder / OUTLINES / f"{image.stem}.png" for image in subject.images]
    return [np.asarray(Image.open(file).convert("L")) > 127 for file in files if file.is_file()]


def prompts(subject: Subject, each: int = 2, *, seed: int = 0) -> list[Prompt]:
    """`each` prompts of each kind, the kinds in turn, so that any first few are a mixture. No prompt asks for anything
    that a reference shows.

    Kinds: recontextualization (a new place), nearby and accessory (a new thing, every other time in a new place), and
    property (a colour or material that the subject does not have, Fig. 11). Of a style, all ask for something else to
    be painted (content), every other time in a place.
    """
    rng = np.random.default_rng([seed, zlib.crc32(subject.class_word.encode())])
    if subject.of_style:
        return _style_prompts(subject, 4 * each, rng)
    new = _unseen(read_truth(subject), rng)
    most = min(map(len, new.values()))
    if not 1 <= each <= most:
        raise ValueError(f"prompts: expected 1 to {most} of each kind, got {each}")
    found = []
    for turn in range(each):
        asked = {factor: values[turn] for factor, values in new.items()}
        place = {"background": new["background"][-1 - turn]} if turn % 2 else {}
        found += [
            _prompt(subject, "recontextualization", {"background": asked["background"]}),
            _prompt(subject, "nearby", {"nearby": asked["nearby"]} | place),
            _prompt(subject, "accessory", {"tied": asked["tied"]} | place),
            _prompt(subject, "property", {"attribute": asked["attribute"]}),
        ]
    return found


def _scenes(subject_class: str, bias: Sequence[str], references: int, rng: np.random.Generator) -> list[Scene]:
    """Everything is drawn first, so that a bias does not change what the others are."""
    places = rng.permutation(list(factors.PLACES)).tolist()
    nearby, tied = (str(rng.choice(list(known))) for known in (factors.NEARBY, factors.TIED))
    nearby_color, tied_color = rng.choice(factors.OBJECT_COLORS, 2, replace=False).tolist()
    poses = [POSES[0], *rng.permutation(POSES[1:]).tolist()]
    unusual = str(rng.choice(UNUSUAL))
    variants = {place: str(rng.choice(known)) for place, known in factors.PLACES.items()}
    absent = [factor for name in ("nearby", "tied") if name not in bias for factor in (name, f"{name}_color")]
    (design,) = known_designs(subject_class, held_out=True)
    scenes = []
    for index in range(references):
        place = places[0 if "background" in bias else index % len(places)]
        pose = unusual if "pose" in bias else poses[index % len(poses)]
        scene = Scene(subject_class, design, place, variants[place], pose=pose)
        scene = replace(scene, nearby=nearby, nearby_color=nearby_color, tied=tied, tied_color=tied_color)
        scenes.append(scene.without(*absent))
    return scenes


def _painted(subject_class: str, bias: Sequence[str], references: int, rng: np.random.Generator) -> list[Scene]:
    """One class in one place, in a held-out style."""
    place = str(rng.choice(list(factors.PLACES)))
    style, variant = str(rng.choice(factors.TEST_STYLES)), str(rng.choice(factors.PLACES[place]))
    drawings = known_designs(subject_class, held_out=subject_class in factors.TEST_SUBJECTS)
    return [
        Scene(subject_class, drawings[index % len(drawings)], place, variant, style=style)
        for index in range(references)
    ]


def _style_prompts(subject: Subject, count: int, rng: np.random.Generator) -> list[Prompt]:
    """Other things to paint, every other one in another place."""
    shown = read_truth(subject).shared
    things = [str(one) for one in rng.permutation(list(factors.SUBJECTS)) if one != shown.get("class")]
    places = [str(one) for one in rng.permutation(list(factors.PLACES)) if one != shown.get("background")]
    if not 1 <= count <= len(things):
        raise ValueError(f"prompts: expected 1 to {len(things)} of a style, got {count}")
    found = []
    for index, thing in enumerate(things[:count]):
        asked = {"class": thing} | ({"background": places[index % len(places)]} if index % 2 else {})
        where = [vocabulary.place_phrases(asked["background"])[0]] if index % 2 else []
        said = ["a painting of", vocabulary.with_article(thing), *where, f"in the style of {MARK} {subject.class_word}"]
        found.append(Prompt(" ".join(said), "content", asked))
    return found


def _write(folder: Path, scenes: list[Scene], bias: Sequence[str], size: int, rng: np.random.Generator) -> None:
    style = "substance" in bias  # then the whole picture is the subject, and a mask of it would say nothing
    for made in (folder,) if style else (folder / MASKS, folder / OUTLINES):
        made.mkdir(parents=True, exist_ok=True)
    captions, subject_class = {}, scenes[0].subject
    files = {f"{index:02}.png": scene for index, scene in enumerate(scenes)}
    for file, scene in files.items():
        composed = compose(scene, size, rng)
        composed.image.save(folder / file)
        if not style:
            masks = composed.masks
            Image.fromarray(masks["subject"]).save(folder / MASKS / file)
            Image.fromarray(masks["subject"] | masks["tied"]).save(folder / OUTLINES / file)
        captions[file] = (grammar.style_cases if style else grammar.cases)(scene, rng, identifier=MARK)
    told = {
        "name": f"{subject_class}-{'+'.join(bias)}",
        "class_word": STYLE_WORD if style else subject_class,
        "bias": bias,
        "captions": captions,
    }
    (folder / SCENES).write_text(json.dumps({file: asdict(scene) for file, scene in files.items()}, indent=1) + "\n")
    (folder / CAPTIONS).write_text(json.dumps(told, indent=1) + "\n")


def _unseen(truth: Truth, rng: np.random.Generator) -> dict[str, list[str]]:
    """The values of each factor that no reference shows, shuffled; no attribute is one of the subject's colours."""
    known = {
        "background": factors.PLACES,
        "nearby": factors.NEARBY,
        "tied": factors.TIED,
        "attribute": factors.ATTRIBUTES,
    }
    shown = {factor: {getattr(scene, factor) for scene in truth.scenes.values()} for factor in SHARED}
    shown["attribute"] = {color for scene in truth.scenes.values() for color in looks(scene)}
    orders = {factor: rng.permutation(list(values)).tolist() for factor, values in known.items()}
    return {factor: [value for value in order if value not in shown[factor]] for factor, order in orders.items()}


def _prompt(subject: Subject, kind: str, asked: dict[str, str]) -> Prompt:
    """What is asked, in the grammar's plainest words: "a photo of a [v] dog wearing a crown on a beach"."""
    phrases = {
        "tied": vocabulary.tied_phrases,
        "nearby": vocabulary.nearby_phrases,
        "background": vocabulary.place_phrases,
    }
    named = f"{asked['attribute']} {MARK}" if "attribute" in asked else MARK
    said = [say(asked[factor])[0] for factor, say in phrases.items() if factor in asked]
    return Prompt(" ".join(["a photo of", _article(named), subject.class_word, *said]), kind, asked)


def _article(named: str) -> str:
    return f"a {named}" if named == MARK else vocabulary.with_article(named)
