"""Rank correlation: known answers, what groups hide, and intervals that widen where pictures belong together."""

import numpy as np
import pandas as pd
import pytest

from sidkit.measure.correlation import rank_correlation


def frame_of(x, y, **columns):
    count = len(x)
    base = {"subject": [f"s{i % 4}" for i in range(count)], "prompt": [f"p{i}" for i in range(count)], "seed": 0}
    return pd.DataFrame(base | {"x": x, "y": y} | columns)


def test_it_is_spearman_s():
    rng = np.random.default_rng(0)
    x = rng.random(40)
    y = np.round(x + rng.random(40), 1)  # with ties
    found = rank_correlation(frame_of(x, y), "x", "y", seed=0)
    assert (
        found.mean == pytest.approx(pd.DataFrame({"x": x, "y": y}).corr(method="spearman").loc["x", "y"])
        and found.low < found.mean < found.high
    )
    assert found.counts == {"subject": 4, "prompt": 40, "seed": 40}


def test_scipy_s_numbers_are_those_of_our_own_code_before_it():
    rng = np.random.default_rng(3)
    x, y = np.round(rng.random(24), 1), rng.random(24)  # with ties
    found = rank_correlation(frame_of(x, y), "x", "y", seed=0, within=["subject"])
    before = (0.04232137472781039, -0.37204420039513714, 0.4995921648099366)
    assert (found.mean, found.low, found.high) == pytest.approx(before, abs=1e-12)


def test_any_rising_curve_is_one_and_its_mirror_minus_one():
    x = np.arange(12.0)
    assert rank_correlation(frame_of(x, np.exp(x)), "x", "y", seed=0).mean == pytest.approx(1)
    assert rank_correlation(frame_of(x, -(x**3)), "x", "y", seed=0).high == pytest.approx(-1)


def test_what_only_tells_the_groups_apart_is_gone_inside_of_them():
    rng = np.random.default_rng(1)
    case = np.repeat([0, 1], 100)
    frame = frame_of(case + 0.1 * rng.random(200), case + 0.1 * rng.random(200), case=case)
    assert rank_correlation(frame, "x", "y", seed=0).low > 0.5
    inside = rank_correlation(frame, "x", "y", seed=0, within=["case"])
    assert abs(inside.mean) < 0.2 and inside.low < 0 < inside.high


def test_copies_of_one_subject_do_not_make_it_surer():
    """Ten copies of each of four subjects' pictures: the interval stays as wide, since subjects are drawn."""
    rng = np.random.default_rng(2)
    few = frame_of(rng.random(16), rng.random(16))
    many = pd.concat([few.assign(seed=turn) for turn in range(10)], ignore_index=True)
    widths = [np.subtract(one.high, one.low) for one in (rank_correlation(f, "x", "y", seed=0) for f in (few, many))]
    assert widths[1] > 0.7 * widths[0]


@pytest.mark.parametrize(("x", "y"), [([1.0, 1, 1, 1, 1], [1.0, 2, 3, 4, 5]), ([1.0, 2, 3], [1.0, 2, 3])])
def test_what_does_not_vary_or_is_too_little_has_none(x, y):
    found = rank_correlation(frame_of(x, y), "x", "y", seed=0)
    assert np.isnan(found.mean) and not found.known


def test_rows_without_a_value_are_left_out():
    frame = frame_of([1.0, 2, 3, 4, np.nan, 9], [1.0, 2, 3, 4, 0, np.nan])
    assert rank_correlation(frame, "x", "y", seed=0).mean == pytest.approx(1)
