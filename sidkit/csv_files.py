"""CSV that people fill in, save and send: read as spreadsheets write it, or refused in a line.

Commas, semicolons and tabs separate (a spreadsheet takes what its country does); spaces around a cell, empty rows and
empty columns at the end count for nothing.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from sidkit.files import read_text
from sidkit.shown import shown, shown_names
from sidkit.spreadsheets import as_it_was

SEPARATORS = ",;\t"
BOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how .xlsx, .ods and .numbers begin, and how .xls does
LARGEST = 10_000_000  # letters of a file


def read_csv(path: Path | str, columns: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """These columns of a file, and the optional ones that it has, texts all; the index says where a row ends.

    Raises ValueError in one line, which names the file and the line, for anything that is no such table, for a column
    of `columns` that is not there, and where there is no row.
    """
    _check_is_text(path)
    text = read_text(path)
    if len(text) > LARGEST:
        raise ValueError(f"{path}: expected at most {LARGEST} letters, got {len(text)}")
    rows = list(_rows(text, path))
    if not rows:
        raise ValueError(f"{path}: expected the columns {', '.join(columns)}, got an empty file")
    _, names = rows[0]
    _check_names(names, columns, path)
    cells_by_line = dict(rows[1:])
    if not cells_by_line:
        raise ValueError(f"{path}: expected at least one row below the column names, got none")
    for line, cells in cells_by_line.items():
        if len(cells) != len(names):
            raise ValueError(f"{path}, line {line}: expected {len(names)} cells, got {len(cells)}: {shown(cells)}")
    frame = pd.DataFrame.from_dict(cells_by_line, orient="index", columns=names, dtype=str)
    return frame[[*columns, *(name for name in optional if name in names)]]


def _check_is_text(path: Path | str) -> None:
    """ValueError for a spreadsheet's own file, which people send in the place of a CSV."""
    path = Path(path)
    beginning = path.read_bytes()[:8] if path.is_file() and os.access(path, os.R_OK) else b""
    if beginning.startswith(BOOKS):
        raise ValueError(f"{path}: expected CSV, got a spreadsheet's own file; open it and save or export it as CSV")


def _rows(text: str, path: Path | str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with its line, without the empty cells at an end that has no name above it."""
    first = next((line for line in text.splitlines() if line.strip(SEPARATORS + " ")), "")
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    width = 0
    try:
        for row in reader:
            cells = [as_it_was(cell.strip()) for cell in row]
            if not any(cells):
                continue
            while len(cells) > width and not cells[-1]:
                cells.pop()
            width = width or len(cells)
            yield reader.line_num, cells
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: expected CSV, but {error}") from error


def _check_names(names: Sequence[str], columns: Sequence[str], path: Path | str) -> None:
    missing = [name for name in columns if name not in names]
    if missing:
        expected = f"expected the columns {', '.join(columns)}, separated by commas"
        raise ValueError(f"{path}: {expected}; found no {shown_names(missing)} in {shown(list(names))}")
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"{path}: expected each column once, got {shown(name)} {count} times")
