"""Masks: given, from alpha, applied, and refused where they say nothing."""

import io
import unicodedata

import numpy as np
import pytest
from PIL import Image, ImageFilter

from sidkit.masks.contact_sheet import MaskedPicture, contact_sheet
from sidkit.masks.given import FILLS, apply_mask, given_mask, write_mask
from sidkit.picture_folder import listed_pictures, picture_files, readable_pictures

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
    save(tmp_path, LEFT, name="other.bmp")
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


# --- what other people's tools leave as masks

SIDE = 96
DISC = np.hypot(*np.mgrid[-48:48, -48:48]) < 24  # 20 % of the picture
PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8))
PHOTO = PHOTO.resize((12, 12)).resize((SIDE, SIDE), Image.BICUBIC)
GREY_DISC = Image.fromarray(np.uint8(DISC) * 255)
NOTHING = Image.new("L", GREY_DISC.size)
RINGS = np.digitize(np.hypot(*np.mgrid[-48:48, -48:48]), [10, 24, 40])  # labels 0 to 3 from the middle


def labelled(*values, dtype=np.uint8):
    """Rings of four values, or of fewer, from the middle."""
    table = np.array(values, dtype)
    return Image.fromarray(table[np.minimum(RINGS, len(values) - 1)])


def paletted(*colors):
    picture = Image.fromarray(np.uint8(np.minimum(RINGS, len(colors) - 1)), "L")
    picture.putpalette([value for color in colors for value in color])
    return picture


def as_jpeg(picture, quality):
    stream = io.BytesIO()
    picture.save(stream, format="JPEG", quality=quality)
    return Image.open(stream, formats=["JPEG"])


def rescaled(scale):
    """The disc drawn larger and scaled down, or smaller and scaled up: with soft edges."""
    side = round(SIDE * scale)
    return GREY_DISC.resize((side, side), Image.NEAREST).resize((SIDE, SIDE), Image.BILINEAR)


VOC = ((0, 0, 0), (64, 0, 0), (224, 224, 192))
TWO_VALUED = {
    "0 and 255": GREY_DISC,
    "0 and 1": Image.fromarray(np.uint8(DISC)),
    "one bit": Image.fromarray(DISC),
    "100 and 200": Image.fromarray(np.uint8(100 + 100 * DISC)),
    "16 bits, 0 and 1": Image.fromarray(np.uint16(DISC)),
    "16 bits, 0 and 65535": Image.fromarray(np.uint16(DISC) * 65535),
    "white in RGB": GREY_DISC.convert("RGB"),
    "red on black": Image.merge("RGB", (GREY_DISC, NOTHING, NOTHING)),
    "blue on black": Image.merge("RGB", (NOTHING, NOTHING, GREY_DISC)),
    "a palette of two": paletted((128, 0, 0), (128, 0, 0), (0, 0, 0)),
    "opaque RGBA": GREY_DISC.convert("RGBA"),
    "JPEG of quality 95": as_jpeg(GREY_DISC, 95),
    "JPEG of quality 50": as_jpeg(GREY_DISC, 50),
    "JPEG of quality 20": as_jpeg(GREY_DISC, 20),
    "JPEG in colour": as_jpeg(Image.merge("RGB", (GREY_DISC, NOTHING, NOTHING)), 75),
    "scaled down": rescaled(3.3),
    "scaled up": rescaled(0.5),
    "softened": GREY_DISC.filter(ImageFilter.GaussianBlur(2)),
    "softened, as JPEG": as_jpeg(GREY_DISC.filter(ImageFilter.GaussianBlur(2)), 80),
}
OTHER_VALUES = {
    "labels": (labelled(3, 2, 1, 0), r"got 4 \(0, 1, 2, 3\); paint the subject white"),
    "labels of one step": (labelled(2, 1, 0), r"got 3 \(0, 1, 2\)"),
    "a label and a border of 255": (labelled(1, 255, 0), r"got 3 \(0, 1, 255\)"),
    "labels among 255": (labelled(255, 40, 0), r"got 3 \(0, 40, 255\)"),
    "a trimap": (labelled(255, 255, 128, 0), r"got 3 \(0, 128, 255\)"),
    "a trimap as JPEG": (as_jpeg(labelled(255, 255, 128, 0), 90), r"got a third, about 12\d, on .* of it"),
    "labels of 16 bits": (labelled(3, 2, 1, 0, dtype=np.uint16), r"got 4 \(0, 1, 2, 3\)"),
    "numbers of instances": (labelled(1003, 1002, 1001, 0, dtype=np.uint16), r"got 4 \(0, 1001, 1002, 1003\)"),
    "labels of 32 bits": (labelled(3, 2, 1, 0, dtype=np.int32), r"got 4 \(0, 1, 2, 3\)"),
    "floating-point numbers": (labelled(3, 2, 1, 0, dtype=np.float32), r"got 4 \(0, 1, 2, 3\)"),
    "no numbers": (labelled(np.nan, 0, dtype=np.float32), "pixels that are no numbers"),
    "a palette": (paletted(*VOC), r"got a palette of 3 colours \(#000000, #400000, #e0e0c0\)"),
    "colours": (paletted(*VOC).convert("RGB"), r"got 3 colours \(#000000, #400000, #e0e0c0\)"),
    "colours of one brightness": (paletted((255, 0, 0), (0, 130, 0), (0, 0, 0)).convert("RGB"), "got 3 colours"),
    "a photo": (PHOTO, "got shades between on .*% of it, as a photo has"),
    "a grey photo": (PHOTO.convert("L"), "got shades between"),
}


