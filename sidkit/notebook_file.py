"""A notebook's file: where it is, and what is in it, or in a line why it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat.validator import ValidationError

from sidkit.config import check_name
from sidkit.files import read_text

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
ENDING = ".ipynb"
# What nbformat raises for JSON of another shape, each in its own way; the first two say what is wrong.
TELLING = (ValidationError, ValueError)
UNREADABLE = (*TELLING, LookupError, TypeError, AttributeError, AssertionError, RecursionError)


def find_notebook(name: str | Path, folder: Path = NOTEBOOKS) -> Path:
    """The path of a notebook given by path, or by its name in `folder`; ValueError offers the nearest name."""
    path = Path(name)
    if path.suffix.lower() == ENDING:
        if not path.is_file():
            raise ValueError(f"notebook: expected a file at {path}, found none")
        return path
    return folder / f"{check_name('notebook', str(name), (file.stem for file in folder.glob('*.ipynb')))}.ipynb"


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """A notebook of any format as one of format 4. Raises ValueError, which names the file, for anything else."""
    text = read_text(path)
    if not text.strip():
        raise ValueError(f"{path}: expected a notebook, got an empty file")
    try:
        notebook = nbformat.reads(text, as_version=4)
    except UNREADABLE as error:
        reason = str(error).strip().splitlines()[0] if isinstance(error, TELLING) else "its JSON has another shape"
        raise ValueError(f"{path}: expected a notebook, which this is not: {reason}") from error
    fault = _fault(notebook)
    if fault:
        raise ValueError(f"{path}: expected a notebook, {fault}; open it in Jupyter and save it anew")
    return notebook


def _fault(notebook: nbformat.NotebookNode) -> str:
    """What of a notebook's shape would break a run of it; "" where nothing would."""
    if not isinstance(notebook.get("metadata"), Mapping):
        return "found no metadata"
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        return "found no list of cells"
    for number, cell in enumerate(cells, 1):
        if not _is_cell(cell):
            return f"found that cell {number} is none (cell_type, source, metadata, a list of tags)"
    return ""


def _is_cell(cell: Any) -> bool:
    if not isinstance(cell, Mapping):
        return False
    texts = (cell.get("cell_type"), cell.get("source"))
    if not all(isinstance(text, str) for text in texts) or not isinstance(cell.get("metadata"), Mapping):
        return False
    return isinstance(cell["metadata"].get("tags", []), list | str)
