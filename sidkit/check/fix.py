"""Captions put right where that is safe: no meaning is guessed, only words moved, put in or taken out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sidkit.check.english import PAUSES, STOPS, Caption, acts
from sidkit.check.looks import before_subject
from sidkit.mark import MARK


def put_mark(caption: Caption, class_word: str, words: str) -> str | None:
    """`[v]` before the class word, where that is said once; in the place of another identifier, if there is one."""
    if words:
        return _articles(re.sub(re.escape(words), MARK, caption.text, count=1, flags=re.IGNORECASE))
    said = re.findall(rf"\b{re.escape(class_word)}s?\b", caption.text, re.IGNORECASE)
    if caption.noun is None or len(said) != 1:
        return None
    start = caption.words[caption.noun.start].start
    return _articles(f"{caption.text[:start]}{MARK} {caption.text[start:]}")


def keep_one_mark(caption: Caption, class_word: str, words: str) -> str | None:
    """The first `[v]` that stands right before the class word; every other is taken out."""
    places = [match.start() for match in re.finditer(re.escape(MARK), caption.text, re.IGNORECASE)]
    good = [
        at for at in places if re.match(rf"\s+{re.escape(class_word)}", caption.text[at + len(MARK) :], re.IGNORECASE)
    ]
    if not good:
        return None
    text = caption.text
    for at in reversed([at for at in places if at != good[0]]):
        text = text[:at] + text[at + len(MARK) :].lstrip()
    return _articles(text)


def put_class(caption: Caption, class_word: str, words: str) -> str | None:
    """The class word behind `[v]`, where no other noun stands there ("a [v] on a beach")."""
    at = caption.mark + 1
    behind = caption.words[at].low if at < len(caption.words) else "."
    end = caption.words[caption.mark].end
    safe = at == len(caption.words) or _little(behind)
    return f"{caption.text[:end]} {class_word}{caption.text[end:]}" if safe else None


def drop_looks(caption: Caption, class_word: str, words: str) -> str | None:
    """The caption without an adjective in the subject's own noun phrase; looks told elsewhere need a person."""
    for place in before_subject(caption):
        if caption.told(place.start, place.stop) == words:
            start, stop = caption.words[place.start].start, caption.words[place.stop - 1].end
            rest = re.sub(r"^\s*(,|and\b)?\s*", "", caption.text[stop:], count=1)
            return _articles(caption.text[:start] + rest)
    return None


FIXES: Mapping[str, Callable[[Caption, str, str], str | None]] = {
    "identifier-missing": put_mark,
    "identifier-twice": keep_one_mark,
    "class-missing": put_class,
    "looks": drop_looks,
}


def _little(word: str) -> bool:
    return word in STOPS | PAUSES or acts(word)


def _articles(text: str) -> str:
    """ "an [v] dog" becomes "a [v] dog", as `[v]` is read "v"; spaces are put right."""
    text = re.sub(rf"\b([Aa])n(\s+{re.escape(MARK)})", r"\1\2", text)
    return re.sub(r"\s+([,.;])", r"\1", re.sub(r"[ \t]{2,}", " ", text)).strip()
