"""A beginning with one's own pictures: what is written, what is left alone, what is refused."""

import json
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from PIL import Image

from sidkit.new import make_new
from sidkit.notebook import declared_parameters
from sidkit.subjects import load_subject

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
    written = make_new(folder_of(root), "kitten", ["nearby"], root=root, **OPTIONS)
    assert folder_of(root) / "captions.json" not in written
    assert load_subject(folder_of(root)).class_word == "cat"
    assert declared_parameters(written[0])["class_word"].default == "cat"  # or the chapter would refuse its own folder


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(class_word=" "), "class: expected a word"),
        (dict(bias=["nearly"]), "unknown bias 'nearly'; did you mean 'nearby'"),
        (dict(profile="sd16"), "unknown profile 'sd16'; did you mean 'sd"),
        (dict(folder="nothing"), "expected a folder of pictures at"),
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
