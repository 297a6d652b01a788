"""The ledger: what chapters write comes out again, and what nobody tried says so."""

import json
import os

import matplotlib.pyplot as plt
import pytest
from rendered import rendered, words

from sidkit import chapters
from sidkit.chapters import claims
from sidkit.measure.statistics import Interval
from sidkit.plot import charts as plot
from sidkit.study import ledger
from sidkit.study.claims import NOT_REPRODUCED, NOT_RUN, REPRODUCED, Claim, Verdict

CLAIM = Claim("SID leaks less", "leakage", 3, 1, "lower", "Fig. 3")
VERDICTS = [
    Verdict(CLAIM, REPRODUCED, "below zero", Interval(-0.4, -0.6, -0.2)),
    Verdict(CLAIM, NOT_REPRODUCED, "includes zero", Interval(-0.1, -0.2, 0.1)),
    Verdict(CLAIM, NOT_RUN, "no reader"),
]


def test_what_is_recorded_is_read_by_scale_and_replaced_by_the_next_run(tmp_path):
    path = ledger.record(VERDICTS, "02_description_cases", tmp_path, scale="smoke")
    assert ledger.read(tmp_path, scale="quick") == {}
    (rows,) = ledger.read(tmp_path, scale="smoke").values()
    assert [row["word"] for row in rows] == [REPRODUCED, NOT_REPRODUCED, NOT_RUN]
    assert [row["difference"] for row in rows] == [[-0.4, -0.6, -0.2], [-0.1, -0.2, 0.1], None]
    ledger.record(VERDICTS[:1], "02_description_cases", tmp_path, scale="smoke")
    assert len(json.loads(path.read_text())) == 1 and list(path.parent.iterdir()) == [path]


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "zeroed": lambda path: path.write_bytes(bytes(300)),
    "half": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "no list": lambda path: path.write_text("{}"),
    "other rows": lambda path: path.write_text('[{"word": "reproduced"}]'),
    "rows of text": lambda path: path.write_text('["reproduced"]'),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "a link without an end": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_set_aside_and_the_others_are_read(tmp_path, capsys, name):
    path = ledger.record(VERDICTS, "02_description_cases", tmp_path, scale="smoke")
    ledger.record(VERDICTS, "03_methods", tmp_path, scale="smoke")
    DAMAGE[name](path)
    assert list(ledger.read(tmp_path, scale="smoke")) == ["03_methods"]
    assert "run the chapter again" in capsys.readouterr().err
    ledger.record(VERDICTS, "02_description_cases", tmp_path, scale="smoke")
    DAMAGE[name](path)
    ledger.record(VERDICTS, "02_description_cases", tmp_path, scale="smoke")
    assert len(ledger.read(tmp_path, scale="smoke")) == 2


@pytest.mark.parametrize("name", ["ledger", "ledger/smoke"])
def test_a_file_in_the_place_of_its_folder_is_set_aside(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("a note of mine")
    assert ledger.read(tmp_path, scale="smoke") == {}
    ledger.record(VERDICTS, "02_description_cases", tmp_path, scale="smoke")
    assert len(ledger.read(tmp_path, scale="smoke")) == 1
    assert path.with_name(f"{path.name}.set-aside-1").read_text() == "a note of mine"


def test_tables_say_every_test_and_every_statement(tmp_path):
    ledger.record(VERDICTS, "02_description_cases", tmp_path, scale="smoke")
    ledger.record(VERDICTS[:1], "01_biases", tmp_path, scale="smoke")
    found = ledger.read(tmp_path, scale="smoke")
    assert list(found) == ["01_biases", "02_description_cases"]
    tests = ledger.tests_table(found)
    assert len(tests) == 4 and tests["Difference"].tolist()[:2] == ["−40 points\n[−60, −20]"] * 2
    rows = ledger.statements_table(found, claims.statements(), claims.UNTRIED).set_index("The paper states")
    assert len(rows) == len(claims.statements()) + len(claims.UNTRIED)
    told = rows["Tests"][next(name for name in rows.index if "Table 1" in words(name))]
    assert [part.get_text() for part in rendered(told).select("span")] == [REPRODUCED, NOT_REPRODUCED, NOT_RUN]
    assert words(told) == f"1 {REPRODUCED}, 1 {NOT_REPRODUCED}, 1 {NOT_RUN}"
    people = rows.loc[next(name for name in rows.index if words(name).startswith("People"))]
    assert "not run" in words(people["Tests"]) and people["Tried in"] == "-"
    said = ledger.summary(found, 12)
    assert "Of 12 statements, 2 are tried here, by 4 tests: 2 reproduced" in said


def test_bars_are_as_long_as_there_are_tests(tmp_path):
    ledger.record(VERDICTS, "02_description_cases", tmp_path, scale="smoke")
    table = ledger.counts(ledger.read(tmp_path, scale="smoke"))
    _, ax = plt.subplots()
    plot.verdicts(table, ax)
    assert [bar.get_width() for bar in ax.patches] == [1, 0, 1, 1]
    assert [bar.get_x() for bar in ax.patches] == [0, 1, 1, 2]
    plt.close()


def test_every_chapter_that_claims_says_what_it_tries():
    """Ten chapters each try a statement of the paper; one's own images try none, and have claims all the same."""
    tried = claims.statements()
    assert list(tried) == [name for name in chapters.NOTEBOOKS if name[:2] not in ("00", "11", "12")]
    assert len({statement.words for statement in [*tried.values(), *claims.UNTRIED]}) == 12
