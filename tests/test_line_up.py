"""The line-up: look-alikes that are others, and a rank that tells the subject from them."""

import numpy as np
import pytest

from sidkit.measure.metrics import gallery_rank
from sidkit.stickers import line_up as line_ups
from sidkit.stickers.line_up import MOST, PLACES_EACH, line_up
from sidkit.stickers.references import make_subject, read_truth
from sidkit.stickers.scenes import render
from sidkit.worlds import Photos, StickerWorld

NORTH, EAST, BETWEEN = np.eye(2)[1:], np.eye(2)[:1], np.array([[0.6, 0.8]])


def test_a_rank_counts_those_that_are_at_least_as_near():
    members = [NORTH, EAST, BETWEEN]
    assert gallery_rank(members, np.concatenate([NORTH, BETWEEN, EAST])).tolist() == [1, 2, 3]
    assert gallery_rank([NORTH, NORTH], NORTH).tolist() == [2]  # a twin is no success
    assert gallery_rank([NORTH], EAST).tolist() == [1]


def test_nearness_is_the_mean_over_a_member_s_pictures():
    mixed = np.concatenate([NORTH, EAST])
    assert gallery_rank([mixed, BETWEEN], BETWEEN).tolist() == [2]
    assert gallery_rank([BETWEEN, mixed], BETWEEN).tolist() == [1]


@pytest.mark.parametrize("subject_class", ["dog", "elephant", "guitar", "tiger", "duck", "whale"])
@pytest.mark.parametrize("bias", [("nearby", "tied"), ("background",), ("pose",)])
def test_look_alikes_are_others_in_places_that_no_reference_shows(subject_class, bias, tmp_path):
    """The grey elephant has no other colours; a drawing that looks the same is nobody else."""
    subject = make_subject(tmp_path, subject_class, bias, 3, seed=0)
    own, *others = line_up(subject)
    assert 3 <= len(others) <= MOST and all(len(one) == PLACES_EACH for one in (own, *others))
    differences = [line_ups._difference(own, other) for other in others]
    assert min(differences) > line_ups.OTHER


def test_everybody_stands_alone_in_the_same_places(tmp_path, monkeypatch):
    scenes = []

    def seen(scene, *arguments):
        scenes.append(scene)
        return render(scene, *arguments)

    monkeypatch.setattr(line_ups, "render", seen)
    line_ups._line_up.cache_clear()
    subject = make_subject(tmp_path, "dog", ("background", "nearby", "tied"), 2, seed=3)
    line_up(subject)
    (shown,) = {scene.background for scene in read_truth(subject).scenes.values()}
    assert {scene.subject for scene in scenes} == {"dog"} and shown not in {scene.background for scene in scenes}
    assert len({scene.background for scene in scenes}) == PLACES_EACH
    assert {(scene.nearby, scene.tied, scene.style, scene.pose) for scene in scenes} == {(None, None, None, "standing")}


def test_a_style_and_photos_have_none(tmp_path):
    style = make_subject(tmp_path, "owl", "substance", 2, seed=0)
    assert StickerWorld().line_up(style) == () == Photos().line_up(style)
