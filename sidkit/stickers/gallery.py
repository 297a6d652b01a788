"""Sheets that show Sticker World: its subjects, places, objects, styles and poses, each drawn large."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from sidkit.stickers import factors
from sidkit.stickers.factors import Scene
from sidkit.stickers.sampling import known_designs, sample_scene
from sidkit.stickers.scenes import render

PLAIN = Scene("dog", "twemoji", "meadow", "daylight")


def sheets(size: int = 128) -> dict[str, list[tuple[str, Image.Image]]]:
    """Labelled pictures by topic: every value of every factor once, and some scenes drawn at random."""
    topics = {
        "subjects": [(name, replace(PLAIN, subject=name, design=known_designs(name)[0])) for name in factors.SUBJECTS],
        "held-out designs": [
            (name, replace(PLAIN, subject=name, design=known_designs(name, held_out=True)[0]))
            for name in factors.SUBJECTS
        ],
        "places": [
            (f"{place}, {variant}", replace(PLAIN, background=place, variant=variant))
            for place, variants in factors.PLACES.items()
            for variant in variants
        ],
        "nearby objects": [(name, replace(PLAIN, nearby=name, nearby_color="blue")) for name in factors.NEARBY],
        "tied objects": [(name, replace(PLAIN, tied=name, tied_color="red")) for name in factors.TIED],
        "styles": [(style, replace(PLAIN, style=style)) for style in (*factors.STYLES, *factors.TEST_STYLES)],
        "poses": [(pose, replace(PLAIN, pose=pose)) for pose in factors.POSES],
        "attributes": [(name, replace(PLAIN, attribute=name)) for name in factors.ATTRIBUTES],
    }
    drawn = {topic: [(label, _draw(scene, size)) for label, scene in scenes] for topic, scenes in topics.items()}
    return drawn | {"random scenes": random_scenes(24, size, seed=0)}


def random_scenes(count: int, size: int, *, seed: int) -> list[tuple[str, Image.Image]]:
    """Scenes as pretraining sees them, each labelled with its subject."""
    rng = np.random.default_rng(seed)
    return [(scene.subject, render(scene, size, rng)) for scene in (sample_scene(rng) for _ in range(count))]


def _draw(scene: Scene, size: int) -> Image.Image:
    return render(scene, size, np.random.default_rng(7))


def write(folder: Path, columns: int = 9, size: int = 128) -> list[Path]:
    """One PNG a topic."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for topic, pictures in sheets(size).items():
        sheet = Image.new("RGB", (columns * size, -(-len(pictures) // columns) * size), "white")
        for index, (_, picture) in enumerate(pictures):
            sheet.paste(picture, (index % columns * size, index // columns * size))
        paths.append(folder / f"{topic.replace(' ', '_')}.png")
        sheet.save(paths[-1])
    return paths
