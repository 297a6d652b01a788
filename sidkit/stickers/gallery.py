"""Sheets that show Sticker World: its subjects, places, objects, styles and poses, each drawn large."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from sidkit.files import whole_file
from sidkit.stickers import factors
from sidkit.stickers.factors import Scene
from sidkit.stickers.sampling import known_designs, sample_scene
from sidkit.stickers.scenes import render

PLAIN = Scene("dog", "twemoji", "meadow", "daylight")
RANDOM = 24  # scenes


Labelled = list[tuple[str, Image.Image]]


def sheets(size: int = 128) -> dict[str, Labelled]:
    """Labelled pictures by topic: every value of every factor once, and some scenes drawn at random."""
    drawn = {}
    for topic, scenes in _topics().items():
        drawn[topic] = [(label, _draw(scene, size)) for label, scene in scenes.items()]
    return drawn | {"random scenes": random_scenes(RANDOM, size, seed=0)}


def random_scenes(count: int, size: int, *, seed: int) -> Labelled:
    """Scenes as pretraining sees them, each labelled with its subject."""
    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        scene = sample_scene(rng)
        pictures.append((scene.subject, render(scene, size, rng)))
    return pictures


def write(folder: Path, columns: int = 9, size: int = 128) -> list[Path]:
    """One PNG a topic."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for topic, pictures in sheets(size).items():
        path = folder / f"{topic.replace(' ', '_')}.png"
        with whole_file(path) as partial:
            _sheet(pictures, columns, size).save(partial, format="PNG")
        paths.append(path)
    return paths


def _topics() -> dict[str, dict[str, Scene]]:
    """The plain scene with one factor changed, by topic and by that factor's value."""
    styles = (*factors.STYLES, *factors.TEST_STYLES)
    return {
        "subjects": {name: _showing(name) for name in factors.SUBJECTS},
        "held-out designs": {name: _showing(name, held_out=True) for name in factors.SUBJECTS},
        "places": _places(),
        "nearby objects": {name: replace(PLAIN, nearby=name, nearby_color="blue") for name in factors.NEARBY},
        "tied objects": {name: replace(PLAIN, tied=name, tied_color="red") for name in factors.TIED},
        "styles": {style: replace(PLAIN, style=style) for style in styles},
        "poses": {pose: replace(PLAIN, pose=pose) for pose in factors.POSES},
        "attributes": {name: replace(PLAIN, attribute=name) for name in factors.ATTRIBUTES},
    }


def _showing(subject: str, held_out: bool = False) -> Scene:
    design = known_designs(subject, held_out)[0]
    return replace(PLAIN, subject=subject, design=design)


def _places() -> dict[str, Scene]:
    scenes = {}
    for place, variants in factors.PLACES.items():
        for variant in variants:
            scenes[f"{place}, {variant}"] = replace(PLAIN, background=place, variant=variant)
    return scenes


def _draw(scene: Scene, size: int) -> Image.Image:
    return render(scene, size, np.random.default_rng(7))


def _sheet(pictures: Labelled, columns: int, size: int) -> Image.Image:
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * size, rows * size), "white")
    for index, (_, picture) in enumerate(pictures):
        row, column = divmod(index, columns)
        sheet.paste(picture, (column * size, row * size))
    return sheet
