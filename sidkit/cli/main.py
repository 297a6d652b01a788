"""The command line: `sidkit --help`. Each command imports what it needs when it is called."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from sidkit.cli.describe import describe
from sidkit.cli.export import export
from sidkit.cli.folders import check, check_scores, masks, new
from sidkit.cli.options import FAILED, REFUSED, STOPPED, Parameters, Scale
from sidkit.cli.raters import raters
from sidkit.cli.real_models import doctor, fetch
from sidkit.cli.stickers import stickers
from sidkit.cli.store import store
from sidkit.cli.terminal import tell, tell_line

LONGEST_ERROR = 4000  # letters; what a person wrote can be named in them, what a library dumps cannot fill a screen
STOPPING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]  # beside Ctrl-C

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # which would swallow what stands in [brackets]
    help="Selectively informative descriptions.",
)
app.add_typer(stickers, name="stickers")
app.add_typer(raters, name="raters")
app.add_typer(store, name="store")
for command in (new, describe, check, check_scores, masks, export, doctor, fetch):
    app.command()(command)


def main() -> None:
    """Entry point: what the user can put right is told in one line, without a traceback."""
    for number in STOPPING:
        signal.signal(number, _stop)
    try:
        app()
    except (ValueError, OSError, ImportError, MemoryError) as error:
        if isinstance(error, ImportError) and (error.name or "sidkit").partition(".")[0] == "sidkit":
            raise  # our own fault
        tell_line(f"error: {_as_line(error)[:LONGEST_ERROR]}", err=True)
        sys.exit(REFUSED)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    """End as Ctrl-C does, so that what was begun is tidied up, with the exit code of the signal."""
    raise SystemExit(STOPPED + number)


def _as_line(error: ValueError | OSError | ImportError | MemoryError) -> str:
    """What is wrong and with what, where the error's own text does not say it."""
    match error:
        case OSError(filename=str() | bytes() | Path() as path, strerror=str() as reason):
            return f"{os.fsdecode(path)}: {reason}"
        case OSError(errno=errno.ENOSPC):
            return f"{error.strerror}: the disk is full"
        case ImportError():
            return f"{error}; install what is missing: pip install {error.name.partition('.')[0]}"
        case MemoryError():
            return f"there is too little memory: {error}" if str(error) else "there is too little memory"
    return str(error)


@app.command()
def notebook(
    name: Annotated[
        str, typer.Argument(help="A chapter, such as 02_description_cases, or the path of an .ipynb file.")
    ],
    parameter: Parameters = None,
    output: Annotated[Path | None, typer.Option(help="The executed copy [runs/notebooks/NAME.ipynb].")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the notebook's parameters and run nothing.")] = False,
) -> None:
    """Run a notebook with other parameters, which are checked before anything starts."""
    from sidkit.notebook import output_place, run_notebook
    from sidkit.notebook_file import find_notebook
    from sidkit.parameters import parameters_cell, parse_assignments, read_parameters

    source = find_notebook(name)
    if show:
        tell(parameters_cell(source))
        return
    values = read_parameters(source, parse_assignments(parameter or []))
    place = output_place(source, output)
    with _told(f"; {place} has the cells that were run"):
        tell(run_notebook(source, values, place))


@app.command()
def book(
    scale: Annotated[Scale, typer.Option(help="How much each chapter runs.")] = "quick",
    root: Annotated[Path, typer.Option(help="Folder of _config.yml and _toc.yml.")] = Path("."),
    jobs: Annotated[int, typer.Option(min=0, help="Notebooks at once; 0: one a core. On a GPU, 1.")] = 0,
) -> None:
    """Execute the chapters' notebooks and build the book; prints the path of its first page."""
    from sidkit.book import build_book

    with _told():
        tell(build_book(root, scale=scale, jobs=jobs))


@contextmanager
def _told(kept: str = "") -> Iterator[None]:
    """Where a notebook fails or the build does, show it without our own traceback and leave with FAILED.

    Where somebody stops it, say what is kept.
    """
    from sidkit.notebook import NotebookError

    try:
        yield
    except NotebookError as error:
        if error.excerpt:
            tell(error.excerpt.lstrip(), err=True)
        tell_line(f"error: {error}", err=True)
    except RuntimeError as error:
        tell_line(f"error: {error}", err=True)
    except (KeyboardInterrupt, SystemExit):
        tell(f"stopped; what is finished in the run store is kept, and is not made again{kept}", err=True)
        raise
    else:
        return
    raise typer.Exit(FAILED)
