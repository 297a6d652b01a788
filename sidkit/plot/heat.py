"""Drawings of attention: a map over its picture, leakage along the steps, attention against what leaked."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from PIL import Image

from sidkit.plot.charts import FONT, color_of, label_of

COLORS = matplotlib.colormaps["inferno"]
STRENGTH = 0.65  # of the map over the picture
LARGE = 256  # px, of an overlay
MOVED = 0.06  # at most, of a share, up or down


def overlay(picture: Image.Image, heat: np.ndarray) -> Image.Image:
    """The picture under a map (h, w) in colours from its own lowest value, dark, to its own highest, light.

    RGB, the picture's size times a whole number, so that small ones are about 256 px.
    """
    times = max(1, LARGE // max(picture.size))
    size = (picture.width * times, picture.height * times)
    heat_picture = Image.fromarray(_scaled(heat)).resize(size, Image.BILINEAR)
    rgba = COLORS(np.asarray(heat_picture))  # in [0, 1]
    colored = Image.fromarray(np.uint8(255 * rgba[..., :3]))
    gray = picture.convert("RGB").convert("L").convert("RGB")
    return Image.blend(gray.resize(size, Image.NEAREST), colored, STRENGTH)


def along(table: pd.DataFrame, ax: Axes) -> Axes:
    """Attention leakage over the steps: index (case, share of the steps), columns `mean`, `low`, `high`."""
    for case in table.index.unique(0):
        rows = table.loc[case].sort_index()
        known = rows[np.isfinite(rows["low"])]
        color = color_of(case)
        ax.fill_between(known.index, known["low"], known["high"], color=color, alpha=0.15, lw=0)
        ax.plot(rows.index, rows["mean"], color=color, marker="o", ms=3, label=label_of(case))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set(xlabel="steps done", ylabel="off the subject")
    return _with_shares_and_legend(ax)


def against(
    frame: pd.DataFrame,
    x: str,
    label: str,
    ax: Axes,
    *,
    seed: int,
) -> Axes:
    """A dot a picture: column `x` against leakage, moved up or down a little, so that equal ones can be told apart.

    `frame` has the columns `x`, `leakage` in [0, 1] and `case`; rows that lack one of the first two are left out.
    """
    known = frame.dropna(subset=[x, "leakage"])
    rng = np.random.default_rng(seed)
    moved = known["leakage"] + rng.uniform(-MOVED, MOVED, len(known))
    for case, rows in known.groupby("case"):
        ax.scatter(
            rows[x],
            moved[rows.index],
            s=16,
            alpha=0.7,
            color=color_of(case),
            label=label_of(case),
        )
    ax.set(xlabel=label, ylabel="leakage")
    return _with_shares_and_legend(ax)


def _scaled(heat: np.ndarray) -> np.ndarray:
    """From 0, its lowest value, to 1, its highest; all 0 where it does not vary."""
    span = np.ptp(heat)
    scaled = (heat - heat.min()) / span if span else np.zeros_like(heat)
    return scaled.astype(np.float32)


def _with_shares_and_legend(ax: Axes) -> Axes:
    """With percents on the upright axis, and the cases above the chart."""
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.legend(
        fontsize=FONT,
        ncols=2,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        frameon=False,
    )
    return ax
