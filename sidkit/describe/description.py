"""What a describer says of a picture, in parts, and the captions that are made of the parts (Table 1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ConfigDict

from sidkit.captions import SID_CASE
from sidkit.config import check_name
from sidkit.describe.cases import CASES, Case
from sidkit.inflection import pattern, with_article
from sidkit.mark import MARK, article_put_right

PHRASES = ("objects", "object_details", "background", "background_details", "pose", "style", "subject")


@dataclass(frozen=True)
class Description:
    """One picture in words. Parts are phrases that can follow "a [class]"; what is not there is empty.

    `objects` name things by their kind ("next to a purse"), `object_details` say the same things closely, in the same
    order; so do `background` and `background_details`. `subject` is the subject's own looks, which case 4 alone says.
    `sentence` is the answer where a sentence was asked for: it then is the caption of case 3, as in the paper.
    Where a style is learnt (`of_style`), `objects` begin with what the picture shows, and `style` is what [v] means.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")  # where it is read from a file

    class_word: str
    objects: tuple[str, ...] = ()
    object_details: tuple[str, ...] = ()
    background: str = ""
    background_details: str = ""
    pose: str = ""
    style: str = ""
    subject: str = ""
    sentence: str = ""
    raw: str = ""
    model: str = ""
    of_style: bool = False

    def __post_init__(self) -> None:
        if len(self.objects) != len(self.object_details):
            got = f"{len(self.objects)} and {len(self.object_details)}"
            raise ValueError(f"description: expected as many object_details as objects, got {got}")

    @property
    def in_parts(self) -> bool:
        """Whether it can make all four cases."""
        return any(getattr(self, name) for name in PHRASES)

    def caption(self, case: int) -> str:
        """The caption of one of the four cases, with `[v]` put in before the class word.

        Raises ValueError for an unknown case, and for cases 2 and 4 of a description that is a sentence only.
        """
        check_name("case", str(case), map(str, CASES))
        kind = CASES[case]
        if self.sentence and case == SID_CASE:
            return marked(self.sentence, self.class_word, of_style=self.of_style)
        if kind.objects and not self.in_parts:
            got = "a sentence only" if self.sentence else "nothing"
            told = f"case {case}: expected a description in parts, got {got}"
            raise ValueError(f"{told}; ask with the instruction structure")
        return _of_style(self, kind) if self.of_style else _of_thing(self, kind)


def marked(sentence: str, class_word: str, *, of_style: bool = False) -> str:
    """The sentence with `[v]` before the first class word, and without its full stop: "A [v] cat sits on the stairs".

    For a style it is put behind: "A painting of a cat in the style of [v] art".
    Raises ValueError where the class word is not said.
    """
    text = " ".join(sentence.split()).rstrip(" .")
    if of_style:
        return f"{text} in the style of {MARK} {class_word}"
    class_noun = re.compile(rf"(?={pattern(class_word)}(?!-\w))", re.IGNORECASE)  # not of what is dog-shaped
    text, count = class_noun.subn(f"{MARK} ", text, count=1)
    if not count:
        raise ValueError(f"expected the class word {class_word!r} in the description, got {text[:120]!r}")
    return article_put_right(text)


def to_parts(description: Description) -> dict[str, Any]:
    """What is not empty, by name."""
    parts = asdict(description)
    return {name: value for name, value in parts.items() if value}


def _of_thing(description: Description, kind: Case) -> str:
    looks = description.subject if kind.subject_details else ""
    subject = _joined([looks, MARK, description.class_word])
    parts = ["a photo of", with_article(subject)]
    if kind.objects:
        things, place = _surroundings(description, kind)
        parts += [description.pose, *things, place, description.style]
    return _joined(parts)


def _of_style(description: Description, kind: Case) -> str:
    shown = ""
    if kind.objects:
        things, place = _surroundings(description, kind)
        first, others = things[:1], things[1:]
        shown = _joined([*first, description.pose, *others, place])
    parts = ["a painting of" if shown else "a painting", shown]
    parts += ["in the style of", MARK, description.class_word]
    if kind.subject_details:
        parts.append(description.style)
    return _joined(parts)


def _surroundings(description: Description, kind: Case) -> tuple[tuple[str, ...], str]:
    """The things and the place, by their kind or closely."""
    if kind.object_details:
        return description.object_details, description.background_details or description.background
    return description.objects, description.background


def _joined(parts: Iterable[str]) -> str:
    stripped = (part.strip(" .,") for part in parts)
    return " ".join(filter(None, stripped))
