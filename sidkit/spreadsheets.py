"""Tables as CSV files, in which a spreadsheet program finds text and no formulas.

Excel, LibreOffice and Google Sheets compute a cell that begins with one of a few signs, and a formula may call a
program or send what other cells say to a server. The cure is OWASP's ("CSV Injection"): a single quote before it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

FORMULA = re.compile("'*[=+@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH COMMERCIAL AT}-]")


def csv_of(frame: pd.DataFrame) -> str:
    """A table without its index as the text of a CSV file; `read_csv` gives back what was in it."""
    told = _with_texts(frame, _as_text)
    plain = told.to_csv(index=False)
    return told.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC) if "\r" in plain else plain  # Python's csv misses it


def read_csv(path: Path | str, **options: Any) -> pd.DataFrame:
    """A file of `csv_of`; `options` are those of pandas."""
    return _with_texts(pd.read_csv(path, **options), as_it_was)


def _with_texts(frame: pd.DataFrame, changed: Callable[[Any], Any]) -> pd.DataFrame:
    texts = frame.select_dtypes(exclude="number")
    return frame.assign(**{name: texts[name].map(changed) for name in texts})


def _as_text(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def as_it_was(value: Any) -> Any:
    """A cell without the quote that keeps it from being a formula."""
    is_quoted = isinstance(value, str) and value.startswith("'") and FORMULA.match(value)
    return value[1:] if is_quoted else value
