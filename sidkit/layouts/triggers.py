"""The word by which another trainer's captions call the subject, which is `[v]` here."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sidkit.describe.description import marked
from sidkit.identifier import TAKEN
from sidkit.inflection import pattern
from sidkit.mark import MARK, TRIGGER, article_put_right
from sidkit.shown import shown, shown_names

USUAL_BEFORE = TAKEN | {"my", "our", "your", "his", "her", "their", "one", "two", "some", "any", "no", "for", "as"}


def find_trigger(texts: Iterable[str], class_word: str, folder_words: Iterable[str] = ()) -> str:
    """The trigger word of captions, "" where they have none.

    It is one that the trade uses (`sks`), or a word of the folder's name (`10_zwx dog`), that stands in a caption.
    Raises ValueError where more than one does, and where all captions have the same other word before the class word:
    whether that is a trigger or tells what the subject looks like, only a person knows.
    """
    texts = [text for text in texts if MARK not in text]
    of_trade = [match.group().lower().strip("<> ") for text in texts for match in TRIGGER.finditer(text)]
    own_words = [word for word in folder_words if word not in USUAL_BEFORE]
    words = dict.fromkeys(filter(None, [*of_trade, *own_words]))
    found = [word for word in words if any(_whole(word).search(text) for text in texts)]
    if len(found) > 1:
        told = f"expected one word for the subject, got {shown_names(found)} in the captions"
        raise ValueError(f"trigger: {told}; say which, --trigger {found[0]}")
    if found:
        return found[0]
    before = _before_class(texts, class_word)
    if before:
        told = f"{shown(before)} stands before {shown(class_word)} in all {len(texts)} captions"
        raise ValueError(f"trigger: {told}; say --trigger {before} if it is the subject's own, else --trigger ''")
    return ""


def check_trigger(trigger: str, texts: Iterable[str]) -> None:
    """Raise ValueError for a trigger word that stands in no caption."""
    texts = list(texts)
    if trigger and not any(_whole(trigger).search(text) for text in texts):
        first = f", the first of which is {shown(texts[0])}" if texts else ""
        raise ValueError(f"trigger: expected {shown(trigger)} in the captions, got none with it{first}; look them up")


def with_mark(text: str, trigger: str, class_word: str, *, of_style: bool = False) -> str:
    """A caption with `[v]` for the trigger word, or, where it has none, before the class word.

    Where it has neither, it stays as it is: `sidkit check` says what it lacks.
    """
    if MARK in text:
        return text
    if trigger and _whole(trigger).search(text):
        return article_put_right(_whole(trigger).sub(MARK, text))
    try:
        return marked(text, class_word, of_style=of_style)
    except ValueError:
        return text


def _whole(word: str) -> re.Pattern:
    """A word by itself, or in the angle brackets that textual inversion has around it; not in <lora:sks:1>."""
    word = re.escape(word)
    return re.compile(rf"<{word}>|(?<![\w:]){word}(?!\w)", re.IGNORECASE)


def _before_class(texts: list[str], class_word: str) -> str:
    """The word that stands before the class word in every caption, "" where it is no one word, or an usual one."""
    if len(texts) < 2:
        return ""
    leading = re.compile(rf"([^\s,.;:()]+)\s+{pattern(class_word)}", re.IGNORECASE)
    words = set()
    for text in texts:
        match = leading.search(text)
        words.add(match.group(1).lower() if match else "")
    word = words.pop() if len(words) == 1 else ""
    return "" if word in USUAL_BEFORE else word
