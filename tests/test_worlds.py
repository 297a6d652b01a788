"""Which world a profile and a folder are of, and that nobody else asks."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from sidkit import worlds
from sidkit.config import load_profile
from sidkit.describe.prompts import photo_prompts
from sidkit.stickers.references import SCENES, make_subject
from sidkit.stickers.sticker_prompts import sticker_prompts
from sidkit.subjects import load_subject
from sidkit.worlds import Photos, StickerWorld, world_of, world_of_folder

PACKAGE = Path(worlds.__file__).parent
ASKED_IN = {"EMBEDDED": {"config.py"}, "SCENES": {"stickers/references.py", "worlds.py"}}


@pytest.fixture
def sticker(tmp_path):
    return make_subject(tmp_path / "a", "dog", "nearby", 2, seed=0)


@pytest.fixture
def photo(tmp_path):
    subject = make_subject(tmp_path / "b", "dog", "nearby", 2, seed=0)
    (subject.folder / SCENES).unlink()
    return load_subject(subject.folder)


def test_a_profile_is_of_the_world_that_its_model_paints():
    sd15 = load_profile("sd15")
    assert world_of(load_profile("stickers")) == StickerWorld()
    assert world_of(sd15) == Photos(sd15)


def test_a_folder_is_of_the_world_of_its_pictures(sticker, photo, tmp_path):
    assert world_of_folder(sticker.folder) == StickerWorld()
    assert world_of_folder(photo.folder) == Photos()
    assert world_of_folder(tmp_path / "not there") == Photos()


def test_prompts_fit_the_subject(sticker, photo):
    assert StickerWorld().prompts(sticker, 3, seed=4) == sticker_prompts(sticker, 3, seed=4)
    assert Photos().prompts(photo, 2, seed=4) == photo_prompts(photo, 2)
    assert len(photo_prompts(photo, 2)) == 8
    with pytest.raises(ValueError, match="expected a sticker subject"):
        StickerWorld().prompts(photo)


def test_of_a_drawing_is_known_what_it_shows_and_of_a_photo_nothing(sticker, photo):
    undesired = StickerWorld().undesired(sticker)
    assert list(undesired) == ["nearby"]
    assert {things["nearby"] for things in StickerWorld().seen(sticker.folder).values()} == set(undesired.values())
    assert all(all(things.values()) for things in StickerWorld().seen(sticker.folder).values())
    assert Photos().undesired(photo) == Photos().seen(photo.folder) == {}


def test_photos_need_to_be_told_how_subjects_are_found():
    with_masks = load_profile("sd15")
    assert world_of(with_masks).finder() == with_masks.masks
    with pytest.raises(ValueError, match=f"profile {with_masks.name}: expected `masks`, which say how"):
        world_of(replace(with_masks, masks=None)).find([], "dog")


def test_who_knows_whose_pictures():
    assert StickerWorld().knows(StickerWorld()) and not StickerWorld().knows(Photos())
    assert Photos().knows(StickerWorld()) and Photos().knows(Photos())
    assert StickerWorld().believes("stickers") and not Photos().believes("stickers-weakened")
    assert Photos().believes("openai:gpt-4.1-mini at localhost")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nobody_else_asks_which_world_it_is(path):
    """Neither by the scenes beside the pictures nor by how a model's name begins."""
    place = path.relative_to(PACKAGE).as_posix()
    if place.split("/")[0] == "pretrain":  # where scenes.json is a pool to train on, and SCENES counts it
        return
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    names |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert not [name for name, places in ASKED_IN.items() if place not in places and name in names]
    assert place == "config.py" or not [node.lineno for node in nodes if _asks_how_it_begins(node)]


def _asks_how_it_begins(node):
    """`reference.startswith("embedded:")`, or the same by `in`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
        return any("embedded:" in ast.dump(argument) for argument in node.args)
    return isinstance(node, ast.Compare) and "embedded:" in ast.dump(node)
