"""Subjects: folders that are read whole or refused in words, cases as one argument, and sticker subjects."""

import json
import time
import unicodedata

import numpy as np
import pytest
from PIL import Image, ImageCms

from sidkit.captions import SID_CASE, WRITTEN_CASES
from sidkit.describe.cases import CASES, captions_of_case
from sidkit.describe.prompts import KINDS, photo_prompts
from sidkit.image_files import load_image
from sidkit.mark import check_ready, insert
from sidkit.masks.given import given_mask
from sidkit.pretrain.tokenizer import make_tokenizer
from sidkit.stickers import factors, grammar
from sidkit.stickers.drawing_words import looks
from sidkit.stickers.factors import SUBJECTS
from sidkit.stickers.references import SHARED, make_subject, read_truth
from sidkit.stickers.sticker_prompts import sticker_prompts
from sidkit.subjects import load_images, load_subject

RED = (200, 30, 30)


@pytest.fixture
def folder(tmp_path):
    """A good subject of two pictures; each test spoils one thing."""
    path = tmp_path / "my_cat"
    path.mkdir()
    Image.new("RGB", (64, 48), RED).save(path / "00.png")
    Image.new("RGB", (48, 64), RED).save(path / "01.jpg")
    write(path, {"00.png": "a photo of a [v] cat on a sofa", "01.jpg": "a photo of a [v] cat by a bag"})
    return path


def write(folder, captions, **values):
    told = {"class_word": "cat", "bias": ["background"], "captions": captions} | values
    (folder / "captions.json").write_text(json.dumps({key: value for key, value in told.items() if value is not None}))


def refused(folder, message, **options):
    with pytest.raises(ValueError, match=message):
        load_subject(folder, **options)


def test_a_folder_becomes_a_subject(folder):
    subject = load_subject(folder)
    assert (subject.name, subject.class_word, subject.bias) == ("my_cat", "cat", ("background",))
    assert [path.name for path in subject.images] == ["00.png", "01.jpg"]
    assert captions_of_case(subject, 3) == ("a photo of a [v] cat on a sofa", "a photo of a [v] cat by a bag")
    assert [image.size for image in load_images(subject)] == [(64, 48), (48, 64)]


def test_captions_follow_the_order_of_the_pictures(folder):
    write(folder, {"01.jpg": "a [v] cat, second", "00.png": "a [v] cat, first"})
    assert captions_of_case(load_subject(folder), SID_CASE) == ("a [v] cat, first", "a [v] cat, second")


def test_every_subject_has_case_1(folder):
    assert captions_of_case(load_subject(folder), 1) == ("a photo of a [v] cat",) * 2
    write(folder, {"00.png": "a [v] art", "01.jpg": "a [v] art"}, class_word="art", bias="substance")
    assert captions_of_case(load_subject(folder), 1) == ("a painting in the style of [v] art",) * 2


def test_cases_are_written_side_by_side(folder):
    write(folder, {file: {"1": "a [v] cat", "2": f"a [v] cat by a {file}"} for file in ("00.png", "01.jpg")})
    subject = load_subject(folder)
    assert captions_of_case(subject, 2) == ("a [v] cat by a 00.png", "a [v] cat by a 01.jpg")
    with pytest.raises(ValueError, match=r"expected captions of case 4, got cases \[1, 2\]"):
        captions_of_case(subject, 4)
    with pytest.raises(ValueError, match="unknown case '5'"):
        captions_of_case(subject, 5)
    assert tuple(CASES) == WRITTEN_CASES


