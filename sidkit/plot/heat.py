"""Drawings of attention: a map over its picture, leakage along the steps, attention against what leaked."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from PIL import Image

from sidkit.describe.cases import CASE_NAMES
from sidkit.plot.charts import CASE_COLORS, FONT, PALETTE

HEAT = "inferno"
STRENGTH = 0.65  # of the map over the picture
LARGE = 256  # px, of an overlay


def overlay(picture: Image.Image, heat: np.ndarray) -> Image.Image:
    """The picture under a map (h, w) in colours from its own lowest value, dark, to its own highest, light."""
    times = max(1, LARGE // max(picture.size))
    size = (picture.width * times, picture.height * times)
    span = np.ptp(heat)
    scaled = (heat - heat.min()) / span if span else np.zeros_like(heat)
    large = np.asarray(Image.fromarray(scaled.astype(np.float32)).resize(size, Image.BILINEAR))
    colors = Image.fromarray(np.uint8(255 * matplotlib.colormaps[HEAT](large)[..., :3]))
    return Image.blend(picture.convert("RGB").convert("L").convert("RGB").resize(size, Image.NEAREST), colors, STRENGTH)


def along(table: pd.DataFrame, ax: Axes) -> Axes:
    """Attention leakage over the steps: index (case, share of the steps), columns `mean`, `low`, `high`."""
    for case in table.index.unique(0):
        rows, color = table.loc[case].sort_index(), CASE_COLORS.get(case, PALETTE[0])
        known = np.isfinite(rows["low"])
        ax.fill_between(rows.index[known], rows["low"][known], rows["high"][known], color=color, alpha=0.15, lw=0)
        ax.plot(rows.index, rows["mean"], color=color, marker="o", ms=3, label=CASE_NAMES.get(case, str(case)))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set(xlabel="steps done", ylabel="off the subject")
    ax.legend(fontsize=FONT, ncols=2, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return ax


def against(frame: pd.DataFrame, x: str, label: str, ax: Axes, *, seed: int) -> Axes:
    """A dot a picture: column `x` against leakage, moved up or down a little, so that equal ones can be told apart."""
    known = frame.dropna(subset=[x, "leakage"])
    moved = known["leakage"] + np.random.default_rng(seed).uniform(-0.06, 0.06, len(known))
    for case, rows in known.groupby("case"):
        color, name = CASE_COLORS.get(case, PALETTE[0]), CASE_NAMES.get(case, str(case))
        ax.scatter(rows[x], moved[rows.index], s=16, alpha=0.7, color=color, label=name)
    ax.set(xlabel=label, ylabel="leakage")
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.legend(fontsize=FONT, ncols=2, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return ax
