"""Captions put right where that is safe: no meaning is guessed, only words moved, put in or taken out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sidkit.check.english import Caption
from sidkit.check.looks import before_subject
from sidkit.check.notation import tidied
from sidkit.inflection import pattern
from sidkit.mark import MARK, TRIGGER

JOINS = r"^\s*(,|and\b)?\s*"  # what joins an adjective to the next
ANY_MARK = re.escape(MARK)  # of either case


def put_mark(caption: Caption, class_word: str, words: str) -> str | None:
    """`[v]` before the class word, where that is said once; in the place of another identifier, if there is one."""
    if words:
        before, behind = _around(words, caption.text)
        return tidied(f"{before}{_gap(before[-1:])}{MARK}{_gap(behind[:1])}{behind}")
    named = re.findall(pattern(class_word), caption.text, re.IGNORECASE)
    if caption.noun is None or len(named) != 1:
        return None
    before, behind = caption.split_at(caption.words[caption.noun.start].start)
    return tidied(f"{before}{MARK} {behind}")


def keep_one_mark(caption: Caption, class_word: str, words: str) -> str | None:
    """The first `[v]` that stands right before the class word; every other is taken out, and another trigger beside
    either of them."""
    if words != MARK:
        before, behind = _around(words, caption.text)
        beside = rf"(?:{ANY_MARK}|{pattern(class_word)})"
        led = re.search(rf"{beside}\s*$", before, re.IGNORECASE)
        followed = re.match(rf"\s*{beside}", behind, re.IGNORECASE)
        return tidied(f"{before} {behind}") if led or followed else None
    before_class = rf"{ANY_MARK}(?=\s+{pattern(class_word)})"
    parts = re.split(before_class, caption.text, maxsplit=1, flags=re.IGNORECASE)
    if len(parts) == 1:
        return None
    before, behind = map(_without_marks, parts)
    return tidied(f"{before}{MARK}{behind}")


def put_class(caption: Caption, class_word: str, words: str) -> str | None:
    """The class word behind `[v]`, where no other noun stands there ("a [v] on a beach")."""
    mark, *rest = caption.words[caption.mark :]
    if rest and not rest[0].stops and not rest[0].acts:
        return None
    before, behind = caption.split_at(mark.end)
    return f"{before} {class_word}{behind}"


def drop_looks(caption: Caption, class_word: str, words: str) -> str | None:
    """The caption without an adjective in the subject's own noun phrase; looks told elsewhere need a person."""
    for place in before_subject(caption):
        if caption.text_at(place) == words:
            before, _ = caption.split_at(caption.words[place.start].start)
            _, behind = caption.split_at(caption.words[place.stop - 1].end)
            return tidied(before + re.sub(JOINS, "", behind, count=1))
    return None


FIXES: Mapping[str, Callable[[Caption, str, str], str | None]] = {
    "identifier-missing": put_mark,
    "identifier-twice": keep_one_mark,
    "class-missing": put_class,
    "looks": drop_looks,
}


def _around(trigger: str, text: str) -> tuple[str, str]:
    """What stands before and behind the first trigger that is spelt so."""
    place = next(found for found in TRIGGER.finditer(text) if found.group() == trigger)
    return text[: place.start()], text[place.end() :]


def _gap(neighbour: str) -> str:
    return " " if neighbour.isalnum() else ""


def _without_marks(text: str) -> str:
    return re.sub(rf"{ANY_MARK}\s*", "", text, flags=re.IGNORECASE)
