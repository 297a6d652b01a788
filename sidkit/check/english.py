"""Reads an English caption as far as the checker needs: its words, the subject's noun phrase, the things it names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sidkit.check import words as w
from sidkit.inflection import both_numbers, singular
from sidkit.mark import MARK, TRIGGER

_TOKEN = re.compile(r"\[v\]|[^\W_]+(?:['’-][^\W_]+)*|[.,;:()!?—–]", re.IGNORECASE)
PAUSES = frozenset(".,;:()!?—–")
STOPS = w.PREPOSITIONS | w.LINKS | w.PRONOUNS | w.BEING | w.HAVING
POSSESSIVE = ("'s", "’s")
MOST_WORDS = 600  # of a caption; no model reads more
FURTHEST = 7  # words from [v] to the class word that it names, as in "[v] small, brown and white dog"


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
    def owner(self) -> str:
        """Lower case, without a possessive's ending: "dog" of "dog's"."""
        low = self.low
        return low[:-2] if low.endswith(POSSESSIVE) else low

    @property
    def capital(self) -> bool:
        """Written as a name."""
        return self.written[:1].isupper()

    @property
    def pauses(self) -> bool:
        """A comma, full stop or the like."""
        return self.low in PAUSES

    @property
    def stops(self) -> bool:
        """A little word or a pause, at which a noun phrase ends."""
        return self.low in STOPS or self.pauses

    @property
    def acts(self) -> bool:
        """Says what somebody or something does."""
        return acts(self.low)

    @property
    def describes(self) -> bool:
        """Tells how a thing looks."""
        return describes(self.low)


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

    def text_at(self, place: range) -> str:
        """The text from the first to the last of these words."""
        return self.text[self.words[place.start].start : self.words[place.stop - 1].end]

    def low_at(self, place: range | slice) -> list[str]:
        """The words there, lower case."""
        where = slice(place.start, place.stop)
        return [word.low for word in self.words[where]]

    def split_at(self, position: int) -> tuple[str, str]:
        """The text before and from a position of `Word`."""
        return self.text[:position], self.text[position:]

    @property
    def after(self) -> int | None:
        """Where the rest begins, behind the subject's noun phrase."""
        if self.noun is not None and (self.mark is None or self.noun.start > self.mark):
            return self.noun.stop
        return None if self.mark is None else min(self.mark + 2, len(self.words))

    @property
    def rest(self) -> range:
        """The positions behind the subject's noun phrase."""
        return range(self.after, len(self.words))


def read(text: str, class_word: str) -> Caption:
    """Take a caption apart. The class word counts in singular and plural, at its place behind `[v]` if it is there."""
    text, class_word = unicodedata.normalize("NFC", text), unicodedata.normalize("NFC", class_word)
    words = _words(text)
    marks = [index for index, word in enumerate(words) if word.written == MARK]
    mark = marks[0] if marks else None
    return Caption(text, words, mark, _class_noun(words, class_word, mark))


def _words(text: str) -> tuple[Word, ...]:
    """The words of a text; another trigger than `[v]` is none."""
    others = {position for other in TRIGGER.finditer(text) for position in range(*other.span())}
    tokens = (token for token in _TOKEN.finditer(text) if token.start() not in others)
    return tuple(Word(token.group(), token.start(), token.end()) for token in islice(tokens, MOST_WORDS))


def _class_noun(words: Sequence[Word], class_word: str, mark: int | None) -> range | None:
    """Where the class word stands that `[v]` names; without `[v]`, where it stands first."""
    places = _places_of(words, class_word)
    if mark is None:
        return places[0] if places else None
    behind = [place for place in places if 0 < place.start - mark <= FURTHEST]
    for place in behind:
        between = words[mark + 1 : place.start]
        if not any(word.stops and word.low not in ("and", ",") for word in between):
            return place
    return None


