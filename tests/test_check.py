"""The checker: what it finds in captions, what it leaves alone, and what it puts right."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from sidkit.check.apply import fix_folder, fixed
from sidkit.check.check import KINDS, check, find
from sidkit.check.limits import clip_limit, folder_limit, limit_of
from sidkit.check.subject import check_folder
from sidkit.cli.main import app
from sidkit.config import locate
from sidkit.stickers.references import make_subject


def kinds(text, class_word="dog", **options):
    return [finding.kind for finding in find({"00.png": text}, class_word, **options)]


def words(text, class_word="dog", **options):
    return [finding.words for finding in find({"00.png": text}, class_word, **options) if finding.kind == "looks"]


@pytest.fixture
def folder(tmp_path):
    """Two pictures of different places, with captions that have nothing wrong."""
    for name, color in (("00.png", "red"), ("01.png", "blue")):
        Image.new("RGB", (64, 64), color).save(tmp_path / name)
    write(tmp_path, {"00.png": "a [v] dog on a green sofa", "01.png": "a [v] dog by a wooden fence"})
    return tmp_path


def write(folder, captions, **values):
    told = {"class_word": "dog", "bias": ["background"], "captions": captions} | values
    (folder / "captions.json").write_text(json.dumps(told))


# The paper's own texts (Fig. 2 to 4): what it recommends passes, and what it warns of is found.
@pytest.mark.parametrize(
    ("text", "class_word"),
    [
        (
            "A [v] teddybear sits contemplatively on a moss-covered stone ledge with a blurred green backdrop.",
            "teddybear",
        ),
        ("A [v] teddybear leans against an old wooden fence amidst lush green foliage in the background.", "teddybear"),
        ("A [v] perfume next to a black Prada purse with silver hardware is on the bed of white sheet", "perfume"),
        ("A [v] cat is perched on a tiled surface with a metal railing beside it and a backdrop of stairs.", "cat"),
        ("a [v] dog with its tongue out and a red collar beside a small brown dog", "dog"),
        ("a woman with long brown hair carries a [v] backpack", "backpack"),
        ("a sleeping [v] dog on a big fluffy blanket with white stripes", "dog"),
        ("two children with a [v] dog, a ball and a kite on a lawn", "dog"),
        ("a [v] robot wearing a blue top hat next to a red umbrella standing open", "robot"),
    ],
)
def test_captions_that_spare_the_subject_pass(text, class_word):
    assert kinds(text, class_word) == []


@pytest.mark.parametrize(
    ("text", "class_word", "told"),
    [
        ("A [v] perfume, Chanel No. 5, next to a black purse on the bed", "perfume", [", Chanel No. 5,"]),
        ("A small brown and white [v] cat is sitting on a railing", "cat", ["small brown and white"]),
        ("a [v] dog with floppy ears on a lawn", "dog", ["with floppy ears"]),
        ("a [v] dog sitting on a lawn with a wet muzzle and brown eyes", "dog", ["with a wet muzzle"]),
        ("a [v] dog on a lawn, its fluffy tail raised", "dog", ["its fluffy tail"]),
        ("a [v] dog that is black and white by a fence", "dog", ["is black and white"]),
        ("a [v] chair made of red wood in a kitchen", "chair", ["made of red wood"]),
        ("a [v] dog, a golden retriever, on a lawn", "dog", [", a golden retriever"]),
        ("a [v] mug with a logo on a table", "mug", ["with a logo"]),
    ],
)
def test_the_subject_s_looks_are_found(text, class_word, told):
    found = words(text, class_word)
    assert [one.rstrip(",") for one in found][: len(told)] == [one.rstrip(",") for one in told]
    assert kinds(text, class_word).count("looks") == len(found)


def test_of_a_style_the_way_of_painting_is_its_looks():
    text = "A painting in the style of [v] art of a bouquet of sunflowers in the round vase"
    assert kinds(text, "art", style=True) == []
    assert words(f"{text} by Vincent van Gogh.", "art", style=True) == ["by Vincent van Gogh"]
    assert words(f"{text}, thick brushstrokes", "art", style=True) == ["brushstrokes"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a photo of a dog on a lawn", "identifier-missing"),
        ("a photo of a sks dog on a lawn", "identifier-missing"),
        ("a [v] [v] dog on a lawn", "identifier-twice"),
        ("a [v] on a lawn", "class-missing"),
        ("a [v] cat on a lawn", "class-missing"),
        ("a photo of a [v] dog", "bare"),
        ("a [v] dog to the left of a fence", "mirror"),
        ("a [v] dog by a fence in the corner of the picture", "mirror"),
        ("a [v] dog on a lawn" + " beside a fence" * 30, "too-long"),
    ],
)
def test_each_kind_of_fault_in_one_caption(text, kind):
    (finding,) = find({"00.png": text}, "dog")
    assert finding.kind == kind
    assert finding.bias == KINDS[kind][1]
    assert finding.advice


@pytest.mark.parametrize(
    ("text", "class_word"),
    [
        ("a photo of [v] gloves on a wooden table", "glove"),
        ("a photo of [v] gloves on a wooden table", "gloves"),
        ("three [v] cookies on a plate", "cookie"),
        ("a [v] mouse beside a piece of cheese", "mouse"),
        ("two [v] mice beside a piece of cheese", "mouse"),
        ("[v] scissors on a red cloth", "scissors"),
        ("a pair of [v] glasses on a desk", "glasses"),
        ("a [v] bus at a stop", "bus"),
        ("two [v] buses at a stop", "bus"),
        ("[v] teddy-bears on a bench", "teddy-bear"),
        ("two [v] teddy bears on a bench", "teddy bear"),
        ("a [v] c++ book on a desk", "c++ book"),
        ("[v] shelves on a brick wall", "shelf"),
        ("a [v] lens on a desk", "lens"),
    ],
)
def test_a_class_word_counts_in_either_number(text, class_word):
    assert "class-missing" not in kinds(text, class_word)
    assert "class-missing" in kinds(text, "hammer")


@pytest.mark.parametrize("end", ["made of", "in the shape", "shaped", "that is", "with", "by", "whose", "its", ","])
def test_a_caption_may_break_off_anywhere(end):
    find({"00.png": f"a [v] dog {end}"}, "dog")
    find({"00.png": f"a painting in the style of [v] art {end}"}, "art", style=True)


def test_left_is_not_always_a_side():
    assert kinds("a [v] dog right beside a ball that was left on a lawn") == []
    (finding,) = find({"a": "a [v] dog to the left of a fence"}, "dog", mirrored=True)
    assert finding.level == "fault"


def test_what_is_cut_off_is_told():
    count, lost = clip_limit().lost("fence " * 76 + "end")
    assert (count, lost) == (79, "fence end")
    assert clip_limit().lost("fence " * 75) == (77, "")
    (finding,) = find({"a": "a [v] dog on a lawn" + " by a fence" * 30}, "dog")
    assert "CLIP reads 77 tokens of 98" in finding.advice
    assert finding.words.startswith("by a fence by")


def test_clip_s_tokens_are_clip_s():
    """Ids of CLIP's own tokenizer (openai/clip-vit-base-patch32) for a text that everybody tokenizes."""
    assert clip_limit().tokenizer.encode("a photo of a cat", add_special_tokens=False).ids == [
        320,
        1125,
        539,
        320,
        2368,
    ]


