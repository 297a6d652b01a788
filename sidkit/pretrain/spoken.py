"""What the words of a caption stand for: which part of the picture each is about, and where a factor is named.

Every word of a caption is one token, so the word number `i` is the token number `i + 1`; the first is the start.
"""

from __future__ import annotations

from sidkit.stickers import grammar
from sidkit.stickers import vocabulary as v

REGIONS = ("subject", "nearby", "tied", "background")  # in the order in which a word's part is counted
REST, FREE = -1, -2  # words that are about nothing, and words that may look anywhere

_LITTLE = "a an the of and or with wearing on in at by to next beside near made photo picture"
FUNCTION_WORDS = frozenset(_LITTLE.split())
ABOUT = {"pose": "subject"} | {factor: factor for factor in REGIONS[1:]}  # whose words lie where


def parts_of_words(text: str, name: str | None) -> list[int]:
    """For each word the index of its part in REGIONS, REST, or FREE.

    Free are the words for a style, which is everywhere, and an individual's `name`, which may carry its context.
    """
    parts: list[int] = []
    for phrase, factors in grammar.phrases(text):
        parts += [_part(word, factors, name) for word in phrase.split()]
    return parts


def _part(word: str, factors: dict[str, str], name: str | None) -> int:
    if "style" in factors or word == name:
        return FREE
    if word in FUNCTION_WORDS:
        return REST
    about = next((part for factor, part in ABOUT.items() if factor in factors), "subject")
    return REGIONS.index(about)


def where_named(text: str, subject: str) -> dict[str, int]:
    """Where a caption names the class (of `subject`), the things and the place: the number of the last word of each."""
    found: dict[str, int] = {}
    start = 0
    for phrase, factors in grammar.phrases(text):
        words = phrase.split()
        nouns = _nouns(factors) if factors else {"class": (subject,)}
        places = {factor: _last_of(words, known) for factor, known in nouns.items()}
        found |= {factor: start + place for factor, place in places.items() if place is not None}
        start += len(words)
    return found


def _nouns(factors: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """What a phrase that says these factors can call the thing or the place."""
    things = {factor: (factors[factor],) for factor in ("nearby", "tied") if factor in factors}
    return things | ({"background": v.place_phrases(factors["background"])} if "background" in factors else {})


def _last_of(words: list[str], nouns: tuple[str, ...]) -> int | None:
    """The number of the last word of one of the nouns; a colour may stand inside it, as in "stack of blue books"."""
    return next((words.index(noun.split()[-1]) for noun in nouns if noun.split()[-1] in words), None)
