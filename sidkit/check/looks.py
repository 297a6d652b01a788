"""Where a caption describes the subject itself: the words that would take its looks out of [v] (Table 1, case 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sidkit.check import words as w
from sidkit.check.english import Caption, Word, acts, describes, first_phrase, phrases, subject_start
from sidkit.inflection import singular
from sidkit.mark import MARK

KEPT = w.STATES | w.DETERMINERS | w.ADVERBS | {"and"}
ARTICLES = ("a", "an", "the")
OF_NAMES = ("van", "de", "da", "von", "der")  # little words inside of a painter's name
FEW = 4  # words behind [v] in which a breed is looked for


def looks(caption: Caption, *, style: bool = False) -> list[range]:
    """Places (word ranges) that tell how the subject looks; of a style subject, how it is painted. None overlap."""
    if caption.after is None:
        return []
    places: list[range] = []
    for rule in STYLE_RULES if style else RULES:
        for place in rule(caption):
            overlaps = any(set(place) & set(other) for other in places)
            if place and not overlaps:
                places.append(place)
    return sorted(places, key=lambda place: place.start)


def before_subject(caption: Caption) -> list[range]:
    """Adjectives in the subject's own noun phrase ("a fluffy brown [v] dog"), which can be taken out and leave a
    sentence."""
    mark = caption.mark
    if mark is None:
        return []
    start = subject_start(caption)
    led = start > 0 and caption.words[start - 1].low in w.DETERMINERS
    stop = caption.noun.start if caption.noun else mark + 1
    inside = (*range(start, mark), *range(mark + 1, stop))
    return _merged(caption, [index for index in inside if _tells(caption.words[index], led)])


def _merged(caption: Caption, telling: Sequence[int]) -> list[range]:
    """Neighbours as one place, also where "and" or a comma joins them."""
    places: list[range] = []
    for index in telling:
        if places and _joined(caption, places[-1].stop, index):
            places[-1] = range(places[-1].start, index + 1)
        else:
            places.append(range(index, index + 1))
    return places


def _joined(caption: Caption, end: int, index: int) -> bool:
    """Whether nothing but "and" or a comma stands between a place's end and a word."""
    between = set(caption.low_at(range(end, index)))
    return between <= {"and", ","} and caption.mark not in range(end, index)


def _tells(word: Word, led: bool) -> bool:
    """Whether a word describes; behind an article any word does that is no state and no action."""
    if word.low in KEPT or word.low in w.EMPTY or word.low == MARK:
        return False
    if word.pauses or word.acts:
        return False
    return word.describes or led


def _breed(caption: Caption) -> Iterator[range]:
    """[v] corgi: a breed in the place of the class word."""
    if caption.noun is not None:
        return
    start = caption.mark + 1
    for index in range(start, min(start + FEW, len(caption.words))):
        word = caption.words[index]
        if word.stops:
            return
        if word.low in w.BREEDS:
            yield range(start, index + 1)
            return


def _apposition(caption: Caption) -> Iterator[range]:
    """[v] perfume, Chanel No. 5, next to ...; [v] dog, a golden retriever, on ...; [v] dog, brown and white, ..."""
    words, start = caption.words, caption.after
    if start >= len(words) or words[start].low != ",":
        return
    stop = start + 1
    while stop < len(words) and not _ends_apposition(words[stop], words[stop - 1]):
        stop += 1
    inside = words[start + 1 : stop]
    if inside and _is_about_subject(inside, words[stop:]):
        yield range(start, stop)


def _is_about_subject(inside: Sequence[Word], behind: Sequence[Word]) -> bool:
    """Whether what stands between commas says what the subject is, or how it looks, and not what it does."""
    first, last = inside[0], inside[-1]
    if first.acts or first.low in w.ADVERBS:
        return False
    adjectives = all(word.describes or word.low in ("and", *w.ADVERBS) for word in inside)
    named = any(word.capital for word in inside)
    bred = first.low in ARTICLES and any(word.low in w.BREEDS for word in inside)
    return adjectives or named or bred or _renames(inside, behind) and last.low not in w.PLACES


