"""Where a caption describes the subject itself: the words that would take its looks out of [v] (Table 1, case 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sidkit.check import words as w
from sidkit.check.english import PAUSES, STOPS, Caption, acts, describes, phrases, singular, subject_start
from sidkit.mark import MARK

KEPT = w.STATES | w.DETERMINERS | w.ADVERBS | {"and"}


def looks(caption: Caption, *, style: bool = False) -> list[range]:
    """Places (word ranges) that tell how the subject looks; of a style subject, how it is painted. None overlap."""
    if caption.after is None:
        return []
    rules = (_style_words, _painter) if style else _RULES
    found: list[range] = []
    for rule in rules:
        for place in rule(caption):
            if place and not any(set(place) & set(other) for other in found):
                found.append(place)
    return sorted(found, key=lambda place: place.start)


def before_subject(caption: Caption) -> list[range]:
    """Adjectives in the subject's own noun phrase ("a fluffy brown [v] dog"), which can be taken out and leave a
    sentence."""
    mark, words = caption.mark, caption.words
    if mark is None:
        return []
    start = subject_start(caption)
    led = start > 0 and words[start - 1].low in w.DETERMINERS
    stop = caption.noun.start if caption.noun else mark + 1
    told = [index for index in (*range(start, mark), *range(mark + 1, stop)) if _tells(caption, index, led)]
    return _merged(caption, told)


def _merged(caption: Caption, told: list[int]) -> list[range]:
    """Neighbours as one place, also where "and" or a comma joins them."""
    places: list[range] = []
    for index in told:
        last = places[-1].stop if places else -1
        between = {word.low for word in caption.words[last:index]} if places else {"-"}
        joined = between <= {"and", ","} and caption.mark not in range(last, index)
        places[-1:] = [range(places[-1].start, index + 1)] if joined else [*places[-1:], range(index, index + 1)]
    return places


def _tells(caption: Caption, index: int, led: bool) -> bool:
    """Whether the word at `index` describes; behind an article any word does that is no state and no action."""
    low = caption.words[index].low
    if low in KEPT | PAUSES or low == MARK or acts(low) or low in w.EMPTY:
        return False
    return describes(low) or led


def _breed(caption: Caption) -> Iterator[range]:
    """[v] corgi: a breed in the place of the class word."""
    if caption.noun is None:
        for index in range(caption.mark + 1, min(caption.mark + 5, len(caption.words))):
            if caption.words[index].low in STOPS | PAUSES:
                return
            if caption.words[index].low in w.BREEDS:
                yield range(caption.mark + 1, index + 1)
                return


def _apposition(caption: Caption) -> Iterator[range]:
    """[v] perfume, Chanel No. 5, next to ...; [v] dog, a golden retriever, on ...; [v] dog, brown and white, ..."""
    words, start = caption.words, caption.after
    if start >= len(words) or words[start].low != ",":
        return
    stop = start + 1
    while stop < len(words) and not _parts(words[stop].low, words[stop - 1].low):
        stop += 1
    inside = words[start + 1 : stop]
    ends_by_pause = stop == len(words) or words[stop].low in PAUSES or any(word.capital for word in inside)
    listed = any(word.low in ("and", "or") for word in (*inside, *words[stop + 1 : stop + 2]))
    if not inside or acts(inside[0].low) or inside[0].low in w.ADVERBS:
        return
    adjectives = all(describes(word.low) or word.low in ("and", *w.ADVERBS) for word in inside)
    named = any(word.capital for word in inside)
    renamed = inside[0].low in ("a", "an", "the") and ends_by_pause and not listed
    bred = inside[0].low in ("a", "an", "the") and any(word.low in w.BREEDS for word in inside)
    if adjectives or named or bred or renamed and inside[-1].low not in w.PLACES:
        yield range(start, stop)


def _parts(low: str, before: str) -> bool:
    """Whether an apposition ends at a word; the full stop of "No. 5" does not end it."""
    return low in (w.PREPOSITIONS | w.VERBS | PAUSES | {"while", "that", "which"}) and before not in ("no", "nr")


def _with(caption: Caption) -> Iterator[range]:
    """... with long whiskers: parts of the subject, wherever the "with" belongs to it."""
    for index in range(caption.after, len(caption.words)):
        if caption.words[index].low not in ("with", *w.HAVING):
            continue
        for place in phrases(caption, index + 1):
            mine = _on_subject(caption, index) or _animal(caption, index, place)
            if mine and (_describes_part(caption, place) or caption.words[place.stop - 1].low in w.APPLIED):
                yield range(index, place.stop)


def _on_subject(caption: Caption, index: int) -> bool:
    """Whether no other thing was named between the subject and word `index`: then what follows is the subject's."""
    between = [word.low for word in caption.words[caption.after : index]]
    if between and between[-1] in ("it", "he", "she"):
        return True
    passed = (w.ADVERBS, w.HAVING, w.BEING, {"that", "which", "who", ",", "and"})
    return all(any(low in group for group in passed) or acts(low) for low in between)


def _animal(caption: Caption, index: int, place: range) -> bool:
    """Fur and ears belong to an animal: to the subject where it is one and the caption has named no other."""
    told = [singular(word.low) for word in caption.words[place.start : place.stop]]
    if not told or told[-1] not in w.ANIMATE or caption.noun is None:
        return False
    subject = singular(caption.words[caption.noun.stop - 1].low)
    between = {singular(word.low) for word in caption.words[caption.after : index]}
    return subject in w.PEOPLE_AND_ANIMALS and not between & w.PEOPLE_AND_ANIMALS


