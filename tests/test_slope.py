"""The change of a measure with a dose: a known line, and arms of one dose."""

import numpy as np
import pandas as pd
import pytest

from sidkit.measure.slope import slope


def test_the_slope_is_that_of_the_line_through_the_arms():
    doses_by_subject = {"s": (0.0, 0.5, 1.0), "t": (0.0, 0.25, 1.0)}
    frame = pd.DataFrame(
        {"subject": subject, "prompt": prompt, "seed": 0, "arm": arm, "dose": dose, "leakage": 0.8 - 0.6 * dose}
        for subject, doses in doses_by_subject.items()
        for prompt in "xy"
        for arm, dose in zip("abc", doses)
    )
    change = slope(frame, "leakage", "dose", seed=0)
    assert np.allclose([change.mean, change.low, change.high], -0.6)
    with pytest.raises(ValueError, match="expected arms of different dose for s"):
        slope(frame[frame["arm"] == "a"], "leakage", "dose", seed=0)