def _renames(inside: Sequence[Word], behind: Sequence[Word]) -> bool:
    """Whether it is one noun phrase with an article, and no item of a list: ", a good friend, ..."""
    ends_by_pause = not behind or behind[0].pauses
    listed = any(word.low in ("and", "or") for word in (*inside, *behind[1:2]))
    return inside[0].low in ARTICLES and ends_by_pause and not listed


def _ends_apposition(word: Word, before: Word) -> bool:
    """Whether an apposition ends at a word; the full stop of "No. 5" does not end it."""
    ends = word.pauses or word.low in w.PREPOSITIONS | w.VERBS | {"while", "that", "which"}
    return ends and before.low not in ("no", "nr")


def _with(caption: Caption) -> Iterator[range]:
    """... with long whiskers: parts of the subject, wherever the "with" belongs to it."""
    for index in caption.rest:
        if caption.words[index].low not in ("with", *w.HAVING):
            continue
        for place in phrases(caption, index + 1):
            of_subject = _on_subject(caption, index) or _is_animal_s(caption, index, place)
            applied = caption.words[place.stop - 1].low in w.APPLIED
            if of_subject and (applied or _describes_part(caption, place)):
                yield range(index, place.stop)


def _on_subject(caption: Caption, index: int) -> bool:
    """Whether no other thing was named between the subject and word `index`: then what follows is the subject's."""
    between = caption.low_at(range(caption.after, index))
    if between and between[-1] in ("it", "he", "she"):
        return True
    passed = w.ADVERBS | w.HAVING | w.BEING | {"that", "which", "who", ",", "and"}
    return all(low in passed or acts(low) for low in between)


def _is_animal_s(caption: Caption, index: int, place: range) -> bool:
    """Fur and ears belong to an animal: to the subject where it is one and the caption has named no other."""
    if not place or caption.noun is None:
        return False
    part = singular(caption.words[place.stop - 1].low)
    subject = singular(caption.words[caption.noun.stop - 1].low)
    subject_is_animal = subject in w.PEOPLE_AND_ANIMALS
    return part in w.ANIMATE and subject_is_animal and not _names_other_owner(caption, index)


def _describes_part(caption: Caption, place: range) -> bool:
    """Long whiskers, fur, a purple toe cap; and neither "its tongue out" nor "a red collar"."""
    phrase = caption.low_at(place)
    nouns = [singular(low) for low in phrase]
    parts = [at for at, noun in enumerate(nouns) if noun in w.MARKS | w.POSED]
    if not parts or len(nouns) - parts[-1] > 3:
        return False
    part = parts[-1]
    adjectives = any(map(describes, phrase[:part]))
    posed = any(acts(low) or low in w.ADVERBS for low in phrase[part + 1 :])
    if adjectives and not posed:
        return True
    is_last = part == len(nouns) - 1
    return is_last and nouns[part] in w.MARKS and nouns[part] not in ("face", "chest", "body", "build", "belly")


def _possessive(caption: Caption) -> Iterator[range]:
    """its long brown ears; the dog's white chest"""
    for index, word in enumerate(caption.words):
        its = word.low in w.POSSESSIVES and not _names_other_owner(caption, index)
        the_dog_s = word.owner != word.low and caption.noun is not None and index in caption.noun
        if not its and not the_dog_s:
            continue
        place = first_phrase(caption, index + 1)
        if any(map(describes, caption.low_at(place))) and _describes_part(caption, place):
            yield range(index, place.stop)


def _names_other_owner(caption: Caption, index: int) -> bool:
    """Whether another person or animal was named since the subject, who may own what follows."""
    between = map(singular, caption.low_at(range(caption.after, index)))
    return not w.PEOPLE_AND_ANIMALS.isdisjoint(between)


