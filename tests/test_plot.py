"""Figures draw what they are given, on the axes that they are given."""

import importlib

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sidkit.measure.statistics import Interval
from sidkit.plot import charts as plot

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


def test_intervals_stand_where_the_numbers_say(ax):
    assert plot.intervals(TABLE, ax, "leakage", zero=True) is ax
    assert ax.collections[1].get_offsets()[:, 0].tolist() == [0.2, 0.6]
    assert spans(ax.collections[0]) == [[0.1, 0.3], [0.5, 0.8]]
    assert texts(ax.get_yticklabels()) == ["1: class only", "3: + their details (SID)"]
    assert ax.lines[0].get_xdata() == [0, 0]


def test_an_unknown_interval_is_a_point_only(ax):
    plot.intervals(TABLE.assign(low=-np.inf, high=np.inf), ax, "leakage")
    assert ax.collections[1].get_offsets()[:, 0].tolist() == [0.2, 0.6]
    assert not any(len(segment) for segment in ax.collections[0].get_segments())
    ax.figure.canvas.draw()
    assert ax.get_xlim()[1] < 1
    bars = plot.leakage_bars(pd.concat({"nearby": TABLE.assign(low=-np.inf, high=np.inf)}), plt.subplots()[1])
    bars.figure.canvas.draw()
    assert bars.get_ylim() == (0, 1) and len(bars.patches) == 2


def test_a_grid_has_a_cell_for_each_picture_and_labels():
    ax = plot.image_grid([[RED, WIDE], [RED]], ["bare", "in the snow"], ["case 1", "case 3"])
    left, right, bottom, top = ax.images[1].get_extent()
    assert len(ax.images) == 3
    assert (right - left) == pytest.approx(2 * (bottom - top)) == pytest.approx(1 - plot.GAP)
    assert (left + right) / 2 == 1.5 and (top + bottom) / 2 == 0.5
    assert texts(ax.get_yticklabels()) == ["bare", "in the snow"]
    assert texts(ax.get_xticklabels()) == ["case 1", "case 3"]
    with pytest.raises(ValueError, match="expected at least one picture"):
        plot.image_grid([])


def test_small_pictures_keep_their_pixels_square(ax):
    checks = Image.fromarray(np.uint8([[0, 255], [255, 0]]))
    drawn = plot.show_image(checks, ax, "checks").images[0].get_array()
    assert drawn.shape == (512, 512) and set(np.unique(drawn)) == {0, 255}
    assert (drawn[:256, :256] == 0).all() and (drawn[:256, 256:] == 255).all()


def test_references_stand_beside_their_captions(ax):
    told = [{1: "a [v] dog", 3: "a [v] dog on a beach"}, "a [v] cat"]
    assert plot.references([RED, WIDE], told, ax) is ax
    places = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert {"1", "3", "a [v] dog", "a [v] dog on a beach", "a [v] cat"} <= set(places)
    assert 0 < places["a [v] dog"] < places["a [v] dog on a beach"] < 1 < places["a [v] cat"] < 2
    with pytest.raises(ValueError):
        plot.references([RED, WIDE], ["only one"])


def test_captions_of_many_lines_do_not_overlap():
    words = "a photo of a [v] dog wearing a purple scarf beside a gift tied with a ribbon in bright daylight " * 2
    ax = plot.references([RED], [dict.fromkeys([1, 2, 3, 4], words)])
    renderer = ax.figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in ax.texts if len(text.get_text()) > 1]
    assert all(above.y0 >= below.y1 for above, below in zip(boxes, boxes[1:]))


def test_bars_are_as_high_as_the_shares(ax):
    plot.leakage_bars(pd.concat({"nearby": TABLE, "tied": TABLE.loc[[3]]}), ax)
    bars = {round(bar.get_x() + bar.get_width() / 2, 3): bar.get_height() for bar in ax.patches}
    assert bars == {-0.2: 0.2, 0.2: 0.6, 1.2: 0.6}
    assert texts(ax.get_xticklabels()) == ["nearby", "tied"]
    assert texts(ax.get_legend().get_texts()) == ["1: class only", "3: + their details (SID)"]


def test_paired_differences_show_each_subject_and_the_mean(ax):
    differences = pd.Series({"dog": -0.3, "cat": 0.1})
    plot.paired_differences(differences, Interval(-0.1, -0.2, 0.0), ax, "leakage")
    assert texts(ax.get_yticklabels()) == ["mean", "dog", "cat"]
    assert ax.collections[1].get_offsets()[:, 0].tolist() == [-0.3, 0.1]
    assert ax.collections[-1].get_offsets().tolist() == [[-0.1, 0]]
    assert spans(ax.collections[2]) == [[-0.2, 0.0]]


def test_a_panel_for_each_measure():
    figure = plot.metrics_by_case({"SA": TABLE, "NSD": TABLE}, columns=1)
    assert [ax.get_xlabel() for ax in figure.axes] == ["SA", "NSD"]


def test_the_table_has_the_best_in_bold():
    tables = {"SA": TABLE, "leakage": TABLE}
    page, again = (
        plot.styled_table(tables, {"SA": "higher", "leakage": "lower"}, "CLIP, black fill").to_html() for _ in range(2)
    )
    assert "0.600 [0.500, 0.800]" in page and "SA \u2191" in page and "leakage \u2193" in page
    bold = page.split("font-weight: bold")[0].split("{")[-2]
    assert "row1_col0" in bold and "row0_col1" in bold and "row0_col0" not in bold
    assert "CLIP, black fill" in page and page == again


def test_words_are_large_enough_to_read():
    with plt.rc_context():
        plot.theme()
        sizes = [plt.rcParams[f"{name}.labelsize"] for name in ("axes", "xtick", "ytick")]
    assert min(sizes) >= plot.FONT >= 9


def test_importing_changes_no_style():
    before = dict(plt.rcParams)
    importlib.reload(plot)
    assert dict(plt.rcParams) == before
