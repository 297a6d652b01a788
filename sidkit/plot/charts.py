"""Charts: each function takes data and an `ax`, draws, and returns the `ax`; nothing is computed here.

What is made of several panels makes a figure of its own. Call `theme()` once in a notebook. Colours are told apart by
colour-blind readers and never say anything alone; backgrounds are white, so that a dark page shows a card.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from sidkit.describe.cases import CASE_NAMES
from sidkit.measure.statistics import Interval
from sidkit.plot.labels import as_label

PALETTE = sns.color_palette("colorblind")
GRAY, BLUE, GREEN, ORANGE, RED = (PALETTE[index] for index in (7, 0, 2, 1, 3))
CASE_COLORS = {1: GRAY, 2: BLUE, 3: GREEN, 4: ORANGE}
CURVES = ((GRAY, "o"), (ORANGE, "s"), (GREEN, "^"))  # colours and markers, in turn
VERDICTS = ((GREEN, ""), (BLUE, "xx"), (RED, "///"), (GRAY, "..."))  # colours and hatches
FONT = 9  # points; the smallest in use

Color = tuple[float, float, float]  # red, green, blue in [0, 1]


def theme() -> None:
    """Set seaborn's look for a notebook."""
    settings = {
        "figure.dpi": 110,
        "savefig.bbox": "tight",
        "axes.titlesize": "medium",
        "axes.edgecolor": "0.6",
        "text.parse_math": False,  # a caption may have two dollar signs
    }
    sns.set_theme("notebook", "whitegrid", font_scale=0.9, rc=settings)


def metrics_by_case(tables: Mapping[str, pd.DataFrame], columns: int = 3) -> Figure:
    """A panel for each measure: means with their intervals, one below the other.

    The keys say what the measures are and which direction is better. A table has the index cases (or names) and the
    columns `mean`, `low`, `high`; an interval that is not known (infinite) is left out.
    """
    rows = -(-len(tables) // columns)
    lines = max(map(len, tables.values()))
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(3.0 * columns + 1.6, rows * (0.27 * lines + 0.75)),
        squeeze=False,
        sharey=True,
        layout="constrained",
    )
    panels = axes.ravel()
    for ax in panels[len(tables) :]:
        ax.axis("off")
    for ax, (label, table) in zip(panels, tables.items()):
        _intervals(table, ax, label)
    return figure


def paired_differences(
    differences: pd.Series,
    mean: Interval,
    ax: Axes,
    label: str,
) -> Axes:
    """Each subject's difference between two cases (indexed by subject), largest on top; below, the mean's interval.

    `statistics.subject_differences` and `paired_difference` give the two.
    """
    ordered = differences.sort_values()
    places = 1.5 + np.arange(len(ordered))
    ax.hlines(places, 0, ordered, color="0.8", linewidth=1.5)
    ax.scatter(ordered, places, color=BLUE, s=30, zorder=3)
    ax.axvline(0, color="0.3", linewidth=1, zorder=1)
    if mean.known:
        ax.hlines(0, mean.low, mean.high, color="0.1", linewidth=2.5)
    ax.scatter([mean.mean], [0], color="0.1", marker="D", s=42, zorder=3)
    ax.set_yticks([0, *places], ["mean", *map(as_label, ordered.index)])
    ax.set(xlabel=label, ylim=(-0.7, places.max(initial=0) + 0.7))
    return _with_vertical_lines(ax)


def leakage_bars(table: pd.DataFrame, ax: Axes) -> Axes:
    """Share of pictures that show each undesired factor: index (factor, case), columns `mean`, `low`, `high`.

    `pd.concat({"nearby": statistics.case_means(frame, "leak_nearby", seed=0), ...})` is such a table.
    """
    factors = list(table.index.unique(0))
    cases = list(table.index.unique(1))
    width = 0.8 / len(cases)
    for index, case in enumerate(cases):
        rows = table.xs(case, level=1)
        shift = width * (index + 0.5) - 0.4
        places = [factors.index(factor) + shift for factor in rows.index]
        ax.bar(places, rows["mean"], 0.9 * width, color=color_of(case), label=label_of(case))
        ax.vlines(places, rows["low"], rows["high"], color="0.2", linewidth=1.2)
    ax.set_xticks(range(len(factors)), factors)
    ax.set(ylim=(0, 1), ylabel="pictures that show it")
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(
        fontsize=FONT,
        ncols=2,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        frameon=False,
        borderaxespad=0.2,
    )
    ax.grid(axis="x", visible=False)
    sns.despine(ax=ax)
    return ax


