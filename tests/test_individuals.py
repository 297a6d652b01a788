"""Individuals: nonsense names that mean another look with another class, and habits."""

import numpy as np
import pytest

from sidkit.pretrain.tokenizer import IDENTIFIERS
from sidkit.stickers import grammar
from sidkit.stickers.factors import HUES, SUBJECTS, Scene
from sidkit.stickers.individuals import NAMES, individual, individual_in, sample_life
from sidkit.stickers.sampling import known_designs


def everybody(subject):
    return {(design, hue): individual(subject, design, hue) for design in known_designs(subject) for hue in HUES}


def test_names_are_words_that_nothing_else_is_called():
    assert len(set(NAMES)) == len(NAMES)
    assert not set(NAMES) & {*grammar.words(), *IDENTIFIERS}
    assert {len(name) for name in NAMES} == {len(IDENTIFIERS[0])}


@pytest.mark.parametrize("subject", ("dog", "cake"))
def test_no_two_of_a_class_have_one_name(subject):
    names = [who.name for who in everybody(subject).values()]
    assert len(set(names)) == len(names) == 18


def test_a_name_means_another_look_with_another_class():
    looks = {}
    for subject in SUBJECTS:
        for look, who in everybody(subject).items():
            looks.setdefault(who.name, []).append(look)
    assert all(len(set(found)) > 3 for found in looks.values())


def test_nobody_is_known_who_was_never_seen_or_is_painted_over():
    (hidden,) = known_designs("dog", held_out=True)
    assert individual("dog", hidden, 0) is None
    design = known_designs("dog")[0]
    assert individual_in(Scene("dog", design, "beach", "night")) == individual("dog", design, 0)
    assert individual_in(Scene("dog", design, "beach", "night", attribute="red")) is None


def test_individuals_are_at_home_beside_their_companion_more_often_than_by_chance():
    rng = np.random.default_rng(0)
    scenes = [sample_life(rng) for _ in range(600)]
    known = [(scene, who) for scene in scenes if (who := individual_in(scene))]
    home = np.mean([scene.background == who.home for scene, who in known])
    company = np.mean([scene.nearby == who.companion for scene, who in known])
    assert 0.30 < home < 0.50 and 0.27 < company < 0.47  # 0.4 x 0.85, and chance
