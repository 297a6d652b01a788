"""Scenes become pictures: `render(scene, size, rng)`, and `compose` with the ground-truth masks beside it.

The scene says what is there; `rng` says where exactly. The same `rng` state gives the same layout whatever the
scene holds, so two scenes that differ in one factor make two pictures that differ in little else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from sidkit.stickers.factors import Scene
from sidkit.stickers.places import VIEWS, place
from sidkit.stickers.sprites import SPRITE, dressed, nearby_thing, scaled
from sidkit.stickers.styles import stylize

SMALLEST = 64  # px; side of a picture
GROUND = 0.88  # share of the height at which things stand
LOWEST_SHADOW = 0.96

# pose -> (height of the subject, where its feet stand, rotation in degrees); shares of the picture
POSES = {
    "standing": (0.62, 0.93, 0),
    "upside down": (0.62, 0.93, 180),
    "lying": (0.60, 0.93, 90),
    "tilted": (0.58, 0.92, 32),
    "jumping": (0.56, 0.74, 0),
    "close up": (0.82, 1.02, 0),
    "far away": (0.40, 0.80, 0),
}
NEARBY_HEIGHT = 0.34


@dataclass(frozen=True)
class Composition:
    """A picture (RGB) and where its parts are: boolean (size, size) masks of subject, nearby, tied, background."""

    image: Image.Image
    masks: dict[str, np.ndarray]


@dataclass(frozen=True)
class Layout:
    """All that is random in a picture, in shares of its side."""

    view: int
    mirror: bool
    face_left: bool
    side: int
    shift: tuple[float, float]
    scale: float
    lean: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Layout:
        view = int(rng.integers(0, VIEWS))
        mirror = bool(rng.integers(0, 2))
        face_left = bool(rng.integers(0, 2))
        side = 1 - 2 * int(rng.integers(0, 2))
        across = float(rng.uniform(-0.03, 0.03))
        down = float(rng.uniform(-0.02, 0.02))
        scale = float(rng.uniform(0.94, 1.06))
        lean = float(rng.uniform(-4, 4))
        return cls(view, mirror, face_left, side, (across, down), scale, lean)


def render(scene: Scene, size: int, rng: np.random.Generator) -> Image.Image:
    """The picture of a scene, RGB, `size` x `size` px (64 or more)."""
    return compose(scene, size, rng).image


def compose(scene: Scene, size: int, rng: np.random.Generator) -> Composition:
    """The picture of a scene with its masks; `rng` decides the layout only."""
    if size < SMALLEST:
        raise ValueError(f"scenes are drawn at {SMALLEST} px or more, got {size}")
    layout = Layout.draw(rng)
    canvas = place(scene.background, scene.variant, size, layout.view).copy()
    if layout.mirror:
        canvas = canvas.transpose(Image.FLIP_LEFT_RIGHT)
    nearby = _put_nearby(canvas, scene, layout)
    subject, tied = _put_subject(canvas, scene, layout)
    masks = {"nearby": nearby, "subject": subject, "tied": tied}
    masks["background"] = ~(subject | nearby | tied)
    return Composition(stylize(canvas, scene.style), masks)


def _put_nearby(canvas: Image.Image, scene: Scene, layout: Layout) -> np.ndarray:
    size = canvas.width
    if scene.nearby is None:
        return np.zeros((size, size), bool)
    thing = nearby_thing(scene.nearby, scene.nearby_color)
    longest = round(NEARBY_HEIGHT * layout.scale * size)
    sprite = scaled(thing, longest / max(thing.size))
    x = 0.5 + layout.side * 0.33
    _shadow(canvas, x, 0.87, sprite.width / size)
    return _paste(canvas, sprite, x, GROUND, layout)


def _put_subject(canvas: Image.Image, scene: Scene, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Paste the subject with what it wears; returns the masks of the subject alone and of the thing."""
    size = canvas.width
    _, feet, _ = POSES[scene.pose]
    sprites = _posed(scene, layout, size)
    aside = 0.16 if scene.nearby else 0
    x = 0.5 - layout.side * aside + layout.shift[0]
    shadow = GROUND if scene.pose == "jumping" else feet
    _shadow(canvas, x, min(LOWEST_SHADOW, shadow), sprites[0].width / size * 0.9)
    whole = _paste(canvas, sprites[0], x, feet, layout)
    if not scene.tied:
        return whole, np.zeros_like(whole)
    tied = _paste(canvas, sprites[1], x, feet, layout, draw=False)
    return whole & ~tied, tied & whole


def _posed(scene: Scene, layout: Layout, size: int) -> list[Image.Image]:
    """The sprites of `dressed`, scaled for a picture of `size` px and turned, cropped to the whole."""
    height, _, turn = POSES[scene.pose]
    crowded = scene.nearby and scene.pose == "close up"
    height *= layout.scale * (0.9 if crowded else 1)
    angle = turn * (-1 if layout.face_left else 1) + layout.lean
    turned = []
    for sprite in dressed(scene, layout.face_left):
        sprite = scaled(sprite, height * size / SPRITE)
        turned.append(sprite.rotate(angle, Image.BICUBIC, expand=True))
    box = turned[0].getbbox()
    return [sprite.crop(box) for sprite in turned]


def _shadow(canvas: Image.Image, x: float, y: float, width: float) -> None:
    """A flat ellipse with its middle at (x, y), all in shares of the picture."""
    size = canvas.width
    half = width * size / 2
    tall = 0.025 * size
    left, right = x * size - half, x * size + half
    top, bottom = y * size - tall, y * size + tall
    ImageDraw.Draw(canvas, "RGBA").ellipse((left, top, right, bottom), fill=(0, 0, 0, 60))


def _paste(
    canvas: Image.Image, sprite: Image.Image, x: float, feet: float, layout: Layout, draw: bool = True
) -> np.ndarray:
    """Paste with the bottom middle at (x, feet); returns the (size, size) mask of what the sprite covers."""
    size = canvas.width
    left = math.floor(x * size - sprite.width / 2)
    top = math.floor((feet + layout.shift[1]) * size - sprite.height)
    cover = Image.new("L", canvas.size)
    cover.paste(sprite.getchannel("A"), (left, top))
    if draw:
        canvas.paste(sprite, (left, top), sprite)
    return np.asarray(cover) > 127
