"""Whatever training, a describer, a new chapter or chapter 11 refuses of a folder, the checker reports, by its file."""

import copy
import json
import os
import random
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_captions import GOOD, WHOLE, NobodyIsAsked
from typer.testing import CliRunner

from sidkit.captions import BIASES
from sidkit.chapters import your_images
from sidkit.check.apply import fix_folder
from sidkit.check.subject import check_folder, check_lengths
from sidkit.cli.main import app
from sidkit.config import load_profile
from sidkit.describe.folder import describe_folder, sources
from sidkit.describe.instructions import load_instruction
from sidkit.files import check_writable
from sidkit.new import make_new
from sidkit.study.plan import make_plan
from sidkit.subjects import load_subject

LONG = "a photo of a [v] dog on a beach" + " beside a blue ball" * 12  # 59 tokens: Sticker World's model reads 48
TOO_LONG = "a photo of a [v] dog on a beach" + " beside a blue ball" * 30
STICKERS = load_profile("stickers")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "dogs"
    make(place)
    return place


def make(folder):
    folder.mkdir(exist_ok=True)
    for name, color in (("00.png", "red"), ("01.png", "blue")):
        Image.new("RGB", (64, 64), color).save(folder / name)
    write(folder, WHOLE)


def write(folder, value, name="captions.json"):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    (folder / name).write_bytes(data)


def captions(**text_by_name):
    """The good file with other captions: `captions(a="...")` for 00.png, `b` for 01.png."""
    named = {{"a": "00.png", "b": "01.png"}.get(name, name): text for name, text in text_by_name.items()}
    return lambda folder: write(folder, WHOLE | {"captions": GOOD | named})


def cases(text):
    """Captions of case 3, and one text for all of case 4."""
    return captions(**{name: {"3": sid, "4": text} for name, sid in GOOD.items()})


def value(**keys):
    return lambda folder: write(folder, WHOLE | keys)


def picture(name, data):
    return lambda folder: (folder / name).write_bytes(data)


def renamed(name):
    return lambda folder: (folder / "captions.json").rename(folder / name)


def remove(pattern):
    return lambda folder: [path.unlink() for path in folder.glob(pattern)]


def size(width, height):
    return lambda folder: Image.new("RGB", (width, height)).save(folder / "00.png")


MASKS = ("masks/00.png", "00_mask.png")


