"""English articles and numbers of nouns, by inflect. Sticker World's grammar has an article of its own
(`stickers.vocabulary.with_article`), whose few words stay as they were trained."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inflect import engine

LATIN_PLURALS = {"cacti": "cactus", "fungi": "fungus", "octopi": "octopus", "hippopotami": "hippopotamus"}  # or -uses
# But singular, which inflect cannot tell.
LIKE_PLURALS = frozenset({"lens", "canvas", "atlas", "gas", "bias", "yes", "opera", "rhinoceros", "mercedes"})
SINGULAR_ENDINGS = ("ss", "us", "is")


@cache
def _engine() -> engine:
    import inflect  # takes a tenth of a second, which most commands need not wait for

    return inflect.engine()


def with_article(phrase: str) -> str:
    """ "an owl", "a unicorn", "an hour glass", "an old dog", for what begins as it is spoken."""
    return _engine().a(phrase)


def counted(count: int, noun: str) -> str:
    """ "1 fault", "2 faults", "0 faults"."""
    return f"{count} {noun if count == 1 else _engine().plural_noun(noun)}"


@lru_cache(maxsize=10_000)
def singular(noun: str) -> str:
    """A noun (lower case) of either number in the singular: "gloves" and "glove" become "glove", "mice" "mouse"."""
    if noun.endswith(SINGULAR_ENDINGS) or noun in LIKE_PLURALS:
        return noun
    return LATIN_PLURALS.get(noun) or _engine().singular_noun(noun) or noun


@lru_cache(maxsize=1000)
def both_numbers(noun: str) -> tuple[str, ...]:
    """A noun in singular and plural, whichever of them it is in; the longer first, as a pattern has to try them."""
    alone = singular(noun)
    forms = {noun, alone, _engine().plural_noun(alone)}
    forms |= {plural for plural, one in LATIN_PLURALS.items() if one == alone}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def pattern(noun: str) -> str:
    """A regular expression for a noun of either number as a word of its own."""
    forms = "|".join(map(re.escape, both_numbers(noun)))
    return rf"(?<!\w)(?:{forms})(?!\w)"
