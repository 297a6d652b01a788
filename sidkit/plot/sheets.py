"""Sheets of pictures for the book's pages: small enough in inches that their words can be read on a phone."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from sidkit.plot.charts import FONT
from sidkit.plot.labels import as_label

# inches
WIDTH = 4.6  # of a sheet
LARGEST = 1.3  # side of a picture
LINE = 0.22  # that a line of words takes
FURTHER_LINE = 0.14  # that each line after it takes
LETTER = 0.085  # that a bold one takes

DPI = 200
LETTERS = 64  # that fit into a title's line
FILLED = 0.96  # of a cell's side is picture
ROW_LETTERS, COLUMN_LETTERS = 24, 18  # of a label's line in a grid
GAP = 0.05  # of a grid's cell, between pictures
SHARP = 512  # px; a smaller picture is first enlarged a whole number of times, so that its pixels stay squares

Rows = tuple[list[str], list[list[Image.Image]], list[str]]  # what `rows` takes: titles, pictures, columns


def sheet(
    images: Sequence[Image.Image],
    titles: Sequence[str] = (),
    columns: int = 4,
) -> Figure:
    """Pictures in rows of `columns`, each under its own title."""
    rows = -(-len(images) // columns)
    cell = WIDTH / columns
    line = LINE if titles else 0
    size = (WIDTH, (cell + line) * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, dpi=DPI, squeeze=False)
    places = axes.ravel()
    for ax in places[len(images) :]:
        ax.axis("off")
    for index, image in enumerate(images):
        ax = _show(image, places[index])
        title = as_label(titles[index]) if titles else ""
        ax.set_title(title, fontsize=FONT, pad=3)
    figure.subplots_adjust(0, 0, 1, 1, wspace=0.04, hspace=line / cell + 0.04)
    return figure


def rows(
    titles: Sequence[str],
    pictures: Sequence[Sequence[Image.Image]],
    columns: Sequence[str] = (),
) -> Figure:
    """A row of pictures under each title; `columns` are said once, above the first. Long words take several lines."""
    most = max(map(len, pictures))
    cell = min(LARGEST, WIDTH / most)
    heads = _wrapped(columns, max(1, int(cell / LETTER)))
    titles = _wrapped(titles, LETTERS)
    height_of_heads = max(map(_height, heads), default=0)
    heights = [_height(title) for title in titles]
    height = height_of_heads + sum(heights) + len(pictures) * cell
    figure = plt.figure(figsize=(WIDTH, height), dpi=DPI)
    for row, (title, images) in enumerate(zip(titles, pictures)):
        top = height_of_heads + sum(heights[: row + 1]) + row * cell  # of the pictures, from the sheet's
        figure.text(0, 1 - (top - 0.25 * LINE) / height, title, fontsize=FONT, va="bottom")
        for column, image in enumerate(images):
            _add_picture(figure, image, column * cell, top, cell)
    for column, head in enumerate(heads):
        figure.text(
            (column + FILLED / 2) * cell / WIDTH,
            1 - (height_of_heads - 0.3 * LINE) / height,
            head,
            fontsize=FONT,
            ha="center",
            va="baseline",
            weight="bold",
            linespacing=1.1,
        )
    return figure


def image_grid(
    rows: Sequence[Sequence[Image.Image]],
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    *,
    cell: float = 1.3,
) -> Axes:
    """Rows of pictures, with labels left of the rows and above the columns; rows may differ in length.

    In a figure of its own, with `cell` inches for each picture. ValueError without pictures.
    """
    height = len(rows)
    width = max(map(len, rows), default=0)
    if not width:
        raise ValueError("image grid: expected at least one picture, got none")
    room_for_labels = 1.8 if row_labels else 0
    _, ax = plt.subplots(figsize=(width * cell + room_for_labels, height * cell + 0.4))
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            _place(image, ax, column, row)
    _without_frame(ax).set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    middles_of_columns = 0.5 + np.arange(len(column_labels))
    middles_of_rows = 0.5 + np.arange(len(row_labels))
    ax.set_xticks(middles_of_columns, _wrapped(column_labels, COLUMN_LETTERS), fontsize=FONT)
    ax.set_yticks(middles_of_rows, _wrapped(row_labels, ROW_LETTERS), fontsize=FONT)
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    return ax


def _wrapped(texts: Iterable[str], letters: int) -> list[str]:
    return [textwrap.fill(as_label(text), letters) for text in texts]


def _height(text: str) -> float:
    """Of its lines, inches."""
    return LINE + FURTHER_LINE * text.count("\n")


def _add_picture(
    figure: Figure,
    image: Image.Image,
    left: float,
    top: float,
    cell: float,
) -> None:
    """A picture in a square cell; all in inches, from the sheet's upper left corner."""
    width, height = figure.get_size_inches()
    side = FILLED * cell
    box = (left / width, 1 - (top + side) / height, side / width, side / height)
    _show(image, figure.add_axes(box))


def _show(image: Image.Image, ax: Axes) -> Axes:
    """One picture without ticks."""
    ax.imshow(_enlarged(image))
    _without_frame(ax).set(xticks=[], yticks=[])
    return ax


def _place(image: Image.Image, ax: Axes, column: int, row: int) -> None:
    """The picture in a cell of a grid of unit cells, as large as fits, in its middle."""
    half_width, half_height = (0.5 - GAP / 2) * np.array(image.size) / max(image.size)
    x = column + 0.5
    y = row + 0.5
    extent = (x - half_width, x + half_width, y + half_height, y - half_height)
    ax.imshow(_enlarged(image), extent=extent)


def _enlarged(image: Image.Image) -> np.ndarray:
    """The pixels (height, width, 3), each repeated until the picture is large enough to stay sharp."""
    times = max(1, SHARP // max(image.size))
    size = (image.width * times, image.height * times)
    return np.asarray(image.resize(size, Image.NEAREST))


def _without_frame(ax: Axes) -> Axes:
    """Without grid and frame."""
    ax.grid(False)
    sns.despine(ax=ax, left=True, bottom=True)
    return ax