def _places_of(words: Sequence[Word], class_word: str) -> list[range]:
    """Where the class word stands, of either number; it may have several words: teddy bear, teddy-bear, teddybear."""
    if not _letters(class_word):
        return []
    forms = both_numbers(class_word.lower())
    spelt = {_letters(form + ending) for form in forms for ending in ("", "s", "es")}  # also fishes
    longest = len(_words(class_word)) + class_word.count("-") + 1
    places = []
    for start in range(len(words)):
        for stop in range(start + 1, min(start + longest, len(words)) + 1):
            *first, last = words[start:stop]
            before = "".join(word.low for word in first)
            if not spelt.isdisjoint({_letters(before + last.low), _letters(before + last.owner)}):
                places.append(range(start, stop))
    return places


def _letters(text: str) -> str:
    """A text without its spaces, hyphens and apostrophes."""
    return "".join(filter(str.isalnum, text))


def describes(low: str) -> bool:
    """Whether an adjective (lower case) tells how a thing looks. Compounds count by their parts: brown-and-white."""
    if low in w.LOOKS or low in w.BREEDS or low.endswith(w.LOOKS_ENDINGS):
        return True
    if "-" in low and any(part in w.LOOKS for part in low.split("-")):
        return True
    return low.endswith("ish") and low.removesuffix("ish") in w.LOOKS


def acts(low: str) -> bool:
    """Whether a word (lower case) says what somebody or something does."""
    return low in w.VERBS or low.endswith("ing") and low not in w.ING_NOUNS


def things(caption: Caption) -> list[Thing]:
    """What the caption names beside the subject. A noun is the last word of a run that no little word interrupts."""
    inside = _subject_span(caption)
    end = Word(".", len(caption.text), len(caption.text))
    named: list[Thing] = []
    run: list[str] = []
    lead = ""
    for index, word in enumerate((*caption.words, end)):
        if index in inside or _ends(word, run):
            named += _thing(run, lead)
            run = []
            if _leads(word):
                lead = word.low
        elif word.low not in w.DETERMINERS | w.ADVERBS:
            run.append(word.low)
    return named


def _subject_span(caption: Caption) -> range:
    if caption.mark is None:
        return caption.noun or range(0)
    return range(subject_start(caption), caption.after)


def subject_start(caption: Caption) -> int:
    """Where the subject's noun phrase begins, behind its article: at "small" in "a small, brown and white [v] dog"."""
    start = caption.mark
    while start > 0:
        word = caption.words[start - 1]
        joins = word.low in ("and", ",") and start > 1 and caption.words[start - 2].describes
        if not joins and (word.stops or word.acts or word.low in w.DETERMINERS):
            break
        start -= 1
    return start


def _ends(word: Word, run: Sequence[str]) -> bool:
    """Whether a run of words that may end in a noun is over before this word."""
    begins_another = word.low in w.DETERMINERS and bool(run)
    return word.stops or word.low == MARK or begins_another or word.acts


def _leads(word: Word) -> bool:
    """Whether what follows the word is led in by it: "beside", "wearing", "holds"."""
    return word.low in w.PREPOSITIONS or word.low.endswith(("ing", "s"))


def _thing(run: Sequence[str], lead: str) -> list[Thing]:
    """What a run of words names, if anything."""
    if not run:
        return []
    *before, last = run
    noun = singular(last)
    lone_adjective = describes(last) and not before and last not in w.PLACES
    nothing = noun in w.EMPTY or last in w.EMPTY or last in w.STATES
    return [] if lone_adjective or nothing else [Thing(noun, tuple(before), lead)]


def phrases(caption: Caption, start: int) -> Iterator[range]:
    """The noun phrases that begin at word `start` and are joined by "and" or commas: "a white chest and ears"."""
    begin = start
    for index in range(start, len(caption.words) + 1):
        last = index == len(caption.words)
        joins = not last and caption.words[index].low in ("and", ",")
        if last or joins or _phrase_ends(caption.words[index]):
            if index > begin:
                yield range(begin, index)
            begin = index + 1
            if not joins:
                return


def first_phrase(caption: Caption, start: int) -> range:
    """The first noun phrase from word `start` on; empty where there is none."""
    return next(phrases(caption, start), range(0))


def _phrase_ends(word: Word) -> bool:
    closing = w.PREPOSITIONS | w.BEING | w.HAVING | (w.LINKS - {"and"}) | (PAUSES - {","})
    return word.low in closing or word.acts and word.low not in ("face", *w.APPLIED)
