"""Paired bootstrap: known answers, repeatable by seed, honest coverage."""

import numpy as np
import pandas as pd
import pytest

from sidkit.measure.statistics import Interval, mean_interval, paired_difference


def frame(effect=0.2, noise=0.0, rng=None, subjects=4, prompts=3, seeds=2):
    rng = rng or np.random.default_rng(0)
    rows = []
    for subject in range(subjects):
        level = rng.normal(0, 1)
        for prompt in range(prompts):
            for seed in range(seeds):
                base = level + prompt
                rows.append({"case": 1, "subject": subject, "prompt": prompt, "seed": seed, "x": base})
                rows.append({"case": 3, "subject": subject, "prompt": prompt, "seed": seed, "x": base + effect + rng.normal(0, noise)})
    return pd.DataFrame(rows)


def test_a_constant_effect_has_an_interval_of_no_width():
    interval = paired_difference(frame(0.2), "x", 3, 1, seed=0)
    assert interval == Interval(pytest.approx(0.2), pytest.approx(0.2), pytest.approx(0.2))
    assert paired_difference(frame(0.2), "x", 1, 3, seed=0).mean == pytest.approx(-0.2)


def test_the_seed_decides_the_interval():
    data = frame(noise=1.0)
    first, again, other = (paired_difference(data, "x", 3, 1, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert first.mean == other.mean


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        interval = paired_difference(frame(0.3, 0.5, rng, subjects=12), "x", 3, 1, seed=trial, resamples=400)
        hits += interval.low <= 0.3 <= interval.high
    assert 0.88 <= hits / 200 <= 1.0


def test_subjects_count_alike_however_many_pictures_they_have():
    data = pd.DataFrame({"subject": ["a"] * 3 + ["b"], "prompt": 0, "seed": [0, 1, 2, 0], "x": [1.0, 1, 1, 3]})
    assert mean_interval(data, "x", seed=0).mean == 2.0


def test_unpaired_rows_are_left_out_and_missing_cases_refused():
    data = frame(0.2)
    short = data[~((data["case"] == 3) & (data["subject"] == 0))]
    assert paired_difference(short, "x", 3, 1, seed=0).mean == pytest.approx(0.2)
    with pytest.raises(ValueError, match=r"\[2\] not among \[1, 3\]"):
        paired_difference(data, "x", 2, 1, seed=0)


def test_excludes_zero():
    assert Interval(1, 0.5, 2).excludes_zero and Interval(-1, -2, -0.5).excludes_zero
    assert not Interval(1, -0.5, 2).excludes_zero
