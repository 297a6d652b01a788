"""Captions put right where that is safe: no meaning is guessed, only words moved, put in or taken out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sidkit.check.english import Caption
from sidkit.check.looks import before_subject
from sidkit.inflection import pattern
from sidkit.mark import MARK, article_put_right


def put_mark(caption: Caption, class_word: str, words: str) -> str | None:
    """`[v]` before the class word, where that is said once; in the place of another identifier, if there is one."""
    if words:
        return _tidy(re.sub(re.escape(words), MARK, caption.text, count=1, flags=re.IGNORECASE))
    times = len(re.findall(pattern(class_word), caption.text, re.IGNORECASE))
    if caption.noun is None or times != 1:
        return None
    start = caption.words[caption.noun.start].start
    return _tidy(f"{caption.text[:start]}{MARK} {caption.text[start:]}")


def keep_one_mark(caption: Caption, class_word: str, words: str) -> str | None:
    """The first `[v]` that stands right before the class word; every other is taken out."""
    text = caption.text
    named = re.search(rf"{re.escape(MARK)}(?=\s+{pattern(class_word)})", text, re.IGNORECASE)
    if named is None:
        return None
    before, behind = (_without_marks(part) for part in (text[: named.start()], text[named.end() :]))
    return _tidy(f"{before}{MARK}{behind}")


def put_class(caption: Caption, class_word: str, words: str) -> str | None:
    """The class word behind `[v]`, where no other noun stands there ("a [v] on a beach")."""
    behind = caption.words[caption.mark + 1 :]
    if behind and not (behind[0].stops or behind[0].acts):
        return None
    end = caption.words[caption.mark].end
    return f"{caption.text[:end]} {class_word}{caption.text[end:]}"


def drop_looks(caption: Caption, class_word: str, words: str) -> str | None:
    """The caption without an adjective in the subject's own noun phrase; looks told elsewhere need a person."""
    for place in before_subject(caption):
        if caption.text_at(place) == words:
            start, end = caption.words[place.start].start, caption.words[place.stop - 1].end
            rest = re.sub(r"^\s*(,|and\b)?\s*", "", caption.text[end:], count=1)
            return _tidy(caption.text[:start] + rest)
    return None


FIXES: Mapping[str, Callable[[Caption, str, str], str | None]] = {
    "identifier-missing": put_mark,
    "identifier-twice": keep_one_mark,
    "class-missing": put_class,
    "looks": drop_looks,
}


def _without_marks(text: str) -> str:
    return re.sub(rf"{re.escape(MARK)}\s*", "", text, flags=re.IGNORECASE)


def _tidy(text: str) -> str:
    """The article before `[v]` and the spaces put right."""
    single = re.sub(r"[ \t]{2,}", " ", article_put_right(text))
    return re.sub(r"\s+([,.;])", r"\1", single).strip()
