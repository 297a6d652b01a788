"""Figures draw what they are given, on the axes that they are given."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from PIL import Image

from sidkit import plot

TABLE = pd.DataFrame({"mean": [0.2, 0.6], "low": [0.1, 0.5], "high": [0.3, 0.8]}, index=[1, 3])


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_intervals_stand_where_the_numbers_say():
    ax = plot.intervals(TABLE, plt.subplots()[1], "leakage (lower is better)", zero=True)
    points = ax.collections[1].get_offsets()
    assert points[:, 0].tolist() == [0.2, 0.6]
    segments = [segment[:, 0].tolist() for segment in ax.collections[0].get_segments()]
    assert segments == [[0.1, 0.3], [0.5, 0.8]]
    assert [label.get_text() for label in ax.get_yticklabels()] == [plot.CASE_NAMES[1], plot.CASE_NAMES[3]]


def test_a_grid_has_a_cell_for_each_picture_and_labels():
    red = Image.new("RGB", (64, 64), "red")
    figure = plot.image_grid([[red, red], [red]], ["bare", "snow"], ["case 1", "case 3"])
    assert sum(len(ax.images) for ax in figure.axes) == 3
    assert [ax.get_title() for ax in figure.axes[:2]] == ["case 1", "case 3"]
    assert figure.axes[2].get_ylabel() == "snow"


def test_references_carry_their_captions():
    figure = plot.references([Image.new("RGB", (64, 64))] * 2, ["a [v] dog", "a [v] dog on a beach"])
    assert [ax.get_xlabel() for ax in figure.axes] == ["a [v] dog", "a [v] dog on a beach"]


def test_bars_are_as_high_as_the_shares():
    frame = pd.DataFrame({"factor": ["nearby", "nearby"], "case": [1, 3], "leakage": [0.75, 0.25]})
    ax = plot.leakage_bars(frame, plt.subplots()[1])
    assert sorted(round(bar.get_height(), 3) for bar in ax.patches if bar.get_height()) == [0.25, 0.75]


def test_a_panel_for_each_measure():
    figure = plot.metrics_by_case({"SA": TABLE, "NSD": TABLE})
    assert [ax.get_xlabel() for ax in figure.axes[:2]] == ["SA", "NSD"]
