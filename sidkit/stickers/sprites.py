"""Sprites: drawings with the white rim of a sticker, coloured, and dressed in what they wear."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageFilter

from sidkit.stickers.anchors import anchors
from sidkit.stickers.atlas import drawing
from sidkit.stickers.colors import recolor, tint
from sidkit.stickers.factors import TIED, Scene

SPRITE = 96  # px; side of the square in which a drawing lies
MARGIN = 48  # px on every side of it, for hats and the like
OUTLINE = 3  # px of white rim around a sprite
THINGS = "noto"  # the art set of nearby and tied things

# Which height of the worn thing lies on the anchor: a hat's brim, the middle of glasses, ...
HOLD = {"head": 0.86, "ears": 0.42, "eyes": 0.5, "neck": 0.35, "side": 0.6}
# How wide a worn thing is, in widths of the head, and the limits of that in px.
SPANS = {"head": 1.15, "ears": 1.25, "eyes": 1.0, "neck": 0.95, "side": 0.7}
NARROWEST, WIDEST = 0.42 * SPRITE, 0.66 * SPRITE


def dressed(scene: Scene, face_left: bool) -> list[Image.Image]:
    """The subject with what it wears and, if it wears anything, that alone; cropped alike."""
    layers = _layers(scene)
    box = layers[0].getbbox()
    return [_facing(layer.crop(box), face_left) for layer in layers]


def _layers(scene: Scene) -> tuple[Image.Image, ...]:
    looks = (scene.subject, scene.design, scene.hue, scene.attribute)
    if scene.tied is None:
        return (_body(*looks),)
    return _wearing(*looks, scene.tied, scene.tied_color)


@lru_cache(maxsize=128)
def nearby_thing(name: str, color: str | None) -> Image.Image:
    """A thing that stands beside the subject, cropped."""
    return _rimmed(_thing(name, color), OUTLINE + 1)


def outlined(sprite: Image.Image, width: int = OUTLINE) -> Image.Image:
    """The sprite with the white rim of a sticker, so that it stands out on every background."""
    spread = sprite.getchannel("A").filter(ImageFilter.BoxBlur(width))
    sticker = Image.new("RGBA", sprite.size, (255, 255, 255, 0))
    sticker.putalpha(spread.point(lambda alpha: min(255, 5 * alpha)))
    return Image.alpha_composite(sticker, sprite)


def scaled(sprite: Image.Image, factor: float) -> Image.Image:
    """The sprite, smaller or larger; each side at least 1 px."""
    size = tuple(max(1, round(side * factor)) for side in sprite.size)
    return sprite.resize(size, Image.BILINEAR, reducing_gap=2.0)


def _facing(sprite: Image.Image, face_left: bool) -> Image.Image:
    return sprite if face_left else sprite.transpose(Image.FLIP_LEFT_RIGHT)


@lru_cache(maxsize=4096)
def _body(subject: str, design: str, hue: int, attribute: str | None) -> Image.Image:
    art = drawing(subject, design, hue)
    scale, origin = _placed(art)
    side = SPRITE + 2 * MARGIN
    canvas = Image.new("RGBA", (side, side))
    size = (round(art.width * scale), round(art.height * scale))
    corner = (round(origin[0]), round(origin[1]))
    canvas.paste(art.resize(size, Image.LANCZOS), corner)
    if attribute:
        canvas = recolor(canvas, attribute)
    return outlined(canvas)


def _placed(art: Image.Image) -> tuple[float, tuple[float, float]]:
    """How much a drawing is scaled, and where its corner goes, so that what is drawn fills the middle of the canvas."""
    left, top, right, bottom = art.getbbox()
    scale = SPRITE / max(right - left, bottom - top)
    center = MARGIN + SPRITE / 2
    x = center - (left + right) / 2 * scale
    y = center - (top + bottom) / 2 * scale
    return scale, (x, y)


@lru_cache(maxsize=1024)
def _wearing(
    subject: str, design: str, hue: int, attribute: str | None, tied: str, color: str | None
) -> tuple[Image.Image, Image.Image]:
    """The subject with the thing on, and the thing alone where it is worn."""
    whole = _body(subject, design, hue, attribute).copy()
    width, x, y = _worn_at(subject, design, tied)
    thing = worn_thing(tied, color, width)
    held = thing.height * HOLD[_where(tied)]
    left = max(0, round(x - thing.width / 2))
    top = max(0, round(y - held))
    alone = Image.new("RGBA", whole.size)
    alone.paste(thing, (left, top))
    inside = thing.crop((0, 0, whole.width - left, whole.height - top))
    whole.alpha_composite(inside, (left, top))
    return whole, alone


@lru_cache(maxsize=2048)
def worn_thing(tied: str, color: str | None, width: int) -> Image.Image:
    """A thing as a sprite wears it, `width` px wide without its rim."""
    thing = _thing(tied, color)
    height = max(1, round(thing.height * width / thing.width))
    return _rimmed(thing.resize((width, height), Image.LANCZOS), OUTLINE)


def _worn_at(subject: str, design: str, tied: str) -> tuple[int, float, float]:
    """Width (px) and anchor (px on the sprite canvas) of a worn thing."""
    art = drawing(subject, design)
    scale, (left, top) = _placed(art)
    points = anchors(subject, design)
    head_x, head_y, head_width = points["head"]
    where = _where(tied)
    x, y = {
        "head": (head_x, head_y),
        "ears": (head_x, head_y),
        "eyes": points["eye"],
        "neck": points["neck"],
        "side": (head_x + head_width * 0.3, head_y),
    }[where]
    width = np.clip(head_width * art.width * scale * SPANS[where], NARROWEST, WIDEST)
    return round(width), left + x * art.width * scale, top + y * art.height * scale


def _where(tied: str) -> str:
    """On what part of the body a thing is worn."""
    return TIED[tied][1]


@lru_cache(maxsize=256)
def _thing(name: str, color: str | None) -> Image.Image:
    art = drawing(name, THINGS)
    art = art.crop(art.getbbox())
    return tint(art, color) if color else art


def _rimmed(thing: Image.Image, width: int) -> Image.Image:
    """A cropped drawing with room for its rim, and the rim."""
    roomy = Image.new("RGBA", (thing.width + 4 * width, thing.height + 4 * width))
    roomy.paste(thing, (2 * width, 2 * width))
    return outlined(roomy, width)
