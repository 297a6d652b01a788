"""Colour names of pictures whose colours are known, and the committed table against the committed art."""

import json

import numpy as np
import pytest
from PIL import Image

from sidkit.stickers import drawing_words
from sidkit.stickers.atlas import drawing, rotate_hue
from sidkit.stickers.color_names import color_names
from sidkit.stickers.factors import ART_SETS, Scene
from sidkit.stickers.make_art import write_looks
from sidkit.stickers.vocabulary import COLORS

KNOWN = {
    "red": (220, 30, 30),
    "orange": (250, 140, 20),
    "yellow": (250, 220, 40),
    "green": (40, 160, 60),
    "blue": (40, 90, 220),
    "purple": (130, 60, 200),
    "pink": (250, 120, 190),
    "brown": (130, 80, 40),
    "black": (20, 20, 20),
    "gray": (130, 130, 130),
    "white": (250, 250, 250),
}


def halves(first, second, share):
    """An RGBA picture, 10 x 10 px: `share` of its rows in the first colour, the rest in the second."""
    pixels = np.full((10, 10, 4), 255, np.uint8)
    pixels[..., :3] = second
    pixels[: round(share * 10), :, :3] = first
    return Image.fromarray(pixels, "RGBA")


@pytest.mark.parametrize("name", COLORS)
def test_plain_colors_have_their_names(name):
    assert color_names(halves(KNOWN[name], KNOWN[name], 1)) == (name,)


def test_the_larger_share_comes_first_and_a_small_one_is_not_told():
    assert color_names(halves(KNOWN["brown"], KNOWN["white"], 0.7)) == ("brown", "white")
    assert color_names(halves(KNOWN["brown"], KNOWN["white"], 0.3)) == ("white", "brown")
    assert color_names(halves(KNOWN["brown"], KNOWN["white"], 0.9)) == ("brown",)


def test_turned_hues_have_other_names():
    red_and_gray = halves(KNOWN["red"], KNOWN["gray"], 0.6)
    assert color_names(rotate_hue(red_and_gray, 120)) == ("green", "gray")
    assert color_names(rotate_hue(red_and_gray, 240)) == ("blue", "gray")


def test_transparent_pixels_do_not_count():
    picture = halves(KNOWN["red"], KNOWN["blue"], 0.5)
    alpha = np.zeros((10, 10), np.uint8)
    alpha[:5] = 255
    picture.putalpha(Image.fromarray(alpha))
    assert color_names(picture) == ("red",)
    with pytest.raises(ValueError, match="opaque"):
        color_names(Image.new("RGBA", (4, 4)))


@pytest.mark.parametrize(
    "subject, design, hue", [("dog", "noto", 0), ("robot", "fluent", 120), ("duck", "twemoji", 300)]
)
def test_table_is_what_the_art_measures(subject, design, hue):
    assert drawing_words.colors(subject, design, hue) == color_names(drawing(subject, design, hue))


def test_rebuilding_gives_the_committed_table(tmp_path):
    assert write_looks(tmp_path).read_text() == drawing_words.TABLE.read_text()
    for row in json.loads(drawing_words.TABLE.read_text()).values():
        for names in row.values():
            assert set(names) <= set(COLORS)


def test_a_recolored_subject_keeps_only_the_word_of_its_set():
    plain = Scene("dog", "noto", "moon", "flag")
    assert drawing_words.looks(plain) == (ART_SETS["noto"], *drawing_words.colors("dog", "noto"))
    assert drawing_words.looks(Scene("dog", "noto", "moon", "flag", attribute="purple")) == (ART_SETS["noto"],)


def test_unknown_instance_is_refused():
    refusal = "no looks of 'dog' drawn as 'noto/7', expected one of: fluent/0.*run `sidkit stickers atlas`"
    with pytest.raises(ValueError, match=refusal):
        drawing_words.colors("dog", "noto", 7)
