"""What captions name, miss, get wrong and tell of the subject, counted and coloured."""

import pytest
from rendered import rendered, words

from sidkit.measure import caption_truth
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene

SCENE = Scene("dog", "fluent", "beach", "sunset", nearby="balloon", nearby_color="blue", tied="crown",
              tied_color="red")  # fmt: skip


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
    counts = caption_truth.counts(SCENE, text)
    assert list(counts) == list(caption_truth.BETTER)
    assert counts["named"] == pytest.approx(named) and counts["details"] == pytest.approx(details)
    assert (counts["wrong"], counts["own looks"], counts["off the point"]) == (wrong, own, not text)


def test_a_thing_that_is_not_there_is_wrong():
    bare = SCENE.without("nearby", "nearby_color", "tied", "tied_color")
    assert caption_truth.counts(bare, "a dog wearing a crown on a beach")["wrong"] == 1


def test_phrases_are_the_whole_caption_and_say_what_they_mean():
    text = "a dog wearing a red crown next to a balloon on a beach"
    pieces = grammar.phrases(text)
    assert " ".join(words for words, _ in pieces) == text
    assert [set(meaning) for _, meaning in pieces] == [set(), {"tied", "tied_color"}, {"nearby"}, {"background"}]


def test_colours_tell_right_wrong_own_and_missed():
    text = str(caption_truth.coloured("a purple dog wearing a blue crown on a beach", SCENE))
    assert '<span class="said-right">on a beach</span>' in text
    assert '<span class="said-wrong">wearing a blue crown</span>' in text
    assert '<span class="said-own">purple</span>' in text
    assert '<span class="said-missed">(missed: nearby)</span>' in text
    hostile = caption_truth.coloured("a <script> dog `on` a beach", SCENE)
    assert words(hostile).startswith("a <script> dog `on` a beach") and not rendered(hostile).select("script, code")
    assert "does not speak of the subject" in words(caption_truth.coloured("", SCENE))
