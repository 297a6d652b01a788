"""Figures: each function takes data and an `ax`, draws, and returns the `ax`; nothing is computed here.

What is made of several panels (`metrics_by_case`) returns its figure. `image_grid` and `references` need a shape of
their own, so without an `ax` they make a figure that has it. Call `theme()` once in a notebook. Colours are told apart
by colour-blind readers and never say anything alone; backgrounds are white, so that a dark page shows a card.
"""

from __future__ import annotations

import textwrap
from collections.abc import Hashable, Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from PIL import Image

from sidkit.describe.cases import CASE_NAMES
from sidkit.measure.statistics import Interval

PALETTE = sns.color_palette("colorblind")
VERDICTS = ((PALETTE[2], ""), (PALETTE[0], "xx"), (PALETTE[3], "///"), (PALETTE[7], "..."))  # colour and hatch
CASE_COLORS = {1: PALETTE[7], 2: PALETTE[0], 3: PALETTE[2], 4: PALETTE[1]}
FONT = 9  # points; the smallest in use
SHARP = 512  # px; a smaller picture is first enlarged a whole number of times, so that its pixels stay squares
LINE = 0.2  # inches that a line of such words takes
WORDS = 5  # inches for such lines beside a picture
GAP = 0.05  # of a cell, between pictures
ARROWS = {"higher": "↑", "lower": "↓"}


def theme() -> None:
    """Set seaborn's look for a notebook."""
    rc = {"figure.dpi": 110, "savefig.bbox": "tight", "axes.titlesize": "medium", "axes.edgecolor": "0.6"}
    sns.set_theme("notebook", "whitegrid", font_scale=0.9, rc=rc)


def show_image(image: Image.Image, ax: Axes, title: str = "") -> Axes:
    """One picture without ticks."""
    ax.imshow(_enlarged(image))
    _bare(ax).set(xticks=[], yticks=[])
    if title:
        ax.set_title(title, fontsize=FONT)
    return ax


def image_grid(
    rows: Sequence[Sequence[Image.Image]],
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    ax: Axes | None = None,
    *,
    cell: float = 1.3,
) -> Axes:
    """Rows of pictures, with labels left of the rows and above the columns; rows may differ in length.

    Without `ax`, in a figure with `cell` inches for each picture.
    """
    height, width = len(rows), max(map(len, rows), default=0)
    if not width:
        raise ValueError("image grid: expected at least one picture, got none")
    ax = ax or plt.subplots(figsize=(width * cell + (1.8 if row_labels else 0), height * cell + 0.4))[1]
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            _place(image, ax, column, row)
    _bare(ax).set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    ax.set_xticks(0.5 + np.arange(len(column_labels)), _wrapped(column_labels, 18), fontsize=FONT)
    ax.set_yticks(0.5 + np.arange(len(row_labels)), _wrapped(row_labels, 24), fontsize=FONT)
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    return ax


def references(
    images: Sequence[Image.Image],
    captions: Sequence[str | Mapping[int, str]],
    ax: Axes | None = None,
    *,
    cell: float = 1.5,
) -> Axes:
    """Reference pictures below each other, each beside its caption or its captions by case (Fig. 3).

    Without `ax`, in a figure with `cell` inches for each picture.
    """
    told = [caption if isinstance(caption, Mapping) else {0: caption} for caption in captions]
    told = [dict(zip(texts, _wrapped(texts.values(), 64))) for texts in told]
    cell = max(cell, LINE * max(sum(map(_height, texts.values())) for texts in told))
    ax = ax or plt.subplots(figsize=(cell + WORDS, len(images) * cell))[1]
    for row, (image, texts) in enumerate(zip(images, told, strict=True)):
        _place(image, ax, 0, row)
        heights = np.array([_height(text) for text in texts.values()]) / sum(map(_height, texts.values()))
        for (case, text), height, below in zip(texts.items(), heights, row + np.cumsum(heights)):
            ax.plot([1.03] * 2, [below - 0.9 * height, below - 0.1 * height], color=_color(case), lw=3)
            number, words = dict(fontsize=FONT, weight="bold"), dict(fontsize=FONT, linespacing=1.15)
            ax.text(1.08, below - height / 2, str(case or ""), va="center", **number)
            ax.text(1.2 if case else 1.08, below - height / 2, text, va="center", **words)
    _bare(ax).set(xlim=(0, 1 + WORDS / cell), ylim=(len(images), 0), aspect="equal", xticks=[], yticks=[])
    return ax


