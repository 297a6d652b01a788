"""Figures draw what they are given, on the axes that they are given."""

import importlib
import warnings

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sidkit.measure.statistics import Interval
from sidkit.plot import charts, sheets

TABLE = pd.DataFrame({"mean": [0.2, 0.6], "low": [0.1, 0.5], "high": [0.3, 0.8]}, index=[1, 3])
RED, WIDE = Image.new("RGB", (64, 64), "red"), Image.new("RGB", (64, 32), "blue")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]


def texts(labels):
    return [label.get_text() for label in labels]


def spans(lines):
    return [segment[:, 0].tolist() for segment in lines.get_segments()]


def test_intervals_stand_where_the_numbers_say():
    (ax,) = charts.metrics_by_case({"leakage": TABLE}, columns=1).axes
    assert ax.collections[1].get_offsets()[:, 0].tolist() == [0.2, 0.6]
    assert spans(ax.collections[0]) == [[0.1, 0.3], [0.5, 0.8]]
    assert texts(ax.get_yticklabels()) == ["1: class only", "3: + their details (SID)"]


def test_an_unknown_interval_is_a_point_only():
    (ax,) = charts.metrics_by_case({"leakage": TABLE.assign(low=-np.inf, high=np.inf)}, columns=1).axes
    assert ax.collections[1].get_offsets()[:, 0].tolist() == [0.2, 0.6]
    assert not any(len(segment) for segment in ax.collections[0].get_segments())
    ax.figure.canvas.draw()
    assert ax.get_xlim()[1] < 1
    bars = charts.leakage_bars(pd.concat({"nearby": TABLE.assign(low=-np.inf, high=np.inf)}), plt.subplots()[1])
    bars.figure.canvas.draw()
    assert bars.get_ylim() == (0, 1) and len(bars.patches) == 2


def test_a_grid_has_a_cell_for_each_picture_and_labels():
    ax = sheets.image_grid([[RED, WIDE], [RED]], ["bare", "in the snow"], ["case 1", "case 3"])
    left, right, bottom, top = ax.images[1].get_extent()
    assert len(ax.images) == 3
    assert (right - left) == pytest.approx(2 * (bottom - top)) == pytest.approx(1 - sheets.GAP)
    assert (left + right) / 2 == 1.5 and (top + bottom) / 2 == 0.5
    assert texts(ax.get_yticklabels()) == ["bare", "in the snow"]
    assert texts(ax.get_xticklabels()) == ["case 1", "case 3"]
    with pytest.raises(ValueError, match="expected at least one picture"):
        sheets.image_grid([])


def test_small_pictures_keep_their_pixels_square():
    checks = Image.fromarray(np.uint8([[0, 255], [255, 0]]))
    drawn = sheets.sheet([checks]).axes[0].images[0].get_array()
    assert drawn.shape == (512, 512) and set(np.unique(drawn)) == {0, 255}
    assert (drawn[:256, :256] == 0).all() and (drawn[:256, 256:] == 255).all()


def test_bars_are_as_high_as_the_shares(ax):
    charts.leakage_bars(pd.concat({"nearby": TABLE, "tied": TABLE.loc[[3]]}), ax)
    bars = {round(bar.get_x() + bar.get_width() / 2, 3): bar.get_height() for bar in ax.patches}
    assert bars == {-0.2: 0.2, 0.2: 0.6, 1.2: 0.6}
    assert texts(ax.get_xticklabels()) == ["nearby", "tied"]
    assert texts(ax.get_legend().get_texts()) == ["1: class only", "3: + their details (SID)"]


def test_paired_differences_show_each_subject_and_the_mean(ax):
    differences = pd.Series({"dog": -0.3, "cat": 0.1})
    charts.paired_differences(differences, Interval(-0.1, -0.2, 0.0), ax, "leakage")
    assert texts(ax.get_yticklabels()) == ["mean", "dog", "cat"]
    assert ax.collections[1].get_offsets()[:, 0].tolist() == [-0.3, 0.1]
    assert ax.collections[-1].get_offsets().tolist() == [[-0.1, 0]]
    assert spans(ax.collections[2]) == [[-0.2, 0.0]]


def test_a_panel_for_each_measure():
    figure = charts.metrics_by_case({"SA": TABLE, "NSD": TABLE}, columns=1)
    assert [ax.get_xlabel() for ax in figure.axes] == ["SA", "NSD"]


def test_words_are_large_enough_to_read():
    with plt.rc_context():
        charts.theme()
        sizes = [plt.rcParams[f"{name}.labelsize"] for name in ("axes", "xtick", "ytick")]
    assert min(sizes) >= charts.FONT >= 9


def test_importing_changes_no_style():
    before = dict(plt.rcParams)
    importlib.reload(charts)
    assert dict(plt.rcParams) == before


ODD = (
    "$x$ and $\\frac{$",
    "costs $5, or $6",
    "a_b^c\\d",
    "猫 🐈",
    "two\nlines\tand",
    "\x1b[31mred",
    "\u202eturned",
    "\udcff",
    "%d {}",
)


@pytest.mark.parametrize("text", ODD, ids=ascii)
@pytest.mark.parametrize("themed", [True, False])
def test_words_from_outside_are_drawn_letter_for_letter(text, themed):
    """Warnings, such as of a letter that no font has, are errors; without `theme` matplotlib reads formulas."""
    with plt.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("error")
        plt.rcdefaults()
        plt.switch_backend("agg")
        charts.theme() if themed else None
        figure = sheets.rows([text], [[Image.new("RGB", (8, 8))]], [text])
        figure.canvas.draw()
        shown = figure.texts[0].get_text().replace("\n", " ")
        plt.close(figure)
    escaped = {"\n": " ", "\t": " "} | {
        letter: letter.encode("unicode_escape").decode() for letter in "猫🐈\x1b\u202e\udcff"
    }
    expected = "".join(escaped.get(letter, letter) for letter in text)
    assert shown == (expected if themed else expected.replace("$", "\\$"))
