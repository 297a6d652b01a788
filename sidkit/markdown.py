"""Markdown for the book's pages, into which what came from outside enters as text alone.

A page may hold what a person, a file's or folder's name, a describer, a server or a rater said. Such words are shown
letter for letter and do nothing: they are no link, picture, role, formula or HTML. Whatever is no `Markdown` counts as
such words, so that a place which forgets to say what it shows has too many signs on its page, and not a script.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, LiteralString

import pandas as pd
from tabulate import tabulate

UNSEEN = "\N{REPLACEMENT CHARACTER}"  # stands for a character that no page can have
LINE_ENDS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
INDENT = re.compile(r"^[ \t]+")  # which would make a line code
PUNCTUATION = re.compile(f"([{re.escape(string.punctuation)}])")  # all that Markdown gives a meaning to
CODE_SPANS = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Markdown:
    """Markdown that a page takes as it stands: written here, in a literal, and put together by the functions below.

    It is no `str`, so that nothing takes it for words, nor words for it: `str(markdown)` are words again.
    """

    source: LiteralString

    def __str__(self) -> str:
        return self.source

    def format(self, *values: Any, **named_values: Any) -> Markdown:
        """As `str.format`; a value that is no Markdown is shown letter for letter."""
        return Markdown(_Format().vformat(self.source, values, named_values))

    def join(self, values: Iterable[Any]) -> Markdown:
        """As `str.join`; a value that is no Markdown is shown letter for letter."""
        return Markdown(self.source.join(markdown(value).source for value in values))


class _Format(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        shown = value if isinstance(value, Markdown) else format(value, format_spec)
        return markdown(shown).source


def markdown(value: Any) -> Markdown:
    """What shows `str(value)` letter for letter, on one line; Markdown is taken as it stands."""
    if isinstance(value, Markdown):
        return value
    line = LINE_ENDS.sub(" ", printable(value))
    return Markdown(INDENT.sub("&#32;", PUNCTUATION.sub(r"\\\1", line)))


def code(value: Any) -> Markdown:
    """`str(value)` letter for letter in the look of code, on one line; nothing where it is empty."""
    line = LINE_ENDS.sub(" ", printable(value))
    if not line:
        return Markdown("")
    ticks = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (ticks + 1)
    is_stripped = line[0] == line[-1] == " " and line.strip(" ")  # by Markdown, of a space at both ends
    padding = " " if is_stripped or "`" in (line[0], line[-1]) else ""
    return Markdown(f"{fence}{padding}{line}{padding}{fence}")


def prose(value: Any) -> Markdown:
    """A sentence in which only backticks mean something: what stands between two is code, all else is text."""
    if isinstance(value, Markdown):
        return value
    text_and_code = CODE_SPANS.split(str(value))
    pieces = [code(piece) if index % 2 else markdown(piece) for index, piece in enumerate(text_and_code)]
    return Markdown("").join(pieces)


def table(frame: pd.DataFrame) -> Markdown:
    """A table without its index. Titles are `prose`; cells are `Markdown`, or text that is shown letter for letter.

    A cell's line ends stay line ends. A page needs a table: one without columns has an empty head.
    """
    titles = [_in_a_row(prose(title)) for title in frame.columns] or ["-"]
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False, name=None)]
    return Markdown(tabulate(rows, titles, tablefmt="pipe", disable_numparse=True))


def printable(value: Any) -> str:
    """`str(value)` with a sign in the place of each character that no page can have: half of a pair, a control."""
    return "".join(UNSEEN if _is_unseen(character) else character for character in str(value))


def _cell(value: Any) -> str:
    if isinstance(value, Markdown):
        return _in_a_row(value)
    lines = LINE_ENDS.split(str(value))
    return _in_a_row(Markdown("<br>").join(lines))


def _in_a_row(cell: Markdown) -> str:
    """Between the bars of a row, where a bar is said by a backslash before it, in code, too."""
    return cell.source.replace("|", r"\|")


def _is_unseen(character: str) -> bool:
    if LINE_ENDS.match(character) or character == "\t":
        return False
    return unicodedata.category(character) in ("Cc", "Cs")
