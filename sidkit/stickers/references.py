"""Sticker subjects: reference pictures of a design that pretraining never saw, all with the same undesired things.

As in the paper's Fig. 3 the references share what shall not be learnt, so we know what may leak. The rest changes from
picture to picture: the layout, with several references the pose, and the place where it is not one of the biases.

Two biases are of another kind (Fig. 1). Of *pose*, all references show the same unusual pose. Of *substance*, what is
learnt is not a thing but a style that pretraining never saw, and what shall not be learnt is all that is painted.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sidkit.captions import CAPTIONS
from sidkit.config import check_name
from sidkit.files import write_json
from sidkit.image_files import opened
from sidkit.mark import MARK
from sidkit.stickers import factors, grammar
from sidkit.stickers.factors import Scene, subject_classes
from sidkit.stickers.sampling import known_designs
from sidkit.stickers.scenes import Composition, compose
from sidkit.subjects import Subject, load_subject

SHARED = ("background", "nearby", "tied")  # what the references of a thing may share
BIASES = (*SHARED, "pose", "substance")
STYLE_WORD = "art"  # the class word of a style: "in the style of [v] art"
SCENES = "scenes.json"
MASKS, OUTLINES = "masks", "outlines"  # folders: of the subject alone, and with what it wears
UNUSUAL = ("upside down", "lying", "tilted")  # poses that a prompt would have to ask for
POSES_IN_TURN = ("standing", "tilted", "jumping", "close up")  # of several references, in turn; the first one stands


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
    biases = _checked([bias] if isinstance(bias, str) else bias)
    if references < 1:
        raise ValueError(f"references: expected at least one, got {references}")
    rng = seeded(seed, subject_class)
    if "substance" in biases:
        scenes = _painted(subject_class, references, rng)
    else:
        scenes = _scenes(subject_class, biases, references, rng)
    _write(Path(folder), scenes, biases, size, rng)
    return load_subject(folder)


def read_truth(subject: Subject) -> Truth:
    """The scenes of a sticker subject. `shared` names what every picture has and none should give to `[v]`.

    That is a background, a nearby and a tied thing, the pose where it is the bias, and of a style the class and place.
    """
    path = subject.folder / SCENES
    if not path.is_file():
        raise ValueError(f"subject {subject.name}: expected a sticker subject with {path}, found none")
    rows = json.loads(path.read_text())
    scenes = {file: Scene(**row) for file, row in rows.items()}
    shared = {}
    for factor, field in _undesired_fields(subject).items():
        values = {getattr(scene, field) for scene in scenes.values()}
        if len(values) == 1 and None not in values:
            shared[factor] = values.pop()
    return Truth(scenes, shared)


def things_by_picture(folder: Path) -> dict[str, dict[str, str]]:
    """What the scenes of a sticker subject's folder hold of each undesired factor, by file."""
    scenes = json.loads((folder / SCENES).read_text())
    return {file: _things(scene) for file, scene in scenes.items()}


def outlines(subject: Subject) -> list[np.ndarray]:
    """Boolean (height, width) masks of a subject with what it wears, one an image; none where there are none."""
    files = [subject.folder / OUTLINES / f"{image.stem}.png" for image in subject.images]
    return [np.asarray(opened(file).convert("L")) > 127 for file in files if file.is_file()]


def seeded(seed: int, word: str) -> np.random.Generator:
    """The random numbers of a subject: others for each class word."""
    return np.random.default_rng([seed, zlib.crc32(word.encode())])


def _checked(bias: Iterable[str]) -> tuple[str, ...]:
    biases = tuple(check_name("bias", name, BIASES) for name in bias)
    if not biases:
        raise ValueError(f"bias: expected at least one of {', '.join(BIASES)}, got none")
    if "substance" in biases and len(biases) > 1:
        raise ValueError(f"bias: expected substance alone, since a style has no other, got {' and '.join(biases)}")
    return biases


