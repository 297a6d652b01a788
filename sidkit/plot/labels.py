"""Words from outside in a figure: drawn letter for letter, never as a formula, never as an empty box."""

from __future__ import annotations

from functools import cache

import matplotlib.pyplot as plt
from matplotlib.font_manager import FontProperties, findfont, get_font


def as_label(text: object) -> str:
    """A text on one line, as the figures' fonts can draw it: what they lack, or what cannot be seen, is escaped."""
    known = _known_letters()
    line = " ".join(str(text).split())
    drawn = "".join(letter if letter.isprintable() and ord(letter) in known else _escaped(letter) for letter in line)
    return drawn.replace("$", r"\$") if plt.rcParams["text.parse_math"] else drawn


def _known_letters() -> frozenset[int]:
    fonts = [findfont(FontProperties(family=[family])) for family in plt.rcParams["font.family"]]
    return frozenset().union(*map(_letters_of, fonts))


@cache
def _letters_of(font: str) -> frozenset[int]:
    return frozenset(get_font(font).get_charmap())


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
