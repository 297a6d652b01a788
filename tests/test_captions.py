"""captions.json: one reader for everybody. What training refuses, the checker reports, and no describer is asked."""

import json
import unicodedata

import pytest
from PIL import Image

from sidkit.captions import Captions, class_word_of, read_captions, write_captions
from sidkit.check.check import check
from sidkit.describe.folder import describe_folder, sources, unwritten
from sidkit.describe.instructions import load_instruction
from sidkit.describe.kept import read_kept
from sidkit.subjects import load_subject

GOOD = {"00.png": "a photo of a [v] dog on a green sofa", "01.png": "a photo of a [v] dog by a wooden fence"}
WHOLE = {"class_word": "dog", "bias": ["background"], "captions": GOOD}


class NobodyIsAsked:
    """A describer that must not be asked."""

    name, paid = "nobody", 0.0

    def fits(self, instruction):
        return instruction

    def cost(self, sizes, instruction):
        return None

    def describe(self, image, class_word, instruction):
        raise AssertionError("asked")


@pytest.fixture
def folder(tmp_path):
    for name, color in (("00.png", "red"), ("01.png", "blue")):
        Image.new("RGB", (64, 64), color).save(tmp_path / name)
    write(tmp_path, WHOLE)
    return tmp_path


def write(folder, value):
    text = value if isinstance(value, str) else json.dumps(value)
    (folder / "captions.json").write_text(text, encoding="utf-8")


def describe(folder):
    return describe_folder(folder, "dog", NobodyIsAsked(), load_instruction("structure"))


def twice(key, text):
    """The good file with a key that is there twice."""
    return json.dumps(WHOLE).replace(key, f"{text}, {key}", 1)


MALFORMED = {
    "no JSON": ("{oops", "expected JSON"),
    "a list": ("[]", r"expected an object .* got \[\]"),
    "null": ("null", "expected an object .* got null"),
    "nested too deep": ("[" * 100_000, "nested too deep"),
    "captions a list": (WHOLE | {"captions": ["a [v] dog"]}, "captions to map file names to captions, got"),
    "a caption a number": (WHOLE | {"captions": GOOD | {"00.png": 3}}, "00.png to have a caption .*, got 3"),
    "a caption a list": (WHOLE | {"captions": GOOD | {"00.png": ["a"]}}, r"00.png to have a caption .*, got \[.a.\]"),
    "a caption null": (WHOLE | {"captions": GOOD | {"00.png": None}}, "00.png to have a caption .*, got null"),
    "a caption not Unicode": (
        '{"captions": {"00.png": {"3": "a \\ud800"}}}',
        "half a character, .*ud800.*, in .*00.png.*: .*a .*; write the whole one, or",
    ),
    "a case null": (WHOLE | {"captions": GOOD | {"00.png": {"3": None}}}, "00.png to have a caption .*, got null"),
    "a case a number": (WHOLE | {"captions": GOOD | {"00.png": {"3": 5}}}, "00.png to have a caption .*, got 5"),
    "a case that is none": (WHOLE | {"captions": GOOD | {"00.png": {"5": "a [v]"}}}, "unknown case of 00.png '5'"),
    "bias null": (WHOLE | {"bias": None}, "bias to be a list of background, .*, got null"),
    "bias a number": (WHOLE | {"bias": 3}, "bias to be a list of background, .*, got 3"),
    "bias misspelt": (WHOLE | {"bias": ["nearly"]}, "unknown bias 'nearly'; did you mean 'nearby'"),
    "name a list": (WHOLE | {"name": ["dog"]}, "name to be a text"),
    "class word blank": (WHOLE | {"class_word": " "}, "class_word to be a text"),
    "class word a number": (WHOLE | {"class_word": 3}, 'class_word to be a text such as "dog", .*, got 3'),
    "a key misspelt": (WHOLE | {"captoins": {}}, "unknown key 'captoins'; did you mean 'captions'"),
    "a picture twice": (twice('"00.png"', '"00.png": "lost"'), "'00.png' is there 2 times"),
    "a key twice": (twice('"bias"', '"bias": "pose"'), "'bias' is there 2 times"),
}


@pytest.mark.parametrize("kind", MALFORMED)
@pytest.mark.parametrize("reader", [load_subject, check, describe, class_word_of, sources, unwritten])
def test_what_is_malformed_is_refused_by_everybody_in_one_line(folder, kind, reader):
    value, message = MALFORMED[kind]
    write(folder, value)
    before = (folder / "captions.json").read_bytes()
    with pytest.raises(ValueError, match=message) as refusal:
        reader(folder)
    assert str(refusal.value).startswith(str(folder / "captions.json"))
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 400
    assert (folder / "captions.json").read_bytes() == before