def mask(name, *values):
    """A mask of equal bands of these values, 64 x 64."""
    pixels = np.repeat(np.array(values, np.uint8), 64 // len(values) + 1)[:64]
    picture = Image.fromarray(np.tile(pixels, (64, 1)))

    def save(folder):
        (folder / name).parent.mkdir(exist_ok=True)
        picture.save(folder / name)

    return save


def device(name):
    """A file that never ends."""

    def link(folder):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to("/dev/zero")

    return link


def train(folder):
    load_subject(folder)
    check_lengths(folder, STICKERS)


def describe(folder):
    describe_folder(folder, "dog", NobodyIsAsked(), load_instruction("structure"))


def new(folder):
    root = folder.parent / "book"
    (root / "notebooks").mkdir(parents=True, exist_ok=True)
    (root / "_toc.yml").write_text("root: a\nchapters:\n  - file: b\n")
    for path in make_new(folder, "dog", profile="stickers", scale="smoke", root=root):
        path.unlink()


def chapter(folder):
    place = your_images.place(str(folder), "dog")
    plan = make_plan("smoke", subjects=[place], arms=your_images.ARMS)
    your_images.prepare({"own": plan}, describer="openai:never-asked")
    sources(folder)
    train(folder)


DOORS = (train, describe, new, chapter)

# What is wrong -> (how it comes about, the file that has to be named, a piece of what is said)
REFUSED = {
    "no JSON": (lambda folder: write(folder, b"{oops"), "captions.json", "expected JSON"),
    "nothing": (lambda folder: write(folder, b""), "captions.json", "expected JSON"),
    "a name with .txt": (renamed("captions.json.txt"), "captions.json.txt", "got a file of this name; rename it"),
    "a name in capitals": (renamed("Captions.JSON"), "Captions.JSON", "got a file of this name; rename it"),
    "UTF-16": (lambda folder: write(folder, json.dumps(WHOLE).encode("utf-16")), "captions.json", "save it as UTF-8"),
    "Latin-1": (lambda folder: write(folder, b'{"name": "\xe9"}'), "captions.json", "save it as UTF-8"),
    "a comment": (lambda folder: write(folder, b"// mine\n" + json.dumps(WHOLE).encode()), "captions.json", "JSON"),
    "a comma too many": (lambda folder: write(folder, b'{"class_word": "dog",}'), "captions.json", "JSON"),
    "not a number": (lambda folder: write(folder, b'{"bias": NaN}'), "captions.json", "bias to be a list"),
    "two documents": (lambda folder: write(folder, b'{"class_word": "dog"} {}'), "captions.json", "JSON"),
    "a list": (lambda folder: write(folder, []), "captions.json", "expected an object"),
    "a text": (lambda folder: write(folder, "a [v] dog"), "captions.json", "expected an object"),
    "a deep nest": (lambda folder: write(folder, b"[" * 100_000), "captions.json", "nested too deep"),
    "a folder": (lambda folder: (folder / "captions.json").mkdir(), "captions.json", "got a folder"),
    "a link to nothing": (lambda folder: (folder / "captions.json").symlink_to("away"), "captions.json", "expected"),
    "not there": (remove("*.json"), "captions.json", "expected"),
    "a key twice": (
        lambda folder: write(folder, json.dumps(WHOLE).replace("{", '{"bias": "pose",', 1).encode()),
        "captions.json",
        "'bias' is there 2 times",
    ),
    "a picture twice": (
        lambda folder: write(folder, json.dumps(WHOLE).replace('"00', '"00.png": "mine", "00', 1).encode()),
        "captions.json",
        "'00.png' is there 2 times",
    ),
    "captions a list": (value(captions=["a [v] dog"]), "captions.json", "to map file names to captions"),
    "captions null": (value(captions=None), "captions.json", "to map file names to captions"),
    "captions a text": (value(captions="a [v] dog"), "captions.json", "to map file names to captions"),
    "a caption a number": (captions(a=3), "captions.json", "00.png to have a caption"),
    "a caption null": (captions(a=None), "captions.json", "00.png to have a caption .* got null"),
    "a caption true": (captions(a=True), "captions.json", "00.png to have a caption .* got true"),
    "a caption a list": (captions(a=["a [v] dog"]), "captions.json", "00.png to have a caption"),
    "a caption a nest": (captions(a={"3": {"3": "a [v] dog"}}), "captions.json", "00.png to have a caption"),
    "a case null": (captions(a={"3": None}), "captions.json", "00.png to have a caption .* got null"),
    "a case five": (captions(a={"3": 5}), "captions.json", "00.png to have a caption .* got 5"),
    "case 5": (captions(a={"5": "a [v] dog"}), "captions.json", "unknown case of 00.png '5'"),
    "case sid": (captions(a={"sid": "a [v] dog"}), "captions.json", "unknown case of 00.png 'sid'"),
    "no class word": (value(class_word=None), "captions.json", "class_word"),
    "class word empty": (value(class_word=""), "captions.json", "class_word to be a text"),
    "class word a list": (value(class_word=["dog"]), "captions.json", "class_word to be a text"),
    "class word with [v]": (value(class_word="[v] dog"), "captions.json", "class_word to be a text"),
    "class word with an old trigger": (value(class_word="sks dog"), "captions.json", "without .* another trigger"),
    "class word with <sks>": (value(class_word="<sks> dog"), "captions.json", "without .* another trigger"),
    "class word with an article": (value(class_word="a dog"), "captions.json", "class_word to be a text"),
    "class word of one's own": (value(class_word="My dog"), "captions.json", "class_word to be a text"),
    "class word of two lines": (value(class_word="big\ndog"), "captions.json", "class_word to be a text"),
    "class word another": (value(class_word="cat"), "captions.json", "class_word: expected 'cat' as in"),
    "bias null": (value(bias=None), "captions.json", "bias to be a list"),
    "bias empty": (value(bias=[]), "captions.json", "bias"),
    "bias misspelt": (value(bias=["nearly"]), "captions.json", "did you mean 'nearby'"),
    "bias in capitals": (value(bias="Background"), "captions.json", "did you mean 'background'"),
    "bias a mapping": (value(bias={"nearby": True}), "captions.json", "bias to be a list"),
    "bias of lists": (value(bias=[["nearby"]]), "captions.json", "bias to be a list"),
    "name a number": (value(name=3), "captions.json", "name to be a text"),
    "name empty": (value(name=" "), "captions.json", "name to be a text"),
    "a key more": (value(caption="a [v] dog"), "captions.json", "did you mean 'captions'"),
    "waiting": (captions(a=""), "00.png", "caption"),
    "blank": (captions(a={"3": "\n "}), "00.png", "caption"),
    "one waiting case": (captions(a={"1": "a [v] dog", "3": ""}), "00.png", "lacks case 3"),
    "no cases": (captions(a={}), "00.png", "caption"),
    "not the same cases": (captions(a={"1": "a [v] dog", "3": GOOD["00.png"]}), "01.png", "lacks case 1"),
    "a picture's name misspelt": (captions(**{"0.png": "a [v] dog on a lawn"}), "0.png", "did you mean '0"),
    "a picture's name in capitals": (captions(**{"00.PNG": "a [v] dog on a lawn"}), "00.PNG", "unknown picture"),
    "a path for a name": (captions(**{"dogs/00.png": "a [v] dog"}), "dogs/00.png", "unknown picture"),
    "[V]": (captions(a="a [V] dog on a sofa"), "00.png", r"\[v\]"),
    "no [v]": (captions(a="a dog on a sofa"), "00.png", r"\[v\]"),
    "[v] twice": (captions(a="a [v] dog and a [v] dog on a sofa"), "00.png", r"\[v\]"),
    "no [v] in case 4": (cases("a dog"), "00.png", r"\[v\]"),
    "too long": (captions(a=LONG), "00.png", "48 tokens"),
    "too long in case 4": (cases(LONG), "00.png", "48 tokens"),
    "much too long": (captions(a=TOO_LONG), "00.png", "48 tokens"),
    "30,000 letters": (captions(a=GOOD["00.png"] + " and a ball" * 3000), "00.png", "48 tokens"),
    "no pictures": (remove("*.png"), "captions.json", "pictures"),
    "a picture away": (remove("01.png"), "01.png", "unknown picture"),
    "a picture more": (picture("02.png", b"x"), "02.png", "picture"),
    "a text as a picture": (picture("00.png", b"no picture"), "00.png", "expected a picture"),
    "an empty picture": (picture("00.png", b""), "00.png", "expected a picture"),
    "a picture cut short": (lambda folder: cut(folder / "00.png"), "00.png", "expected a picture"),
    "HEIC": (picture("02.heic", b"\0\0\0\x18ftypheic"), "02.heic", "save it as JPEG or PNG"),
    "HEIC under another name": (picture("00.png", b"\0\0\0\x18ftypheic" + b"\0" * 99), "00.png", "HEIC"),
    "too small": (size(31, 64), "00.png", "at least 32 x 32"),
    "a picture a link to nothing": (lambda folder: (folder / "02.png").symlink_to("away"), "02.png", "picture"),
    "EPS under another name": (picture("00.png", b"%!PS-Adobe-3.0 EPSF-3.0\n"), "00.png", "got EPS in it"),
    "an endless picture": (device("02.png"), "02.png", "got a device"),
    "a mask of labels": (mask("masks/00.png", 0, 1, 2), "00.png", r"expected two values, .*got 3 \(0, 1, 2\)"),
    "an endless mask": (device("masks/00.png"), "00.png", "got a device"),
    "a mask of nothing": (mask("00-masklabel.png", 0), "00.png", "covers nothing"),
    "a mask for nobody": (mask("masks/0.png", 0, 255), "0.png", "as masks/00.png; rename it"),
    "a mask that is not read": (mask("masks/00.gif", 0, 255), "00.gif", "save it as PNG"),
    "masks in another folder": (mask("Masks/00.png", 0, 255), "Masks", "in a folder called masks"),
    "masks as a file": (picture("masks", b""), "00.png", "got a file; move it away"),
    "two masks": (lambda folder: [mask(name, 0, 255)(folder) for name in MASKS], "00.png", "expected one mask"),
    "a mask as a picture": (mask("00_seg.png", 0, 255), "00_seg.png", "as a mask of 00.png would be"),
    "a captioned mask": (
        lambda folder: captions(**{"mask0.png": "a [v] dog on a lawn"})(folder) or mask("mask0.png", 0, 255)(folder),
        "mask0.png",
        r"a mask of 0\d.png would be",
    ),
    "captions of another trainer": (
        lambda folder: captions(a="")(folder) or picture("00.txt", b"a sks dog")(folder),
        "00.png",
        "1 caption found in '00.txt'; write them into captions.json",
    ),
    "answers no JSON": (lambda folder: write(folder, b"{", "descriptions.json"), "descriptions.json", "expected JSON"),
    "answers a list": (lambda folder: write(folder, [], "descriptions.json"), "descriptions.json", "expected answers"),
    "answers null": (
        lambda folder: write(folder, {"answers": None}, "descriptions.json"),
        "descriptions.json",
        "expected answers",
    ),
    "answers of another": (
        lambda folder: write(folder, {"answers": {"q": {"file": "00.png"}}}, "descriptions.json"),
        "descriptions.json",
        "expected answers",
    ),
    "writers a text": (
        lambda folder: write(folder, {"wrote": {"00.png": "llava"}}, "descriptions.json"),
        "descriptions.json",
        "expected answers",
    ),
    "answers a folder": (lambda folder: (folder / "descriptions.json").mkdir(), "descriptions.json", "got a folder"),
    "answers twice": (
        lambda folder: write(folder, b'{"wrote": {}, "wrote": {}}', "descriptions.json"),
        "descriptions.json",
        "2 times",
    ),
}  # fmt: skip


def cut(path):
    path.write_bytes(path.read_bytes()[:70])


def refusal(door, folder):
    """What a door says; "" where it lets the folder in. Anything but ValueError is a fault of ours."""
    try:
        door(folder)
    except ValueError as error:
        return str(error)
    except AssertionError:  # that a describer would be asked means that the folder was let in
        return ""
    return ""


def report(folder):
    """What the checker says of a folder, a line a fault."""
    try:
        findings = check_folder(folder, "dog", profile=STICKERS)
    except ValueError as error:
        return [str(error)]
    return [f"{one.file}: {one.advice}" for one in findings if one.level == "fault"]


def test_a_folder_with_nothing_wrong_is_let_in_by_everybody(folder):
    assert [refusal(door, folder) for door in DOORS] == [""] * len(DOORS)
    assert report(folder) == []


@pytest.mark.parametrize("kind", REFUSED)
def test_what_any_door_refuses_the_checker_reports_with_the_file(folder, kind):
    spoil, file, words = REFUSED[kind]
    if kind in ("a folder", "a link to nothing"):
        (folder / "captions.json").unlink()
    spoil(folder)
    told = {}
    for door in DOORS:
        own = folder.parent / door.__name__ / folder.name
        shutil.copytree(folder, own, symlinks=True)
        told[door.__name__] = refusal(door, own)
    assert any(told.values()), "a control that nobody refuses is none"
    faults = report(folder)
    assert any(file in fault for fault in faults)
    for text in [*faults, *filter(None, told.values())]:
        assert "\n" not in text and len(text) < 700, "one line, whatever the input"
    assert any(re.search(words, text) for text in [*faults, *told.values()])
    run = CliRunner().invoke(app, ["check", str(folder)])
    assert len(run.output) < 3000
    assert run.exit_code != 0 and not isinstance(run.exception, (TypeError, AttributeError, KeyError, OSError))


ODD = (
    "a caption a number",
    "captions a list",
    "a caption a list",
    "a case null",
    "a case five",
    "bias null",
)  # case 02


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("command", [["check"], ["describe", "--by", "stickers"]])
def test_a_command_refuses_odd_values_in_one_line_before_anything_is_written(folder, kind, command):
    spoil, file, _ = REFUSED[kind]
    spoil(folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    run = CliRunner().invoke(app, [command[0], str(folder), *command[1:]])
    assert isinstance(run.exception, ValueError) and "\n" not in str(run.exception)
    assert file in str(run.exception) and "expected" in str(run.exception)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_the_checker_and_the_chapter_read_with_one_model(folder):
    """Case 04: with no option given, a caption of 59 tokens, where Sticker World's model reads 48."""
    captions(a=LONG)(folder)
    run = CliRunner().invoke(app, ["check", str(folder)])
    assert run.exit_code == 1 and "too-long" in run.output and "48 tokens of 59" in run.output
    assert re.search("captions.json: case 3 of 00.png: expected at most 48 tokens", refusal(chapter, folder))
    run = CliRunner().invoke(app, ["describe", str(folder)])
    assert run.exit_code == 0 and "note: " in run.stderr and "case 3 of 00.png: expected at most 48" in run.stderr
    run = CliRunner().invoke(app, ["check", str(folder), "--profile", "sd15"])
    assert "too-long" not in run.output, "which reads 77"


def mutated(rng):
    """The good file with one to three values or keys in it put in the place of others, or taken out."""
    odd = [None, True, 0, 2.5, "", " ", "dog", "[v]", [], {}, ["nearby"], {"3": "a [v] dog"}, {"1": ""}, "pose", LONG]
    whole = copy.deepcopy(
        WHOLE
        | rng.choice(
            [{}, {"name": "Rex"}, {"captions": {file: {"1": "a [v] dog", "3": text} for file, text in GOOD.items()}}]
        )
    )
    for _ in range(rng.randint(1, 3)):
        place = rng.choice([whole, *(value for value in whole.values() if isinstance(value, dict))])
        key = rng.choice([*place, "name", "00.png", "3", *BIASES])
        if rng.random() < 0.3:
            place.pop(key, None)
        else:
            place[key] = copy.deepcopy(rng.choice(odd))
    return whole


def test_no_file_is_refused_by_training_and_passed_by_the_checker(folder):
    rng = random.Random(0)
    refused = 0
    for _ in range(400):
        whole = mutated(rng)
        write(folder, whole)
        told = refusal(train, folder)
        refused += bool(told)
        assert bool(report(folder)) >= bool(told), (whole, told)
    assert 200 < refused < 400, "some pass and some do not, or this test says nothing"


def test_a_fix_keeps_every_file_as_it_was(folder):
    texts = []
    for color in ("brown", "white", "black"):
        captions(a=f"a {color} [v] dog on a sofa")(folder)
        texts.append((folder / "captions.json").read_bytes())
        assert fix_folder(folder)["00.png"][1] == "a [v] dog on a sofa"
    kept = [(folder / f"captions.before{name}.json").read_bytes() for name in ("", "-2", "-3")]
    assert kept == texts and fix_folder(folder) == {}
    assert len(list(folder.glob("captions.before*"))) == 3


FORMS = (  # of one file, as editors write it
    lambda text: json.dumps(json.loads(text)),
    lambda text: text.replace("\n", "\r\n"),
    lambda text: f"\ufeff{text}",
    lambda text: json.dumps(json.loads(text), indent=8, sort_keys=True),
)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_in_which_all_is_written_stays_as_it_is(folder, form):
    write(folder, form(json.dumps(WHOLE, indent=1)).encode())
    before = {path: path.read_bytes() for path in folder.iterdir()}
    describe(folder)
    new(folder)
    assert fix_folder(folder) == {}
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_signs_and_triggers_are_told_and_put_right_in_every_case(folder):
    brought = {
        "1": "a photo of a sks dog",
        "3": "a <sks> [v] dog on a (red rug:1.2)",
        "4": "a brown [v] ((dog)) on a rug",
    }
    write(folder, WHOLE | {"captions": {"00.png": brought, "01.png": brought}})
    advice = [finding.advice for finding in check_folder(folder) if finding.file == "00.png"]
    assert any(one.startswith("case 1: ") for one in advice) and any(one.startswith("case 4: ") for one in advice)
    fixed = fix_folder(folder)
    assert {fixed[f"{file}{case}"][1] for file in GOOD for case in ("", ", case 1", ", case 4")} == {
        "a [v] dog on a red rug",
        "a photo of a [v] dog",
        "a brown [v] dog on a rug",
    }, "the looks of case 4 stay"
    train(folder)


@pytest.fixture
def closed():
    """A folder that nobody may write to; root may, so that the test goes on as somebody else."""
    place = Path(tempfile.mkdtemp())
    make(place)
    write(place, WHOLE | {"captions": GOOD | {"00.png": "a brown [v] dog on a sofa"}})
    for path in [*place.iterdir(), place]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield place
    if root:
        os.seteuid(0)
    place.chmod(0o755)
    shutil.rmtree(place)


def test_nobody_is_asked_where_nothing_can_be_written(closed):
    before = sorted(closed.iterdir())
    for door in (fix_folder, lambda folder: describe_folder(folder, "dog", NobodyIsAsked(), load_instruction("start"))):
        with pytest.raises(ValueError, match="can be written, but") as told:
            door(closed)
        assert str(closed) in str(told.value)
    assert sorted(closed.iterdir()) == before


def test_a_protected_file_is_not_replaced(closed):
    os.seteuid(0) if os.getuid() == 0 else None
    closed.chmod(0o777)
    os.seteuid(65534) if os.getuid() == 0 else None
    before = (closed / "captions.json").read_bytes()
    with pytest.raises(ValueError, match="captions.json: expected a file that can be written, but it is read-only"):
        fix_folder(closed)
    assert (closed / "captions.json").read_bytes() == before


def test_a_place_is_tried_without_touching_it(tmp_path):
    check_writable(tmp_path / "new.json")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="No such file"):
        check_writable(tmp_path / "away" / "new.json")
    with pytest.raises(ValueError, match="got a folder; move it away"):
        check_writable(tmp_path)


def test_a_full_disk_is_found_before_the_work(tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ValueError, match="new.json can be written, but No space left on device"):
        check_writable(tmp_path / "new.json")
    assert not list(tmp_path.iterdir())
