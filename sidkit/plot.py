"""Figures: each function takes data and an `ax`, draws, and returns the `ax`; nothing is computed here.

Call `theme()` once in a notebook. Colours are told apart by colour-blind readers; backgrounds are white, so that a dark
page shows the figure on its own card.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

PALETTE = sns.color_palette("colorblind")
CASE_COLORS = {1: PALETTE[7], 2: PALETTE[0], 3: PALETTE[2], 4: PALETTE[1]}
CASE_NAMES = {1: "1: class only", 2: "2: + things", 3: "3: + their details (SID)", 4: "4: + subject's looks"}
SMALL = 96  # px; pictures smaller than this are drawn with hard pixel edges


def theme() -> None:
    """Set seaborn's look for a notebook."""
    sns.set_theme(
        "notebook",
        "whitegrid",
        font_scale=0.95,
        rc={"figure.dpi": 110, "savefig.bbox": "tight", "axes.titlesize": "medium"},
    )


def show_image(image: Image.Image, ax: Axes, title: str = "") -> Axes:
    """One picture without ticks."""
    ax.imshow(np.asarray(image), interpolation="nearest" if image.width < SMALL else "antialiased")
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    if title:
        ax.set_title(title, fontsize=9)
    return ax


def image_grid(
    rows: Sequence[Sequence[Image.Image]],
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    cell: float = 1.3,
) -> Figure:
    """A figure of pictures, `cell` inches each, with labels above the columns and left of the rows."""
    count, width = len(rows), max(map(len, rows))
    figure, axes = plt.subplots(
        count, width, figsize=(width * cell + (1.9 if row_labels else 0), count * cell + 0.4), squeeze=False
    )
    for ax in axes.ravel():
        ax.axis("off")
    for row, images in zip(axes, rows):
        for ax, image in zip(row, images):
            ax.axis("on")
            show_image(image, ax)
    for ax, label in zip(axes[0], column_labels):
        ax.set_title(textwrap.fill(label, 18), fontsize=9)
    for row, label in zip(axes, row_labels):
        row[0].set_ylabel(textwrap.fill(label, 22), fontsize=9, rotation=0, ha="right", va="center", labelpad=6)
    figure.subplots_adjust(wspace=0.04, hspace=0.04)
    return figure


def references(images: Sequence[Image.Image], captions: Sequence[str], cell: float = 2.2) -> Figure:
    """Reference pictures in a row, each above its caption."""
    figure, axes = plt.subplots(1, len(images), figsize=(len(images) * cell, cell + 0.8), squeeze=False)
    for ax, image, caption in zip(axes[0], images, captions):
        show_image(image, ax)
        ax.set_xlabel(textwrap.fill(caption, 30), fontsize=9)
    figure.subplots_adjust(wspace=0.12)
    return figure


def intervals(table: pd.DataFrame, ax: Axes, label: str, *, zero: bool = False) -> Axes:
    """Means with their intervals, a row each: columns `mean`, `low`, `high`; `zero` draws the line."""
    places = np.arange(len(table))[::-1]
    colors = [CASE_COLORS.get(name, PALETTE[0]) for name in table.index]
    ax.hlines(places, table["low"], table["high"], color=colors, linewidth=2.5)
    ax.scatter(table["mean"], places, color=colors, s=45, zorder=3)
    ax.set_yticks(places, [CASE_NAMES.get(name, str(name)) for name in table.index])
    ax.set_ylim(-0.6, len(table) - 0.4)
    ax.set_xlabel(label)
    ax.grid(axis="y", visible=False)
    if zero:
        ax.axvline(0, color="0.35", linewidth=1)
    return ax


def metrics_by_case(tables: Mapping[str, pd.DataFrame], columns: int = 3) -> Figure:
    """One panel of `intervals` a measure; the measures' names, with the direction that is better, are the keys."""
    rows = -(-len(tables) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(3.4 * columns, 1.9 * rows + 0.4), squeeze=False, sharey=True)
    for ax in axes.ravel()[len(tables) :]:
        ax.axis("off")
    for ax, (label, table) in zip(axes.ravel(), tables.items()):
        intervals(table, ax, label)
    figure.tight_layout()
    return figure


def leakage_bars(frame: pd.DataFrame, ax: Axes) -> Axes:
    """Share of pictures that show each undesired factor, by case: columns `factor`, `case`, `leakage`."""
    names = {case: CASE_NAMES[case] for case in sorted(frame["case"].unique())}
    palette = {names[case]: CASE_COLORS[case] for case in names}
    sns.barplot(
        frame.assign(case=frame["case"].map(names)),
        x="factor",
        y="leakage",
        hue="case",
        palette=palette,
        errorbar=None,
        ax=ax,
    )
    ax.set(xlabel="", ylabel="share of pictures that show it", ylim=(0, 1))
    ax.legend(title="", fontsize=9, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return ax