NOT_READY = {
    "no class word": {key: value for key, value in WHOLE.items() if key != "class_word"},
    "no bias": {key: value for key, value in WHOLE.items() if key != "bias"},
    "an empty bias": WHOLE | {"bias": []},
    "a picture without a caption": WHOLE | {"captions": {"00.png": GOOD["00.png"]}},
    "a caption without a picture": WHOLE | {"captions": GOOD | {"02.png": "a [v] dog on a lawn"}},
    "a caption that waits": WHOLE | {"captions": GOOD | {"00.png": " "}},
    "cases that are not the same": WHOLE | {"captions": GOOD | {"00.png": {"2": "a [v] dog", "3": GOOD["00.png"]}}},
    "[V]": WHOLE | {"captions": {file: text.replace("[v]", "[V]") for file, text in GOOD.items()}},
    "no [v]": WHOLE | {"captions": GOOD | {"00.png": "a dog on a sofa"}},
    "[v] twice": WHOLE | {"captions": GOOD | {"00.png": "a [v] dog and a [v] dog on a sofa"}},
    "no [v] in case 1": WHOLE | {"captions": {file: {"1": "a dog", "3": text} for file, text in GOOD.items()}},
    "no [v] in case 4": WHOLE | {"captions": {file: {"3": text, "4": "a dog"} for file, text in GOOD.items()}},
    "case 4 alone, twice [v]": WHOLE | {"captions": {file: {"4": "a [v] [v] dog"} for file in GOOD}},
}


@pytest.mark.parametrize("kind", NOT_READY)
def test_what_training_refuses_the_checker_reports(folder, kind):
    assert load_subject(folder) and not check(folder, "dog")
    write(folder, NOT_READY[kind])
    with pytest.raises(ValueError, match="captions.json"):
        load_subject(folder)
    findings = check(folder, "dog")
    assert [finding for finding in findings if finding.level == "fault"]


def test_text_in_another_encoding_is_named(folder):
    (folder / "captions.json").write_text(json.dumps(WHOLE), encoding="utf-16")
    with pytest.raises(ValueError, match="captions.json: expected text in UTF-8, .* save it as UTF-8"):
        load_subject(folder)
    (folder / "captions.json").write_text(json.dumps(WHOLE), encoding="utf-8-sig")  # as some editors save it
    assert load_subject(folder).class_word == "dog"


def test_a_folder_named_captions_json_is_no_file(folder):
    (folder / "captions.json").unlink()
    (folder / "captions.json").mkdir()
    with pytest.raises(ValueError, match="captions.json: expected a file, got a folder"):
        describe(folder)


def test_a_caption_whose_picture_is_away_is_not_lost(folder):
    (folder / "01.png").rename(folder / "1.png")
    with pytest.raises(ValueError, match="unknown picture '01.png'; did you mean '1.png'.*take its caption out"):
        describe(folder)
    assert json.loads((folder / "captions.json").read_text()) == WHOLE


def test_an_accent_may_be_spelt_in_two_ways_but_not_in_both(folder):
    one, two = (unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD"))
    assert one != two
    Image.new("RGB", (64, 64)).save(folder / two)
    write(folder, WHOLE | {"captions": GOOD | {one: "a [v] dog on a lawn"}})
    assert load_subject(folder).captions[3][two] == "a [v] dog on a lawn"
    assert describe(folder).by[two] == "hand"  # and is not described over
    write(folder, WHOLE | {"captions": GOOD | {one: "a [v] dog on a lawn", two: "a [v] dog by the sea"}})
    for reader in (load_subject, check, describe):
        with pytest.raises(ValueError, match="expected one caption for .*png, got two, its accents"):
            reader(folder)


def test_what_is_written_is_read_again(folder):
    captions = Captions(
        class_word="dog", bias=("pose",), captions={"a.png": {3: "a [v] dog"}, "b.png": {1: "a [v]", 3: "a [v]"}}
    )
    write_captions(folder, captions)
    assert read_captions(folder) == captions
    written = json.loads((folder / "captions.json").read_text())
    assert written == {
        "class_word": "dog",
        "bias": ["pose"],
        "captions": {"a.png": "a [v] dog", "b.png": {"1": "a [v]", "3": "a [v]"}},
    }


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"answers": []}',
        '{"answers": {"q": {"file": "00.png"}}}',
        '{"wrote": {"00.png": {"by": "m", "captions": {"3": null}}}}',
        '{"wrote": {"00.png": "m"}}',
    ],
)
def test_kept_answers_of_another_form_are_refused(folder, text):
    (folder / "descriptions.json").write_text(text)
    with pytest.raises(ValueError, match="descriptions.json: expected .* move it away") as refusal:
        read_kept(folder)
    assert "\n" not in str(refusal.value)