def test_the_shipped_model_has_its_own_limit(tmp_path):
    limit = folder_limit(locate("embedded:text_to_image"))
    assert limit.length == 48
    assert limit.lost("meadow " * 47) == (49, "meadow ")
    with pytest.raises(ValueError, match="expected a tokenizer at"):
        folder_limit(tmp_path)


@pytest.mark.parametrize("length", [None, "x", "48", True, 0, -1, 2, [], float("inf")])
def test_a_tokenizer_s_limit_is_a_number_of_tokens(tmp_path, length):
    place = tmp_path / "tokenizer"
    shutil.copytree(Path(locate("embedded:text_to_image")) / "tokenizer", place)
    (place / "tokenizer_config.json").write_text(json.dumps({"model_max_length": length}))
    with pytest.raises(ValueError, match="tokenizer_config.json: expected model_max_length to be a number of tokens"):
        limit_of(str(tmp_path))


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"{}", b"version https://git-lfs", b"\xff\xfe{"])
def test_a_tokenizer_that_is_broken_is_named_in_one_line(tmp_path, name, content):
    place = tmp_path / "tokenizer"
    shutil.copytree(Path(locate("embedded:text_to_image")) / "tokenizer", place)
    (place / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name}: expected ") as refusal:
        limit_of(str(tmp_path))
    assert "\n" not in str(refusal.value)


