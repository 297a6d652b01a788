"""What other programs read as signs and tags, and a trainer reads as words: weights, `BREAK`, `blue_ball`, markup."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from sidkit.check import words as w
from sidkit.mark import MARK, TRIGGER, article_put_right

WEIGHT = r"(?<!\d)(?::\s*-?\d{0,2}[.,]\d+|:-?\d)\s*"  # not "12:30", nor "size: 3"
PAGE = r"b|i|u|p|br|em|hr|li|div|span|strong"  # tags of a web page that only say how words look
ROUNDS = 6  # of signs inside of signs
FEWEST_TAGS = 3

Change = str | Callable[[re.Match], str] | None  # of `re.sub`; None where a person has to choose


@dataclass(frozen=True)
class Sign:
    """Something that another program reads in a way of its own."""

    words: str
    place: range  # of its letters
    advice: str
    plain: str | None  # the whole caption without it, where that is safe


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern
    meaning: str
    change: Change

    def sign(self, text: str) -> Sign | None:
        """The first place in a text that the rule is about."""
        found = next((match for match in self.pattern.finditer(text) if not _in_trigger(match)), None)
        if found is None:
            return None
        plain = None if self.change is None else tidied(self.pattern.sub(self._changed, text))
        advice = f"{self.meaning}; here it is learnt as it stands"
        return Sign(found.group().strip(), range(*found.span()), advice, plain)

    def _changed(self, match: re.Match) -> str:
        if _in_trigger(match):
            return match.group()
        return match.expand(self.change) if isinstance(self.change, str) else self.change(match)


def _in_trigger(match: re.Match) -> bool:
    """Whether a place is part of another trigger than `[v]`, which is put right as a whole."""
    return any(start <= match.start() and match.end() <= stop for start, stop in _triggers(match.string))


@lru_cache(maxsize=16)
def _triggers(text: str) -> list[tuple[int, int]]:
    return [found.span() for found in TRIGGER.finditer(text)]


def _rule(pattern: str, meaning: str, change: Change, flags: int = 0) -> _Rule:
    return _Rule(re.compile(pattern, flags), meaning, change)


# The insides of brackets hold no bracket of their kind but `[v]`, so that the innermost pair is found first.
IN_ROUND, IN_SQUARE, IN_CURLY = r"([^()]*?)", r"((?:\[v\]|[^\[\]:|])*?)", r"([^{}|$:]*?)"
SIGNS = (
    _rule(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+",
          "it cannot be seen", ""),
    _rule(r"<\|[^<>]{0,40}\|>|</?s>|<(?:image|unk|pad)>", "it begins or ends a text for a model", ""),
    _rule(r"<(?:lora|lyco|hypernet|embedding)[^<>]*>", "it loads a file in a web interface", ""),
    _rule(rf"</?(?:{PAGE})(?:\s[^<>]*)?/?>", "it is markup of a web page", ""),
    _rule(r"<(?!\[v\])[a-z!/][^<>\s=/:]*[\s=/:][^<>]*>", "it is markup", None, re.IGNORECASE),
    _rule(r"&(?:amp|quot|apos|nbsp|lt|gt|#\d{1,6}|#x[\da-f]{1,5});", "it is markup of a web page",
          lambda match: html.unescape(match.group())),
    _rule(r"\*\*([^*]+)\*\*|`([^`]+)`", "it is Markdown", lambda match: match.group(1) or match.group(2)),
    _rule(r"\\([()\[\]{}<>:,\"'])", "a backslash is for a web interface", r"\1"),
    _rule(r"\\[nrt]", "it stands for an end of line", " "),
    _rule(rf"\(\({IN_ROUND}\){WEIGHT}\)", "a weight is for a web interface", r"\1"),
    _rule(rf"\({IN_ROUND}{WEIGHT}\)", "a weight is for a web interface", r"\1"),
    _rule(rf"(?<!\()\({{2,}}{IN_ROUND}\){{2,}}", "brackets that stress are for a web interface", r"\1"),
    _rule(rf"\({IN_ROUND}\)(?:\++|-{{2,}}|\d?\.\d+)(?!\w)", "a weight is for a web interface", r"\1"),
    _rule(rf"\[(?!v\]){IN_SQUARE}{WEIGHT}\]", "a weight is for a web interface", r"\1"),
    _rule(rf"\[(?!v\]){IN_SQUARE}\]", "square brackets are for a web interface", r"\1"),
    _rule(r"\[(?:\[v\]|[^\[\]:|])*[:|](?:\[v\]|[^\[\]])*\]", "a choice of words is for a web interface", None),
    _rule(rf"(?<!\{{)\{{+{IN_CURLY}\}}+", "curly brackets are for a web interface", r"\1"),
    _rule(r"\{[^{}|$:]*[|$:][^{}]*\}", "a choice of words is for a web interface", None),
    _rule(r"（([^（）：]*)：\s*\d*\.?\d+）|（（([^（）]*)））", "a weight is for a web interface",
          lambda match: match.group(1) or match.group(2) or ""),
    _rule(r"(?<![\d:])\d{0,2}\.?\d::([^:]*)::", "a weight is for a web interface", r"\1"),
    _rule(r"(?<=[\w\]])::-?\d{0,3}\.?\d+", "a weight is for a web interface", ""),
    _rule(r"(?<=[A-Za-z\]])[:^]\d?\.\d+(?!\w)", "a weight is for a web interface", ""),
    _rule(r"(?<=[a-z]{3})\+{2,}(?!\w)", "a weight is for a web interface", ""),
    _rule(r"(?<!\w)embedding:[\w./-]+", "it loads a file in a web interface", ""),
    _rule(r"(?<!\w)(?:https?://|www\.)\S+", "an address is no word", None),
    _rule(r"(?<!\w)__[\w/*-]+?__(?!\w)", "a wildcard is for a web interface", None),
    _rule(r"<\s*(\[v\])\s*>|\(\s*(\[v\])\s*\)|[\"“'‘](\[v\])[\"”'’]", "[v] stands by itself",
          lambda match: next(filter(None, match.groups()))),
    _rule(r"(?<=[a-z,.\]])\s{0,3},?\s{0,3}\bBREAK\b\s*,?(?=\s|$)", "BREAK is for a web interface", ","),
    _rule(r"(?<!\w)--[a-z]+(?:\s+[\d.:]+)?", "an option is for another program", None),
    _rule(r"[A-Za-z\d]\[v\][A-Za-z\d]?|\[v\][A-Za-z\d]", "[v] has to be a word of its own",
          lambda match: match.group().replace(MARK, f" {MARK} ").strip()),
    _rule(r"\b[Aa]n\s+\[v\]", "[v] stands behind \"a\"", lambda match: article_put_right(match.group())),
    _rule(r"(?<![^\W_])[^\W_]+(?:_+[^\W_]+)+", "an underscore joins what a tagger wrote",
          lambda match: re.sub("_+", " ", match.group())),
)  # fmt: skip


def signs(text: str) -> Iterator[Sign]:
    """What in a caption is written for another program, each kind once, and no letter in two of them."""
    told: list[range] = []
    for rule in SIGNS:
        sign = rule.sign(text)
        if sign and not any(set(sign.place) & set(other) for other in told):
            told.append(sign.place)
            yield sign


def plain(text: str) -> str:
    """A caption without the signs that mean no words, as a person would read it."""
    for _ in range(ROUNDS):
        changes = [sign.plain for sign in signs(text) if sign.plain is not None]
        if not changes:
            break
        text = changes[0]
    return text


def tags(text: str) -> str:
    """What in a caption is a tag and no description: of quality, of counting; or all of it where it lists tags."""
    pieces = [piece.strip().lower() for piece in re.split(r"[,;\n]", text) if piece.strip()]
    rated = [piece for piece in pieces if piece in w.TAGS or w.TAG.fullmatch(piece)]
    if rated:
        return ", ".join(rated)
    words = set(re.findall(r"\w+", text.lower()))
    is_list = len(pieces) >= FEWEST_TAGS and w.DETERMINERS.isdisjoint(words) and w.PREPOSITIONS.isdisjoint(words)
    return text if is_list else ""


def tidied(text: str) -> str:
    """The spaces and the article put right where something was taken out."""
    text = re.sub(r"[ \t]{2,}", " ", text)
    text = re.sub(r"[ \t]+([,.;])", r"\1", text)
    return article_put_right(text).strip()
