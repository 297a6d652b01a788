"""Evaluation, with stand-ins whose score is known: one that knows the answers, one that knows nothing."""

import numpy as np
import pytest

from sidkit.pretrain import evaluate
from sidkit.pretrain.evaluate import agreement, draw, identified, matched
from sidkit.stickers import grammar
from sidkit.stickers.heads import HEADS, identity, labels


class KnowingReader:
    """Reads every factor right, or (`shift`) always another value."""

    def __init__(self, scenes, shift=0):
        self.scenes, self.shift = scenes, shift

    def read(self, pictures):
        columns = {
            head: [(labels(scene)[head] + self.shift) % len(HEADS[head]) for scene in self.scenes] for head in HEADS
        }
        return {head: np.eye(len(HEADS[head]))[column] for head, column in columns.items()}


def test_agreement_is_one_for_a_reader_that_knows_and_zero_for_one_that_errs():
    scenes, pictures = draw(20, held_out=True)
    assert agreement(KnowingReader(scenes), scenes, pictures) == dict.fromkeys(HEADS, 1.0)
    assert agreement(KnowingReader(scenes, shift=1), scenes, pictures) == dict.fromkeys(HEADS, 0.0)


def test_scenes_for_evaluation_are_repeatable_and_held_out_where_asked():
    first, again = draw(10, held_out=True), draw(10, held_out=True)
    assert first[0] == again[0]
    assert all((np.asarray(a) == np.asarray(b)).all() for a, b in zip(first[1], again[1]))
    assert draw(10, held_out=False)[0] != first[0]


class Constant:
    """An encoder to which everything looks the same."""

    def images(self, pictures):
        return np.tile([[1.0, 0.0]], (len(pictures), 1))

    texts = images


class Words:
    """An image-text model that knows each picture's caption by its turn."""

    def __init__(self, count):
        self.scenes, _ = draw(count, held_out=False)

    def images(self, pictures):
        return np.eye(len(pictures))

    def texts(self, texts):
        named = grammar.parse(texts[0])
        turn = next(
            i
            for i, scene in enumerate(self.scenes)
            if named["subject"] == scene.subject and named["variant"] == scene.variant
        )
        rows = np.zeros((len(texts), len(self.scenes)))
        rows[0, turn] = 1
        return rows


def test_matching_is_perfect_for_a_model_that_knows():
    assert matched(Words(3), 3) == 1.0


def test_identity_is_found_by_chance_where_everything_looks_the_same(monkeypatch):
    monkeypatch.setattr(evaluate, "CHOICES", 5)
    assert identified(Constant(), 40) == pytest.approx(0.2, abs=0.2)


def test_the_hundred_subjects_differ():
    subjects = evaluate._subjects(np.random.default_rng(0))
    assert len({identity(scene) for scene in subjects}) == evaluate.CHOICES
