"""A beginning with one's own pictures: what is written, what is left alone, what is refused."""

import inspect
import json
import os
import shutil
from itertools import pairwise
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from PIL import Image

from sidkit.cli.describe import describe
from sidkit.cli.folders import check, new
from sidkit.config import DEFAULT_PROFILE
from sidkit.new import make_new
from sidkit.parameters import declared_parameters
from sidkit.subjects import load_subject
from sidkit.toc import with_chapter

ROOT = Path(__file__).parents[1]
OPTIONS = dict(profile="stickers", scale="smoke")


@pytest.fixture
def root(tmp_path):
    """A book's folder with a table of contents, and pictures of one's own in it."""
    shutil.copy(ROOT / "_toc.yml", tmp_path)
    (tmp_path / "notebooks").mkdir()
    folder = tmp_path / "my photos" / "Großmutters Katze"
    folder.mkdir(parents=True)
    for name in ("1.png", "ä b.jpg"):
        Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save(folder / name)
    return tmp_path


def folder_of(root):
    return root / "my photos" / "Großmutters Katze"


def test_captions_wait_to_be_written_and_a_chapter_is_listed(root):
    captions, notebook, toc = make_new(folder_of(root), "cat", ["nearby", "pose"], root=root, **OPTIONS)
    assert json.loads(captions.read_text()) == {
        "class_word": "cat",
        "bias": ["nearby", "pose"],
        "captions": {"1.png": "", "ä b.jpg": ""},
    }
    defaults = {name: one.default for name, one in declared_parameters(notebook).items()}
    assert defaults["folder"] == "my photos/Großmutters Katze"
    assert (defaults["class_word"], defaults["profile"], defaults["scale"]) == ("cat", "stickers", "smoke")
    chapters = [one["file"] for part in yaml.safe_load(toc.read_text())["parts"] for one in part["chapters"]]
    assert chapters[-1] == f"book/chapters/{notebook.stem}" and chapters.count(chapters[-1]) == 1
    assert notebook.stem == "own-gro-mutters-katze"


def test_labels_of_two_chapters_differ(root):
    shutil.copytree(folder_of(root), root / "second")
    first = make_new(folder_of(root), "cat", [], root=root, **OPTIONS)[1]
    second = make_new(root / "second", "cat", [], root=root, **OPTIONS)[1]
    labels = [
        {
            cell.metadata["mystnb"]["figure"]["name"]
            for cell in nbformat.read(path, as_version=4).cells
            if "mystnb" in cell.metadata
        }
        for path in (first, second)
    ]
    assert labels[0] and not labels[0] & labels[1]
    assert not any(
        "yours-" in cell.source for path in (first, second) for cell in nbformat.read(path, as_version=4).cells
    )
    toc = yaml.safe_load((root / "_toc.yml").read_text())["parts"]
    assert [one["file"] for one in toc[-1]["chapters"]] == [f"book/chapters/{path.stem}" for path in (first, second)]


