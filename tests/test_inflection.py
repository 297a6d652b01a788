"""Articles and numbers of nouns, and that the grammar's own article agrees with them."""

import re

import pytest

from sidkit.inflection import both_numbers, counted, pattern, singular, with_article
from sidkit.mark import article_put_right, class_caption, without_mark
from sidkit.stickers import factors, vocabulary


@pytest.mark.parametrize(
    "phrase",
    ["an owl", "a unicorn", "an hour glass", "a European car", "an elegant [v] perfume", "a [v] owl", "a one-eyed cat"],
)
def test_an_article_follows_the_sound(phrase):
    article, rest = phrase.split(" ", 1)
    assert with_article(rest) == f"{article} {rest}"


@pytest.mark.parametrize(
    ("one", "many"),
    [
        *(("dog", "dogs"), ("glove", "gloves"), ("cookie", "cookies"), ("mouse", "mice"), ("bus", "buses")),
        *(("lens", "lenses"), ("teddy bear", "teddy bears"), ("teddy-bear", "teddy-bears"), ("person", "people")),
        *(("dress", "dresses"), ("leaf", "leaves"), ("sheep", "sheep"), ("photo", "photos"), ("man", "men")),
        *(("knife", "knives"), ("goose", "geese"), ("tooth", "teeth"), ("loaf of bread", "loaves of bread")),
        *(("rhinoceros", "rhinoceroses"), ("rubik's cube", "rubik's cubes"), ("c++ book", "c++ books")),
    ],
)
def test_nouns_have_two_numbers(one, many):
    assert singular(many) == singular(one) == one
    assert set(both_numbers(one)) == set(both_numbers(many)) == {one, many}
    assert counted(1, one) == f"1 {one}" and counted(2, one) == f"2 {many}" and counted(0, one) == f"0 {many}"


def test_a_pattern_finds_whole_words_of_either_number():
    found = re.findall(pattern("cat"), "a cat, cats, a catalogue, a bobcat, cat-like")
    assert found == ["cat", "cats", "cat"]
    assert re.search(pattern("c++ book"), "my c++ books")
    assert not re.search(pattern("c++ book"), "my c book")


def test_what_stands_for_the_subject_goes_with_its_article():
    assert without_mark("a photo of a [v] owl on a lawn") == "a photo of an owl on a lawn"
    assert without_mark("A [v] hour glass") == "An hour glass"
    assert without_mark("a [v] unicorn") == "a unicorn"
    assert without_mark("a purple sks dog, sks", "sks") == "a purple dog, sks"
    assert article_put_right("an [v] owl") == "a [v] owl"


def test_the_usual_caption_says_the_class_and_nothing_else():
    assert class_caption("owl") == "a photo of a [v] owl"
    assert class_caption("art", of_style=True) == "a painting in the style of [v] art"


def test_the_grammar_s_own_article_is_the_same_for_its_words():
    """It is kept apart, so that its captions, which models were trained on, cannot change with a library."""
    words = {*factors.SUBJECTS, *factors.ATTRIBUTES, *factors.NEARBY, *factors.TIED, *factors.OBJECT_COLORS}
    assert len(words) > 50
    assert {word: vocabulary.with_article(word) for word in words} == {word: with_article(word) for word in words}
