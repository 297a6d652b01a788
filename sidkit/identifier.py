"""The word that stands for `[v]`: which words may, and which would not be the subject's own."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sidkit.inflection import both_numbers
from sidkit.mark import MARK
from sidkit.shown import shown

USUAL = "sks"  # a word that CLIP knows as one token and that hardly a caption has
OTHERS = ("ohwx", "zwx")  # likewise
# Words that stand in nearly every caption or prompt: a model that learns one of them anew misreads all the others.
TAKEN = frozenset(
    ("a", "an", "the", "this", "that", "its", "of", "on", "in", "at", "by", "to", "from", "with", "and", "or", "is")
    + ("photo", "photograph", "picture", "image", "painting", "drawing")
)


def check_identifier(identifier: str, where: str) -> None:
    """Raise ValueError, which begins with `where`, unless it is one word that may stand for a subject."""
    if not identifier.strip():
        raise ValueError(f"{where}: identifier: expected a word, got an empty one; try {USUAL!r}")
    if MARK in identifier:
        raise ValueError(f"{where}: identifier: expected the word that stands for {MARK}, got {shown(identifier)}")
    if len(identifier.split()) > 1 or identifier != identifier.strip():
        raise ValueError(f"{where}: identifier: expected one word, got {shown(identifier)}; try {USUAL!r}")
    if identifier.lower() in TAKEN:
        said = f"{shown(identifier)}, which every caption has"
        raise ValueError(f"{where}: identifier: expected a word of the subject's own, got {said}; try {USUAL!r}")


def check_free(identifier: str, class_word: str, texts: Iterable[str], where: str) -> None:
    """Raise ValueError where the identifier has another meaning in the class word or in a text beside `[v]`."""
    for text in ("", *texts):
        if reason := clash(identifier, class_word, text):
            raise ValueError(f"{where}: identifier: {reason}")


def clash(identifier: str, class_word: str, text: str) -> str:
    """Why the identifier may not stand for `[v]` in a text: it is a word of it or of the class, or begins one.

    "" where it may. What begins a word would look like an abbreviation of it, to people and to some tokenizers.
    """
    expected = f"expected a word of the subject's own, got {shown(identifier)}"
    class_words = {form for word in class_word.lower().split() for form in both_numbers(word)}
    for word in sorted(class_words):
        if word.startswith(identifier.lower()):
            return f"{expected}, which is in the class word {shown(class_word)}; try {_another(identifier)!r}"
    found = re.search(rf"(?<!\w){re.escape(identifier)}\w*", text, re.IGNORECASE)
    return f"{expected}, and {shown(found.group())} is in {shown(text)}; try {_another(text)!r}" if found else ""


def _another(text: str) -> str:
    """A usual word that is not in a text."""
    words = (word for word in (USUAL, *OTHERS) if word not in text.lower())
    return next(words, f"{USUAL}{len(text)}")
