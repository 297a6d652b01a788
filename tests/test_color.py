"""Colours of pixels: what has a name keeps it, and only what lies under the mask counts as the subject's."""

import numpy as np
import pytest
from PIL import Image

from sidkit.measure.color import COLORS, color_shares, has_color
from sidkit.stickers.atlas import drawing
from sidkit.stickers.colors import RAMPS, recolor
from sidkit.stickers.sampling import known_designs


def picture(*rows):
    return Image.fromarray(np.array(rows, np.uint8))


def test_a_pixel_has_the_colour_of_its_name_and_no_other():
    known = {"red": (220, 20, 30), "green": (40, 160, 60), "blue": (40, 100, 220), "purple": (136, 56, 192)}
    known |= {"orange": (244, 128, 20), "yellow": (248, 208, 24), "pink": (244, 112, 168)}
    assert set(known) == set(COLORS)
    for name, color in known.items():
        assert [other for other in COLORS if has_color(picture([color]), other).all()] == [name]


@pytest.mark.parametrize("shade", [(255, 255, 255), (128, 128, 128), (0, 0, 0), (20, 0, 30), (200, 190, 205)])
def test_white_gray_and_black_have_none(shade):
    assert not any(has_color(picture([shade]), color).any() for color in COLORS)


@pytest.mark.parametrize("color", COLORS)
def test_a_subject_that_the_world_recolours_has_the_colour(color):
    """Its drawings of a dog, mapped on the colour's ramp: most opaque pixels, and hardly any of another colour."""
    assert color in RAMPS
    (design,) = known_designs("dog", held_out=True)
    sprite = recolor(drawing("dog", design, 0), color)
    opaque = np.asarray(sprite.getchannel("A")) > 200
    assert has_color(sprite.convert("RGB"), color)[opaque].mean() > 0.6


def test_shares_on_and_off_the_subject_by_hand():
    purple, gray = (136, 56, 192), (128, 128, 128)
    mask = np.array([[True, True, False, False]])
    assert color_shares(picture([purple, gray, gray, gray]), "purple", mask) == (0.5, 0)
    assert color_shares(picture([gray, gray, purple, purple]), "purple", mask) == (0, 1)
    assert np.isnan(color_shares(picture([purple]), "purple", None)).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="color.*did you mean 'purple'"):
        has_color(picture([(0, 0, 0)]), "purpel")
    with pytest.raises(ValueError, match=r"mask: expected \(1, 1\) of bool"):
        color_shares(picture([(0, 0, 0)]), "red", np.ones((2, 2), bool))
