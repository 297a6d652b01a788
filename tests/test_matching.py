"""The judge that compares pixels: on rendered scenes it finds what is there, and nothing that is not."""

from dataclasses import replace

import numpy as np
import pytest

from sidkit.pretrain.judges import captions, correlations, leaked, plain_scenes
from sidkit.stickers import grammar, matching
from sidkit.stickers.matching import SpriteMatcher
from sidkit.stickers.scenes import render

COUNT = 8


@pytest.fixture(scope="module")
def scenes():
    return plain_scenes(COUNT)


def test_it_sees_what_is_there(scenes):
    rng, judge = np.random.default_rng(0), SpriteMatcher()
    found = leaked(judge, scenes, [render(scene, 128, rng) for scene in scenes])
    assert found["background"].tolist() == found["nearby"].tolist() == [1] * COUNT
    assert found["tied"].mean() >= 0.7


def test_it_sees_nothing_where_nothing_is(scenes):
    rng, judge = np.random.default_rng(0), SpriteMatcher()
    bare = [replace(scene, nearby=None, nearby_color=None, tied=None, tied_color=None) for scene in scenes]
    pictures = [render(scene, 128, rng) for scene in bare]
    found = leaked(judge, scenes, pictures)  # of the things that were there before
    assert found["background"].tolist() == [1] * COUNT
    assert found["nearby"].mean() <= 0.15 and found["tied"].mean() <= 0.15
    read = judge.read(pictures)
    assert all(shares.shape == (COUNT, len(judge.values[factor])) for factor, shares in read.items())
    assert np.allclose(read["background"].sum(1), 1)


def test_a_template_is_found_where_it_lies_and_is_like_itself():
    pixels = matching._colors(
        render(replace(plain_scenes(1)[0], nearby="gift", nearby_color=None), 128, np.random.default_rng(0))
    )
    here, elsewhere = (matching.correlation(pixels, "nearby", name).item() for name in ("gift", "ball"))
    assert 0.7 < here <= 1 + 1e-4 and elsewhere < 0.6


def test_captions_say_what_is_undesired_every_other_time():
    scenes = plain_scenes(60)
    said = [grammar.parse(text) for text in captions(scenes)]
    for factor in ("background", "nearby", "tied"):
        assert 0.3 < np.mean([factor in one for one in said]) < 0.7
    assert all(scene.nearby and scene.tied and scene.style is None for scene in scenes)


def test_judges_that_see_the_same_agree():
    one = {"background": np.array([1.0, 0, 1, 0]), "nearby": np.array([0.0, 0, 1, 1])}
    assert correlations(one, one) == {"leakage": 1, "background": 1, "nearby": 1}
    other = {"background": 1 - one["background"], "nearby": 1 - one["nearby"]}
    assert correlations(one, other)["leakage"] == pytest.approx(-1)
    blind = {factor: np.zeros(4) for factor in one}
    assert np.isnan(correlations(one, blind)["leakage"])
