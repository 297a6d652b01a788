"""Scenes become pictures: `render(scene, size, rng)`, and `compose` with the ground-truth masks beside it.

The scene says what is there; `rng` says where exactly. The same `rng` state gives the same layout whatever the
scene holds, so two scenes that differ in one factor make two pictures that differ in little else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from sidkit.stickers import factors
from sidkit.stickers.anchors import anchors
from sidkit.stickers.atlas import designs, drawing, further_designs
from sidkit.stickers.colors import recolor, tint
from sidkit.stickers.factors import TIED, Scene, subject_classes
from sidkit.stickers.places import VIEWS, place
from sidkit.stickers.styles import stylize

SPRITE = 96  # px; side of the square in which a drawing lies
MARGIN = 48  # px on every side of it, for hats and the like
OUTLINE = 3  # px of white rim around a sprite

# pose -> (height of the subject, where its feet stand, rotation in degrees); shares of the picture
POSES = {
    "standing": (0.50, 0.88, 0),
    "upside down": (0.50, 0.88, 180),
    "lying": (0.50, 0.88, 90),
    "tilted": (0.48, 0.86, 32),
    "jumping": (0.44, 0.64, 0),
    "close up": (0.72, 1.00, 0),
    "far away": (0.32, 0.74, 0),
}
NEARBY_HEIGHT = 0.30


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
        view, mirror, face_left, side = (int(rng.integers(0, n)) for n in (VIEWS, 2, 2, 2))
        shift = (float(rng.uniform(-0.03, 0.03)), float(rng.uniform(-0.02, 0.02)))
        return cls(
            view,
            bool(mirror),
            bool(face_left),
            1 - 2 * side,
            shift,
            float(rng.uniform(0.94, 1.06)),
            float(rng.uniform(-4, 4)),
        )


def render(scene: Scene, size: int, rng: np.random.Generator) -> Image.Image:
    """The picture of a scene, RGB, `size` x `size` px (64 or more)."""
    return compose(scene, size, rng).image


def compose(scene: Scene, size: int, rng: np.random.Generator) -> Composition:
    """The picture of a scene with its masks; `rng` decides the layout only."""
    if size < 64:
        raise ValueError(f"scenes are drawn at 64 px or more, got {size}")
    layout = Layout.draw(rng)
    canvas = place(scene.background, scene.variant, size, layout.view).copy()
    if layout.mirror:
        canvas = canvas.transpose(Image.FLIP_LEFT_RIGHT)
    masks = {"nearby": _put_nearby(canvas, scene, layout), **_put_subject(canvas, scene, layout)}
    masks["background"] = ~(masks["subject"] | masks["nearby"] | masks["tied"])
    return Composition(stylize(canvas, scene.style), masks)


def _put_nearby(canvas: Image.Image, scene: Scene, layout: Layout) -> np.ndarray:
    size = canvas.width
    if scene.nearby is None:
        return np.zeros((size, size), bool)
    sprite = _fit(_nearby(scene.nearby, scene.nearby_color), round(NEARBY_HEIGHT * layout.scale * size))
    x = 0.5 + layout.side * 0.33
    _shadow(canvas, x, 0.87, sprite.width / size)
    return _paste(canvas, sprite, x, 0.88, layout)


def _put_subject(canvas: Image.Image, scene: Scene, layout: Layout) -> dict[str, np.ndarray]:
    """Paste the subject with what it wears; the masks tell them apart."""
    size = canvas.width
    height, feet, turn = POSES[scene.pose]
    height *= layout.scale * (0.9 if scene.nearby and scene.pose == "close up" else 1)
    parts = _dressed(scene, layout.face_left)
    angle = turn * (-1 if layout.face_left else 1) + layout.lean
    parts = [_scale(part, height * size / SPRITE).rotate(angle, Image.BICUBIC, expand=True) for part in parts]
    box = parts[0].getbbox()
    parts = [part.crop(box) for part in parts]
    x = 0.5 - layout.side * (0.16 if scene.nearby else 0) + layout.shift[0]
    _shadow(canvas, x, min(0.96, max(feet, 0.88 if scene.pose == "jumping" else feet)), parts[0].width / size * 0.9)
    whole = _paste(canvas, parts[0], x, feet, layout)
    tied = _paste(canvas, parts[1], x, feet, layout, draw=False) if scene.tied else np.zeros_like(whole)
    return {"subject": whole & ~tied, "tied": tied & whole}


def _dressed(scene: Scene, face_left: bool) -> list[Image.Image]:
    """The subject with what it wears and, if it wears anything, that alone; cropped alike."""
    looks = (scene.subject, scene.design, scene.hue, scene.attribute)
    parts = _wearing(*looks, scene.tied, scene.tied_color) if scene.tied else (_body(*looks),)
    box = parts[0].getbbox()
    return [_facing(part.crop(box), face_left) for part in parts]


def _facing(sprite: Image.Image, face_left: bool) -> Image.Image:
    return sprite if face_left else sprite.transpose(Image.FLIP_LEFT_RIGHT)


@lru_cache(maxsize=4096)
def _body(subject: str, design: str, hue: int, attribute: str | None) -> Image.Image:
    side = SPRITE + 2 * MARGIN
    canvas = Image.new("RGBA", (side, side))
    art = drawing(subject, design, hue)
    box = art.getbbox()
    scale = SPRITE / max(box[2] - box[0], box[3] - box[1])
    art = art.resize((round(art.width * scale), round(art.height * scale)), Image.LANCZOS)
    canvas.paste(art, tuple(round(v) for v in _origin(box, scale)))
    return outlined(recolor(canvas, attribute) if attribute else canvas)


def _origin(box: tuple[int, int, int, int], scale: float) -> tuple[float, float]:
    """Where the drawing's corner goes so that what is drawn lies centred in the sprite."""
    center = (MARGIN + SPRITE / 2, MARGIN + SPRITE / 2)
    return center[0] - (box[0] + box[2]) / 2 * scale, center[1] - (box[1] + box[3]) / 2 * scale


