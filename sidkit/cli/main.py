"""The command line: `sidkit --help`. Each command imports what it needs when it is called."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from sidkit.cli.describe import describe
from sidkit.cli.folders import check, check_scores, masks, new
from sidkit.cli.options import FAILED, REFUSED, Parameters, Scale
from sidkit.cli.raters import raters
from sidkit.cli.real_models import doctor, fetch
from sidkit.cli.stickers import stickers

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # which would swallow what stands in [brackets]
    help="Selectively informative descriptions.",
)
app.add_typer(stickers, name="stickers")
app.add_typer(raters, name="raters")
for command in (new, describe, check, check_scores, masks, doctor, fetch):
    app.command()(command)


def main() -> None:
    """Entry point: what the user can put right is told in one line, without a traceback."""
    try:
        app()
    except (ValueError, FileNotFoundError) as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(REFUSED)


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
    from sidkit.notebook import find_notebook, parameters_cell, parse_assignments, run_notebook

    if show:
        typer.echo(parameters_cell(find_notebook(name)))
        return
    values = parse_assignments(parameter or [])
    typer.echo(_with_cells_shown(lambda: run_notebook(name, values, output)))


@app.command()
def book(
    scale: Annotated[Scale, typer.Option(help="How much each chapter runs.")] = "quick",
    root: Annotated[Path, typer.Option(help="Folder of _config.yml and _toc.yml.")] = Path("."),
    jobs: Annotated[int, typer.Option(min=0, help="Notebooks at once; 0: one a core. On a GPU, 1.")] = 0,
) -> None:
    """Execute the chapters' notebooks and build the book; prints the path of its first page."""
    from sidkit.book import build_book

    typer.echo(_with_cells_shown(lambda: build_book(root, scale=scale, jobs=jobs)))


def _with_cells_shown(run: Callable[[], Any]) -> Any:
    """Call `run`; where a cell or the build fails, show it without our own traceback and leave with FAILED."""
    from nbclient.exceptions import DeadKernelError
    from papermill import PapermillExecutionError

    try:
        return run()
    except PapermillExecutionError as error:
        typer.echo(f"{error}\nerror: cell {error.cell_index} failed: {error.ename}: {error.evalue}", err=True)
    except DeadKernelError as error:
        typer.echo(f"error: {error}; the usual reason is too little memory", err=True)
    except RuntimeError as error:
        typer.echo(f"error: {error}", err=True)
    raise typer.Exit(FAILED)
