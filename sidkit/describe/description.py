"""What a describer says of a picture, in parts, and the captions that are made of the parts (Table 1)."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ConfigDict

from sidkit.config import check_name
from sidkit.describe.cases import CASES
from sidkit.mark import MARK

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
            told = f"{len(self.objects)} and {len(self.object_details)}"
            raise ValueError(f"description: expected as many object_details as objects, got {told}")

    @property
    def in_parts(self) -> bool:
        """Whether it can make all four cases."""
        return any(getattr(self, name) for name in PHRASES)

    def caption(self, case: int) -> str:
        """The caption of one of the four cases, with `[v]` put in before the class word.

        Raises ValueError for an unknown case, and for cases 2 and 4 of a description that is a sentence only.
        """
        kind = CASES[int(check_name("case", str(case), map(str, CASES)))]
        if self.sentence and case == 3:
            return marked(self.sentence, self.class_word, of_style=self.of_style)
        if kind.objects and not self.in_parts:
            said = "a sentence only" if self.sentence else "nothing"
            raise ValueError(
                f"case {case}: expected a description in parts, got {said}; ask with the instruction structure"
            )
        build = _of_style if self.of_style else _of_thing
        return build(self, kind.objects, kind.object_details, kind.subject_details)


def marked(sentence: str, class_word: str, *, of_style: bool = False) -> str:
    """The sentence with `[v]` before the first class word, and without its full stop: "A [v] cat sits on the stairs".

    For a style it is put behind: "A painting of a cat in the style of [v] art".
    Raises ValueError where the class word is not said.
    """
    text = " ".join(sentence.split()).rstrip(" .")
    if of_style:
        return f"{text} in the style of {MARK} {class_word}"
    text, count = re.subn(rf"\b(?={re.escape(class_word)}s?\b)", f"{MARK} ", text, count=1, flags=re.IGNORECASE)
    if not count:
        raise ValueError(f"expected the class word {class_word!r} in the description, got {text[:120]!r}")
    return re.sub(rf"\b([Aa])n(\s+{re.escape(MARK)})", r"\1\2", text)


def to_parts(description: Description) -> dict[str, Any]:
    """What is not empty, by name."""
    return {name: value for name, value in asdict(description).items() if value}


def _of_thing(told: Description, objects: bool, details: bool, looks: bool) -> str:
    around = told.object_details if details else told.objects
    place = told.background_details or told.background if details else told.background
    said = [told.pose, *around, place, told.style] if objects else []
    own = told.subject if looks else ""
    return _joined([f"a photo of {_article(own or MARK)}", *([MARK] if own else []), told.class_word, *said])


def _of_style(told: Description, objects: bool, details: bool, looks: bool) -> str:
    around = told.object_details if details else told.objects
    place = told.background_details or told.background if details else told.background
    shown = [around[0] if around else "", told.pose, *around[1:], place] if objects else []
    style = told.style if looks else ""
    return _joined(
        ["a painting", *(["of", *shown] if any(shown) else []), f"in the style of {MARK}", told.class_word, style]
    )


def _joined(parts: list[str]) -> str:
    return " ".join(part.strip(" .,") for part in parts if part.strip(" .,"))


def _article(phrase: str) -> str:
    return f"{'an' if phrase[0].lower() in 'aeiou' else 'a'} {phrase}"