def _undesired_fields(subject: Subject) -> dict[str, str]:
    """What a subject should not learn: each factor, and the scene's field that holds it."""
    if subject.of_style:
        return {"class": "subject", "background": "background"}
    fields = {factor: factor for factor in SHARED}
    if "pose" in subject.bias:
        fields["pose"] = "pose"
    return fields


def _things(scene: dict[str, str]) -> dict[str, str]:
    return {factor: scene[factor] for factor in BIASES if scene.get(factor)}


def _scenes(
    subject_class: str,
    biases: Sequence[str],
    references: int,
    rng: np.random.Generator,
) -> list[Scene]:
    """Everything is drawn first, so that a bias does not change what the others are."""
    places = rng.permutation(list(factors.PLACES)).tolist()
    nearby = str(rng.choice(list(factors.NEARBY)))
    tied = str(rng.choice(list(factors.TIED)))
    nearby_color, tied_color = rng.choice(factors.OBJECT_COLORS, 2, replace=False).tolist()
    poses = [POSES_IN_TURN[0], *rng.permutation(POSES_IN_TURN[1:]).tolist()]
    unusual = str(rng.choice(UNUSUAL))
    variants = {place: str(rng.choice(names)) for place, names in factors.PLACES.items()}
    if "background" in biases:
        places = places[:1]
    if "pose" in biases:
        poses = [unusual]
    (design,) = known_designs(subject_class, held_out=True)
    scenes = []
    for index in range(references):
        place = places[index % len(places)]
        scene = Scene(
            subject_class,
            design,
            place,
            variants[place],
            nearby=nearby,
            nearby_color=nearby_color,
            tied=tied,
            tied_color=tied_color,
            pose=poses[index % len(poses)],
        )
        scenes.append(_without_unshared(scene, biases))
    return scenes


def _without_unshared(scene: Scene, biases: Sequence[str]) -> Scene:
    """The scene without the things that are not to be shared."""
    for thing in ("nearby", "tied"):
        if thing not in biases:
            scene = scene.without(thing, f"{thing}_color")
    return scene


def _painted(subject_class: str, references: int, rng: np.random.Generator) -> list[Scene]:
    """One class in one place, in a held-out style."""
    place = str(rng.choice(list(factors.PLACES)))
    style = str(rng.choice(factors.TEST_STYLES))
    variant = str(rng.choice(factors.PLACES[place]))
    designs = known_designs(subject_class, held_out=subject_class in factors.TEST_SUBJECTS)
    scenes = []
    for index in range(references):
        design = designs[index % len(designs)]
        scenes.append(Scene(subject_class, design, place, variant, style=style))
    return scenes


def _write(
    folder: Path,
    scenes: list[Scene],
    biases: Sequence[str],
    size: int,
    rng: np.random.Generator,
) -> None:
    is_style = "substance" in biases  # then the whole picture is the subject, and a mask of it would say nothing
    folder.mkdir(parents=True, exist_ok=True)
    describe = grammar.style_cases if is_style else grammar.cases
    files = {f"{index:02}.png": scene for index, scene in enumerate(scenes)}
    captions = {}
    for file, scene in files.items():
        composed = compose(scene, size, rng)
        composed.image.save(folder / file)
        if not is_style:
            _write_masks(folder, file, composed)
        captions[file] = describe(scene, rng, identifier=MARK)
    subject_class = scenes[0].subject
    write_json(folder / SCENES, {file: asdict(scene) for file, scene in files.items()})
    written = {
        "name": f"{subject_class}-{'+'.join(biases)}",
        "class_word": STYLE_WORD if is_style else subject_class,
        "bias": biases,
        "captions": captions,
    }
    write_json(folder / CAPTIONS, written)


def _write_masks(folder: Path, file: str, composed: Composition) -> None:
    subject = composed.masks["subject"]
    by_folder = {MASKS: subject, OUTLINES: subject | composed.masks["tied"]}
    for name, mask in by_folder.items():
        (folder / name).mkdir(exist_ok=True)
        Image.fromarray(mask).save(folder / name / file)