def test_what_most_captions_name_is_asked_for_in_the_rest():
    captions = {
        "0": "a [v] dog by a purse on a bed",
        "1": "a [v] dog on a lawn near a purse",
        "2": "a [v] dog by the sea",
    }
    (finding,) = find(captions, "dog")
    assert (finding.file, finding.kind, finding.level, finding.bias) == ("2", "unsaid", "note", "nearby")
    assert "2 of 3 captions name 'purse'" in finding.advice


def test_what_is_seen_everywhere_and_said_nowhere_is_a_fault():
    captions = {"0": "a [v] dog on a bed", "1": "a [v] dog on a lawn", "2": "a [v] dog by the sea with a red balloon"}
    seen = {file: {"nearby": "balloon"} for file in captions}
    found = find(captions, "dog", seen=seen)
    assert [(one.file, one.level) for one in found] == [("0", "fault"), ("1", "fault")]
    seen["1"] = {}
    assert find(captions, "dog", seen=seen) == []


def test_captions_nearly_equal_are_told():
    captions = {
        "0": "a [v] dog lying on a green sofa",
        "1": "A [v] dog, lying on the green sofa.",
        "2": "a [v] dog by a fence",
    }
    (finding,) = (one for one in find(captions, "dog") if one.kind == "alike")
    assert (finding.file, "what 0 says" in finding.advice) == ("1", True)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("a fluffy brown [v] dog on a lawn", "a [v] dog on a lawn"),
        ("an old [v] dog on a lawn", "a [v] dog on a lawn"),
        ("a [v] small, brown and white dog on a lawn", "a [v] dog on a lawn"),
        ("a photo of a dog on a lawn", "a photo of a [v] dog on a lawn"),
        ("an sks dog on a lawn", "a [v] dog on a lawn"),
        ("a [v] on a lawn", "a [v] dog on a lawn"),
        ("a [v] dog, [v], on a lawn", "a [v] dog,, on a lawn"),
        ("a brown [v] [v] dog on a lawn", "a [v] dog on a lawn"),
    ],
)
def test_safe_changes(was, now):
    assert fixed(was, "dog").replace(",,", ",") == now.replace(",,", ",")


@pytest.mark.parametrize(
    "text",
    [
        "a dog and a dog on a lawn",
        "a [v] corgi on a lawn",
        "a [v] dog with floppy ears on a lawn",
        "a lawn with a fence",
    ],
)
def test_what_needs_a_person_is_left_alone(text):
    assert fixed(text, "dog") == text


def test_a_folder_is_checked_and_put_right(folder):
    assert check(folder) == []
    write(folder, {"00.png": "a brown [v] dog on a sofa", "01.png": {"1": "a [v] dog", "3": "a dog by a fence"}})
    told = json.loads((folder / "captions.json").read_text())
    told["captions"]["00.png"] = {"1": "a [v] dog", "3": told["captions"]["00.png"]}
    (folder / "captions.json").write_text(json.dumps(told))
    assert [(one.file, one.kind) for one in check(folder)] == [("00.png", "looks"), ("01.png", "identifier-missing")]
    before = (folder / "captions.json").read_text()
    assert fix_folder(folder)["00.png"] == ("a brown [v] dog on a sofa", "a [v] dog on a sofa")
    assert (folder / "captions.before.json").read_text() == before
    told = json.loads((folder / "captions.json").read_text())
    assert told["captions"]["01.png"] == {"1": "a [v] dog", "3": "a [v] dog by a fence"}
    assert told["bias"] == ["background"]
    assert check(folder) == [] == list(fix_folder(folder))


