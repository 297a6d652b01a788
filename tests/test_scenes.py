"""Scenes: layout by rng alone, masks that cover what is there, speed, held-out designs."""

from dataclasses import replace

import numpy as np
import pytest

from sidkit.stickers import factors, places, scenery
from sidkit.stickers.factors import Scene
from sidkit.stickers.sampling import known_designs, sample_scene
from sidkit.stickers.scenes import compose, render

DOG = Scene("dog", "twemoji", "beach", "daylight", nearby="ball", nearby_color="red", tied="crown", tied_color="blue")


def test_same_rng_state_makes_the_same_picture():
    first, second, other = (np.asarray(render(DOG, 64, np.random.default_rng(seed))) for seed in (1, 1, 2))
    assert (first == second).all()
    assert (first != other).any()


def test_masks_part_the_picture():
    masks = compose(DOG, 64, np.random.default_rng(0)).masks
    assert set(masks) == {"subject", "nearby", "tied", "background"}
    assert all(mask.any() for mask in masks.values())
    assert not (masks["subject"] & masks["tied"]).any()
    covered = masks["subject"] | masks["nearby"] | masks["tied"]
    assert (masks["background"] == ~covered).all()


def test_nothing_there_nothing_masked():
    masks = compose(DOG.without("nearby", "tied"), 64, np.random.default_rng(0)).masks
    assert not masks["nearby"].any() and not masks["tied"].any()


def test_taking_the_ball_away_changes_only_where_the_ball_and_its_shadow_were():
    # The subject stands further left beside a ball, so compare two balls instead.
    red, blue = (compose(replace(DOG, nearby_color=color), 64, np.random.default_rng(0)) for color in ("red", "blue"))
    changed = (np.asarray(red.image) != np.asarray(blue.image)).any(axis=2)
    assert changed.any()
    near = np.pad(red.masks["nearby"], 2)
    grown = np.max([np.roll(near, shift, (0, 1)) for shift in np.ndindex(5, 5)], axis=0)[4:, 4:]
    assert not (changed & ~grown[: changed.shape[0], : changed.shape[1]]).any()


@pytest.mark.parametrize("nearby", factors.NEARBY)
def test_no_factor_hides_another(nearby):
    rng = np.random.default_rng(3)
    for pose in factors.POSES:
        alone = compose(replace(DOG, nearby=nearby, tied=None, tied_color=None, pose=pose), 64, rng).masks
        hidden = (alone["nearby"] & alone["subject"]).sum() / alone["nearby"].sum()
        assert hidden < 0.25, (nearby, pose, hidden)


def test_pretraining_never_sees_a_held_out_design():
    rng = np.random.default_rng(0)
    for _ in range(500):
        seen, hidden = sample_scene(rng), sample_scene(rng, held_out=True)
        assert seen.design != factors.SUBJECTS[seen.subject].held_out
        assert hidden.design == factors.SUBJECTS[hidden.subject].held_out
        assert seen.subject not in factors.TEST_SUBJECTS and seen.style not in factors.TEST_STYLES


def test_every_class_has_designs_to_train_on_and_one_held_out():
    for name in factors.subject_classes():
        assert len(known_designs(name)) >= 3
        assert len(known_designs(name, held_out=True)) == 1


@pytest.mark.parametrize("style", (*factors.STYLES, *factors.TEST_STYLES))
def test_styles_work_at_every_size(style):
    for size in (64, 100, 256):
        picture = render(replace(DOG, style=style), size, np.random.default_rng(0))
        plain = render(DOG, size, np.random.default_rng(0))
        assert picture.size == (size, size)
        assert np.abs(np.asarray(picture, int) - np.asarray(plain, int)).mean() > 5


def test_unknown_values_and_small_sizes_are_refused():
    with pytest.raises(ValueError, match="background is 'bech'"):
        replace(DOG, background="bech")
    with pytest.raises(ValueError, match="64 px or more"):
        render(DOG, 32, np.random.default_rng(0))


def test_a_place_is_a_row_and_a_function_that_draws_it():
    assert scenery.DRAWERS.keys() == places.ROWS.keys()
    for row in places.ROWS.values():
        assert len(row.plain) == len(row.detailed)
    with pytest.raises(ValueError, match="places.ROWS"):
        scenery.draws("pier")
    with pytest.raises(ValueError, match="scenery draws 'pier'"):
        scenery.place("pier", "daylight", 64, 0)
