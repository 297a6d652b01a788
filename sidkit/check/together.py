"""What captions say of the things around the subject, each by itself and beside the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sidkit.check import words as w
from sidkit.check.english import Caption, Word, things
from sidkit.inflection import singular
from sidkit.mark import TRIGGER
from sidkit.shown import shown

MOST = 2 / 3  # of the captions name a thing: then the others may have forgotten it
SAME = 0.9  # of the content words of two captions together
TIES = ("with", "wearing", "wears", "in", "holding", "holds", "inside")  # lead to what goes with the subject
LITTLE = w.DETERMINERS | w.PREPOSITIONS | w.LINKS | w.BEING | w.ADVERBS | w.HAVING | w.EMPTY


@dataclass(frozen=True)
class Gap:
    """Something that a caption may lack. `sure`: it is known to be in the picture."""

    file: str
    why: str
    bias: str
    sure: bool


def other_identifier(caption: Caption) -> str:
    """An identifier in another notation than `[v]`, or ""."""
    other = TRIGGER.search(caption.text)
    return other.group() if other else ""


def bare(caption: Caption) -> bool:
    """Whether a caption names nothing beside the subject."""
    names_subject = caption.mark is not None or caption.noun is not None
    return names_subject and not things(caption)


def names_place(caption: Caption) -> bool:
    """Whether a caption names a place or what the subject stands on."""
    return any(_is_place(thing.noun) for thing in things(caption))


def unsaid(captions: Mapping[str, Caption]) -> Iterator[Gap]:
    """Things that most of the captions name, at least two of them, and not all. A couch is a sofa."""
    telling = {file: caption for file, caption in captions.items() if not bare(caption)}
    total = len(telling)
    counts: Counter[str] = Counter()
    leads: dict[str, str] = {}
    for caption in telling.values():
        leads_here = _leads_by_noun(caption)
        counts.update(leads_here.keys())
        leads = leads_here | leads
    for noun, count in counts.items():
        if max(2, MOST * total) <= count < total:
            bias = _bias(noun, leads[noun])
            why = f"{count} of {total} captions name {shown(noun)} and this one does not"
            for file in _silent_of(noun, telling):
                yield Gap(file, why, bias, sure=False)


def unseen(captions: Mapping[str, Caption], seen: Mapping[str, Mapping[str, str]]) -> Iterator[Gap]:
    """Things that are known to be in every picture, and that at most one caption names."""
    content = {file: _content(caption) for file, caption in captions.items()}
    in_pictures = [seen.get(file, {}) for file in captions]
    for factor, value in _in_all(in_pictures):
        words = set(map(singular, value.lower().split())) - {"of"}
        silent = [file for file, nouns in content.items() if nouns.isdisjoint(words)]
        if len(captions) - len(silent) > 1:
            continue
        why = f"{shown(value)} is in all {len(captions)} pictures"
        for file in silent:
            yield Gap(file, why, factor, sure=True)


def alike(captions: Mapping[str, Caption]) -> Iterator[tuple[str, str]]:
    """(file, other file) for captions that share nearly all of their content words; each file once."""
    earlier: dict[str, set[str]] = {}
    for file, caption in captions.items():
        content = _content(caption)
        twins = [other for other, words in earlier.items() if _same(words, content)]
        if twins and not bare(caption):
            yield file, twins[0]
        earlier[file] = content


def _silent_of(noun: str, captions: Mapping[str, Caption]) -> Iterator[str]:
    """The files whose caption does not say the noun, nor another word for it."""
    for file, caption in captions.items():
        nouns = map(_usual, _content(caption))
        if noun not in nouns:
            yield file


def _same(first: set[str], second: set[str]) -> bool:
    either = first | second
    shared = first & second
    return bool(either) and len(shared) >= SAME * len(either)


def _in_all(things_by_picture: list[Mapping[str, str]]) -> list[tuple[str, str]]:
    """What is in every picture, as (factor, value)."""
    if not things_by_picture:
        return []
    items = [set(things.items()) for things in things_by_picture]
    in_all = set.intersection(*items)
    return sorted(in_all)


def _leads_by_noun(caption: Caption) -> dict[str, str]:
    """What leads to each thing that a caption names."""
    named = things(caption)
    return {_usual(thing.noun): thing.lead for thing in named}


def _content(caption: Caption) -> set[str]:
    """Content words in the singular: not the little ones, and not the subject."""
    subject = {caption.mark, *(caption.noun or ())}
    content = set()
    for index, word in enumerate(caption.words):
        if index not in subject and _has_content(word):
            content.add(singular(word.low))
    return content


def _has_content(word: Word) -> bool:
    return word.low[0].isalnum() and word.low not in LITTLE


def _usual(noun: str) -> str:
    return w.SYNONYMS.get(noun, noun)


def _bias(noun: str, lead: str) -> str:
    if _is_place(noun):
        return "background"
    return "tied" if lead in TIES else "nearby"


def _is_place(noun: str) -> bool:
    return noun in w.PLACES or f"{noun}s" in w.PLACES