def test_pictures_and_captions_must_fit(folder):
    write(folder, {"00.png": "a [v] dog on a sofa", "01.png": "", "02.png": "a [v] dog by a fence"})
    (folder / "00.png").write_text("no picture")
    found = check(folder)
    assert [(one.file, one.kind) for one in found] == [(f"0{index}.png", "picture") for index in (2, 1, 0)]
    assert "expected a caption for each picture, got none for 01.png" in found[1].advice
    assert "cannot be read" in found[2].advice


def test_a_caption_that_says_nothing_is_none(folder):
    write(folder, {"00.png": "  ", "01.png": {"4": "a brown [v] dog on a sofa"}})
    assert [(one.file, one.kind) for one in check(folder)] == [("00.png", "picture"), ("01.png", "picture")]


def test_a_couch_is_a_sofa():
    captions = {"0": "a [v] dog on a sofa", "1": "a [v] dog asleep on a sofa", "2": "a [v] dog beside a couch"}
    assert find(captions, "dog") == []
    found = find(captions | {"2": "a [v] dog beside a chair"}, "dog")
    assert [(one.file, one.kind) for one in found] == [("2", "unsaid")]


def test_equal_edges_without_a_place_are_noticed(folder):
    Image.new("RGB", (64, 64), "red").save(folder / "01.png")
    write(folder, {"00.png": "a [v] dog by a balloon", "01.png": "a [v] dog by a drum"})
    (finding,) = check(folder)
    assert (finding.kind, finding.bias, finding.level) == ("unsaid", "background", "note")
    write(folder, {"00.png": "a [v] dog on a red carpet", "01.png": "a [v] dog by a drum"})
    assert check(folder) == []


def test_an_oblong_picture_loses_its_ends(folder):
    Image.new("RGB", (128, 64), "red").save(folder / "00.png")
    write(folder, {"00.png": "a [v] dog with a ball at the edge of the picture", "01.png": "a [v] dog by a fence"})
    (finding,) = check(folder)
    assert finding.kind == "mirror"
    assert "not square" in finding.advice


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected JSON"),
        ("[]", "expected an object {"),
        ('{"captions": {"00.png": "a [v]"}}', "expected what kind of thing"),
    ],
)
def test_a_folder_that_cannot_be_checked_is_refused(folder, text, message):
    (folder / "captions.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        check(folder)
    with pytest.raises(ValueError, match="expected a folder"):
        check(folder / "none")


def test_a_sticker_subject_tells_what_is_in_it(tmp_path):
    subject = make_subject(tmp_path, "dog", ("nearby", "tied"), 3, seed=0)
    assert [one for one in check_folder(tmp_path) if one.level == "fault"] == []
    bare = {path.name: "a photo of a [v] dog on a beach" for path in subject.images}
    write(tmp_path, bare)
    said = {one.bias for one in check_folder(tmp_path) if one.kind == "unsaid"}
    assert said == {"nearby", "tied"}


def test_the_command_tells_and_its_exit_code_too(folder):
    run = CliRunner().invoke
    assert run(app, ["check", str(folder)]).exit_code == 0
    write(folder, {"00.png": "a brown [v] dog to the left of a sofa", "01.png": "a [v] dog by a fence"})
    told = run(app, ["check", str(folder), "--class", "dog", "--json"])
    assert told.exit_code == 1
    (looks, side) = json.loads(told.stdout)["findings"]
    assert (looks["kind"], looks["words"], looks["fix"]) == ("looks", "brown", "a [v] dog to the left of a sofa")
    assert (side["kind"], side["level"]) == ("mirror", "note")
    fixed_now = run(app, ["check", str(folder), "--fix"])
    assert fixed_now.exit_code == 0
    assert "is now 'a [v] dog to the left of a sofa'" in fixed_now.stdout
    assert run(app, ["check", str(folder), "--strict"]).exit_code == 1
    assert isinstance(run(app, ["check", str(folder / "none")]).exception, ValueError)
