"""Chapter 3's counting: what captions name, miss, get wrong and tell of the subject, and the curve of doses."""

import numpy as np
import pandas as pd
import pytest

from sidkit.chapters import vlm_comparison as describers
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.references import make_subject

SCENE = Scene("dog", "fluent", "beach", "sunset", nearby="balloon", nearby_color="blue", tied="crown",
              tied_color="red")  # fmt: skip


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    return make_subject(tmp_path_factory.mktemp("subject"), "dog", ("background", "nearby"), 2, seed=0)


@pytest.mark.parametrize(
    ("text", "named", "details", "wrong", "own"),
    [
        (grammar.plainest(SCENE, grammar.UNDESIRED, True), 1, 1, 0, 0),
        (grammar.plainest(SCENE, grammar.UNDESIRED, False), 1, 0, 0, 0),
        (grammar.plainest(SCENE, ("background",), True), 1 / 3, 1 / 3, 0, 0),
        ("a purple dog on a beach", 1 / 3, 0, 0, 1),
        ("a dog on the moon", 0, 0, 1, 0),
        ("", 0, 0, 0, 0),
    ],
)
def test_what_a_caption_does_is_counted(text, named, details, wrong, own):
    found = describers.counts(SCENE, text)
    assert found["named"] == pytest.approx(named) and found["details"] == pytest.approx(details)
    assert (found["wrong"], found["own looks"], found["off the point"]) == (wrong, own, not text)


def test_a_thing_that_is_not_there_is_wrong():
    bare = SCENE.without("nearby", "nearby_color", "tied", "tied_color")
    assert describers.counts(bare, "a dog wearing a crown on a beach")["wrong"] == 1


def test_phrases_are_the_whole_caption_and_say_what_they_mean():
    text = "a dog wearing a red crown next to a balloon on a beach"
    pieces = grammar.phrases(text)
    assert " ".join(words for words, _ in pieces) == text
    assert [set(meaning) for _, meaning in pieces] == [set(), {"tied", "tied_color"}, {"nearby"}, {"background"}]


def test_colours_tell_right_wrong_own_and_missed():
    told = describers.coloured("a purple dog wearing a blue crown on a beach", SCENE)
    assert '<span class="said-right">on a beach</span>' in told
    assert '<span class="said-wrong">wearing a blue crown</span>' in told
    assert '<span class="said-own">purple</span>' in told
    assert "(missed: nearby)" in told
    assert "<script>" not in describers.coloured("a <script> dog on a beach", SCENE)


def test_fewer_phrases_are_among_those_of_more(subject):
    full = describers.kept(1)(subject)
    some, few, none = (describers.kept(share)(subject) for share in (0.6, 0.3, 0))
    said = [[{f for f in grammar.UNDESIRED if f in grammar.parse(text)} for text in texts] for texts in (few, some)]
    assert all(less <= more for less, more in zip(*said))
    shares = [describers.dose(subject, texts) for texts in (none, few, some, full)]
    assert shares[0] == 0 and shares[-1] == 1 and shares == sorted(shares)
    assert describers.kept(0.3)(subject) == few


def test_the_slope_is_that_of_the_line_through_the_arms():
    doses = {"s": {"a": 0.0, "b": 0.5, "c": 1.0}, "t": {"a": 0.0, "b": 0.25, "c": 1.0}}
    frame = pd.DataFrame(
        {"subject": s, "prompt": p, "seed": 0, "arm": arm, "leakage": 0.8 - 0.6 * share}
        for s, told in doses.items()
        for p in "xy"
        for arm, share in told.items()
    )
    found = describers.slope(frame, doses, seed=0)
    assert np.allclose([found.mean, found.low, found.high], -0.6)
    assert describers.curve(frame, doses, seed=0).loc[("leakage", 37.5), "mean"] == pytest.approx(57.5)
    with pytest.raises(ValueError, match="expected arms of different shares for s"):
        describers.slope(frame[frame["arm"] == "a"], doses, seed=0)


def test_the_shipped_captioner_keeps_to_the_instruction_and_a_worse_one_does_not():
    frame = describers.read(describers.held_out(8, seed=1)).groupby("arm").mean()
    assert frame.loc["instructed", "named"] > 0.8 and frame.loc["instructed", "own looks"] == 0
    assert frame.loc["instructed", "named"] > frame.loc["unprompted", "named"]
    assert frame.loc["unprompted", "details"] < 0.1 < frame.loc["instructed", "details"]
    assert frame.loc["weakened", "own looks"] > 0.5


def test_every_image_gets_a_caption_with_the_identifier(subject):
    for name in describers.NAMES:
        texts = describers.captions(name)(subject)
        assert len(texts) == len(subject.images) and all(text.count("[v] dog") == 1 for text in texts)
