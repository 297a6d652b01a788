"""What captions say of the things around the subject, each by itself and beside the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from sidkit.check import words as w
from sidkit.check.english import Caption, singular, things
from sidkit.mark import MARK

MOST = 2 / 3  # of the captions name a thing: then the others may have forgotten it
SAME = 0.9  # of the content words of two captions together
IDENTIFIERS = ("sks", "zwx", "olis", "pll", "ohwx", "<new1>", "[identifier]", "[trigger]", "<v>", "{v}", "[v ]", "v*")


@dataclass(frozen=True)
class Gap:
    """Something that a caption may lack. `sure`: it is known to be in the picture."""

    file: str
    why: str
    bias: str
    sure: bool


def other_identifier(caption: Caption) -> str:
    """An identifier in another notation than `[v]`, or ""."""
    if (start := caption.text.lower().find(MARK)) >= 0:
        return caption.text[start : start + len(MARK)]  # [V]
    words = caption.text.lower().split()
    return next((identifier for identifier in IDENTIFIERS if identifier in words), "")


def bare(caption: Caption) -> bool:
    """Whether a caption names nothing beside the subject."""
    return not things(caption) and bool(caption.mark is not None or caption.noun)


def names_place(caption: Caption) -> bool:
    """Whether a caption names a place or what the subject stands on."""
    return any(_is_place(thing.noun) for thing in things(caption))


def unsaid(captions: Mapping[str, Caption]) -> Iterator[Gap]:
    """Things that most of the captions name, at least two of them, and not all. A couch is a sofa."""
    telling = {file: caption for file, caption in captions.items() if not bare(caption)}
    named = {file: {_usual(thing.noun): thing.lead for thing in things(caption)} for file, caption in telling.items()}
    counts = Counter(noun for nouns in named.values() for noun in nouns)
    for noun, count in counts.items():
        if max(2, MOST * len(telling)) <= count < len(telling):
            lead = next(nouns[noun] for nouns in named.values() if noun in nouns)
            for file, caption in telling.items():
                if noun not in {_usual(word) for word in _words(caption)}:
                    why = f"{count} of {len(telling)} captions name {noun!r} and this one does not"
                    yield Gap(file, why, _bias(noun, lead), sure=False)


def unseen(captions: Mapping[str, Caption], seen: Mapping[str, Mapping[str, str]]) -> Iterator[Gap]:
    """Things that are known to be in every picture, and that at most one caption names."""
    known = [dict(seen.get(file, {})) for file in captions]
    shared = set(known[0].items()) if known else set()
    shared = shared.intersection(*(told.items() for told in known))
    for factor, value in sorted(shared):
        wanted = {singular(part) for part in value.lower().split() if part != "of"}
        silent = [file for file, caption in captions.items() if not wanted & _words(caption)]
        if len(captions) - len(silent) <= 1:
            for file in silent:
                yield Gap(file, f"{value!r} is in all {len(captions)} pictures", factor, sure=True)


def alike(captions: Mapping[str, Caption]) -> Iterator[tuple[str, str]]:
    """(file, other file) for captions that share nearly all of their content words; each file once."""
    content = {file: _words(caption) for file, caption in captions.items()}
    told = set()
    for (other, one), (file, two) in combinations(content.items(), 2):
        if file not in told and one | two and len(one & two) >= SAME * len(one | two) and not bare(captions[file]):
            told.add(file)
            yield file, other


def _words(caption: Caption) -> set[str]:
    """Content words in the singular: not the little ones, and not the subject."""
    little = w.DETERMINERS | w.PREPOSITIONS | w.LINKS | w.BEING | w.ADVERBS | w.HAVING
    own = set(caption.noun or ()) | {caption.mark}
    words = (word.low for index, word in enumerate(caption.words) if index not in own)
    return {singular(low) for low in words if low[0].isalnum() and low not in little and low not in w.EMPTY}


def _usual(noun: str) -> str:
    return w.USUAL.get(noun, noun)


def _bias(noun: str, lead: str) -> str:
    if lead in ("with", "wearing", "wears", "in", "holding", "holds", "inside") and not _is_place(noun):
        return "tied"
    return "background" if _is_place(noun) else "nearby"


def _is_place(noun: str) -> bool:
    return noun in w.PLACES or f"{noun}s" in w.PLACES
