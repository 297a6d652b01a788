"""How a measure changes with a dose: a line through the arms that drew a picture from the same prompt and noise."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sidkit.measure.statistics import LEVELS, Interval, mean_interval


def slope(
    frame: pd.DataFrame,
    value: str,
    dose: str,
    *,
    seed: int,
) -> Interval:
    """Change of the column `value` while the column `dose` goes from 0 to 1, averaged as every measure is.

    ValueError where the arms of a picture all have one dose.
    """
    by_picture = slopes(frame, value, dose)
    return mean_interval(by_picture, "slope", seed=seed)


def slopes(frame: pd.DataFrame, value: str, dose: str) -> pd.DataFrame:
    """A row a subject, prompt and seed: the slope of its arms' values over their doses, by least squares."""
    known = frame.dropna(subset=[value])
    pictures = known.groupby(list(LEVELS))
    rows = []
    for picture, arms in pictures:
        doses = arms[dose].to_numpy()
        if np.ptp(doses) == 0:
            subject = picture[0]
            raise ValueError(f"slope: expected arms of different {dose} for {subject}, got {doses[0]} for all")
        gradient, _ = np.polyfit(doses, arms[value], 1)
        row = (*picture, gradient)
        rows.append(row)
    columns = [*LEVELS, "slope"]
    return pd.DataFrame(rows, columns=columns)
