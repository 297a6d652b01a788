"""Where a caption describes the subject itself: the words that would take its looks out of [v] (Table 1, case 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sidkit.check import words as w
from sidkit.check.english import Caption, Word, describes, first_phrase, phrases, subject_start
from sidkit.check.ownership import describes_part, names_other_owner, on_animal, on_subject
from sidkit.mark import MARK

KEPT = w.STATES | w.DETERMINERS | w.ADVERBS | {"and"}
ARTICLES = ("a", "an", "the")
OF_NAMES = ("van", "de", "da", "von", "der")  # little words inside of a painter's name
FEW = 4  # words behind [v] in which a breed is looked for
ENDS_APPOSITION = w.PREPOSITIONS | w.VERBS | {"while", "that", "which"}
ENDS_WHOSE = w.PREPOSITIONS | {"lie", "lies", "sits", "sit"}


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
    stop = caption.noun.start if caption.noun else mark + 1
    led = start > 0 and caption.words[start - 1].low in w.DETERMINERS
    inside = [*range(start, mark), *range(mark + 1, stop)]
    telling = [index for index in inside if _tells(caption.words[index], led)]
    return _merged(caption, telling)


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
    between = range(end, index)
    words = set(caption.low_at(between))
    return words <= {"and", ","} and caption.mark not in between


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
    for index, word in enumerate(caption.words[start : start + FEW], start):
        if word.stops:
            return
        if word.low in w.BREEDS:
            yield range(start, index + 1)
            return


def _apposition(caption: Caption) -> Iterator[range]:
    """[v] perfume, Chanel No. 5, next to ...; [v] dog, a golden retriever, on ...; [v] dog, brown and white, ..."""
    words = caption.words
    start = caption.after
    if start >= len(words) or words[start].low != ",":
        return
    stop = start + 1
    while stop < len(words) and not _ends_apposition(words[stop], words[stop - 1]):
        stop += 1
    inside = words[start + 1 : stop]
    behind = words[stop:]
    if inside and _is_about_subject(inside, behind):
        yield range(start, stop)


def _is_about_subject(inside: Sequence[Word], behind: Sequence[Word]) -> bool:
    """Whether what stands between commas says what the subject is, or how it looks, and not what it does."""
    first, last = inside[0], inside[-1]
    if first.acts or first.low in w.ADVERBS:
        return False
    if any(word.capital for word in inside):
        return True
    if all(word.describes or word.low in ("and", *w.ADVERBS) for word in inside):
        return True
    if first.low not in ARTICLES:
        return False
    bred = any(word.low in w.BREEDS for word in inside)
    return bred or last.low not in w.PLACES and _renames(inside, behind)


def _renames(inside: Sequence[Word], behind: Sequence[Word]) -> bool:
    """Whether it is one noun phrase, and no item of a list: ", a good friend, ..."""
    ends_by_pause = not behind or behind[0].pauses
    near = [*inside, *behind[1:2]]
    listed = any(word.low in ("and", "or") for word in near) or any(word.low in ARTICLES for word in behind[1:2])
    return ends_by_pause and not listed


def _ends_apposition(word: Word, before: Word) -> bool:
    """Whether an apposition ends at a word; the full stop of "No. 5" does not end it."""
    ends = word.pauses or word.low in ENDS_APPOSITION
    return ends and before.low not in ("no", "nr")


def _with(caption: Caption) -> Iterator[range]:
    """... with long whiskers: parts of the subject, wherever the "with" belongs to it."""
    for index in caption.rest:
        if caption.words[index].low not in ("with", *w.HAVING):
            continue
        for place in phrases(caption, index + 1):
            own = on_subject(caption, index) or on_animal(caption, index, place)
            applied = caption.words[place.stop - 1].low in w.APPLIED
            if own and (applied or describes_part(caption, place)):
                yield range(index, place.stop)


def _possessive(caption: Caption) -> Iterator[range]:
    """its long brown ears; the dog's white chest"""
    for index, word in enumerate(caption.words):
        its = word.low in w.POSSESSIVES and not names_other_owner(caption, index)
        of_subject = caption.noun is not None and index in caption.noun
        the_dog_s = of_subject and word.owner != word.low
        if not its and not the_dog_s:
            continue
        place = first_phrase(caption, index + 1)
        described = any(map(describes, caption.low_at(place)))
        if described and describes_part(caption, place):
            yield range(index, place.stop)


def _predicate(caption: Caption) -> Iterator[range]:
    """[v] dog is brown; that is black and white; it has ... is told by `_with`"""
    for index in caption.rest[:-1]:
        if caption.words[index].low not in w.BEING or not on_subject(caption, index):
            continue
        stop = _after_adjectives(caption, index + 1)
        adjectives = caption.low_at(range(index + 1, stop))
        if any(map(describes, adjectives)) and not _noun_follows(caption, stop):
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
    for index in caption.rest:
        if caption.words[index].low != "whose" or not on_subject(caption, index):
            continue
        stop = index + 1
        for word in caption.words[stop:]:
            if word.pauses or word.low in ENDS_WHOSE:
                break
            stop += 1
        clause = caption.low_at(range(index, stop))
        if any(map(describes, clause)):
            yield range(index, stop)


def _made(caption: Caption) -> Iterator[range]:
    """[v] toy made of red wool; in the shape of a heart; decorated with stars; in pink; labelled ..."""
    for index in caption.rest[:-1]:
        if not on_subject(caption, index):
            return
        if _is_made(caption, index):
            led = caption.words[index + 1].low in w.PREPOSITIONS
            start = index + 2 if led else index + 1
            place = first_phrase(caption, start)
            stop = place.stop if place else min(start + 1, len(caption.words))
            yield range(index, stop)
        elif caption.words[index].low in w.PREPOSITIONS:
            return


def _is_made(caption: Caption, index: int) -> bool:
    """Whether the word says with the next ones of what the subject is made, its shape, its pattern or its colour."""
    low, *behind = caption.low_at(range(index, index + 3))
    if low == "shaped":
        return True
    if low == "made":
        return behind[0] in ("of", "from", "out", "with")
    if low in w.DRESSED and low != "covered":
        return behind[0] in ("with", "in", "by")
    if low == "in" and behind == ["the", "shape"]:
        return True
    coloring = low in ("in", "colored", "coloured", "painted")
    return coloring and behind[0] in w.COLORS and _color_ends(caption, index)


def _color_ends(caption: Caption, index: int) -> bool:
    """ "in pink" is a colour, "in pink grass" a place; "in dark" and "in light" are neither."""
    if caption.words[index + 1].low in ("dark", "light", "pale", "bright"):
        return False
    behind = caption.words[index + 2 :]
    return not behind or behind[0].stops


def _style_words(caption: Caption) -> Iterator[range]:
    """... by thick brushstrokes: the words for a way of painting, wherever they stand"""
    for index, word in enumerate(caption.words):
        if word.low in w.STYLES:
            yield range(index, index + 1)


def _painter(caption: Caption) -> Iterator[range]:
    """... by Vincent van Gogh"""
    for index in range(1, len(caption.words) - 1):
        name = caption.words[index + 1 :]
        if caption.words[index].low not in ("by", "of") or not name[0].capital:
            continue
        stop = index + 1
        for word in name:
            if not word.capital and word.low not in OF_NAMES:
                break
            stop += 1
        yield range(index, stop)


Rule = Callable[[Caption], Iterator[range] | list[range]]
RULES: tuple[Rule, ...] = (
    before_subject, _breed, _apposition, _made, _whose, _predicate, _possessive, _with,
)  # fmt: skip
STYLE_RULES: tuple[Rule, ...] = (_style_words, _painter)
