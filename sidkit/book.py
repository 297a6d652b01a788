"""The book from nothing: execute every notebook that the table of contents names, then build the pages.

A page of `_toc.yml` with the name of a notebook in `notebooks/` is that notebook's executed copy; git ignores it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from queue import Empty, Queue

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from sidkit.notebook import run_notebook
from sidkit.parameters import check_parameters, declared_parameters

# Jupyter Book has no `python -m`; its script may not be on the path where the virtual environment is not activated.
JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
BAR = re.compile(r"(?P<what>[^|]*?):? *\d+%\|.*\| *(?P<done>\d+)/(?P<all>\d+) \[")  # as tqdm draws one
GLANCE = 0.2  # seconds between two looks at which notebooks are done


@dataclass(frozen=True)
class Call:
    """One notebook to execute: its source, its parameters, and the page that is its executed copy."""

    source: Path
    parameters: dict[str, str]
    page: Path


def build_book(root: Path, *, scale: str, jobs: int = 0) -> Path:
    """Execute and build the book whose `_config.yml` and `_toc.yml` lie in `root`; return its first page.

    `scale` goes to every notebook that has such a parameter. `jobs` notebooks are executed at once, by default as many
    as there are cores; the last one, which gathers what the others found, when they are done.

    Builds from a clean `_build` (the builder's own cache serves stale figures), with warnings as errors. Raises
    ValueError for a folder without a book and for a scale that a notebook refuses; NotebookError where a cell
    fails; RuntimeError where the pages do not build.
    """
    pages = executed_pages(root)
    calls = [Call(source, _scaled(source, scale), page) for source, page in pages.items()]  # checked before any runs
    _execute(calls[:-1], jobs or os.cpu_count() or 1)
    _execute(calls[-1:], 1)
    shutil.rmtree(root / "_build", ignore_errors=True)
    build = [*JUPYTER_BOOK, "build", str(root), "-W", "-n", "--keep-going"]
    if subprocess.run(build, check=False).returncode:
        raise RuntimeError("the book did not build; its warnings and errors are above")
    return (root / "_build" / "html" / "index.html").resolve()


def _execute(calls: list[Call], jobs: int) -> None:
    """Run notebooks, `jobs` at once, each in a process of its own; the first that fails stops what has not begun."""
    if jobs == 1 or len(calls) < 2:
        for call in calls:
            print(f"executing {call.source.stem}", file=sys.stderr, flush=True)
            run_notebook(call.source, call.parameters, call.page)
        return
    context = get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(jobs, context) as pool, _Screen(len(calls)) as screen:
        messages = manager.Queue()
        begun = {call.source.stem: pool.submit(_run_beside_others, call, messages) for call in calls}
        try:
            _watch(begun, messages, screen)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _run_beside_others(call: Call, messages: Queue) -> None:
    run_notebook(call.source, call.parameters, call.page, _Lines(call.source.stem, messages))


def _watch(begun: dict[str, Future], messages: Queue, screen: _Screen) -> None:
    """Show what notebooks say until all are done; raise what the first that fails has raised."""
    running = dict(begun)
    while running:
        with suppress(Empty):
            screen.show(*messages.get(timeout=GLANCE))
            continue  # first all that was said, then who is done
        for name in [name for name, future in running.items() if future.done()]:
            running.pop(name).result()
            screen.finish(name)


class _Lines:
    """A file that sends what a notebook writes to stderr, line by line and under its name, to who shows all of it."""

    def __init__(self, name: str, messages: Queue) -> None:
        self.name, self.messages = name, messages

    def write(self, text: str) -> None:
        for line in re.split(r"[\r\n]+", text):
            if line.strip():
                self.messages.put((self.name, line.rstrip()))

    def flush(self) -> None:
        pass


class _Screen(Progress):
    """A bar of the notebooks, below it one of each that runs, and above them whatever else they say."""

    def __init__(self, count: int, console: Console | None = None) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        super().__init__(*columns, console=console or Console(stderr=True))
        self.notebooks = self.add_task("notebooks", total=count)
        self.task_by_name: dict[str, TaskID] = {}

    def show(self, name: str, line: str) -> None:
        """A line that a notebook wrote: a bar of tqdm moves the notebook's own, anything else is printed."""
        drawn = BAR.match(line)
        if not drawn:
            self.console.print(f"{name}: {line}", markup=False, highlight=False, soft_wrap=True)
            return
        if name not in self.task_by_name:
            self.task_by_name[name] = self.add_task(name)
        description = f"{name}: {drawn['what']}" if drawn["what"] else name
        counts = dict(completed=int(drawn["done"]), total=int(drawn["all"]))
        self.update(self.task_by_name[name], description=description, **counts)

    def finish(self, name: str) -> None:
        """A notebook is done: its own bar goes, that of all moves."""
        if name in self.task_by_name:
            self.remove_task(self.task_by_name.pop(name))
        self.console.print(f"executed {name}", markup=False, highlight=False)
        self.advance(self.notebooks)


def executed_pages(root: Path) -> dict[Path, Path]:
    """Notebook -> the page that is its executed copy, in the order of the table of contents."""
    if not (root / "_toc.yml").is_file():
        raise ValueError(f"book: expected _config.yml and _toc.yml in {root.resolve()}, found no _toc.yml")
    from sphinx_external_toc.parsing import parse_toc_yaml  # comes with Jupyter Book, which not everyone installs

    page_by_source = {}
    for entry in parse_toc_yaml(root / "_toc.yml"):
        name = Path(entry).with_suffix("")
        source = root / "notebooks" / f"{name.name}.ipynb"
        if source.is_file():
            page_by_source[source] = root / f"{name}.ipynb"
    return page_by_source


def _scaled(source: Path, scale: str) -> dict[str, str]:
    given = {"scale": scale} if "scale" in declared_parameters(source) else {}
    return check_parameters(source, given)
