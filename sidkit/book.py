"""The book from nothing: execute every notebook that the table of contents names, then build the pages.

A page of `_toc.yml` with the name of a notebook in `notebooks/` is that notebook's executed copy; git ignores it.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from sidkit import tether
from sidkit.files import check_writable, read_text
from sidkit.notebook_file import read_notebook
from sidkit.parameters import check_parameters, declared_parameters
from sidkit.shown import reason, shown
from sidkit.side_by_side import Call, execute
from sidkit.yaml_files import read_yaml

TOC, CONFIG, LOCK = "_toc.yml", "_config.yml", ".book.lock"
# Jupyter Book has no `python -m`; its script may not be on the path where the virtual environment is not activated.
JUPYTER_BOOK = "from sidkit.tether import tie; tie(); from jupyter_book.cli.main import main; main()"
TEXTS = (".md", ".rst", ".txt")  # a page that somebody wrote, beside notebooks


def build_book(root: Path, *, scale: str, jobs: int = 0) -> Path:
    """Execute and build the book whose `_config.yml` and `_toc.yml` lie in `root`; return its first page.

    `scale` goes to every notebook that has such a parameter. `jobs` notebooks are executed at once, by default as many
    as there are cores; the last one, which gathers what the others found, when they are done.

    Builds from a clean `_build` (the builder's own cache serves stale figures), with warnings as errors. However it
    ends, also by a kill, no process is left. Raises ValueError, before any notebook runs, for a folder without a book
    or in which another process builds it, for a table of contents or settings that cannot be used, for a scale that a
    notebook refuses and for a place that cannot be written; NotebookError where a cell fails or a kernel dies;
    RuntimeError where the pages do not build.
    """
    pages = executed_pages(root)
    _check_config(root / CONFIG)
    calls = [Call(source, _scaled(source, scale), page) for source, page in pages.items()]
    with _alone(root):
        for call in calls:
            _check_place(call.page)
        execute(calls, jobs or os.cpu_count() or 1)
        shutil.rmtree(root / "_build", ignore_errors=True)
        _build(root)
    return (root / "_build" / "html" / "index.html").resolve()


def executed_pages(root: Path) -> dict[Path, Path]:
    """Notebook -> the page that is its executed copy, in the order of the table of contents.

    Raises ValueError for a table of contents that Jupyter Book cannot read, or that names a page which nobody wrote.
    """
    if not (root / TOC).is_file():
        raise ValueError(f"book: expected {CONFIG} and {TOC} in {root.resolve()}, found no {TOC}")
    page_by_source = {}
    missing = []
    for entry in _entries(root / TOC):
        name = Path(entry).with_suffix("") if Path(entry).suffix in (*TEXTS, ".ipynb") else Path(entry)
        source = root / "notebooks" / f"{name.name}.ipynb"
        page = root / f"{name}.ipynb"
        is_written = any((root / f"{name}{ending}").is_file() for ending in TEXTS)
        if source.is_file() and not is_written and page != source:
            page_by_source[source] = page
        elif not is_written and not page.is_file():
            missing.append(str(entry))
    if missing:
        expected = f"expected a page, {' or '.join(TEXTS)}, or a notebook in notebooks/, for {shown(missing)}"
        raise ValueError(f"{root / TOC}: {expected}, found none; write it, or take it out")
    return page_by_source


def _entries(toc: Path) -> list[str]:
    """The pages that a table of contents names."""
    contents = _as_built(toc)
    try:  # comes with Jupyter Book, which not everyone installs
        from sphinx_external_toc.parsing import MalformedError, parse_toc_data
    except ImportError as error:
        raise ValueError("book: expected Jupyter Book, found none; install it: pip install 'sidkit[book]'") from error
    if not isinstance(contents, dict):
        raise ValueError(f"{toc}: expected a mapping with a root and chapters, got {shown(contents)}")
    try:
        return list(parse_toc_data(contents))
    except (MalformedError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise ValueError(f"{toc}: expected a table of contents, {reason(error)}") from error


def _as_built(path: Path) -> Any:
    """The value in a YAML file as Jupyter Book has it, which takes `on` for true. ValueError as `read_yaml`."""
    read_yaml(path)
    try:
        return yaml.safe_load(read_text(path))
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"{path}: expected YAML as Jupyter Book reads it, but {reason(error)}") from error


def _check_config(path: Path) -> None:
    """Raise ValueError unless the settings are such as Jupyter Book knows."""
    if not path.is_file():
        raise ValueError(f"book: expected {CONFIG} and {TOC} in {path.parent.resolve()}, found no {CONFIG}")
    settings = _as_built(path) or {}
    from jsonschema import ValidationError
    from jupyter_book.config import validate_yaml

    try:
        validate_yaml(settings, raise_on_errors=True)
    except ValidationError as error:
        raise ValueError(f"{path}: expected settings of Jupyter Book, {reason(error)}") from error


def _scaled(source: Path, scale: str) -> dict[str, Any]:
    given = {"scale": scale} if "scale" in declared_parameters(source) else {}
    return check_parameters(source, given)


def _check_place(page: Path) -> None:
    """Raise ValueError unless a notebook's executed copy may be written: not over a notebook that somebody wrote."""
    page.parent.mkdir(parents=True, exist_ok=True)
    check_writable(page)
    if page.is_file() and page.stat().st_size and "papermill" not in read_notebook(page).metadata:
        expected = (
            f"expected an executed copy of notebooks/{page.name}, or nothing yet, got a notebook of another origin"
        )
        raise ValueError(f"{page}: {expected}; move it, or give it another name in {TOC}")


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the book's lock. ValueError where another process has it."""
    lock = FileLock(root / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        told = "another `sidkit book` is at work here; wait for it, or build in a copy of the folder"
        raise ValueError(f"book: {root.resolve()}: {told}") from error
    try:
        yield
    finally:
        lock.release()


def _build(root: Path) -> None:
    arguments = ["build", str(root), "-W", "-n", "--keep-going"]
    process = tether.begin([sys.executable, "-c", JUPYTER_BOOK, *arguments])
    try:
        code = process.wait()
    finally:
        tether.end([process])
    if code:
        raise RuntimeError("the book did not build; its warnings and errors are above")
