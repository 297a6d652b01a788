"""Other trainers' folders: what people bring is read or named in one line, and goes back as it came."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from sidkit.captions import read_captions
from sidkit.check.subject import check_folder
from sidkit.cli.main import app
from sidkit.describe.folder import describe_folder
from sidkit.describe.instructions import load_instruction
from sidkit.image_files import load_image
from sidkit.layouts.given_back import LAYOUTS, give_back
from sidkit.layouts.taken import read_layout
from sidkit.masks.given import given_mask
from sidkit.new import make_new
from sidkit.picture_folder import picture_files

TEXTS = (
    "a photo of a [v] dog on a beach beside a blue ball",
    "a photo of a [v] dog in the snow next to a wooden fence",
    "a photo of a [v] dog on a red rug in front of a window",
)
NAMES = ("00.png", "01.png", "02.png")
WITH_SKS = tuple(text.replace("[v]", "sks") for text in TEXTS)
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
MASK = Image.fromarray(np.uint8(np.hypot(*np.mgrid[-20:20, -20:20]) < 9) * 255)


def save(path, picture=PICTURE):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def sidecars(folder, texts=WITH_SKS, suffix=".txt", names=NAMES):
    for name, text in zip(names, texts, strict=True):
        save(folder / name)
        write((folder / name).with_suffix(suffix), text)


def table(folder, texts=WITH_SKS, columns=("file_name", "text"), kind="jsonl", names=NAMES, place=None, delimiter=","):
    for name in names:
        save(folder / name)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(names, texts, strict=True)]
    if kind == "jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        stream = io.StringIO()
        writer = csv.DictWriter(stream, columns, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
        text = stream.getvalue()
    write((place or folder) / f"metadata.{kind}", text)


def taken(folder, class_word="dog", **options):
    layout = read_layout(folder, class_word, deeper=True, **options)
    return {picture.name: picture.caption for picture in layout.pictures}


DEEP = ("train/00.png", "train/01.png", "train/02.png")
LAYOUTS_READ = {
    "kohya's .txt": sidecars,
    "kohya's .caption": lambda folder: sidecars(folder, suffix=".caption"),
    "endings in capitals": lambda folder: sidecars(folder, suffix=".TXT"),
    "the picture's whole name": lambda folder: sidecars(folder, suffix=".png.txt"),
    "line ends and blanks": lambda folder: sidecars(folder, [f"\n  {text}\r\n\n" for text in WITH_SKS]),
    "with the mark of an editor": lambda folder: sidecars(folder, ["\ufeff" + text for text in WITH_SKS]),
    "a folder of kohya's": lambda folder: sidecars(folder / "10_sks dog"),
    "a project of kohya's": lambda folder: sidecars(folder / "img" / "10_sks dog"),
    "with class pictures": lambda folder: (
        sidecars(folder / "img" / "10_sks dog") or save(folder / "reg" / "1_dog" / "x.png")
    ),
    "one folder deeper": lambda folder: sidecars(folder / "my dog"),
    "metadata.jsonl": table,
    "metadata.jsonl with blank lines": lambda folder: (
        table(folder) or write(folder / "metadata.jsonl", "\n\n" + (folder / "metadata.jsonl").read_text() + "\n")
    ),
    "metadata.csv": lambda folder: table(folder, kind="csv"),
    "metadata.csv with semicolons": lambda folder: table(folder, kind="csv", delimiter=";"),
    "metadata.csv with tabs": lambda folder: table(folder, kind="csv", delimiter="\t"),
    "DiffSynth's columns": lambda folder: table(folder, columns=("image", "prompt"), kind="csv"),
    "a column called caption": lambda folder: table(folder, columns=("file_name", "caption")),
    "a split": lambda folder: table(folder / "train"),
    "a split that the table names": lambda folder: table(folder, names=DEEP),
    "a Windows path": lambda folder: (
        [save(folder / name) for name in DEEP]
        and table(folder / "x", names=NAMES, place=folder)
        or [path.unlink() for path in (folder / "x").iterdir()]
        and write(folder / "metadata.jsonl", (folder / "metadata.jsonl").read_text().replace('": "0', '": "train\\\\0'))
    ),
    "a table and sidecars that agree": lambda folder: table(folder) or sidecars(folder),
    "captions with [v] already": lambda folder: sidecars(folder, TEXTS),
    "no trigger at all": lambda folder: sidecars(folder, [text.replace("[v] ", "") for text in TEXTS]),
    "ohwx": lambda folder: sidecars(folder, [text.replace("[v]", "ohwx") for text in TEXTS]),
    "<sks>": lambda folder: sidecars(folder, [text.replace("[v]", "<sks>") for text in TEXTS]),
    "a folder's name in capitals": lambda folder: sidecars(folder / "10_SKS Dog"),
    "a word of the folder's name": lambda folder: sidecars(
        folder / "5_bellobello dog", [text.replace("[v]", "bellobello") for text in TEXTS]
    ),
}


@pytest.mark.parametrize("kind", LAYOUTS_READ)
def test_captions_are_taken_with_the_mark(tmp_path, kind):
    LAYOUTS_READ[kind](tmp_path)
    assert list(taken(tmp_path).values()) == list(TEXTS)


def bad_table(text, kind="jsonl"):
    return lambda folder: sidecars(folder, ["", "", ""]) or write(folder / f"metadata.{kind}", text)


ROW = '{"file_name": "00.png", "text": "a dog"}'
REFUSED = {
    "two captions": (
        lambda folder: sidecars(folder) or sidecars(folder, TEXTS, ".caption"),
        "00.png: expected one caption, got two that differ, in 00.txt and 00.caption; take one away",
    ),
    "two captions in a table": (bad_table(f"{ROW}\n{ROW.replace('a dog', 'a cat')}"), "two that differ, in metadata.j"),
    "no JSON": (bad_table(f"{ROW}\n{{nonsense"), "metadata.jsonl: line 2: expected JSON"),
    "a key twice": (
        bad_table('{"file_name": "00.png", "text": "a", "text": "b"}'),
        "line 1: .*'text' is there 2 times",
    ),
    "a list": (bad_table('["00.png", "a dog"]'), "line 1: expected an object"),
    "a whole JSON list": (bad_table(f"[\n{ROW}\n]"), "line 1: expected JSON"),
    "no such picture": (bad_table(ROW.replace("00", "09")), "line 1: expected a picture that is in .*, got '09.png'"),
    "a picture elsewhere": (bad_table(ROW.replace("00", "../00")), "got '../00.png'; put it there"),
    "an absolute path": (bad_table(ROW.replace("00", "/etc/00")), "got '/etc/00.png'"),
    "no name": (bad_table('{"img": "00.png", "text": "a dog"}'), "under one of file_name, .*, got img, text; call its"),
    "a caption that is a list": (bad_table(ROW.replace('"a dog"', '["a dog"]')), r"expected text to be a text, got \["),
    "two columns of captions": (
        bad_table(ROW[:-1] + ', "caption": "a cat"}'),
        "got text, caption; take out the others",
    ),
    "no column of captions": (
        bad_table('{"file_name": "00.png", "label": 1}'),
        "a caption under one of text, .*, got file",
    ),
    "JSON lines called CSV": (bad_table(ROW, "csv"), "line 1: expected a picture's name under one of"),
    "no header": (
        bad_table("00.png,a dog\n", "csv"),
        "line 1: expected a picture's name under one of .*, got 00.png, a d",
    ),
    "a column twice": (bad_table("file_name,text,text\n00.png,a,b\n", "csv"), "each column once, got 'text' twice"),
    "a column of masks": (bad_table(ROW[:-1] + ', "mask_file_name": "m.png"}'), "line 1: .* got 'mask_file_name' too"),
    "a comma without quotes": (bad_table("file_name,text\n00.png,a dog, a ball\n", "csv"), "line 2: expected 2 values"),
    "quotes left open": (bad_table('file_name,text\n00.png,"a dog\n', "csv"), "metadata.csv: line .*: expected CSV"),
    "an empty table": (bad_table("file_name,text\n00.jpg,\n", "csv"), "line 2: expected a picture that is in"),
    "parquet": (lambda folder: sidecars(folder) or write(folder / "metadata.parquet", "PAR1"), "metadata.parquet: exp"),
    "another encoding": (
        lambda folder: sidecars(folder) or (folder / "00.txt").write_bytes("Kätzchen".encode("latin1")),
        "00.txt: expected text in UTF-8",
    ),
    "a folder for a caption": (lambda folder: sidecars(folder) or (folder / "00.caption").mkdir(), "got a folder"),
    "two subjects": (
        lambda folder: sidecars(folder / "10_sks dog") or sidecars(folder / "5_zwx cat"),
        "expected pictures of one subject, got '10_sks dog', '5_zwx cat'; name one of them",
    ),
    "splits without a table": (
        lambda folder: sidecars(folder / "train") or sidecars(folder / "test"),
        "pictures of one subject, got 'test', 'train'",
    ),
    "class pictures alone": (
        lambda folder: save(folder / "reg" / "1_dog" / "a.png"),
        "got 'reg/1_dog' alone; name that folder",
    ),
    "two triggers": (
        lambda folder: sidecars(folder, ["sks dog", "ohwx dog", "a dog"]),
        "got sks, ohwx in the captions; say which, --trigger sks",
    ),
    "a word that may be a trigger": (
        lambda folder: sidecars(folder, [text.replace("[v]", "rexxy") for text in TEXTS]),
        "'rexxy' stands before 'dog' in all 3 captions; say --trigger rexxy if .*, else --trigger ''",
    ),
    "a colour before each class word": (
        lambda folder: sidecars(folder, [text.replace("[v]", "black") for text in TEXTS]),
        "'black' stands before 'dog' in all 3 captions",
    ),
    "a picture that is none": (
        lambda folder: sidecars(folder) or write(folder / "03.png", "x"),
        "03.png: expected a p",
    ),
    "a format that is not read": (
        lambda folder: sidecars(folder) or write(folder / "03.heic", "x"),
        "no decoder for .he",
    ),
    "a mask of labels": (
        lambda folder: (
            sidecars(folder)
            or save(folder / "00-masklabel.png", Image.fromarray(np.uint8(np.mgrid[0:40, 0:40][0] // 10)))
        ),
        "00-masklabel.png: expected two values",
    ),
    "no pictures": (lambda folder: write(folder / "00.txt", "a dog"), "new: expected pictures in"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_taken_is_named(tmp_path, kind):
    make, words = REFUSED[kind]
    make(tmp_path)
    with pytest.raises(ValueError, match=words) as error:
        read_layout(tmp_path, "dog", deeper=True)
    assert "\n" not in str(error.value) and str(error.value)[:8] in (
        str(tmp_path)[:8],
        "trigger:",
        "mask /tm",
        "new: exp",
    )


@pytest.mark.parametrize("trigger", ["rexxy", "REXXY"])
def test_a_trigger_is_told(tmp_path, trigger):
    sidecars(tmp_path, [text.replace("[v]", "rexxy") for text in TEXTS])
    assert list(taken(tmp_path, trigger=trigger).values()) == list(TEXTS)
    kept = list(taken(tmp_path, trigger="").values())
    assert kept == [text.replace("[v] dog", "rexxy [v] dog") for text in TEXTS]
    with pytest.raises(ValueError, match="trigger: expected 'other' in the captions"):
        taken(tmp_path, trigger="other")


def test_a_caption_with_neither_trigger_nor_class_word_stays_and_is_told(tmp_path):
    sidecars(tmp_path, ["1girl, beach", "sks, snow", "sks dog, sks dog"])
    layout = read_layout(tmp_path, "dog")
    assert [picture.caption for picture in layout.pictures] == ["1girl, beach", "[v], snow", "[v] dog, [v] dog"]
    told = "\n".join(layout.told())
    assert told.count("which needs [v] once") == 2 and "sks is [v] now" in told


@pytest.mark.parametrize(
    ("text", "taken_as"),
    [
        ("a TOK dog", "a [v] dog"),
        ("a <s0><s1> dog", "a [v] dog"),
        ("a [trigger] dog", "a [v] dog"),
        ("an V* dog", "a [v] dog"),
        ("(sks:1.2) dog", "([v]:1.2) dog"),
        ("<lora:sks:0.8> a dog", "<lora:sks:0.8> a [v] dog"),
        ("sksy dog", "sksy [v] dog"),
        ("my dog, my dogs", "my [v] dog, my dogs"),
        ("sks", "[v]"),
        ("a cat", "a cat"),
    ],
)
def test_a_caption_is_changed_where_its_trigger_stands(tmp_path, text, taken_as):
    sidecars(tmp_path, [text], names=["00.png"])
    assert taken(tmp_path) == {"00.png": taken_as}


def test_captions_that_were_there_already_are_not_counted_as_none(tmp_path):
    sidecars(tmp_path, WITH_SKS)
    write(tmp_path / "captions.json", "{}")
    first, note = read_layout(tmp_path, "dog").told()[:2]
    assert "pictures, 0 masks" in first and "captions.json is there already" in note


def test_what_is_left_is_said(tmp_path):
    sidecars(tmp_path, [f"{WITH_SKS[0]}\nsecond line", "", WITH_SKS[2]])
    write(tmp_path / "00.json", "{}")
    save(tmp_path / "00-condlabel.png")
    save(tmp_path / "deeper" / "09.png")
    told = read_layout(tmp_path, "dog", deeper=True).told()
    assert "3 pictures, 2 captions, 0 masks" in told[0]
    assert "without a caption: '01.png'" in told[3]
    assert "left: 'deeper', pictures further down; name that folder to take" in told[4]
    assert "left, as nobody reads it here: '00-condlabel.png', '00.json'" in told[5] or "'00.json'" in told[5]
    assert "only the first line was taken of '00.txt'" in told[-1]


@pytest.mark.parametrize("mask", ["00-masklabel.png", "masks/00.JPG", "00_mask.webp"])
def test_masks_come_with_their_pictures(tmp_path, root, mask):
    source, folder = tmp_path / "theirs", root / "mine"
    sidecars(source / "10_sks dog")
    save(source / "10_sks dog" / mask, MASK)
    make_new(folder, "dog", source=source, root=root, profile="stickers", scale="smoke")
    assert [path.name for path in picture_files(folder)] == list(NAMES)
    assert (given_mask(folder / "00.png") == given_mask(source / "10_sks dog" / "00.png")).all()
    assert given_mask(folder / "01.png") is None


@pytest.fixture
def root(tmp_path):
    """A book without chapters."""
    root = tmp_path / "book"
    (root / "notebooks").mkdir(parents=True)
    (root / "_toc.yml").write_text("format: jb-book\nroot: index\nparts:\n- caption: One\n  chapters: []\n")
    return root


def test_new_makes_a_folder_of_another_and_leaves_that_as_it_was(tmp_path, root):
    source = tmp_path / "theirs"
    sidecars(source / "10_sks dog")
    sidecars(source / "20_sks dog")  # the same names, more often
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    run = CliRunner().invoke(
        app, ["new", str(root / "mine"), "--class", "dog", "--from", str(source), "--root", str(root)]
    )
    assert run.exit_code == 0, run.output
    assert "6 pictures, 6 captions, 0 masks; sks is [v] now" in run.stderr and TEXTS[0] in run.stderr
    captions = read_captions(root / "mine").of_case(3)
    assert captions == {f"{times}_sks dog-{name}": text for times in (10, 20) for name, text in zip(NAMES, TEXTS)}
    assert before == {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda root, source: (root / "_toc.yml").unlink(), "found none; go there"),
        (lambda root, source: write(root / "mine" / "a.txt", ""), "expected no such folder yet, or an empty one"),
        (lambda root, source: write(root / "mine" / ".git" / "config", ""), "expected no such folder yet"),
        (lambda root, source: write(root / "mine", ""), "expected no such folder|expected a"),
        (lambda root, source: write(source / "captions.json", "{}"), "got one with captions.json; it needs no copy"),
        (lambda root, source: write(source / "00.png", ""), "00.png: expected a picture"),
    ],
)
def test_nothing_is_made_where_something_is_wrong(tmp_path, root, spoil, words):
    source = tmp_path / "theirs"
    sidecars(source)
    spoil(root, source)
    before = sorted(root.rglob("*"))
    with pytest.raises(ValueError, match=words):
        make_new(root / "mine", "dog", source=source, root=root, profile="stickers", scale="smoke")
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize("begun", [False, True])
def test_no_model_is_asked_for_what_is_written(tmp_path, begun):
    sidecars(tmp_path)
    if begun:
        write(tmp_path / "captions.json", '{"captions": {"00.png": ""}}')
    advice = "write them into captions.json, or move" if begun else "`sidkit new` takes them over, or move"
    with pytest.raises(ValueError, match=f"3 captions found in '00.txt', '01.txt', '02.txt'; {advice}"):
        describe_folder(tmp_path, "dog", Asked(), load_instruction("structure"))


class Asked:
    """A describer that must not be."""

    name, paid = "asked", 0.0

    def fits(self, instruction):
        return instruction


def subject(folder, names=NAMES, **more):
    for name in names:
        save(folder / name)
    captions = dict(zip(names, TEXTS, strict=True)) | more
    write(folder / "captions.json", json.dumps({"class_word": "dog", "bias": ["background"], "captions": captions}))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_given_back_comes_back(tmp_path, layout):
    subject(tmp_path / "dog")
    save(tmp_path / "dog" / "masks" / "01.png", MASK)
    give_back(tmp_path / "dog", tmp_path / "out", layout, trigger="zwx")
    back = read_layout(tmp_path / "out", "dog", deeper=True)
    assert [picture.caption for picture in back.pictures] == list(TEXTS) and back.trigger == "zwx"
    assert [picture.path.read_bytes() for picture in back.pictures] == [
        (tmp_path / "dog" / name).read_bytes() for name in NAMES
    ]
    assert sum(picture.mask is not None for picture in back.pictures) == (layout == "kohya")


def test_kohya_s_folder_is_as_its_trainer_reads_it(tmp_path):
    subject(tmp_path / "dog", ["00.png", "00.jpg", "a.tif"])
    files = give_back(tmp_path / "dog", tmp_path / "out", "kohya", repeats=7)
    names = [path.relative_to(tmp_path / "out").as_posix() for path in files]
    assert names == [
        f"7_sks dog/{name}" for name in ("00_jpg.jpg", "00_jpg.txt", "00_png.png", "00_png.txt", "a.png", "a.txt")
    ]
    assert "sks dog" in (tmp_path / "out" / "7_sks dog" / "a.txt").read_text()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "names", [("a.png", "a.jpg", "a_png.png"), ("a.png", "A.webp", "a_png_.jpg"), ("é 1.png", "#%.png", "(x).jpg")]
)
def test_no_picture_takes_another_s_place(tmp_path, names, layout):
    subject(tmp_path / "dog", names)
    give_back(tmp_path / "dog", tmp_path / "out", layout)
    back = read_layout(tmp_path / "out", "dog", deeper=True)
    assert sorted(picture.caption for picture in back.pictures) == sorted(TEXTS)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_caption_goes_back_in_one_line(tmp_path, layout):
    subject(tmp_path / "dog", **{"00.png": TEXTS[0].replace(" beside", "\n beside")})
    give_back(tmp_path / "dog", tmp_path / "out", layout)
    assert read_layout(tmp_path / "out", "dog", deeper=True).pictures[0].caption == TEXTS[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trigger": "dog"}, "trigger: identifier: expected"),
        ({"trigger": "ball"}, "trigger: identifier: expected"),
        ({"trigger": "two words"}, "expected one word"),
        ({"trigger": "sky"}, "trigger: .*'sky' is in .* sks .*try 'ohwx'"),
        ({"trigger": ""}, "expected a word, got an empty one"),
        ({"case": 1}, "case"),
        ({"repeats": 0}, "repeats: expected 1 or more, got 0"),
        ({"layout": "koyha"}, "layout"),
        ({"to": "."}, "expected no such folder yet, or an empty one"),
        ({"to": "a/b/c"}, "No such file"),
    ],
)
def test_nothing_is_given_back_that_would_not_do(tmp_path, options, words):
    subject(tmp_path / "dog", **{"01.png": "a photo of a [v] dog under the sky beside an sks rifle"})
    options = {"to": "out", "layout": "kohya"} | options
    with pytest.raises(ValueError, match=words):
        give_back(tmp_path / "dog", tmp_path / options.pop("to"), options.pop("layout"), **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dog"]


LEFT = {
    "captions.txt": "00.png\ta sks dog",
    "captions.jsonl": '{"image": "00.png", "caption": "a sks dog"}',
    "captions.csv": "image,caption",
    "metadata.json": "[]",
    "meta_cap.json": "{}",
    "00.png.json": "{}",
    "17.txt": "a sks dog in rain",
    "_annotations.coco.json": "{}",
    "dataset.toml": "[[datasets]]",
    "clip.mp4": "",
    "toy.zip": "PK",
    "notes": "of mine",
    "labels/00.txt": "0 0.5 0.5 0.2 0.2",
    "more/captions.json": "{}",
    "../captions.txt": "above the pictures",
    "../metadata.jsonl.bak": "",
}


@pytest.mark.parametrize("file", LEFT)
def test_no_file_is_passed_over_in_silence(tmp_path, file):
    sidecars(tmp_path / "img" / "10_sks dog")
    write((tmp_path / "img" / "10_sks dog" / file), LEFT[file])
    told = read_layout(tmp_path, "dog", deeper=True).told()
    name = file.removeprefix("../").partition("/")[0]
    assert told[4:] == [f"  left, as nobody reads it here: '{name}'"]


def test_what_is_read_or_a_system_s_own_is_not_called_left(tmp_path):
    table(tmp_path)
    sidecars(tmp_path, ["", "", ""])
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX/._00.png", "descriptions.json"):
        write(tmp_path / name, "")
    save(tmp_path / "masks" / "00.png", MASK)
    save(tmp_path / "01_mask.png", MASK)
    assert len(read_layout(tmp_path, "dog", deeper=True).told()) == 4


def test_one_file_is_not_hidden_by_a_hundred_others(tmp_path):
    sidecars(tmp_path, ["", *WITH_SKS[1:]])
    for number in range(100):
        write(tmp_path / f"{number}_sd.npz", "")
    write(tmp_path / "captions.csv", "")
    told = read_layout(tmp_path, "dog").told()[-1]
    assert "'0_sd.npz' and 99 more, 'captions.csv'; captions are read from 00.txt" in told


def test_a_folder_is_left_once(tmp_path):
    sidecars(tmp_path)
    save(tmp_path / "00" / "0.png")
    told = read_layout(tmp_path, "dog", deeper=True).told()
    assert told[4:] == ["  left: '00', pictures further down; name that folder to take them"]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("a/b/c/00.png", "some lie deeper, in 'a/b/c'; name that folder"),
        ("a/b/c/d/e/f/00.png", "in 'a/b/c/d/e/f'; name that folder"),
        ("toy.zip", "found none, but 'toy.zip'; take the pictures out of it"),
        ("train-00000.parquet", "but 'train-00000.parquet'; take the"),
    ],
)
def test_where_pictures_may_be_is_said(tmp_path, file, words):
    save(tmp_path / file) if file.endswith("png") else write(tmp_path / file, "")
    with pytest.raises(ValueError, match=words):
        read_layout(tmp_path, "dog", deeper=True)


@pytest.mark.parametrize("name", ["03", "03.jpg_large", "03.JPE", "03.jpg!d", "03.png~"])
def test_a_picture_under_another_ending_is_named(tmp_path, name):
    subject(tmp_path)
    PICTURE.save(tmp_path / name, format="PNG")
    with pytest.raises(ValueError, match="got PNG under another ending; rename it 03.png"):
        read_layout(tmp_path, "dog")
    problems = [finding for finding in check_folder(tmp_path, profile="stickers") if finding.kind == "picture"]
    assert [problem.file for problem in problems] == [name]
    write(tmp_path / name, "no picture")
    assert read_layout(tmp_path, "dog").told()[-1].endswith(f"'{name}'")


def test_a_name_that_is_no_text_is_named(tmp_path):
    sidecars(tmp_path)
    save(tmp_path / "03.png")
    try:
        write(tmp_path / "\udce9.doc", "")
        (tmp_path / "03.png").rename(tmp_path / "\udce9.png")
    except (OSError, UnicodeError):
        pytest.skip("all names are text on this system")
    with pytest.raises(ValueError, match=r"'\\udce9.png': expected a name in UTF-8; rename it"):
        read_layout(tmp_path, "dog")
    (tmp_path / "\udce9.png").unlink()
    assert read_layout(tmp_path, "dog").told()[-1].endswith(r"'\udce9.doc'")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_a_turned_photo_goes_out_upright_with_its_mask(tmp_path, layout, orientation):
    subject(tmp_path / "dog", ["00.jpg", "01.png", "02.png"])
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (64, 40)).save(tmp_path / "dog" / "00.jpg", exif=exif)
    seen = load_image(tmp_path / "dog" / "00.jpg")
    mask = np.zeros((seen.height, seen.width), np.uint8)
    mask[:9] = 255
    save(tmp_path / "dog" / "masks" / "00.png", Image.fromarray(mask))
    notes = []
    give_back(tmp_path / "dog", tmp_path / "out", layout, tell=notes.append)
    assert notes[0] == "saved as PNG, upright: '00.jpg'"
    [copy] = [path for path in (tmp_path / "out").rglob("00.png") if path.parent.name != "masks"]
    with Image.open(copy) as image:  # as a trainer does that does not look at EXIF
        assert image.size == seen.size and not image.getexif() and (np.asarray(image) == np.asarray(seen)).all()


@pytest.mark.parametrize(
    ("layout", "words"),
    [("kohya", "--caption_extension .txt"), ("imagefolder", "left out: 1 mask, which an imagefolder would take")],
)
def test_export_says_what_it_left_and_how_it_is_read(tmp_path, layout, words):
    subject(tmp_path / "dog", ["00.png", "00.jpg", "02.png"])
    save(tmp_path / "dog" / "masks" / "02.png", MASK)
    told = CliRunner().invoke(app, ["export", str(tmp_path / "dog"), "--as", layout, "--to", str(tmp_path / "out")])
    assert (
        words in told.stderr and "renamed, as others have that name up to the suffix: '00.jpg', '00.png'" in told.stderr
    )
    assert words not in told.stdout and f'"{tmp_path / "out"}"' in told.stderr
