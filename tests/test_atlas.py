"""The drawings: those of the world, and those from outside it that the reader alone learns from."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sidkit.stickers import factors
from sidkit.stickers.anchors import anchors
from sidkit.stickers.atlas import ART, drawing, further_designs, further_sources, sources
from sidkit.stickers.make_art import two_toned
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import compose


def test_every_class_has_further_drawings_and_no_test_class_has():
    for name in factors.SUBJECTS:
        assert 5 <= len(further_designs(name)) <= len(factors.FURTHER_DESIGNS)
    assert not any(map(further_designs, factors.TEST_SUBJECTS))


def test_each_further_drawing_shows_something():
    for name in factors.SUBJECTS:
        for design in further_designs(name):
            covered = (np.asarray(drawing(name, design))[..., 3] > 127).mean()
            assert 0.05 < covered < 0.95, (name, design, covered)


def test_no_further_drawing_is_from_the_set_of_the_held_out_one():
    # An artist's two drawings of a class may be nearly one: Fluent's are the same, flat and in relief.
    collections = {art_set: told["package"].rpartition("/")[2] for art_set, told in sources()["sets"].items()}
    collections["fluent"] = "fluent-emoji-flat"
    for name, subject in factors.SUBJECTS.items():
        taken = {told.partition(":")[0] for told in further_sources()["drawings"][name]}
        assert collections[subject.held_out] not in taken, name


def test_the_notice_names_each_set_its_author_and_its_licence():
    notice = (ART / "NOTICE").read_text().partition("further.webp holds")[2].splitlines()
    for art_set, told in further_sources()["sets"].items():
        (line,) = [line for line in notice if line.split("  ")[0] == art_set]
        licence = told["licence"].replace("CC-BY-", "CC BY ").replace("CC0-", "CC0 ")
        assert told["title"] in line and told["author"] in line and line.endswith(licence)
    assert f"{further_sources()['package']} {further_sources()['version']}" in notice[0]


def test_the_book_counts_what_there_is():
    page = (Path(__file__).parent.parent / "book" / "licences.md").read_text()
    count = sum(len(told) for told in further_sources()["drawings"].values())
    assert f"{count} further drawings" in page and f"{len(further_sources()['sets'])} sets" in page


def test_an_unknown_drawing_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="no drawing of 'penguin' in the set 'further 9'.*noto.*further 1"):
        drawing("penguin", "further 9")


def test_scenes_show_further_drawings_as_often_as_asked():
    rng = np.random.default_rng(0)
    shown = [sample_scene(rng, further=0.5).design in factors.FURTHER_DESIGNS for _ in range(400)]
    assert 0.4 < np.mean(shown) < 0.6
    assert not any(sample_scene(rng).design in factors.FURTHER_DESIGNS for _ in range(100))


def test_a_further_drawing_can_wear_things():
    scene = factors.Scene("owl", "further 3", "moon", "stars", tied="top hat", tied_color="red")
    masks = compose(scene, 64, np.random.default_rng(0)).masks
    assert masks["tied"].sum() > 20 and masks["subject"].sum() > 100


def test_what_is_worn_sits_on_the_drawing():
    for name in factors.SUBJECTS:
        for design in further_designs(name):
            at = anchors(name, design)
            assert all(0 <= share <= 1 for point in at.values() for share in point)
            assert at["head"][1] < at["eye"][1] < at["neck"][1]


def test_an_icon_gets_a_colour_for_its_lines_and_one_for_what_they_enclose():
    icon = Image.new("RGBA", (64, 64))
    ImageDraw.Draw(icon).rectangle((10, 10, 50, 50), outline="black", width=6)
    line, inside, outside = (np.asarray(two_toned(icon, "a"))[y, 30] for y in (12, 30, 60))
    assert line[3] == inside[3] == 255 and outside[3] == 0
    assert tuple(line) != tuple(inside)
    assert np.array_equal(two_toned(icon, "a"), two_toned(icon, "a"))
    assert not np.array_equal(two_toned(icon, "a"), two_toned(icon, "b"))
