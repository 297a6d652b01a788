"""What the command line says, the only way to a terminal: words from outside give it no orders.

A file's name, a caption or a server's answer may hold codes that colour, move or rename a terminal, or marks that turn
the order of letters round.
"""

from __future__ import annotations

import typer

from sidkit.shown import without_orders


def tell(text: object, *, err: bool = False, nl: bool = True) -> None:
    """Print a text, on stderr where `err`. Orders in it are escaped as JSON does it, so that JSON says the same."""
    typer.echo(without_orders(str(text)), err=err, nl=nl)


def tell_line(text: object, *, err: bool = False) -> None:
    """Print a text in one line, whatever line ends it has."""
    tell(" ".join(str(text).splitlines()), err=err)
