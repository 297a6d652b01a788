"""Masks: given, from alpha, applied, and refused where they say nothing."""

import numpy as np
import pytest
from PIL import Image

from sidkit.masks.contact_sheet import MaskedPicture, contact_sheet
from sidkit.masks.given import FILLS, apply_mask, given_mask, write_mask

RED = Image.new("RGB", (4, 2), (200, 10, 10))
LEFT = np.array([[True, True, False, False]] * 2)


def save(folder, mask, picture=RED, name="00.png", mask_name="00.png", **options):
    (folder / "masks").mkdir(exist_ok=True)
    picture.save(folder / name, **options)
    (mask if isinstance(mask, Image.Image) else Image.fromarray(mask)).save(folder / "masks" / mask_name)
    return folder / name


@pytest.mark.parametrize("fill", ["black", "grey", "white"])
def test_what_is_outside_is_filled(fill):
    pixels = np.asarray(apply_mask(RED, LEFT, fill))
    assert (pixels[:, :2] == (200, 10, 10)).all()
    assert (pixels[:, 2:] == {"black": 0, "grey": 128, "white": 255}[fill]).all()
    rest = np.asarray(apply_mask(RED, ~LEFT, fill))
    assert (rest[:, 2:] == (200, 10, 10)).all() and (rest[:, :2] == FILLS[fill]).all()


def test_a_mask_must_fit():
    with pytest.raises(ValueError, match="expected 2 x 4 of bool .*, got 4 x 2 of bool"):
        apply_mask(RED, LEFT.T)
    with pytest.raises(ValueError, match="got 2 x 4 of float64"):
        apply_mask(RED, LEFT * 1.0)
    with pytest.raises(ValueError, match="unknown fill 'gray'; did you mean 'grey'"):
        apply_mask(RED, LEFT, "gray")


@pytest.mark.parametrize("scale", [1, 255])
def test_given_masks(tmp_path, scale):
    path = save(tmp_path, np.uint8(LEFT) * scale, name="00.jpg")
    assert (given_mask(path) == LEFT).all()
    RED.save(tmp_path / "01.jpg")
    assert given_mask(tmp_path / "01.jpg") is None


def test_masks_of_one_bit_and_cut_outs(tmp_path):
    assert (given_mask(save(tmp_path, LEFT)) == LEFT).all()
    cut_out = RED.copy()
    cut_out.putalpha(Image.fromarray(np.uint8(LEFT) * 255))
    assert (given_mask(save(tmp_path, cut_out)) == LEFT).all()


def test_a_mask_is_of_the_picture_as_it_is_seen(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter: stored 4 x 2, seen 2 x 4
    path = save(tmp_path, LEFT.T.copy(), name="00.jpg", exif=exif)
    assert given_mask(path).shape == (4, 2)
    save(tmp_path, LEFT)
    with pytest.raises(ValueError, match=r"expected 2 x 4 px like its picture 00.jpg, got 4 x 2"):
        given_mask(path)


@pytest.mark.parametrize(("value", "word"), [(0, "nothing"), (255, "everything")])
def test_masks_that_part_nothing_are_refused(tmp_path, value, word):
    path = save(tmp_path, Image.new("L", (4, 2), value))
    with pytest.raises(ValueError, match=f"00.png: .* covers {word}"):
        given_mask(path)


def test_a_damaged_mask_is_told(tmp_path):
    path = save(tmp_path, LEFT)
    mask = tmp_path / "masks" / "00.png"
    mask.write_bytes(mask.read_bytes()[:40])
    with pytest.raises(ValueError, match="00.png: expected a picture"):
        given_mask(path)


def test_alpha(tmp_path):
    rgba = RED.convert("RGBA")
    path = tmp_path / "00.png"
    for opaque in (RED, rgba):  # says nothing
        opaque.save(path)
        assert given_mask(path) is None
    rgba.putalpha(Image.fromarray(np.uint8(LEFT) * 255))
    rgba.save(path)
    assert (given_mask(path) == LEFT).all()
    rgba.putalpha(0)
    rgba.save(path)
    with pytest.raises(ValueError, match="00.png: .* covers nothing"):
        given_mask(path)


def test_a_written_mask_is_read_back_and_never_written_over(tmp_path):
    RED.save(tmp_path / "00.jpg")
    write_mask(tmp_path / "00.jpg", LEFT)
    assert (given_mask(tmp_path / "00.jpg") == LEFT).all()
    with pytest.raises(ValueError, match="expected none yet, there is one; remove it first"):
        write_mask(tmp_path / "00.jpg", ~LEFT)


def test_a_contact_sheet_dims_what_is_outside_and_leaves_a_gap_in_red():
    red, left = RED.resize((64, 32)), np.repeat(np.repeat(LEFT, 16, axis=0), 16, axis=1)
    pictures = [MaskedPicture(f"{index}.png", red, mask) for index, mask in enumerate([left, None, ~left, left, left])]
    sheet = contact_sheet(pictures)
    assert sheet.size == (4 * 256, 2 * (256 + 40))
    pixels = np.asarray(sheet)
    assert (pixels[128, 30] == (200, 10, 10)).all() and pixels[128, 226].max() < 60  # the left half is the subject
    assert (pixels[128, 256 + 226] == (200, 10, 10)).all()  # without a mask all is seen
    captions = pixels[256:296].reshape(40, 4, 256, 3)
    is_red = ((captions[..., 0] > 150) & (captions[..., 1] < 100)).any(axis=(0, 2))
    assert is_red.tolist() == [False, True, False, False]
