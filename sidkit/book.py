"""The book from nothing: execute every notebook that the table of contents names, then build the pages.

A page of `_toc.yml` with the name of a notebook in `notebooks/` is that notebook's executed copy; git ignores it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from sidkit.notebook import check_parameters, declared_parameters, run_notebook

# Jupyter Book has no `python -m`; its script may not be on the path where the virtual environment is not activated.
JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]


def build_book(root: Path, *, scale: str, jobs: int = 0) -> Path:
    """Execute and build the book whose `_config.yml` and `_toc.yml` lie in `root`; return its first page.

    `scale` goes to every notebook that has such a parameter. `jobs` notebooks are executed at once, by default as many
    as there are cores; the last one, which gathers what the others found, when they are done.

    Builds from a clean `_build` (the builder's own cache serves stale figures), with warnings as errors. Raises
    ValueError for a folder without a book and for a scale that a notebook refuses; PapermillExecutionError where a cell
    fails; RuntimeError where the pages do not build.
    """
    pages = executed_pages(root)
    parameters = {source: _scaled(source, scale) for source in pages}  # all are checked before the first one runs
    calls = [(source, parameters[source], page) for source, page in pages.items()]
    _execute(calls[:-1], jobs or os.cpu_count() or 1)
    _execute(calls[-1:], 1)
    shutil.rmtree(root / "_build", ignore_errors=True)
    build = [*JUPYTER_BOOK, "build", str(root), "-W", "-n", "--keep-going"]
    if subprocess.run(build, check=False).returncode:
        raise RuntimeError("the book did not build; its warnings and errors are above")
    return (root / "_build" / "html" / "index.html").resolve()


def _execute(calls: list[tuple[Path, dict[str, str], Path]], jobs: int) -> None:
    """Run notebooks, `jobs` at once, each in a process of its own; the first that fails stops what has not begun."""
    if jobs == 1 or len(calls) < 2:
        for call in calls:
            print(f"executing {call[0].stem}", file=sys.stderr, flush=True)
            run_notebook(*call)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool, tqdm(total=len(calls), desc="notebooks") as bar:
        begun = [pool.submit(_run_beside_others, *call) for call in calls]
        try:
            for done in as_completed(begun):
                bar.set_postfix_str(done.result().stem)
                bar.update()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _run_beside_others(source: Path, parameters: dict[str, str], page: Path) -> Path:
    return run_notebook(source, parameters, page, _Lines(source.stem))


class _Lines:
    """What a notebook writes to stderr, under its name and in whole lines, without bars: several write at once."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, text: str) -> None:
        for line in text.splitlines(keepends=True):
            if line.endswith("\n") and line.strip() and "\r" not in line and "%|" not in line:
                tqdm.write(f"{self.name}: {line.rstrip()}", file=sys.stderr)

    def flush(self) -> None:
        sys.stderr.flush()


def executed_pages(root: Path) -> dict[Path, Path]:
    """Notebook -> the page that is its executed copy, in the order of the table of contents."""
    if not (root / "_toc.yml").is_file():
        raise ValueError(f"book: expected _config.yml and _toc.yml in {root.resolve()}, found no _toc.yml")
    from sphinx_external_toc.parsing import parse_toc_yaml  # comes with Jupyter Book, which not everyone installs

    names = [Path(name).with_suffix("") for name in parse_toc_yaml(root / "_toc.yml")]
    sources = {root / "notebooks" / f"{name.name}.ipynb": root / f"{name}.ipynb" for name in names}
    return {source: page for source, page in sources.items() if source.is_file()}


def _scaled(source: Path, scale: str) -> dict[str, str]:
    given = {"scale": scale} if "scale" in declared_parameters(source) else {}
    return check_parameters(source, given)
