"""Paired bootstrap: known answers, repeatable by seed, honest coverage, and honest where there is too little to say."""

import math
import time

import numpy as np
import pandas as pd
import pytest

from sidkit.measure.statistics import (
    Interval,
    _resampled,
    case_means,
    mean_interval,
    paired_difference,
    subject_differences,
)


def frame(effect=0.2, noise=0.0, rng=None, subjects=4, prompts=3, seeds=2, spread=0.0):
    """Cases 1 and 3, whose difference is `effect`, plus `spread` for each subject and `noise` for each picture."""
    rng = rng or np.random.default_rng(0)
    rows = []
    for subject in range(subjects):
        level, own = rng.normal(0, 1), rng.normal(effect, spread)
        for prompt in range(prompts):
            for seed in range(seeds):
                unit = {"subject": subject, "prompt": prompt, "seed": seed}
                rows.append({"case": 1, **unit, "x": level + prompt})
                rows.append({"case": 3, **unit, "x": level + prompt + own + rng.normal(0, noise)})
    return pd.DataFrame(rows)


def column(values, subjects, prompts=0, seeds=0):
    return pd.DataFrame({"subject": subjects, "prompt": prompts, "seed": seeds, "x": np.asarray(values, float)})


def test_a_constant_effect_has_an_interval_of_no_width():
    interval = paired_difference(frame(0.2), "x", 3, 1, seed=0)
    assert interval == Interval(pytest.approx(0.2), pytest.approx(0.2), pytest.approx(0.2))
    assert paired_difference(frame(0.2), "x", 1, 3, seed=0).mean == pytest.approx(-0.2)


def test_two_subjects_of_one_picture_have_the_distribution_known_by_hand():
    # Resamples are (0, 0), (0, 1), (1, 0), (1, 1): means 0, 0.5, 0.5, 1, and 2.5 % and 97.5 % fall into the outer ones.
    assert mean_interval(column([0, 1], ["a", "b"]), "x", seed=0) == Interval(0.5, 0.0, 1.0)


def test_a_subject_drawn_twice_is_resampled_twice():
    # Two like subjects of two pictures with 0 and 1: four free draws, so a mean of 0 has a chance of 1/16. If a subject
    # that is drawn twice had the same resample twice, 0 would come in half of 1/16 and half of 1/4 of the resamples.
    means = _resampled([[0.0, 1.0], [0.0, 1.0]], 20_000, np.random.default_rng(0))
    assert np.mean(means == 0) == pytest.approx(1 / 16, abs=0.006)
    assert np.mean(means == 0.5) == pytest.approx(6 / 16, abs=0.012)


def test_the_seed_decides_the_interval_and_the_order_of_rows_does_not():
    data = frame(noise=1.0)
    first, again, other = (paired_difference(data, "x", 3, 1, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert first.mean == other.mean
    shuffled = data.sample(frac=1, random_state=0)
    assert paired_difference(shuffled, "x", 3, 1, seed=1) == first
    first, again = (mean_interval(rows[rows["case"] == 3], "x", seed=1) for rows in (data, shuffled))
    assert first == again


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_intervals_cover_the_truth_about_as_often_as_they_say(spread):
    rng = np.random.default_rng(0)
    hits, trials = 0, 150
    data = frame(subjects=16)
    one, other = data["case"] == 1, data["case"] == 3
    for trial in range(trials):
        effects = np.repeat(rng.normal(0.3, spread, 16), 6) + rng.normal(0, 0.5, 96)
        data.loc[other, "x"] = data.loc[one, "x"].to_numpy() + effects
        interval = paired_difference(data, "x", 3, 1, seed=trial, resamples=300)
        hits += interval.low <= 0.3 <= interval.high
    assert 0.88 <= hits / trials <= 0.995


def test_pairing_takes_the_subjects_level_out():
    data = frame(0.2, noise=0.05, subjects=8)
    paired = paired_difference(data, "x", 3, 1, seed=0)
    alone = mean_interval(data[data["case"] == 3], "x", seed=0)
    assert paired.high - paired.low < 0.1 < alone.high - alone.low


def test_subjects_count_alike_however_many_pictures_they_have():
    data = column([1, 1, 1, 3], ["a", "a", "a", "b"], seeds=[0, 1, 2, 0])
    assert mean_interval(data, "x", seed=0).mean == 2.0


def test_prompts_of_a_subject_count_alike():
    data = column([1, 1, 4], ["a", "a", "a"], prompts=[0, 0, 1], seeds=[0, 1, 0])
    assert mean_interval(data, "x", seed=0).mean == 2.5


def test_one_subject_is_told_and_its_prompts_are_still_resampled():
    interval = paired_difference(frame(0.2, noise=0.5, subjects=1), "x", 3, 1, seed=0)
    assert interval.low < interval.mean < interval.high
    assert interval.counts == {"subject": 1, "prompt": 3, "seed": 6}
    assert paired_difference(frame(), "x", 3, 1, seed=0).counts == {"subject": 4, "prompt": 12, "seed": 24}


def test_a_single_picture_decides_nothing():
    interval = paired_difference(frame(0.2, subjects=1, prompts=1, seeds=1), "x", 3, 1, seed=0)
    assert (interval.low, interval.high) == (-math.inf, math.inf)
    assert not interval.known
    assert str(interval) == "0.200 [unknown]"


def test_unpaired_rows_are_left_out():
    data = frame(0.2)
    data.loc[(data["case"] == 3) & (data["subject"] == 0), "x"] = np.nan
    short = data[~((data["case"] == 1) & (data["subject"] == 1))]
    interval = paired_difference(short, "x", 3, 1, seed=0)
    assert interval.mean == pytest.approx(0.2)
    assert interval.counts["subject"] == 2


def test_what_cannot_be_compared_is_refused():
    data = frame(0.2)
    with pytest.raises(ValueError, match=r"\[2\] not among \[1, 3\]"):
        paired_difference(data, "x", 2, 1, seed=0)
    with pytest.raises(ValueError, match="more than once"):
        paired_difference(pd.concat([data, data]), "x", 3, 1, seed=0)
    with pytest.raises(ValueError, match="y not among"):
        mean_interval(data, "y", seed=0)
    with pytest.raises(ValueError, match="no row has a value"):
        mean_interval(data.assign(x=np.nan), "x", seed=0)
    apart = data[(data["case"] == 1) == (data["subject"] == 0)]
    with pytest.raises(ValueError, match="have no subject, prompt, seed in common"):
        paired_difference(apart, "x", 3, 1, seed=0)


def test_tables_by_case():
    data = frame(0.2, noise=0.1)
    means = case_means(data, "x", seed=0)
    assert list(means.index) == [1, 3]
    interval = mean_interval(data[data["case"] == 3], "x", seed=0)
    assert means.loc[3].tolist() == [interval.mean, interval.low, interval.high]
    interval = paired_difference(data, "x", 3, 1, seed=0)
    assert means.loc[3, "mean"] - means.loc[1, "mean"] == pytest.approx(interval.mean)
    assert case_means(data.assign(x=np.nan), "x", seed=0).empty


def test_subjects_one_by_one():
    data = frame(0.2, spread=1.0)
    each = subject_differences(data, "x", 3, 1)
    assert len(each) == 4 and each.std() > 0.1
    assert each.mean() == pytest.approx(paired_difference(data, "x", 3, 1, seed=0).mean)


def test_a_whole_study_takes_a_moment():
    data = frame(0.2, noise=0.1, subjects=12, prompts=8, seeds=4)
    start = time.perf_counter()
    paired_difference(data, "x", 3, 1, seed=0)
    assert time.perf_counter() - start < 1.5
