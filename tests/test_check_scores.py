"""How good the checker is, on captions that it was not developed on: floors that a change must not fall through."""

import json

import pytest
from rendered import words
from typer.testing import CliRunner

from sidkit.check import scores as scoring
from sidkit.cli.main import app


def test_planted_faults_are_found():
    samples = scoring.planted(80, seed=1)
    table = scoring.scores(samples)
    assert sum(len(sample.captions) for sample in samples) == 320
    assert table.loc["all", "faults"] > 150
    assert table.loc["all", "precision"] > 0.93
    assert table.loc["all", "recall"] > 0.93
    assert (table["recall"].dropna() > 0.7).all()


def test_captions_of_photos_are_read():
    developed, held = (scoring.scores(scoring.by_hand(half)) for half in ("develop", "held"))
    assert developed.loc["all", "faults"] + held.loc["all", "faults"] == 35
    assert held.loc["all", "precision"] >= 0.8
    assert held.loc["all", "recall"] >= 0.85
    assert held.loc["looks", "recall"] >= 0.85


def test_the_score_can_fall():
    """Captions without faults that are labelled as faulty are misses, and a fault that is not labelled is a mistake."""
    (sample,) = scoring.planted(1, seed=0)
    plain = {"0": "a [v] dog on a lawn", "1": "a brown [v] dog by a fence"}
    wrong = scoring.Sample("dog", False, plain, {"0": {"bare"}})
    table = scoring.scores([wrong])
    assert table.loc["all", ["precision", "recall"]].tolist() == [0, 0]
    assert len(scoring.mistakes([wrong])) == 2
    assert sample.captions.keys() >= sample.faults.keys()


def test_an_interval_has_a_width_where_all_are_right():
    assert scoring.interval(0, 0) == (0, 1)
    assert scoring.interval(16, 16) == pytest.approx((0.806, 1.0), abs=1e-3)  # z^2 / (n + z^2) are missing to 1
    low, high = scoring.interval(50, 100)
    assert (low + high) / 2 == pytest.approx(0.5) and high - low == pytest.approx(0.1923, abs=1e-3)


def test_the_command_prints_both(tmp_path):
    told = CliRunner().invoke(app, ["check-scores", "--subjects", "5", "--json"])
    tables = json.loads(told.stdout)
    assert set(tables) == {"planted faults, 20 captions", "by hand, develop half", "by hand, held half"}
    assert all(0 <= table["all"]["recall"] <= 1 for table in tables.values())


def test_sixty_captions_were_written_by_hand():
    rows = json.loads(scoring.BY_HAND.read_text(encoding="utf-8"))
    assert sum(len(row["captions"]) for row in rows) == 60


def test_the_page_shows_both_sets():
    sets = {"planted": scoring.planted(100, seed=1), "by hand": scoring.by_hand("held")}
    table = scoring.table(sets).set_index("Finding")
    table.index = table.index.map(words)
    assert set(table) == {"Right, planted", "Found, planted", "Right, by hand", "Found, by hand"}
    assert table.loc["all", "Found, by hand"].endswith(" of 16")
    assert table.loc["too-long", "Found, by hand"] == "-"
    told = {name: words(scoring.sentence(name, samples)) for name, samples in sets.items()}
    assert told["planted"].startswith("Planted, 400 captions with")
    assert told["by hand"].startswith("By hand, 30 captions with 16 faults: precision 0.")