@pytest.mark.parametrize("kind", TWO_VALUED)
def test_two_values_are_a_mask_however_they_are_written(tmp_path, kind):
    path = save(tmp_path, TWO_VALUED[kind], PHOTO, mask_name="00.tif")
    mask = given_mask(path)
    assert mask.dtype == bool and (mask != DISC).mean() < 0.02  # of an edge, a pixel more or less


@pytest.mark.parametrize("kind", OTHER_VALUES)
def test_other_values_are_refused_with_what_was_found(tmp_path, kind):
    mask, words = OTHER_VALUES[kind]
    path = save(tmp_path, mask, PHOTO, mask_name="00.tif")
    with pytest.raises(ValueError, match=f"mask .*00.tif: expected two values, .*{words}"):
        given_mask(path)


NAMES = ("masks/00.png", "masks/00.PNG", "masks/00.jpg", "masks/00.webp", "masks/00.bmp", "masks/00.tiff")
NAMES += ("masks/00.jpg.png", "masks/00-masklabel.png", "masks/00_mask.png")
NAMES += ("00-masklabel.png", "00_mask.png", "00-mask.png", "00_mask.JPG", "00.jpg_mask.png")
NAMES += ("00-MaskLabel.PNG", "00_masklabel.png", "00_Mask.png", "00.mask.png", "mask_00.png", "00 mask.png")
NAMES += ("masks/mask_00.png",)


@pytest.mark.parametrize("name", NAMES)
def test_a_mask_is_found_under_the_names_that_tools_give_it(tmp_path, name):
    PHOTO.save(tmp_path / "00.jpg")
    (tmp_path / "masks").mkdir()
    GREY_DISC.save(tmp_path / name)
    assert (given_mask(tmp_path / "00.jpg") == DISC).mean() > 0.98
    assert [path.name for path in picture_files(tmp_path)] == ["00.jpg"], "and is no picture of the subject"
    with pytest.raises(ValueError, match="expected none yet, there is one"):
        write_mask(tmp_path / "00.jpg", DISC)


def test_a_name_is_spelt_in_two_ways(tmp_path):
    PHOTO.save(tmp_path / unicodedata.normalize("NFD", "Kätzchen.png"))
    (tmp_path / "masks").mkdir()
    GREY_DISC.save(tmp_path / "masks" / unicodedata.normalize("NFC", "Kätzchen.png"))
    (picture,) = picture_files(tmp_path)
    assert (given_mask(picture) == DISC).all() and listed_pictures(tmp_path, "new") == (picture,)


