"""The controls, with stand-ins of which the answer is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sidkit.config import load_profile
from sidkit.pretrain import controls
from sidkit.stickers.heads import HEADS, labels


class KnowingReader:
    """Sees in every picture what the first or the second caption of its pair says."""

    def __init__(self, pairs, which):
        self.scenes = [pair[which] for pair in pairs]

    def read(self, pictures):
        return {
            head: np.eye(len(HEADS[head]))[[labels(scene)[head] for scene in self.scenes[: len(pictures)]]]
            for head in HEADS
        }


def test_the_scenes_of_a_pair_differ_in_all_that_is_read():
    rng = np.random.default_rng(0)
    for _ in range(20):
        first, second = (labels(scene) for scene in controls._unlike(rng))
        assert all(first[factor] != second[factor] for factor in controls.READ)


def test_the_words_stay_and_the_ends_are_the_others():
    states = torch.arange(2 * 2 * 6 * 1.0).view(2, 2, 6, 1)
    ends = torch.tensor([[2, 4], [4, 2]])
    first, second = controls._with_ends(states, ends)[..., 0].tolist()
    assert first == [0, 1, 10, 10, 10, 11]  # from its own end on the other's, whose own end is later
    assert second == [12, 13, 14, 15, 22, 23]


@pytest.mark.parametrize(("which", "as_a", "as_b"), [(0, 1.0, 0.0), (1, 0.0, 1.0)])
def test_what_is_read_decides_the_swap(which, as_a, as_b, monkeypatch):
    monkeypatch.setattr(controls, "_states", lambda pipe, captions: ((torch.zeros(len(captions), 2, 3, 1),) * 2, None))
    monkeypatch.setattr(controls, "_with_ends", lambda states, ends: states[:, 0])
    monkeypatch.setattr(controls, "_drawn", lambda pipe, states, *others: list(states))
    rng = np.random.default_rng(controls.SEED)
    reader = KnowingReader([controls._unlike(rng) for _ in range(10)], which)
    shares = controls.swap(None, reader, 10, None)
    for factor in controls.READ:
        assert (shares[f"{factor}_as_a"], shares[f"{factor}_as_b"]) == (as_a, as_b)


class Evenly:
    """Maps of a model that looks everywhere alike."""

    def of(self, word):
        return np.ones((1, 16, 16))


def test_the_lift_of_a_word_that_looks_everywhere_is_one(monkeypatch):
    monkeypatch.setattr(controls, "resolution", lambda pipe: 64)
    monkeypatch.setattr(controls, "look", lambda *arguments, **options: Evenly())
    assert controls.lift(None, 5) == pytest.approx(dict.fromkeys(controls.LOOKING, 1.0), abs=0.01)


@pytest.mark.slow
def test_personalized_models_are_measured_with_and_without_the_identifier():
    profile = load_profile("stickers")
    profile = replace(profile, sampling=replace(profile.sampling, steps=2))
    found = controls.identifier(profile, {"dog": ("background",)}, steps=1, seeds=1)
    assert found["identity"] == pytest.approx(found["identity_with"] - found["identity_without"])
    assert {"leakage", "leakage_with", "leakage_without"} <= found.keys()
