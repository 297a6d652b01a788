"""Masks: given, from alpha, applied, and refused where they say nothing."""

import numpy as np
import pytest
from PIL import Image

from sidkit.masks import alpha_mask, apply_mask, given_mask

RED = Image.new("RGB", (4, 2), (200, 10, 10))
LEFT = np.array([[True, True, False, False]] * 2)


@pytest.mark.parametrize(("fill", "value"), [("black", 0), ("grey", 128), ("white", 255)])
def test_what_is_outside_is_filled(fill, value):
    pixels = np.asarray(apply_mask(RED, LEFT, fill))
    assert (pixels[:, :2] == (200, 10, 10)).all()
    assert (pixels[:, 2:] == value).all()


def test_sizes_must_agree():
    with pytest.raises(ValueError, match="expected 2 x 4 like its picture, got 4 x 2"):
        apply_mask(RED, LEFT.T)


def test_given_masks(tmp_path):
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.uint8(LEFT) * 255).save(tmp_path / "masks" / "00.png")
    assert (given_mask(tmp_path / "00.jpg") == LEFT).all()
    assert given_mask(tmp_path / "01.jpg") is None


@pytest.mark.parametrize(("value", "word"), [(0, "nothing"), (255, "everything")])
def test_masks_that_part_nothing_are_refused(tmp_path, value, word):
    (tmp_path / "masks").mkdir()
    Image.new("L", (4, 2), value).save(tmp_path / "masks" / "00.png")
    with pytest.raises(ValueError, match=f"covers {word}"):
        given_mask(tmp_path / "00.png")


def test_alpha():
    rgba = RED.convert("RGBA")
    assert alpha_mask(RED) is None
    rgba.putalpha(Image.fromarray(np.uint8(LEFT) * 255))
    assert (alpha_mask(rgba) == LEFT).all()