@pytest.mark.parametrize(
    ("pictures", "masks", "words"),
    [
        (["00.png", "00.jpg"], ["masks/00.png"], "of one picture, but 00.(png|jpg) and .*; call it 00.(png|jpg).png"),
        (["00.png", "00.webp"], ["00-masklabel.png"], "of one picture, but 00.png and 00.webp"),
        (["00.png", "00.JPG"], ["00_mask.png"], "of one picture"),
        (["00.png"], ["masks/00.png", "masks/00.jpg"], "00.png: expected one mask, got masks/00.jpg and masks/00.png"),
        (["00.png"], ["masks/00.png", "00-masklabel.png"], "one mask, got masks/00.png and 00-masklabel.png"),
        (["00.png"], ["00-masklabel.png", "00_mask.png"], "one mask, got 00-masklabel.png and 00_mask.png"),
        (["00.png"], ["masks/00.gif"], "mask .*00.gif: there is no decoder for .gif here; save it as PNG"),
        (["00.png"], ["masks/0.png"], "mask .*0.png: expected a picture's name and one of .*, as masks/00.png; rename"),
        (
            ["00.png", "01.png"],
            ["masks/00.png", "masks/1.png"],
            "mask .*1.png: expected .*, as masks/01.png; rename it",
        ),
        (["00.png"], ["masks/00.npy"], "mask .*00.npy: expected a picture's name and one of"),
        (["00.png"], ["masks/00/00.png"], "mask .*00: expected a picture's name and one of"),
        (["00.png"], ["Masks/00.png"], "Masks: expected masks in a folder called masks, as masks/00.png; rename it"),
        (["00.png"], ["mask/00.png"], "mask: expected masks in a folder called masks"),
        (["00.png"], ["masks"], "masks: expected a folder with a mask for each picture, got a file; move it away"),
    ],
)
def test_masks_of_which_nobody_can_tell_whose_they_are(tmp_path, pictures, masks, words):
    for name in pictures:
        PHOTO.save(tmp_path / name)
    for name in masks:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        GREY_DISC.save(tmp_path / name, format="PNG")
    with pytest.raises(ValueError, match=words):
        readable_pictures(tmp_path, "new")


def test_pictures_of_one_stem_may_have_a_mask_each(tmp_path):
    for name in ("00.png", "00.jpg"):
        PHOTO.save(tmp_path / name)
    for name, mask in (("00.png", DISC), ("00.jpg", ~DISC)):
        write_mask(tmp_path / name, mask)
        assert (given_mask(tmp_path / name) == mask).all()
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == ["00.jpg.png", "00.png.png"]


@pytest.mark.parametrize("name", ["00_seg.png", "00.matte.png", "00_alpha.webp", "seg-00.png", "mask0.png", "Mask.png"])
def test_a_mask_under_another_name_is_told_by_what_is_in_it(tmp_path, name):
    PHOTO.save(tmp_path / "00.png")
    GREY_DISC.save(tmp_path / name, lossless=True)
    with pytest.raises(ValueError, match=f"{name}: expected a photo, .* a mask of 00.png .*call it 00-masklabel.png"):
        readable_pictures(tmp_path, "new")
    GREY_DISC.save(tmp_path / "00.png")
    assert len(readable_pictures(tmp_path, "new")) == 2, "drawings in ink are pictures"


def test_what_only_looks_like_a_mask_s_name_is_a_picture(tmp_path):
    for name in ("dog_mask.png", "cat.png", "mask.png", "cat-mask-party.png"):
        PHOTO.save(tmp_path / name)
    assert len(picture_files(tmp_path)) == 4  # there is no dog.png
    PHOTO.save(tmp_path / "dog.png")
    assert "dog_mask.png" not in [path.name for path in picture_files(tmp_path)]
    with pytest.raises(ValueError, match="dog_mask.png: expected two values"):
        given_mask(tmp_path / "dog.png")  # and not left out in silence


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
