"""Which words may stand for `[v]`."""

from dataclasses import replace

import pytest
from conftest import without_masks

from sidkit.check.check import find
from sidkit.config import load_profile
from sidkit.identifier import check_free, check_identifier
from sidkit.models import add_identifier
from sidkit.runs import Runs
from sidkit.study.plan import make_plan
from sidkit.study.run import run_study


@pytest.mark.parametrize("identifier", ["sks", "ohwx", "<cat-toy>", "v*", "zzyzx", "Ça", "x1", "ach", "eac", "<new1>"])
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


def test_a_token_that_ends_or_begins_a_text_may_not(tiny_pipe):
    tokenizer = tiny_pipe.tokenizer
    for word in (tokenizer.bos_token, tokenizer.eos_token, tokenizer.unk_token):
        with pytest.raises(ValueError, match="identifier: expected a word in letters that the model knows"):
            add_identifier(tiny_pipe, word)


@pytest.mark.parametrize(
    ("identifier", "class_word"),
    [
        ("dog", "dog"),
        ("ca", "cat"),
        ("bea", "cat"),
        ("Bal", "cat"),
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
    with pytest.raises(ValueError, match="^here: identifier: expected a word of the subject's own, got "):
        check_free(identifier, class_word, captions, "here")


@pytest.mark.parametrize(("identifier", "is_taken"), [("beach", True), ("bea", True), ("ca", True), ("sks", False)])
def test_the_checker_tells_of_it(identifier, is_taken):
    findings = find({"a.png": "a photo of a [v] cat on a beach"}, "cat", identifier=identifier)
    assert ("identifier-taken" in [finding.kind for finding in findings]) == is_taken


@pytest.mark.parametrize("identifier", ["cat", "ca", "cats"])
def test_a_study_is_refused_before_a_model_is_loaded(tmp_path, monkeypatch, identifier):
    monkeypatch.setattr("sidkit.study.run.Models", None)  # calling it would raise TypeError
    plan = make_plan("smoke", subjects=[str(without_masks(tmp_path / "mine"))])
    plan = replace(plan, profile=load_profile("stickers", identifier=identifier))
    with pytest.raises(ValueError, match="^profile stickers: identifier: expected a word of the subject's own"):
        run_study(plan, Runs(tmp_path / "runs"), progress=False)