@pytest.mark.parametrize(
    ("captions", "message"),
    [
        ({"00.png": "a cat", "01.jpg": "a [v] cat"}, r"case 3 of 00.png: expected \[v\] once, .* got it 0 times"),
        ({"00.png": "a [v] cat", "01.jpg": "a [v] [v] cat"}, "of 01.jpg: .* got it 2 times"),
        ({"00.png": "a [v] cat"}, "a caption for each picture, got none for 01.jpg"),
        (
            {"00.png": "a [v]", "01.jpg": "a [v]", "0l.jpg": "a [v]"},
            "unknown picture .*'0l.jpg'; did you mean '01.jpg'",
        ),
        (
            {"00.png": "a [v] cat", "01.jpg": {"1": "a [v] cat"}},
            "the same cases for every picture, but 00.png lacks case 1",
        ),
        ({"00.png": "a [v] cat", "01.jpg": {"7": "a [v] cat"}}, "unknown case of 01.jpg '7'"),
        ({"00.png": "a [v] cat", "01.jpg": 3}, "01.jpg to have a caption .* got 3"),
        (["a [v] cat"], "captions to map file names to captions"),
    ],
)
def test_bad_captions_are_refused(folder, captions, message):
    write(folder, captions)
    refused(folder, message)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bias": "backgrund"}, "'backgrund'; did you mean 'background'"),
        ({"bias": []}, "bias to be a list"),
        ({"class_word": " "}, "class_word to be a text"),
        ({"class_word": None}, "expected the keys .*; class_word is not there"),
        ({"clas_word": "cat"}, "'clas_word'; did you mean 'class_word'"),
    ],
)
def test_bad_values_are_refused(folder, values, message):
    write(folder, {"00.png": "a [v] cat", "01.jpg": "a [v] cat"}, **values)
    refused(folder, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{oops", "captions.json: expected JSON"),
        ("[]", r"expected an object .* got \[\]"),
        ('{"captions": {"00.png": "a [v]", "00.png": "b [v]"}}', "'00.png' is there 2 times"),
    ],
)
def test_a_file_that_is_no_json_is_refused(folder, text, message):
    (folder / "captions.json").write_text(text)
    refused(folder, message)


def test_a_missing_subject_offers_the_nearest(folder):
    refused(folder.with_name("my_cats"), "unknown subject .*'my_cats'; did you mean 'my_cat'")
    refused(folder / "no" / "where", "expected a folder of pictures at")


