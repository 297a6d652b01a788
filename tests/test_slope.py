"""The change of a measure with a dose: a known line, and arms of one dose."""

import numpy as np
import pytest
from conftest import dosed_frame

from sidkit.measure.slope import slope


def test_the_slope_is_that_of_the_line_through_the_arms():
    frame = dosed_frame()
    change = slope(frame, "leakage", "dose", seed=0)
    assert np.allclose([change.mean, change.low, change.high], -0.6)
    with pytest.raises(ValueError, match="expected arms of different dose for s"):
        slope(frame[frame["arm"] == "a"], "leakage", "dose", seed=0)