@lru_cache(maxsize=1024)
def _wearing(
    subject: str, design: str, hue: int, attribute: str | None, tied: str, color: str | None
) -> tuple[Image.Image, Image.Image]:
    dressed = _body(subject, design, hue, attribute).copy()
    worn = Image.new("RGBA", dressed.size)
    width, x, y = _worn_at(subject, design, tied)
    item = _worn_item(tied, color, width)
    corner = (max(0, round(x - item.width / 2)), max(0, round(y - item.height * HOLD[TIED[tied][1]])))
    worn.paste(item, corner)
    dressed.alpha_composite(item.crop((0, 0, dressed.width - corner[0], dressed.height - corner[1])), corner)
    return dressed, worn


@lru_cache(maxsize=2048)
def _worn_item(tied: str, color: str | None, width: int) -> Image.Image:
    item = _object(tied, color)
    return _rimmed(item.resize((width, max(1, round(item.height * width / item.width))), Image.LANCZOS), OUTLINE)


# Which height of the worn thing lies on the anchor: a hat's brim, the middle of glasses, ...
HOLD = {"head": 0.86, "ears": 0.42, "eyes": 0.5, "neck": 0.35, "side": 0.6}


def _worn_at(subject: str, design: str, tied: str) -> tuple[int, float, float]:
    """Width (px) and anchor (px on the sprite canvas) of a worn thing."""
    art = drawing(subject, design)
    box = art.getbbox()
    scale = SPRITE / max(box[2] - box[0], box[3] - box[1])
    left, top = _origin(box, scale)
    at, where = anchors(subject, design), TIED[tied][1]
    head_x, head_y, head_width = at["head"]
    points = {
        "head": (head_x, head_y),
        "eyes": at["eye"],
        "neck": at["neck"],
        "ears": (head_x, head_y),
        "side": (head_x + head_width * 0.3, head_y),
    }
    spans = {"head": 1.15, "ears": 1.25, "eyes": 1.0, "neck": 0.95, "side": 0.7}
    width = np.clip(head_width * art.width * scale * spans[where], 0.42 * SPRITE, 0.66 * SPRITE)
    x, y = points[where]
    return round(width), left + x * art.width * scale, top + y * art.height * scale


@lru_cache(maxsize=128)
def _nearby(name: str, color: str | None) -> Image.Image:
    return _rimmed(_object(name, color), OUTLINE + 1)