def test_a_folder_without_pictures_or_captions_is_refused(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", r"subject empty: expected pictures in .*empty \(.png, .*found none")
    (folder / "captions.json").unlink()
    refused(folder, "captions.json with a caption for each picture, found none; .* write {")


def test_a_caption_over_the_limit_says_what_would_be_cut(folder):
    tokenizer = make_tokenizer()
    words = "in a meadow " * 15
    fits = f"a [v] cat {words}"  # 3 + 45 words and two ends
    write(folder, {"00.png": "a [v] cat", "01.jpg": fits})
    told = f"of 01.jpg: expected at most {tokenizer.model_max_length} tokens.*got 50; .*end of it, 'a meadow'"
    refused(folder, told, tokenizers=[tokenizer])
    write(folder, {"00.png": "a [v] cat", "01.jpg": fits.removesuffix("a meadow ")})
    assert load_subject(folder, tokenizers=[tokenizer])
    refused(folder, "got 50", tokenizers=[tokenizer], identifier="sks sks sks")


def test_text_that_is_not_ready_for_a_model_is_refused():
    check_ready([insert("a [v] cat", "sks")], [make_tokenizer()])
    with pytest.raises(ValueError, match=r"in the place of \[v\], got 'a \[v\] cat'"):
        check_ready(["a [v] cat"], [])


def test_spoilt_pictures_are_refused(folder):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(folder / "01.jpg")
    whole = (folder / "01.jpg").read_bytes()
    (folder / "01.jpg").write_bytes(whole[: len(whole) // 2])
    refused(folder, "01.jpg: expected a picture, but it cannot be read .*truncated")
    (folder / "01.jpg").write_text("not a picture")
    refused(folder, "01.jpg: expected a picture, but it cannot be read")
    Image.new("RGB", (1, 1)).save(folder / "01.jpg")
    refused(folder, "01.jpg: expected at least 32 x 32 px, got 1 x 1")


def test_floating_point_pixels_are_refused(tmp_path):
    Image.fromarray(np.zeros((64, 64), np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match="expected 8 or 16 bits a channel, got pixels of type F"):
        load_image(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bits_become_8(tmp_path, suffix):
    Image.fromarray(np.full((64, 64), 200 * 257, np.uint16)).save(tmp_path / f"a{suffix}")
    assert load_image(tmp_path / f"a{suffix}").getpixel((0, 0)) == (200, 200, 200)


def test_cmyk_becomes_rgb(tmp_path):
    Image.new("CMYK", (64, 64), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    image = load_image(tmp_path / "a.jpg")
    assert image.mode == "RGB"
    assert np.allclose(image.getpixel((5, 5)), (255, 0, 0), atol=3)


def test_a_colour_profile_is_applied_and_a_broken_one_counts_as_none(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red_is_blue = profile.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    Image.new("RGB", (64, 64), RED).save(tmp_path / "a.png", icc_profile=red_is_blue)
    assert np.allclose(load_image(tmp_path / "a.png").getpixel((0, 0)), RED[::-1], atol=2)
    Image.new("RGB", (64, 64), RED).save(tmp_path / "b.png", icc_profile=b"nonsense")
    assert load_image(tmp_path / "b.png").getpixel((0, 0)) == RED


def test_a_picture_is_turned_as_its_exif_says(tmp_path):
    image = Image.new("RGB", (64, 40), RED)
    exif = image.getexif()
    exif[0x0112] = 6  # turn a quarter to the right
    image.save(tmp_path / "a.jpg", exif=exif)
    assert load_image(tmp_path / "a.jpg").size == (40, 64)


def test_transparency_becomes_white(tmp_path):
    Image.new("RGBA", (64, 64), (*RED, 0)).save(tmp_path / "a.png")
    assert load_image(tmp_path / "a.png").getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(("side", "told"), [(10_000, "got 10000 x 10000"), (14_200, "got more than twice that")])
def test_a_giant_is_refused_before_its_pixels_are_read(tmp_path, side, told):
    Image.new("1", (side, side)).save(tmp_path / "a.png")
    started = time.perf_counter()
    with pytest.raises(ValueError, match=f"at most 80 megapixels, {told}; scale it down"):
        load_image(tmp_path / "a.png")
    assert time.perf_counter() - started < 0.5


def test_heic_is_named_and_not_left_out(folder):
    (folder / "02.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 100)
    refused(folder, "02.HEIC: expected one of .png, .*no decoder for .HEIC here; save it as JPEG or PNG")
    (folder / "02.HEIC").rename(folder / "01.jpg")  # as some phones and sites do
    refused(folder, "01.jpg: expected a picture, got HEIC under another name")


def test_names_may_hold_spaces_and_letters_of_any_script(folder):
    names = ("my cat 1.png", unicodedata.normalize("NFD", "Kätzchen é.jpg"))  # as a Mac spells it
    for old, new in zip(("00.png", "01.jpg"), names):
        (folder / old).rename(folder / new)
    Image.new("RGB", (64, 64)).save(folder / "猫.webp")
    write(folder, {"my cat 1.png": "a [v] cat, 1", "Kätzchen é.jpg": "a [v] cat, 2", "猫.webp": "a [v] cat, 3"})
    subject = load_subject(folder)
    assert dict(zip((path.name for path in subject.images), captions_of_case(subject, 3))) == {
        names[1]: "a [v] cat, 2",
        names[0]: "a [v] cat, 1",
        "猫.webp": "a [v] cat, 3",
    }


def test_a_photo_that_is_turned_and_in_four_colours(tmp_path):
    image = Image.new("CMYK", (64, 40), (0, 255, 255, 0))
    exif = image.getexif()
    exif[0x0112] = 8  # turn a quarter to the left
    image.save(tmp_path / "a.jpg", exif=exif)
    turned = load_image(tmp_path / "a.jpg")
    assert (turned.mode, turned.size) == ("RGB", (40, 64))


def test_prompts_for_photos_leave_out_what_captions_name(folder):
    asked = [prompt.asked.get("background") for prompt in photo_prompts(load_subject(folder), 5)]
    assert "in the snow" in asked
    write(folder, {"00.png": "a [v] cat in the snow", "01.jpg": "a [v] cat in deep snow"})
    subject = load_subject(folder)
    found = photo_prompts(subject, 5)
    assert not any("snow" in prompt.text for prompt in found)
    assert [prompt.kind for prompt in found[:4]] == [kind.name for kind in KINDS]
    assert all(prompt.text.count("[v] cat") == 1 for prompt in found)
    with pytest.raises(ValueError, match="expected 1 to 5 of each kind for my_cat, got 6"):
        photo_prompts(subject, 6)


def test_prompts_for_a_style_ask_for_other_content(folder):
    write(
        folder, {"00.png": "bunnies in the style of [v] art", "01.jpg": "a [v] art"}, class_word="art", bias="substance"
    )
    texts = [prompt.text for prompt in photo_prompts(load_subject(folder), 3)]
    assert texts[0] == "a painting of bunnies in a meadow in the style of [v] art"


# --- sticker subjects


@pytest.mark.parametrize("bias", [*SHARED, ("nearby", "tied")])
def test_references_share_what_the_bias_says(tmp_path, bias):
    subject = make_subject(tmp_path, "dog", bias, 4, seed=0)
    truth = read_truth(subject)
    scenes = list(truth.scenes.values())
    assert len(subject.images) == 4
    assert set(truth.shared) == ({bias} if isinstance(bias, str) else set(bias))
    assert {scene.design for scene in scenes} == {SUBJECTS["dog"].held_out}
    assert len({scene.pose for scene in scenes}) == 4
    shared = [field for factor in truth.shared for field in fields_of(factor)]
    assert len({tuple(getattr(scene, field) for field in shared) for scene in scenes}) == 1
    if "background" not in truth.shared:
        assert len({scene.background for scene in scenes}) == 4


def fields_of(factor):
    return {
        "background": ("background", "variant"),
        "nearby": ("nearby", "nearby_color"),
        "tied": ("tied", "tied_color"),
    }[factor]


def test_a_single_reference_shares_its_place_with_itself(tmp_path):
    subject = make_subject(tmp_path, "alarm clock", "nearby", 1, seed=0)
    assert set(read_truth(subject).shared) == {"background", "nearby"}
    assert read_truth(subject).scenes["00.png"].pose == "standing"


def test_captions_say_what_their_case_says(tmp_path):
    subject = make_subject(tmp_path, "cat", ("background", "nearby", "tied"), 3, seed=1)
    for number, case in CASES.items():
        for text, scene in zip(captions_of_case(subject, number), read_truth(subject).scenes.values()):
            said = grammar.parse(text)
            assert text.count("[v] cat") == 1
            assert ({"background", "nearby", "tied"} <= set(said)) == case.objects
            assert ({"variant", "nearby_color", "tied_color"} <= set(said)) == case.object_details
            assert ("looks" in said) == case.subject_details
            assert not case.objects or said["nearby"] == scene.nearby


def test_every_picture_has_its_own_mask(tmp_path):
    """Blackened outside of the mask, the picture keeps the subject: much of it, and not the place around it."""
    subject = make_subject(tmp_path, "crab", "tied", 2, seed=3, size=64)
    masks = [np.asarray(Image.open(tmp_path / "masks" / path.name)) for path in subject.images]
    pixels = [np.asarray(image).astype(int) for image in load_images(subject)]
    assert all(mask.shape == (64, 64) and mask.dtype == bool and 0.02 < mask.mean() < 0.6 for mask in masks)
    pink = [picture[mask].mean(0) for picture, mask in zip(pixels, masks)]
    assert np.abs(pink[0] - pink[1]).max() < 25, "both masks cover the same crab"
    assert np.abs(pixels[0][masks[1] & ~masks[0]].mean(0) - pink[0]).max() > 25, "the other picture's mask does not"


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    def read(name, seed):
        folder = tmp_path / name
        make_subject(folder, "owl", "nearby", 2, seed=seed)
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}

    assert read("a", 0) == read("b", 0) != read("c", 1)


def test_a_bias_does_not_change_the_others(tmp_path):
    one = read_truth(make_subject(tmp_path / "1", "owl", "nearby", 2, seed=0)).shared
    two = read_truth(make_subject(tmp_path / "2", "owl", ("tied", "nearby"), 2, seed=0)).shared
    assert one == {"nearby": two["nearby"]}


@pytest.mark.parametrize("bias", [*SHARED, SHARED])
def test_prompts_never_ask_for_what_references_show(tmp_path, bias):
    subject = make_subject(tmp_path, "dog", bias, 4, seed=2)
    scenes = list(read_truth(subject).scenes.values())
    found = sticker_prompts(subject, 6)
    assert len({prompt.text for prompt in found}) == 24
    for prompt in found:
        said = grammar.parse(prompt.text)
        assert said.pop("subject") == "dog"
        assert said == prompt.asked
        assert not any(getattr(scene, factor) == value for factor, value in prompt.asked.items() for scene in scenes)
        assert prompt.asked.get("attribute") not in looks(scenes[0])
    assert [prompt.kind for prompt in found[:4]] == ["recontextualization", "nearby", "accessory", "property"]
    assert sticker_prompts(subject, 2) == found[:8] != sticker_prompts(subject, 2, seed=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("dgo", "nearby"), "unknown subject class 'dgo'; did you mean 'dog'"),
        (("dog", "nearbye"), "unknown bias 'nearbye'; did you mean 'nearby'"),
        (("dog", ()), "bias: expected at least one of background, nearby"),
        (("dog", "nearby", 0), "references: expected at least one, got 0"),
    ],
)
def test_a_wrong_request_is_refused(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        make_subject(tmp_path, *arguments, seed=0)
    assert not list(tmp_path.iterdir())


def test_too_many_prompts_and_photos_are_refused(tmp_path, folder):
    subject = make_subject(tmp_path / "s", "dog", "nearby", 4, seed=0)
    with pytest.raises(ValueError, match="expected 1 to 8 of each kind, got 9"):
        sticker_prompts(subject, 9)
    with pytest.raises(ValueError, match="expected a sticker subject"):
        read_truth(load_subject(folder))


def test_a_pose_is_shared_and_only_then_undesired(tmp_path):
    posed = read_truth(make_subject(tmp_path / "pose", "cat", "pose", 1, seed=0))
    (scene,) = posed.scenes.values()
    assert scene.pose in ("upside down", "lying", "tilted") and posed.shared["pose"] == scene.pose
    assert scene.nearby is None and scene.tied is None
    assert "pose" not in read_truth(make_subject(tmp_path / "place", "cat", "background", 1, seed=0)).shared


def test_a_style_is_learnt_from_pictures_that_share_what_they_show(tmp_path):
    subject = make_subject(tmp_path, "dog", "substance", 3, seed=0)
    truth = read_truth(subject)
    assert subject.class_word == "art" and subject.bias == ("substance",) and subject.name == "dog-substance"
    assert {scene.style for scene in truth.scenes.values()} <= set(factors.TEST_STYLES)
    assert truth.shared == {"class": "dog", "background": truth.scenes["00.png"].background}
    assert all(given_mask(path) is None for path in subject.images)
    texts = {case: captions["00.png"] for case, captions in subject.captions.items()}
    assert texts[1] == "a painting in the style of [v] art"
    assert "dog" in texts[3] and texts[3].count("[v]") == 1
    asked = sticker_prompts(subject, 2)
    assert len(asked) == 8 and all(prompt.text.endswith("in the style of [v] art") for prompt in asked)
    assert all(prompt.asked["class"] != "dog" for prompt in asked)
    assert len({prompt.asked["class"] for prompt in asked}) == 8


def test_a_style_has_no_other_bias(tmp_path):
    with pytest.raises(ValueError, match="bias: expected substance alone"):
        make_subject(tmp_path, "dog", ("substance", "nearby"), 3, seed=0)