def _describes_part(caption: Caption, place: range) -> bool:
    """Long whiskers, fur, a purple toe cap; and neither "its tongue out" nor "a red collar"."""
    told = [word.low for word in caption.words[place.start : place.stop]]
    nouns = [singular(low) for low in told]
    part = next((at for at in range(len(nouns) - 1, -1, -1) if nouns[at] in w.MARKS | w.POSED), None)
    if part is None or len(nouns) - part > 3:
        return False
    adjectives = any(describes(low) for low in told[:part])
    after = any(acts(low) or low in w.ADVERBS for low in told[part + 1 :])
    return adjectives and not after or nouns[part] in w.MARKS and part >= len(nouns) - 1 and _bare(told, part)


def _bare(told: list[str], part: int) -> bool:
    """A mark without an adjective is one of the looks itself (a logo, stripes), but not a face or a back."""
    return singular(told[part]) not in ("face", "chest", "body", "build", "belly")


def _possessive(caption: Caption) -> Iterator[range]:
    """its long brown ears; the dog's white chest"""
    words = caption.words
    for index in range(len(words)):
        own = words[index].low in w.POSSESSIVES and not _other_owner(caption, index)
        own |= words[index].low.endswith(("'s", "’s")) and caption.noun is not None and index in caption.noun
        if own:
            place = next(phrases(caption, index + 1), range(0))
            told = [word.low for word in words[place.start : place.stop]]
            if place and any(describes(low) for low in told) and _describes_part(caption, place):
                yield range(index, place.stop)


def _other_owner(caption: Caption, index: int) -> bool:
    """Whether another person or animal was named since the subject, who may own what follows."""
    between = {singular(word.low) for word in caption.words[caption.after : index]}
    return bool(between & w.PEOPLE_AND_ANIMALS)


def _predicate(caption: Caption) -> Iterator[range]:
    """[v] dog is brown; that is black and white; it has ... is told by `_with`"""
    words = caption.words
    for index in range(caption.after, len(words) - 1):
        if words[index].low in w.BEING and (_on_subject(caption, index)):
            stop = index + 1
            while stop < len(words) and (words[stop].low in KEPT or describes(words[stop].low)):
                stop += 1
            told = [word.low for word in words[index + 1 : stop]]
            if any(describes(low) for low in told) and not _goes_on(caption, stop):
                yield range(index, stop)


def _goes_on(caption: Caption, stop: int) -> bool:
    """Whether a noun follows the adjectives: "is green grass" is about the grass."""
    return (
        stop < len(caption.words)
        and caption.words[stop].low not in STOPS | PAUSES
        and not acts(caption.words[stop].low)
    )


def _whose(caption: Caption) -> Iterator[range]:
    """[v] glasses whose lenses are tinted pink"""
    words = caption.words
    for index in range(caption.after, len(words)):
        if words[index].low == "whose" and _on_subject(caption, index):
            stop = index + 1
            while stop < len(words) and words[stop].low not in PAUSES | w.PREPOSITIONS | {"lie", "lies", "sits", "sit"}:
                stop += 1
            if any(describes(word.low) for word in words[index:stop]):
                yield range(index, stop)


def _made(caption: Caption) -> Iterator[range]:
    """[v] toy made of red wool; in the shape of a heart; decorated with stars; in pink; labelled ..."""
    words = caption.words
    for index in range(caption.after, len(words) - 1):
        low, next_low = words[index].low, words[index + 1].low
        if not _on_subject(caption, index):
            return
        made = low == "made" and next_low in ("of", "from", "out", "with")
        shaped = (
            low == "shaped" or low == "in" and [word.low for word in words[index + 1 : index + 3]] == ["the", "shape"]
        )
        dressed = low in w.DRESSED - {"covered"} and next_low in ("with", "in", "by")
        colored = (
            low in ("in", "colored", "coloured", "painted") and next_low in w.COLORS and _color_ends(caption, index)
        )
        if made or shaped or dressed or colored:
            skip = index + 1 + (words[index + 1].low in w.PREPOSITIONS)
            place = next(phrases(caption, skip), range(skip, skip + 1))
            yield range(index, place.stop)
        elif low == "in" or low in w.PREPOSITIONS:
            return


def _color_ends(caption: Caption, index: int) -> bool:
    """ "in pink" is a colour, "in pink grass" a place; "in dark" and "in light" are neither."""
    if caption.words[index + 1].low in ("dark", "light", "pale", "bright"):
        return False
    return index + 2 >= len(caption.words) or caption.words[index + 2].low in STOPS | PAUSES


def _style_words(caption: Caption) -> Iterator[range]:
    """... by thick brushstrokes: the words for a way of painting, wherever they stand"""
    for index, word in enumerate(caption.words):
        if word.low in w.STYLES:
            yield range(index, index + 1)


def _painter(caption: Caption) -> Iterator[range]:
    """... by Vincent van Gogh"""
    words = caption.words
    for index in range(len(words) - 1):
        if words[index].low in ("by", "of") and words[index + 1].capital and index > 0:
            stop = index + 1
            while stop < len(words) and (words[stop].capital or words[stop].low in ("van", "de", "da", "von", "der")):
                stop += 1
            yield range(index, stop)


_RULES: tuple[Callable[[Caption], Iterator[range]], ...] = (
    before_subject, _breed, _apposition, _made, _whose, _predicate, _possessive, _with,
)  # fmt: skip