def test_captions_that_are_there_stay(root):
    told = {"class_word": "cat", "bias": ["pose"], "captions": {"1.png": "a [v] cat", "ä b.jpg": "a [v] cat asleep"}}
    (folder_of(root) / "captions.json").write_text(json.dumps(told))
    before = (folder_of(root) / "captions.json").read_bytes()
    with pytest.raises(ValueError, match="class_word: expected 'cat' as in .*captions.json, got 'kitten'"):
        make_new(folder_of(root), "kitten", root=root, **OPTIONS)
    with pytest.raises(ValueError, match="bias: expected pose as in .*captions.json, got nearby"):
        make_new(folder_of(root), "cat", ["nearby"], root=root, **OPTIONS)
    written = make_new(folder_of(root), "cat", root=root, **OPTIONS)
    assert folder_of(root) / "captions.json" not in written
    assert (folder_of(root) / "captions.json").read_bytes() == before
    assert load_subject(folder_of(root)).class_word == "cat"
    assert declared_parameters(written[0])["class_word"].default == "cat"  # or the chapter would refuse its own folder


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(class_word=" "), "class: expected a word"),
        (dict(bias=["nearly"]), "unknown bias 'nearly'; did you mean 'nearby'"),
        (dict(profile="sd16"), "unknown profile 'sd16'; did you mean 'sd"),
        (dict(folder="nothing"), "expected a folder of pictures at"),
        (dict(profile="mine.yaml"), "profile: expected a YAML file at mine.yaml, found none"),
        (dict(class_word="a [v] cat"), r"class_word to be a text such as .dog., without .*, got 'a \[v\] cat'"),
        (dict(class_word="cat\ndog"), "expected class_word to be a text"),
        (dict(root="my photos"), "expected the book's _toc.yml in"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(root, change, words):
    before = sorted(root.rglob("*"))
    told = dict(folder=folder_of(root), class_word="cat", bias=["nearby"], root=root, **OPTIONS) | change
    told |= {name: root / change[name] for name in ("folder", "root") if name in change}
    with pytest.raises(ValueError, match=words):
        make_new(told.pop("folder"), told.pop("class_word"), told.pop("bias"), **told)
    assert sorted(root.rglob("*")) == before


def test_a_chapter_is_not_overwritten(root):
    make_new(folder_of(root), "cat", [], root=root, **OPTIONS)
    with pytest.raises(ValueError, match="expected no such chapter yet"):
        make_new(folder_of(root), "cat", [], root=root, **OPTIONS)


@pytest.mark.parametrize("second", ["home/max", "lab/Max", "lab/max!", "lab/-max", "lab/max猫"])
def test_folders_whose_names_make_one_link_have_a_chapter_each(root, second):
    notebooks = []
    for name in ("lab/max", second):
        shutil.copytree(folder_of(root), root / name)
        notebooks.append(make_new(root / name, "cat", [], root=root, **OPTIONS)[1])
    assert [declared_parameters(notebook)["folder"].default for notebook in notebooks] == ["lab/max", second]
    with pytest.raises(ValueError, match=f"{notebooks[1].name}: expected no such chapter yet"):
        make_new(root / second, "cat", [], root=root, **OPTIONS)


def test_names_without_a_letter_for_a_link_do_not_meet(root):
    names = []
    for name in ("名前", "写真"):
        shutil.copytree(folder_of(root), root / name)
        names.append(make_new(root / name, "cat", [], root=root, **OPTIONS)[1].name)
    assert len(set(names)) == 2 and all(name.isascii() for name in names)


def test_a_text_named_as_a_picture_is_refused(root):
    (folder_of(root) / "notes.jpg").write_text("not a picture")
    with pytest.raises(ValueError, match="notes.jpg: expected a picture"):
        make_new(folder_of(root), "cat", [], root=root, **OPTIONS)


LISTED = {
    "parts": ("root: a\nparts:\n  - caption: One\n    chapters:\n      - file: b\n", ["b"]),
    "parts, not indented": ("root: a\nparts:\n- caption: One\n  chapters:\n  - file: b\n", ["b"]),
    "our part": ("root: a\nparts:\n  - caption: Your own images\n    chapters:\n      - file: b\n", ["b"]),
    "our part is not the last": (
        "root: a\nparts:\n  - caption: Your own images\n    chapters:\n    - file: b\n  - chapters:\n      - file: c\n",
        ["b", "c"],
    ),
    "our caption in a comment": ("# caption: Your own images\nroot: a\nparts:\n- chapters:\n  - file: b\n", ["b"]),
    "chapters": ("format: jb-book\nroot: a\nchapters:\n  - file: b\n", ["b"]),
    "sections of an article": ("format: jb-article\nroot: a\nsections:\n  - file: b\n", ["b"]),
    "sections of a chapter": ("root: a\nchapters:\n  - file: b\n    sections:\n      - file: c\n", ["b", "c"]),
    "entries": ("root: a\nentries:\n  - file: b\n", ["b"]),
    "a key behind": ("root: a\nchapters:\n  - file: b\ndefaults:\n  numbered: true\n", ["b"]),
    "comments behind": ("root: a\nchapters:\n  - file: b  # the first\n\n# the end\n", ["b"]),
    "the end of no line": ("root: a\nchapters:\n  - file: b", ["b"]),
    "Windows' line ends": ("root: a\r\nparts:\r\n  - chapters:\r\n      - file: b\r\n", ["b"]),
    "a mark of byte order": ("\ufeffroot: a\nchapters:\n  - file: b\n", ["b"]),
    "a root alone": ("root: a\n", []),
    "the end of a document": ("---\nroot: a\nchapters:\n  - file: b\n...\n", ["b"]),
    "a title that is folded": ("root: a\nchapters:\n  - file: b\n    title: >\n      B is\n      long\n", ["b"]),
}


def pages(value):
    """Every page that a table of contents lists, in its order."""
    if isinstance(value, list):
        return [page for item in value for page in pages(item)]
    if not isinstance(value, dict):
        return []
    own = [value["file"]] if "file" in value else []
    return own + [page for item in value.values() for page in pages(item)]


@pytest.mark.parametrize("kind", LISTED)
def test_a_chapter_is_listed_in_any_table_of_contents(tmp_path, kind):
    text, there = LISTED[kind]
    (tmp_path / "_toc.yml").write_text(text, newline="")
    longer = with_chapter(tmp_path / "_toc.yml", "own-cat", "Your own images")
    contents = yaml.safe_load(longer)
    assert sorted(pages(contents)) == sorted([*there, "book/chapters/own-cat"])
    assert yaml.safe_load(text).keys() <= contents.keys()
    lines = text.removeprefix("\ufeff").splitlines()
    rest = iter(longer.splitlines())
    assert all(line in rest for line in lines), "what was there stays, in its order"
    assert longer.count("\r\n") in (0, longer.count("\n"))
    (tmp_path / "_toc.yml").write_text(longer, newline="")
    assert with_chapter(tmp_path / "_toc.yml", "own-cat", "Your own images") == longer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a table of contents with a root and parts"),
        ("root", "a table of contents with a root and parts"),
        ("- file: a", "a table of contents with a root and parts"),
        ("chapters:\n  - file: b\n", "a table of contents with a root and parts"),
        ("root: [a", "expected YAML, but"),
        ("root: a\n\tchapters: b", "expected YAML, but"),
        ("[" * 100_000, "expected YAML, but"),
        ("root: a\nchapters: [{file: b}]\n", "an item a line; write `- file: book/chapters/own-cat`"),
        ("root: a\nroot: b\nchapters:\n  - file: c\n", "got 'root' 2 times"),
        ("root: a\nsubtrees:\n  - entries:\n      - file: b\n", "write `- file: book/chapters/own-cat`"),
        ("root: a\n---\nroot: b\n", "expected YAML, but found another document"),
        (
            "a: &a [1]\n" + "".join(f"{y}: &{y} [{f'*{x},' * 9}]\n" for x, y in pairwise("abcdefg")),
            "at most 10000 values",
        ),
        ("root: a\nparts: b\n", "its pages as a list"),
        ("root: a\nchapters:\n", "its pages as a list"),
        ("root: a\nparts:\n  - caption: Your own images\n", "its pages as a list"),
        ("root: a\nchapters: {file: b}\n", "its pages as a list"),
    ],
)
def test_a_table_of_contents_that_cannot_take_a_chapter_is_refused_in_a_line(tmp_path, text, words):
    (tmp_path / "_toc.yml").write_text(text)
    with pytest.raises(ValueError, match=words) as refusal:
        with_chapter(tmp_path / "_toc.yml", "own-cat", "Your own images")
    assert str(refusal.value).startswith(str(tmp_path / "_toc.yml")) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "name",
    [
        *(r"C:\new\1", r"\g<0>", "a\\", r"\U0001f431", 'a "quoted" cat', "it's", "a`cat`", "# cat", "a\nb"),
        *("x" * 250, "{cat}", "$cat$", "-", "%s", "a = b", "cat's\ttoy", "caption: Your own images"),
    ],
)
def test_a_folder_may_have_any_name(root, name):
    folder = root / name
    shutil.copytree(folder_of(root), folder)
    _, notebook, _ = make_new(folder, "cat", root=root, **OPTIONS)
    assert declared_parameters(notebook)["folder"].default == name
    title = nbformat.read(notebook, as_version=4).cells[0].source.splitlines()[0]
    assert title.startswith("# Your own images: ")


