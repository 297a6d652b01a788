"""Whose a phrase is that comes behind the subject: its own, or that of something else which the caption names."""

from __future__ import annotations

from sidkit.check import words as w
from sidkit.check.english import Caption, acts, describes, first_phrase
from sidkit.inflection import singular

PASSED = w.ADVERBS | w.HAVING | w.BEING | {"that", "which", "who", ",", "and"}  # between the subject and what is its
NO_LOOKS = ("face", "chest", "body", "build", "belly")  # parts that tell nothing without an adjective
LONGEST_END = 3  # words from a part to the end of its phrase: "a tail up in the air"


def on_subject(caption: Caption, index: int) -> bool:
    """Whether no other thing was named between the subject and word `index`: then what follows is the subject's."""
    between = caption.low_at(range(caption.after, index))
    if between and between[-1] in ("it", "he", "she"):
        return True
    others = [low for low in between if low not in PASSED and not acts(low)]
    return not others


def on_animal(caption: Caption, index: int, place: range) -> bool:
    """Whether the phrase at `place` tells of fur or ears, and the subject is an animal, and no other was named."""
    if not place or caption.noun is None:
        return False
    part = singular(caption.words[place.stop - 1].low)
    subject = singular(caption.words[caption.noun.stop - 1].low)
    if part not in w.ANIMATE or subject not in w.PEOPLE_AND_ANIMALS:
        return False
    return not names_other_owner(caption, index)


def names_other_owner(caption: Caption, index: int) -> bool:
    """Whether another person or animal was named between the subject and word `index`, who may own what follows."""
    between = caption.low_at(range(caption.after, index))
    nouns = map(singular, between)
    return not w.PEOPLE_AND_ANIMALS.isdisjoint(nouns)


def owned_by_subject(caption: Caption) -> str:
    """What the class word owns, where that is no part of it: "bowl" of "a [v] dog's bowl"; or ""."""
    if caption.mark is None or caption.noun is None:
        return ""
    owner = caption.words[caption.noun.stop - 1]
    place = first_phrase(caption, caption.noun.stop)
    if owner.owner == owner.low or not place:
        return ""
    owned = caption.words[place.stop - 1].low
    return "" if singular(owned) in w.MARKS | w.POSED else owned


def describes_part(caption: Caption, place: range) -> bool:
    """Whether a phrase tells looks: long whiskers, fur, a purple toe cap; neither "its tongue out" nor "a collar"."""
    phrase = caption.low_at(place)
    nouns = [singular(low) for low in phrase]
    parts = [at for at, noun in enumerate(nouns) if noun in w.MARKS | w.POSED]
    if not parts:
        return False
    part = parts[-1]
    behind = phrase[part + 1 :]
    if len(behind) >= LONGEST_END:
        return False
    described = any(map(describes, phrase[:part]))
    posed = any(map(acts, behind)) or not w.ADVERBS.isdisjoint(behind)
    if described and not posed:
        return True
    looks_by_itself = nouns[part] in w.MARKS and nouns[part] not in NO_LOOKS
    return looks_by_itself and not behind
