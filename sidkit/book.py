"""The book from nothing: execute every notebook that the table of contents names, then build the pages.

A page of `_toc.yml` with the name of a notebook in `notebooks/` is that notebook's executed copy; git ignores it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from queue import Queue
from threading import Thread

from tqdm import tqdm

from sidkit.notebook import check_parameters, declared_parameters, run_notebook

# Jupyter Book has no `python -m`; its script may not be on the path where the virtual environment is not activated.
JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
DRAWN = re.compile(r"%\|.*\|")  # of a progress bar of tqdm, which is told from other lines by it
DONE = "done"  # said when a notebook is


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
    context = get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(jobs, context) as pool:
        said = manager.Queue()
        begun = [pool.submit(_run_beside_others, *call, said) for call in calls]
        screen = Thread(target=_Screen(len(calls)).show, args=(said,))
        screen.start()
        try:
            for done in as_completed(begun):
                done.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            said.put(None)
            screen.join()


def _run_beside_others(source: Path, parameters: dict[str, str], page: Path, said: Queue) -> None:
    run_notebook(source, parameters, page, _Lines(source.stem, said))
    said.put((source.stem, DONE))


class _Lines:
    """What a notebook writes to stderr, line by line and under its name, for the one process that shows all of it."""

    def __init__(self, name: str, said: Queue) -> None:
        self.name, self.said = name, said

    def write(self, text: str) -> None:
        for line in filter(str.strip, re.split(r"[\r\n]+", text)):
            self.said.put((self.name, line.rstrip()))

    def flush(self) -> None:
        pass


class _Screen:
    """A bar of the notebooks, below it on a terminal the newest bar of each that runs, and above it all other lines."""

    def __init__(self, count: int) -> None:
        self.notebooks, self.inner = tqdm(total=count, desc="notebooks"), {}

    def show(self, said: Queue) -> None:
        for name, line in iter(said.get, None):
            if line == DONE:
                self._count(name)
            elif DRAWN.search(line):
                self._bar(name).set_description_str(f"{name}: {DRAWN.sub('%', line)}")
            else:
                tqdm.write(f"{name}: {line}", file=sys.stderr)
        for bar in (*self.inner.values(), self.notebooks):
            bar.close()

    def _bar(self, name: str) -> tqdm:
        if name not in self.inner:
            self.inner[name] = tqdm(bar_format="{desc}", leave=False, disable=not sys.stderr.isatty())
        return self.inner[name]

    def _count(self, name: str) -> None:
        if name in self.inner:
            self.inner.pop(name).close()
        self.notebooks.set_postfix_str(name, refresh=False)
        self.notebooks.update()


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
