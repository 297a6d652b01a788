"""Which words may stand for `[v]`."""

import pytest

from sidkit.identifier import check_free, check_identifier


@pytest.mark.parametrize("identifier", ["sks", "ohwx", "<cat-toy>", "v*", "zzyzx", "Ça", "x1", "bea", "<new1>"])
def test_a_word_of_its_own_may(identifier):
    check_identifier(identifier, "profile mine")
    check_free(identifier, "cat", ["a photo of a [v] cat on a beach, next to a ball"], "subject")


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("", "expected a word, got an empty one"),
        ("  ", "expected a word, got an empty one"),
        ("my dog", "expected one word, got 'my dog'"),
        ("sks ", "expected one word, got 'sks '"),
        ("a\tb", "expected one word"),
        ("[v]", r"the word that stands for \[v\]"),
        ("the[v]", r"the word that stands for \[v\]"),
        ("a", "which every caption has"),
        ("The", "which every caption has"),
        ("photo", "which every caption has"),
        ("on", "which every caption has"),
        ("and", "which every caption has"),
    ],
)
def test_what_is_no_word_of_its_own_may_not(identifier, message):
    with pytest.raises(ValueError, match=f"^profile mine: identifier: .*{message}"):
        check_identifier(identifier, "profile mine")


@pytest.mark.parametrize(
    ("identifier", "class_word"),
    [
        ("dog", "dog"),
        ("Dog", "dog"),
        ("dogs", "dog"),
        ("mouse", "mice"),
        ("bear", "teddy bear"),
        ("beach", "cat"),
        ("BALL", "cat"),
        ("teddy-bear", "cat"),
        ("c++", "cat"),
        ("é", "cat"),
    ],
)
def test_a_word_with_another_meaning_may_not(identifier, class_word):
    captions = ["a photo of a [v] cat on a beach", "a [v] cat, a ball, a teddy-bear, é and a c++ book"]
    with pytest.raises(ValueError, match="^here: identifier: expected "):
        check_free(identifier, class_word, captions, "here")
