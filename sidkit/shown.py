"""How a value that came from outside is shown in a message: in one line, bounded in length and in time.

A file, a command line or a server may hold a caption of 30,000 letters, a number of a million digits, or a YAML
document of 255 bytes whose anchors unfold to gigabytes. Every message that says what came says it through here.
"""

from __future__ import annotations

import json
import reprlib
import unicodedata
from collections.abc import Iterable
from itertools import islice
from typing import Any

LONGEST = 160  # letters of a shown value
LONGEST_NAME = 80  # letters of a name that is shown without quotes
LONGEST_REASON = 300  # letters of what an error says
MOST_NAMES = 30  # of those that are known
LARGEST_INT = 2**128  # Python refuses to write out what has over 4,300 digits
FILL = "..."
MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # of direction (Unicode, UAX 9)
ORDERS = ("Cc", "Cs", "Zl", "Zp")  # categories: controls, halves of a pair, ends of lines and paragraphs


def shown(value: Any, longest: int = LONGEST) -> str:
    """A value as YAML and JSON write it, as far as `longest` letters go: `'dog'`, `null`, `true`, `['a', 'b', ...]`.

    What cannot be seen (line ends, zero-width letters, terminal codes) is escaped.
    """
    text = _Form(longest).repr(value)
    return text if len(text) <= longest else text[:longest] + FILL


def shown_name(name: str) -> str:
    """A name as it is, or, where it is long or has what cannot be seen, as `shown` has it."""
    plain = 0 < len(name) <= LONGEST_NAME and name.isprintable()
    return name if plain else shown(name)


def shown_names(names: Iterable[str]) -> str:
    """Names with commas between; of more than 30, how many are left out."""
    names = list(names)
    first = ", ".join(map(shown_name, names[:MOST_NAMES]))
    more = len(names) - MOST_NAMES
    return f"{first} and {more} more" if more > 0 else first


def without_orders(text: str) -> str:
    """A text that a terminal shows and does not obey: controls and marks of direction are escaped as JSON has them."""
    return "".join(json.dumps(letter)[1:-1] if _is_order(letter) else letter for letter in text)


def _is_order(letter: str) -> bool:
    return letter not in "\n\t" and (letter in MARKS or unicodedata.category(letter) in ORDERS)


def reason(error: BaseException) -> str:
    """What an error says, of a library's that may say much, in one line of at most 300 letters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST_REASON else text[:LONGEST_REASON] + FILL


class _Form(reprlib.Repr):
    """Of a nested value only the beginning is visited, so that its size does not matter."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = longest - len(FILL) - 2  # the quotes
        self.maxother = longest

    def repr_NoneType(self, value: None, level: int) -> str:
        return "null"

    def repr_bool(self, value: bool, level: int) -> str:
        return "true" if value else "false"

    def repr_int(self, value: int, level: int) -> str:
        return repr(value) if abs(value) < LARGEST_INT else f"a number of {value.bit_length()} bits"

    def repr_str(self, value: str, level: int) -> str:
        return self._beginning(value)

    def repr_bytes(self, value: bytes, level: int) -> str:
        return self._beginning(value)

    def _beginning(self, value: str | bytes) -> str:
        """The first letters in quotes; what escapes made long is cut again by `shown`."""
        quoted = repr(value[: self.maxstring])
        return quoted if len(value) <= self.maxstring else quoted[:-1] + FILL + quoted[-1]

    def repr_dict(self, value: dict, level: int) -> str:
        """In the file's order, where reprlib would sort all keys first."""
        if level <= 0 and value:
            return "{" + FILL + "}"
        pairs = []
        for key, entry in islice(value.items(), self.maxdict):
            pairs.append(f"{self.repr1(key, level - 1)}: {self.repr1(entry, level - 1)}")
        if len(value) > self.maxdict:
            pairs.append(FILL)
        return "{" + ", ".join(pairs) + "}"

    def repr_instance(self, value: Any, level: int) -> str:
        for kind, form in ((dict, self.repr_dict), (str, self.repr_str), (list, self.repr_list)):
            if isinstance(value, kind):
                return form(value, level)
        return " ".join(super().repr_instance(value, level).split())
