"""Answers of describers, read with suspicion: refused, empty, cut off, broken, too long, off the point.

An answer is data. It is cleaned and becomes a caption or an error; nothing in it is obeyed or shown as markup.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from sidkit.describe.description import Description, mark
from sidkit.describe.instructions import Instruction

Kind = Literal["refused", "empty", "cut off", "broken", "too long", "off the point", "unreachable"]
LONGEST = 4_000  # characters of an answer; a caption of 77 tokens has under 500
LONGEST_PHRASE = 300

ADVICE = {
    "refused": "the model would not describe this picture: describe it by hand in captions.json, or try another model",
    "empty": "the model said nothing: ask again, or try another model or instruction",
    "cut off": "the answer ran into the limit of tokens: raise it with --tokens",
    "broken": "the answer is not what was asked for: ask again with --instruction sentence, or try another model",
    "too long": "an answer of this length is no description: ask again, or try another model",
    "off the point": "the answer does not speak of the subject: ask again, or describe the picture by hand",
    "unreachable": "check the address, the network and the server, and ask again: what is answered already is kept",
}
REFUSALS = re.compile(
    r"^\W*(i('m| am) (very |really )?(sorry|unable|not able)|sorry\b|i (can ?not|can't|won't|will not|must decline)\b"
    r"|as an ai\b|i apologi[sz]e\b|unfortunately,? i\b)",
    re.IGNORECASE,
)
SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]+")
HIDDEN = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
TAGS = re.compile(r"</?[a-zA-Z!][^<>]*>?")
FENCE = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)


class AnswerError(ValueError):
    """An answer that makes no description. `kind` says in which way."""

    def __init__(self, kind: Kind, told: str = ""):
        self.kind: Kind = kind
        super().__init__(f"{kind}: {ADVICE[kind]}" + (f" (it said {told[:120]!r})" if told else ""))


def read_answer(raw: str | None, class_word: str, instruction: Instruction, model: str) -> Description:
    """The description that an answer holds. Raises AnswerError, whose `kind` says what is wrong with it."""
    if raw is None or not raw.strip():
        raise AnswerError("empty")
    if len(raw) > LONGEST:
        raise AnswerError("too long", raw)
    common = dict(class_word=class_word, raw=raw, model=model, of_style=instruction.style)
    if instruction.answer == "structure":
        return Description(**common, **_parts(_object(raw), class_word))
    sentence = _sentence(raw, instruction)
    _on_the_point(sentence, class_word, instruction.style)
    return Description(**common, sentence=sentence)


def clean(text: str) -> str:
    """One line of plain text: tags, control characters and repeated spaces taken out, `[v]` too."""
    bare = TAGS.sub(" ", HIDDEN.sub(" ", html.unescape(TAGS.sub(" ", HIDDEN.sub(" ", text)))))
    return SPACES.sub(" ", bare.replace("[v]", " ")).strip(" \"'`*#-")


def _sentence(raw: str, instruction: Instruction) -> str:
    text = clean(raw)
    if instruction.answer == "start" and not text.lower().startswith(instruction.text.lower()):
        text = f"{instruction.text} {text}"
    if not text:
        raise AnswerError("empty")
    if REFUSALS.match(text):
        raise AnswerError("refused", text)
    return _first_that_starts(text, instruction)


def _first_that_starts(text: str, instruction: Instruction) -> str:
    """Without a preamble ("Sure! Here is the caption: A cat ..."), if the sentence that was asked for follows one."""
    wanted = re.search(r'start with "([^"]+)"', instruction.text)
    if wanted and (at := text.find(wanted.group(1))) > 0:
        return text[at:].rstrip("\"' ")
    return text


def _on_the_point(sentence: str, class_word: str, style: bool) -> None:
    try:
        mark(sentence, class_word, of_style=style)
    except ValueError as error:
        raise AnswerError("off the point", sentence) from error


def _object(raw: str) -> Mapping[str, Any]:
    """The JSON object in an answer, fenced or not."""
    fenced = FENCE.search(raw)
    text = fenced.group(1) if fenced else raw[raw.find("{") : raw.rfind("}") + 1]
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AnswerError("refused" if REFUSALS.match(clean(raw)) else "broken", raw) from error
    if not isinstance(told, dict):
        raise AnswerError("broken", raw)
    return told


def _parts(told: Mapping[str, Any], class_word: str) -> dict[str, Any]:
    objects = told.get("objects") or []
    if not isinstance(objects, list):
        raise AnswerError("broken", json.dumps(told))
    pairs = [pair for pair in map(_pair, objects) if pair[0]]
    name, detail = _pair(told.get("background"))
    parts = {
        "objects": tuple(pair[0] for pair in pairs),
        "object_details": tuple(pair[1] for pair in pairs),
        "background": name,
        "background_details": detail,
        **{key: _phrase(told.get(key)) for key in ("pose", "style")},
        "subject": _adjectives(_phrase(told.get("subject")), class_word),
    }
    if not any(parts.values()):
        raise AnswerError("empty", json.dumps(told))
    return parts


def _pair(told: Any) -> tuple[str, str]:
    """(name, detail) of {"name": ..., "detail": ...}; a plain text is both."""
    if isinstance(told, Mapping):
        name, detail = _phrase(told.get("name")), _phrase(told.get("detail"))
        return name or detail, detail or name
    return _phrase(told), _phrase(told)


def _phrase(told: Any) -> str:
    if told is None:
        return ""
    if not isinstance(told, str):
        raise AnswerError("broken", json.dumps(told))
    text = clean(told).strip(" .,;")
    if len(text) > LONGEST_PHRASE:
        raise AnswerError("too long", text)
    return "" if text.lower() in ("none", "n/a", "null", "empty") else text


def _adjectives(text: str, class_word: str) -> str:
    """Looks that can stand before the class word: "a small brown dog" becomes "small brown"."""
    text = re.sub(r"^(an?|the)\s+", "", text, flags=re.IGNORECASE)
    return re.sub(rf"\s*\b{re.escape(class_word)}s?\b.*$", "", text, flags=re.IGNORECASE).strip(" ,")
