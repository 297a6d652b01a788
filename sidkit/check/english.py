"""Reads an English caption as far as the checker needs: its words, the subject's noun phrase, the things it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sidkit.check import words as w
from sidkit.mark import MARK

_TOKEN = re.compile(r"\[v\]|[^\W_]+(?:['’-][^\W_]+)*|[.,;:()!?—–]", re.IGNORECASE)
PAUSES = frozenset(".,;:()!?—–")
STOPS = w.PREPOSITIONS | w.LINKS | w.PRONOUNS | w.BEING | w.HAVING


@dataclass(frozen=True)
class Word:
    """One word or pause, as written, with its place in the caption."""

    written: str
    start: int
    end: int

    @property
    def low(self) -> str:
        """Lower case."""
        return self.written.lower()

    @property
    def capital(self) -> bool:
        """Written as a name."""
        return self.written[:1].isupper()


@dataclass(frozen=True)
class Thing:
    """Something that a caption names beside the subject: its head noun, the words before it, and what leads to it."""

    noun: str  # singular
    before: tuple[str, ...]
    lead: str  # the preposition or verb that it follows


@dataclass(frozen=True)
class Caption:
    """A caption's words, and where the subject is in it: `mark` and `noun` are positions in `words`, or None."""

    text: str
    words: tuple[Word, ...]
    mark: int | None  # of [v]
    noun: range | None  # of the class word

    def told(self, start: int, stop: int) -> str:
        """The text from word `start` up to word `stop`."""
        return self.text[self.words[start].start : self.words[stop - 1].end]

    @property
    def after(self) -> int | None:
        """Where the rest begins, behind the subject's noun phrase."""
        if self.noun is not None and (self.mark is None or self.noun.start > self.mark):
            return self.noun.stop
        return None if self.mark is None else min(self.mark + 2, len(self.words))


def read(text: str, class_word: str) -> Caption:
    """Take a caption apart. The class word counts in singular and plural, at its place behind `[v]` if it is there."""
    words = tuple(Word(found.group(), found.start(), found.end()) for found in _TOKEN.finditer(text))
    mark = next((index for index, word in enumerate(words) if word.written == MARK), None)
    return Caption(text, words, mark, _class_noun(words, class_word, mark))


def _class_noun(words: Sequence[Word], class_word: str, mark: int | None) -> range | None:
    wanted = [singular(part) for part in class_word.lower().split()]
    found = [
        range(start, start + len(wanted))
        for start in range(len(words) - len(wanted) + 1)
        if [singular(word.low.removesuffix("'s").removesuffix("’s")) for word in words[start : start + len(wanted)]]
        == wanted
    ]
    behind = [place for place in found if mark is not None and 0 < place.start - mark <= 7]
    clear = [
        place
        for place in behind
        if not any(_stops(word) and word.low not in ("and", ",") for word in words[mark + 1 : place.start])
    ]
    return (clear or (found if mark is None else []) or [None])[0]


def _stops(word: Word) -> bool:
    return word.low in STOPS or word.low in PAUSES


def singular(noun: str) -> str:
    """A noun's singular by its ending, roughly: for comparing nouns with each other, not for printing."""
    for ending, instead in (("ies", "y"), ("ves", "f"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x")):
        if noun.endswith(ending) and len(noun) > 4:
            return noun[: -len(ending)] + instead
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) and len(noun) > 3 else noun


def describes(word: str) -> bool:
    """Whether an adjective (lower case) tells how a thing looks. Compounds count by their parts: brown-and-white."""
    if word in w.LOOKS or word in w.BREEDS or word.endswith(w.LOOKS_ENDINGS):
        return True
    parts = word.split("-")
    return len(parts) > 1 and any(part in w.LOOKS for part in parts) or word.endswith("ish") and word[:-3] in w.LOOKS


def acts(low: str) -> bool:
    """Whether a word (lower case) says what somebody or something does."""
    return low in w.VERBS or low.endswith("ing") and low not in w.ING_NOUNS


def things(caption: Caption) -> list[Thing]:
    """What the caption names beside the subject. A noun is the last word of a run that no little word interrupts."""
    inside = _subject_span(caption)
    found, run, lead = [], [], ""
    for index, word in enumerate((*caption.words, Word(".", len(caption.text), len(caption.text)))):
        if index in inside or _ends(word, run):
            found += _thing(run, lead)
            run = []
            lead = word.low if word.low in w.PREPOSITIONS or word.low.endswith(("ing", "s")) else lead
        elif word.low not in w.DETERMINERS | w.ADVERBS:
            run.append(word.low)
    return found


def _subject_span(caption: Caption) -> range:
    if caption.mark is None:
        return caption.noun or range(0)
    return range(subject_start(caption), caption.after)


def subject_start(caption: Caption) -> int:
    """Where the subject's noun phrase begins, behind its article: at "small" in "a small, brown and white [v] dog"."""
    words, start = caption.words, caption.mark
    while start > 0:
        low = words[start - 1].low
        joins = low in ("and", ",") and start > 1 and describes(words[start - 2].low)
        if not joins and (_stops(words[start - 1]) or low in w.DETERMINERS or acts(low)):
            break
        start -= 1
    return start


def _ends(word: Word, run: Sequence[str]) -> bool:
    return _stops(word) or word.low == MARK or word.low in w.DETERMINERS and bool(run) or acts(word.low)


def _thing(run: Sequence[str], lead: str) -> list[Thing]:
    if not run or describes(run[-1]) and len(run) == 1 and run[-1] not in w.PLACES:
        return []
    noun = singular(run[-1])
    empty = noun in w.EMPTY or run[-1] in w.EMPTY or run[-1] in w.STATES
    return [] if empty else [Thing(noun, tuple(run[:-1]), lead)]


def phrases(caption: Caption, start: int) -> Iterator[range]:
    """The noun phrases that begin at word `start` and are joined by "and" or commas: "a white chest and ears"."""
    words, begin = caption.words, start
    for index in range(start, len(words) + 1):
        word = words[index] if index < len(words) else None
        if word is None or word.low in ("and", ",") or _phrase_ends(word):
            if index > begin:
                yield range(begin, index)
            begin = index + 1
            if word is None or word.low not in ("and", ","):
                return


def _phrase_ends(word: Word) -> bool:
    closing = word.low in w.PREPOSITIONS | w.BEING | w.HAVING | (w.LINKS - {"and"}) or word.low in PAUSES - {","}
    return closing or acts(word.low) and word.low not in ("face", *w.APPLIED)