def test_a_folder_whose_name_is_no_text_is_refused_before_anything_is_written(root):
    folder = root / os.fsdecode(b"c\xe4ts")
    shutil.copytree(folder_of(root), folder)
    before = sorted(root.rglob("*"))
    with pytest.raises(ValueError, match=r"'c\\udce4ts': expected a folder whose name is UTF-8.*; rename it"):
        make_new(folder, "cat", root=root, **OPTIONS)
    assert sorted(root.rglob("*")) == before


def test_nothing_is_written_where_one_of_the_files_cannot_be(root):
    before = sorted(root.rglob("*"))
    (root / "notebooks").rmdir()
    with pytest.raises(ValueError, match="notebooks: expected a folder in which own-.* can be written, but No such"):
        make_new(folder_of(root), "cat", root=root, **OPTIONS)
    (root / "notebooks").mkdir()
    assert sorted(root.rglob("*")) == before


def test_a_profile_of_one_s_own_is_named_from_the_book(root, monkeypatch):
    shutil.copy(ROOT / "sidkit" / "profiles" / "stickers.yaml", root / "mine.yaml")
    monkeypatch.chdir(root / "my photos")
    notebook = make_new(folder_of(root), "cat", profile="../mine.yaml", scale="smoke", root=root)[1]
    assert declared_parameters(notebook)["profile"].default == "mine.yaml"


def test_one_profile_is_the_default_of_the_whole_way(root):
    declared = declared_parameters(ROOT / "notebooks" / "11_your_images.ipynb")
    assert declared["profile"].default == DEFAULT_PROFILE
    for command in (new, check, describe):
        assert inspect.signature(command).parameters["profile"].default == DEFAULT_PROFILE