@lru_cache(maxsize=256)
def _object(name: str, color: str | None) -> Image.Image:
    art = drawing(name, "noto")
    art = art.crop(art.getbbox())
    return tint(art, color) if color else art


def outlined(sprite: Image.Image, width: int = OUTLINE) -> Image.Image:
    """The sprite with the white rim of a sticker, so that it stands out on every background."""
    spread = sprite.getchannel("A").filter(ImageFilter.BoxBlur(width))
    sticker = Image.new("RGBA", sprite.size, (255, 255, 255, 0))
    sticker.putalpha(spread.point(lambda a: min(255, 5 * a)))
    return Image.alpha_composite(sticker, sprite)


def _rimmed(thing: Image.Image, width: int) -> Image.Image:
    """A cropped drawing with room for its rim, and the rim."""
    roomy = Image.new("RGBA", (thing.width + 4 * width, thing.height + 4 * width))
    roomy.paste(thing, (2 * width, 2 * width))
    return outlined(roomy, width)


def _fit(sprite: Image.Image, longest: int) -> Image.Image:
    return _scale(sprite, longest / max(sprite.size))


def _scale(sprite: Image.Image, factor: float) -> Image.Image:
    return sprite.resize(tuple(max(1, round(side * factor)) for side in sprite.size), Image.BILINEAR, reducing_gap=2.0)


def _shadow(canvas: Image.Image, x: float, y: float, width: float) -> None:
    size = canvas.width
    half, tall = width * size / 2, 0.025 * size
    box = (x * size - half, y * size - tall, x * size + half, y * size + tall)
    ImageDraw.Draw(canvas, "RGBA").ellipse(box, fill=(0, 0, 0, 60))


def _paste(
    canvas: Image.Image, sprite: Image.Image, x: float, feet: float, layout: Layout, draw: bool = True
) -> np.ndarray:
    """Paste with the bottom middle at (x, feet); returns the (size, size) mask of what the sprite covers."""
    size = canvas.width
    corner = (math.floor(x * size - sprite.width / 2), math.floor((feet + layout.shift[1]) * size - sprite.height))
    cover = Image.new("L", canvas.size)
    cover.paste(sprite.getchannel("A"), corner)
    if draw:
        canvas.paste(sprite, corner, sprite)
    return np.asarray(cover) > 127


def sample_scene(
    rng: np.random.Generator, *, held_out: bool = False, styles: tuple[str, ...] = factors.STYLES, further: float = 0
) -> Scene:
    """Draw a scene: of the designs used in pretraining, or of the held-out designs of the same classes.

    A share `further` of the scenes show a drawing from outside the world instead, of which no caption can tell.
    """
    subject = _pick(rng, tuple(factors.SUBJECTS))
    outside = further > 0 and rng.uniform() < further
    background = _pick(rng, tuple(factors.PLACES))
    nearby = _maybe(rng, 0.6, tuple(factors.NEARBY))
    tied = _maybe(rng, 0.6, tuple(TIED))
    hue, attribute = _maybe(rng, 0.25, factors.HUES[1:]) or 0, _maybe(rng, 0.15, factors.ATTRIBUTES)
    return Scene(
        subject,
        _pick(rng, further_designs(subject) if outside else known_designs(subject, held_out)),
        background,
        _pick(rng, factors.PLACES[background]),
        hue=0 if attribute else hue,
        attribute=attribute,
        nearby=nearby,
        nearby_color=_pick(rng, factors.OBJECT_COLORS) if nearby else None,
        tied=tied,
        tied_color=_pick(rng, factors.OBJECT_COLORS) if tied else None,
        style=_maybe(rng, 0.25, styles),
        pose=_maybe(rng, 0.45, factors.POSES[1:]) or "standing",
    )


def known_designs(subject: str, held_out: bool = False) -> tuple[str, ...]:
    """The designs of a class that pretraining sees, or the one that it does not."""
    hidden = subject_classes()[subject].held_out
    return (hidden,) if held_out else tuple(design for design in designs(subject) if design != hidden)


def _pick(rng: np.random.Generator, values: tuple):
    return values[int(rng.integers(0, len(values)))]


def _maybe(rng: np.random.Generator, share: float, values: tuple):
    """One of the values with the given probability, else None; draws the same number of times in either case."""
    wanted, value = rng.uniform() < share, _pick(rng, values)
    return value if wanted else None