def curves(table: pd.DataFrame, ax: Axes, x: str, y: str) -> Axes:
    """A line for each name over numbers, with intervals: index (name, number), columns `mean`, `low`, `high`."""
    for index, name in enumerate(table.index.unique(0)):
        rows = table.loc[name].sort_index()
        known = rows[np.isfinite(rows["low"])]
        color, marker = CURVES[index % len(CURVES)]
        ax.vlines(known.index, known["low"], known["high"], color=color, lw=1, alpha=0.5)
        ax.plot(rows.index, rows["mean"], color=color, marker=marker, label=as_label(name))
    ax.set(xlabel=x, ylabel=y, xscale="log")
    ticks = sorted(table.index.unique(1))
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    sns.despine(ax=ax)
    return ax


def verdicts(table: pd.DataFrame, ax: Axes) -> Axes:
    """Tests by verdict, a bar a chapter (index), a column a verdict of `claims.WORDS`."""
    left = np.zeros(len(table))
    for verdict, (color, hatch) in zip(table, VERDICTS):
        counts = table[verdict].to_numpy()
        ax.barh(table.index, counts, left=left, color=color, hatch=hatch, edgecolor="white", label=verdict)
        left += counts
    ax.invert_yaxis()
    ax.set(xlabel="tests")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2, frameon=False, fontsize=FONT)
    sns.despine(ax=ax)
    return ax


def alignments(
    points: pd.DataFrame,
    x: str,
    y: str,
    ax: Axes,
    front: Sequence[str] = (),
    sid: str = " + SID",
) -> Axes:
    """The paper's Figs. 8 and 9: a point an arm (index) in the plane of two columns, an arrow from each to its SID.

    Columns `x low`, `x high`, `y low`, `y high`, where there are any, become intervals; `front` is joined by a line.
    """
    methods = list(dict.fromkeys(str(arm).removesuffix(sid) for arm in points.index))
    for arm, point in points.iterrows():
        method = str(arm).removesuffix(sid)
        color = PALETTE[methods.index(method) % len(PALETTE)]
        _intervals_of_point(point, x, y, ax, color)
        has_sid = str(arm).endswith(sid)
        ax.scatter(
            point[x],
            point[y],
            s=46,
            marker="o",
            zorder=3,
            edgecolor=color,
            color=color if has_sid else "white",
        )
        if has_sid:
            continue
        is_paired = method + sid in points.index
        if is_paired:
            end = points.loc[method + sid]
            arrow = {"arrowstyle": "->", "color": color}
            ax.annotate("", (end[x], end[y]), (point[x], point[y]), arrowprops=arrow)
        ax.plot([], [], "o", color=color, mfc=color if is_paired else "white", label=method)
    line = points.loc[list(front)]
    ax.plot(line[x], line[y], ":", color="0.3", lw=1.2, zorder=1)
    ax.set(xlabel=x, ylabel=y)
    sns.despine(ax=ax)
    return ax


def color_of(case: Hashable) -> Color:
    """Of a case of the paper; any other name has the first colour."""
    return CASE_COLORS.get(case, PALETTE[0])


def label_of(case: Hashable) -> str:
    """A case of the paper in words; any other name letter for letter."""
    return CASE_NAMES.get(case, as_label(case))


def _intervals(table: pd.DataFrame, ax: Axes, label: str) -> Axes:
    """A panel of `metrics_by_case`."""
    places = np.arange(len(table))[::-1]
    colors = [color_of(name) for name in table.index]
    ax.hlines(places, table["low"], table["high"], color=colors, linewidth=2.5)
    ax.scatter(table["mean"], places, color=colors, s=42, zorder=3)
    ax.set_yticks(places, [label_of(name) for name in table.index])
    ax.set(ylim=(-0.6, len(table) - 0.4), xlabel=label)
    ax.margins(x=0.08)
    ax.locator_params(axis="x", nbins=6)
    return _with_vertical_lines(ax)


def _intervals_of_point(
    point: pd.Series,
    x: str,
    y: str,
    ax: Axes,
    color: Color,
) -> None:
    """A cross, where both intervals are there and known."""
    if f"{x} low" not in point:
        return
    if np.isfinite([point[f"{x} low"], point[f"{y} low"]]).all():
        ax.hlines(point[y], point[f"{x} low"], point[f"{x} high"], color=color, lw=1, alpha=0.4)
        ax.vlines(point[x], point[f"{y} low"], point[f"{y} high"], color=color, lw=1, alpha=0.4)


def _with_vertical_lines(ax: Axes) -> Axes:
    """With vertical grid lines only and nothing on the left but the names."""
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    sns.despine(ax=ax, left=True)
    return ax
