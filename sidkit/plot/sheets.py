"""Sheets of pictures for the book's pages: small enough in inches that their words can be read on a phone."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from sidkit.plot.charts import FONT, show_image

WIDTH = 4.6  # inches
LARGEST = 1.3  # inches that a picture takes
DPI = 200
LINE = 0.22  # inches that a line of words takes
LETTERS = 64  # that fit into such a line
LETTER = 0.085  # inches that a bold one takes
GAP = 0.96  # of a cell is picture

Rows = tuple[list[str], list[list[Image.Image]], list[str]]  # what `rows` takes: titles, pictures, columns


def sheet(images: Sequence[Image.Image], titles: Sequence[str] = (), columns: int = 4) -> Figure:
    """Pictures in rows of `columns`, each under its own title."""
    rows = -(-len(images) // columns)
    cell, line = WIDTH / columns, LINE if titles else 0
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, (cell + line) * rows), dpi=DPI, squeeze=False)
    for index, ax in enumerate(axes.ravel()):
        if index < len(images):
            show_image(images[index], ax)
            ax.set_title(titles[index] if titles else "", fontsize=FONT, pad=3)
        else:
            ax.axis("off")
    figure.subplots_adjust(0, 0, 1, 1, wspace=0.04, hspace=line / cell + 0.04)
    return figure


def rows(titles: Sequence[str], pictures: Sequence[Sequence[Image.Image]], columns: Sequence[str] = ()) -> Figure:
    """A row of pictures under each title; `columns` are said once, above the first. Long words take several lines."""
    cell = min(LARGEST, WIDTH / max(map(len, pictures)))
    columns = [textwrap.fill(name, max(1, int(cell / LETTER))) for name in columns]
    head = max((LINE + 0.14 * name.count("\n") for name in columns), default=0)
    told = ["\n".join(textwrap.wrap(title, LETTERS)) for title in titles]
    heights = [LINE + 0.14 * title.count("\n") for title in told]
    tall = head + sum(heights) + len(pictures) * cell
    figure = plt.figure(figsize=(WIDTH, tall), dpi=DPI)
    for row, (title, images) in enumerate(zip(told, pictures)):
        below = head + sum(heights[: row + 1]) + row * cell  # the upper edge of the pictures, from the top
        figure.text(0, 1 - (below - 0.25 * LINE) / tall, title, fontsize=FONT, va="bottom")
        for column, image in enumerate(images):
            corner = (column * cell / WIDTH, 1 - (below + GAP * cell) / tall)
            show_image(image, figure.add_axes((*corner, GAP * cell / WIDTH, GAP * cell / tall)))
    for column, name in enumerate(columns):
        at = ((column + GAP / 2) * cell / WIDTH, 1 - (head - 0.3 * LINE) / tall)
        figure.text(*at, name, fontsize=FONT, ha="center", va="baseline", weight="bold", linespacing=1.1)
    return figure