def intervals(table: pd.DataFrame, ax: Axes, label: str, *, zero: bool = False) -> Axes:
    """Means with their intervals, one below the other: index cases (or names), columns `mean`, `low`, `high`.

    An interval that is not known (infinite) is left out. `zero` draws a line there, for differences.
    """
    places, colors = np.arange(len(table))[::-1], [_color(name) for name in table.index]
    ax.hlines(places, table["low"], table["high"], color=colors, linewidth=2.5)
    ax.scatter(table["mean"], places, color=colors, s=42, zorder=3)
    if zero:
        ax.axvline(0, color="0.3", linewidth=1, zorder=1)
    ax.set_yticks(places, [CASE_NAMES.get(name, str(name)) for name in table.index])
    ax.set(ylim=(-0.6, len(table) - 0.4), xlabel=label)
    ax.margins(x=0.08)
    ax.locator_params(axis="x", nbins=6)
    return _open(ax)


def metrics_by_case(tables: Mapping[str, pd.DataFrame], columns: int = 3) -> Figure:
    """A panel of `intervals` for each measure; the keys say what they are and which direction is better."""
    rows = -(-len(tables) // columns)
    lines = max(map(len, tables.values()))
    size = (3.0 * columns + 1.6, rows * (0.27 * lines + 0.75))
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, sharey=True, layout="constrained")
    for ax in axes.ravel()[len(tables) :]:
        ax.axis("off")
    for ax, (label, table) in zip(axes.ravel(), tables.items()):
        intervals(table, ax, label)
    return figure


def paired_differences(differences: pd.Series, mean: Interval, ax: Axes, label: str) -> Axes:
    """Each subject's difference between two cases (indexed by subject), largest on top; below, the mean's interval.

    `statistics.subject_differences` and `paired_difference` give the two.
    """
    ordered = differences.sort_values()
    places = 1.5 + np.arange(len(ordered))
    ax.hlines(places, 0, ordered, color="0.8", linewidth=1.5)
    ax.scatter(ordered, places, color=PALETTE[0], s=30, zorder=3)
    ax.axvline(0, color="0.3", linewidth=1, zorder=1)
    if mean.known:
        ax.hlines(0, mean.low, mean.high, color="0.1", linewidth=2.5)
    ax.scatter([mean.mean], [0], color="0.1", marker="D", s=42, zorder=3)
    ax.set_yticks([0, *places], ["mean", *map(str, ordered.index)])
    ax.set(xlabel=label, ylim=(-0.7, places.max(initial=0) + 0.7))
    return _open(ax)


def leakage_bars(table: pd.DataFrame, ax: Axes) -> Axes:
    """Share of pictures that show each undesired factor: index (factor, case), columns `mean`, `low`, `high`.

    `pd.concat({"nearby": statistics.case_means(frame, "leak_nearby", seed=0), ...})` is such a table.
    """
    factors, cases = (list(table.index.unique(level)) for level in (0, 1))
    width = 0.8 / len(cases)
    for index, case in enumerate(cases):
        rows = table.xs(case, level=1)
        places = [factors.index(factor) + width * (index + 0.5) - 0.4 for factor in rows.index]
        ax.bar(places, rows["mean"], 0.9 * width, color=_color(case), label=CASE_NAMES.get(case, str(case)))
        ax.vlines(places, rows["low"], rows["high"], color="0.2", linewidth=1.2)
    ax.set_xticks(range(len(factors)), factors)
    ax.set(ylim=(0, 1), ylabel="pictures that show it")
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(fontsize=FONT, ncols=2, loc="lower left", bbox_to_anchor=(0, 1), frameon=False, borderaxespad=0.2)
    ax.grid(axis="x", visible=False)
    sns.despine(ax=ax)
    return ax


def curves(table: pd.DataFrame, ax: Axes, x: str, y: str) -> Axes:
    """A line for each name over numbers, with intervals: index (name, number), columns `mean`, `low`, `high`."""
    for turn, name in enumerate(table.index.unique(0)):
        rows, color = table.loc[name].sort_index(), PALETTE[(7, 1, 2)[turn % 3]]
        known = np.isfinite(rows["low"])
        ax.vlines(rows.index[known], rows["low"][known], rows["high"][known], color=color, lw=1, alpha=0.5)
        ax.plot(rows.index, rows["mean"], color=color, marker="os^"[turn % 3], label=str(name))
    ax.set(xlabel=x, ylabel=y, xscale="log")
    ticks = sorted(table.index.unique(1))
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    sns.despine(ax=ax)
    return ax