def _predicate(caption: Caption) -> Iterator[range]:
    """[v] dog is brown; that is black and white; it has ... is told by `_with`"""
    for index in caption.rest[:-1]:
        if caption.words[index].low in w.BEING and _on_subject(caption, index):
            stop = _after_adjectives(caption, index + 1)
            described = any(map(describes, caption.low_at(range(index + 1, stop))))
            if described and not _noun_follows(caption, stop):
                yield range(index, stop)


def _after_adjectives(caption: Caption, start: int) -> int:
    stop = start
    while stop < len(caption.words):
        word = caption.words[stop]
        if word.low not in KEPT and not word.describes:
            break
        stop += 1
    return stop


def _noun_follows(caption: Caption, stop: int) -> bool:
    """Whether a noun follows the adjectives: "is green grass" is about the grass."""
    if stop == len(caption.words):
        return False
    word = caption.words[stop]
    return not word.stops and not word.acts


def _whose(caption: Caption) -> Iterator[range]:
    """[v] glasses whose lenses are tinted pink"""
    ends = w.PREPOSITIONS | {"lie", "lies", "sits", "sit"}
    for index in caption.rest:
        if caption.words[index].low != "whose" or not _on_subject(caption, index):
            continue
        stop = index + 1
        while stop < len(caption.words) and not caption.words[stop].pauses and caption.words[stop].low not in ends:
            stop += 1
        if any(map(describes, caption.low_at(range(index, stop)))):
            yield range(index, stop)


def _made(caption: Caption) -> Iterator[range]:
    """[v] toy made of red wool; in the shape of a heart; decorated with stars; in pink; labelled ..."""
    for index in caption.rest[:-1]:
        if not _on_subject(caption, index):
            return
        low = caption.words[index].low
        if _is_made(caption, index):
            start = index + 1 + (caption.words[index + 1].low in w.PREPOSITIONS)
            place = first_phrase(caption, start)
            yield range(index, place.stop if place else start + 1)
        elif low in w.PREPOSITIONS:
            return


def _is_made(caption: Caption, index: int) -> bool:
    """Whether the word says with the next ones of what the subject is made, its shape, its pattern or its colour."""
    low, next_low, *_ = caption.low_at(range(index, index + 2))
    made = low == "made" and next_low in ("of", "from", "out", "with")
    in_the_shape = caption.low_at(range(index, index + 3)) == ["in", "the", "shape"]
    dressed = low in w.DRESSED - {"covered"} and next_low in ("with", "in", "by")
    coloring = low in ("in", "colored", "coloured", "painted")
    colored = coloring and next_low in w.COLORS and _color_ends(caption, index)
    return made or low == "shaped" or in_the_shape or dressed or colored


def _color_ends(caption: Caption, index: int) -> bool:
    """ "in pink" is a colour, "in pink grass" a place; "in dark" and "in light" are neither."""
    if caption.words[index + 1].low in ("dark", "light", "pale", "bright"):
        return False
    return index + 2 >= len(caption.words) or caption.words[index + 2].stops


def _style_words(caption: Caption) -> Iterator[range]:
    """... by thick brushstrokes: the words for a way of painting, wherever they stand"""
    for index, word in enumerate(caption.words):
        if word.low in w.STYLES:
            yield range(index, index + 1)


def _painter(caption: Caption) -> Iterator[range]:
    """... by Vincent van Gogh"""
    words = caption.words
    for index in range(1, len(words) - 1):
        if words[index].low in ("by", "of") and words[index + 1].capital:
            stop = index + 1
            while stop < len(words) and (words[stop].capital or words[stop].low in OF_NAMES):
                stop += 1
            yield range(index, stop)


Rule = Callable[[Caption], Iterator[range] | list[range]]
RULES: tuple[Rule, ...] = (
    before_subject, _breed, _apposition, _made, _whose, _predicate, _possessive, _with,
)  # fmt: skip
STYLE_RULES: tuple[Rule, ...] = (_style_words, _painter)
