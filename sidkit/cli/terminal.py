"""What the command line says, the only way to a terminal: words from outside give it no orders.

A file's name, a caption or a server's answer may hold codes that colour, move or rename a terminal, or marks that turn
the order of letters round.
"""

from __future__ import annotations

import json
import unicodedata

import typer

KEPT = "\n\t"
MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # of direction (Unicode, UAX 9)
ORDERS = ("Cc", "Cs", "Zl", "Zp")  # categories: controls, halves of a pair, ends of lines and paragraphs


def tell(text: object, *, err: bool = False, nl: bool = True) -> None:
    """Print a text, on stderr where `err`. Orders in it are escaped as JSON does it, so that JSON says the same."""
    typer.echo("".join(map(_harmless, str(text))), err=err, nl=nl)


def tell_line(text: object, *, err: bool = False) -> None:
    """Print a text in one line, whatever line ends it has."""
    tell(" ".join(str(text).splitlines()), err=err)


def _harmless(letter: str) -> str:
    if letter in KEPT:
        return letter
    is_order = letter in MARKS or unicodedata.category(letter) in ORDERS
    return json.dumps(letter)[1:-1] if is_order else letter