def verdicts(table: pd.DataFrame, ax: Axes) -> Axes:
    """Tests by verdict, a bar a chapter (index), a column a verdict of `claims.WORDS`."""
    left = np.zeros(len(table))
    for column, (color, hatch) in zip(table, VERDICTS):
        ax.barh(table.index, table[column], left=left, color=color, hatch=hatch, edgecolor="white", label=column)
        left += table[column].to_numpy()
    ax.invert_yaxis()
    ax.set(xlabel="tests")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2, frameon=False, fontsize=FONT)
    sns.despine(ax=ax)
    return ax


def alignments(points: pd.DataFrame, x: str, y: str, ax: Axes, front: Sequence[str] = (), sid: str = " + SID") -> Axes:
    """The paper's Figs. 8 and 9: a point an arm (index) in the plane of two columns, an arrow from each to its SID.

    Columns `x low`, `x high`, `y low`, `y high`, where there are any, become intervals; `front` is joined by a line.
    """
    bases = list(dict.fromkeys(str(arm).removesuffix(sid) for arm in points.index))
    for arm, row in points.iterrows():
        base = str(arm).removesuffix(sid)
        color = PALETTE[bases.index(base) % len(PALETTE)]
        if f"{x} low" in points and np.isfinite([row[f"{x} low"], row[f"{y} low"]]).all():
            ax.hlines(row[y], row[f"{x} low"], row[f"{x} high"], color=color, lw=1, alpha=0.4)
            ax.vlines(row[x], row[f"{y} low"], row[f"{y} high"], color=color, lw=1, alpha=0.4)
        filled = str(arm).endswith(sid)
        ax.scatter(row[x], row[y], s=46, marker="o", zorder=3, edgecolor=color, color=color if filled else "white")
        if base + sid in points.index and not filled:
            end = points.loc[base + sid]
            ax.annotate("", (end[x], end[y]), (row[x], row[y]), arrowprops={"arrowstyle": "->", "color": color})
            ax.plot([], [], "o", color=color, label=base)
        elif not filled:
            ax.plot([], [], "o", color=color, mfc="white", label=base)
    line = points.loc[list(front)]
    ax.plot(line[x], line[y], ":", color="0.3", lw=1.2, zorder=1)
    ax.set(xlabel=x, ylabel=y)
    sns.despine(ax=ax)
    return ax


def styled_table(tables: Mapping[str, pd.DataFrame], better: Mapping[str, str], caption: str = ""):
    """A pandas Styler: a row a case, a column a measure, cells like "0.72 [0.70, 0.74]", the best mean in bold.

    `tables` are those of `metrics_by_case`, `better` says "higher" or "lower" for each, and `caption` is the place for
    the encoder and the masks' fill.
    """
    cells = {f"{name} {ARROWS[better[name]]}": table.apply(_cell, axis=1) for name, table in tables.items()}
    frame = pd.DataFrame(cells).rename(index=CASE_NAMES).fillna("")
    bold = pd.DataFrame("", index=frame.index, columns=frame.columns)
    for column, (name, table) in zip(frame, tables.items()):
        best = table["mean"].idxmax() if better[name] == "higher" else table["mean"].idxmin()
        bold.loc[CASE_NAMES.get(best, best), column] = "font-weight: bold"
    styler = frame.style.apply(lambda _: bold, axis=None).set_uuid("measures")  # the same page for the same numbers
    return styler.set_caption(caption) if caption else styler


def _cell(row: pd.Series) -> str:
    return str(Interval(row["mean"], row["low"], row["high"]))


def _height(text: str) -> float:
    """In lines, with the room that parts it from the next text."""
    return text.count("\n") + 1.5


def _color(case: Hashable) -> tuple[float, float, float]:
    return CASE_COLORS.get(case, PALETTE[0])


def _wrapped(labels: Iterable[str], letters: int) -> list[str]:
    return [textwrap.fill(label, letters) for label in labels]


def _enlarged(image: Image.Image) -> np.ndarray:
    times = max(1, SHARP // max(image.size))
    return np.asarray(image.resize((image.width * times, image.height * times), Image.NEAREST))


def _place(image: Image.Image, ax: Axes, column: int, row: int) -> None:
    """The picture in a cell of a grid of unit cells, as large as fits, in its middle."""
    half = (0.5 - GAP / 2) * np.array(image.size) / max(image.size)
    x, y = column + 0.5, row + 0.5
    ax.imshow(_enlarged(image), extent=(x - half[0], x + half[0], y + half[1], y - half[1]))


def _bare(ax: Axes) -> Axes:
    """Without grid and frame."""
    ax.grid(False)
    sns.despine(ax=ax, left=True, bottom=True)
    return ax


def _open(ax: Axes) -> Axes:
    """With vertical grid lines only and nothing on the left but the names."""
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    sns.despine(ax=ax, left=True)
    return ax
