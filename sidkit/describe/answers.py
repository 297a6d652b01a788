"""Answers of describers, read with suspicion: refused, empty, cut off, broken, too long, off the point.

An answer is data. It is cleaned and becomes a caption or an error; nothing in it is obeyed or shown as markup.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from sidkit.describe.answer_error import AnswerError
from sidkit.describe.description import Description, marked
from sidkit.describe.instructions import Instruction
from sidkit.inflection import pattern

LONGEST = 4_000  # characters of an answer; a caption of 77 tokens has under 500
LONGEST_PHRASE = 300
NOTHING = ("none", "n/a", "null", "empty")  # how models say that there is nothing to say

REFUSALS = re.compile(
    r"^\W*(i('m| am) (very |really )?(sorry|unable|not able)|sorry\b|i (can ?not|can't|won't|will not|must decline)\b"
    r"|as an ai\b|i apologi[sz]e\b|unfortunately,? i\b)",
    re.IGNORECASE,
)
SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]+")
HIDDEN = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
TAGS = re.compile(r"</?[a-zA-Z!][^<>]*>?")
FENCE = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)


def clean(text: str) -> str:
    """One line of plain text: tags, control characters and repeated spaces taken out, `[v]` too."""
    unescaped = html.unescape(_without_tags(text))
    bare = _without_tags(unescaped)  # what was spelt in entities is a tag only now
    return SPACES.sub(" ", bare.replace("[v]", " ")).strip(" \"'`*#-")


def _without_tags(text: str) -> str:
    return TAGS.sub(" ", HIDDEN.sub(" ", text))


def _cleaned(phrase: Any) -> Any:
    """A phrase as a caption can hold it; "" where a model says in its own way that there is none."""
    if phrase is None:
        return ""
    if not isinstance(phrase, str):
        return phrase
    text = clean(phrase).strip(" .,;")
    if len(text) > LONGEST_PHRASE:
        raise AnswerError("too long", text)
    return "" if text.lower() in NOTHING else text


Phrase = Annotated[str, BeforeValidator(_cleaned)]


class _Part(BaseModel):
    # The schema asks for all keys and no others; in an answer, one that is missing is empty, others are passed over.
    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        json_schema_extra={"additionalProperties": False},
        json_schema_serialization_defaults_required=True,
    )


class Thing(_Part):
    """Something beside the subject, in a plain phrase and in a close one; one that is missing is as the other."""

    name: Phrase = ""
    detail: Phrase = ""

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        """A text in the place of the two is both."""
        return value if isinstance(value, dict) else {"name": value}

    def both(self) -> tuple[str, str]:
        """The plain phrase and the close one."""
        return self.name or self.detail, self.detail or self.name


class Structure(_Part):
    """A picture in parts, as a describer is asked for it: the schema of the question, and the reader of the answer."""

    objects: Annotated[list[Thing], BeforeValidator(lambda value: value or [])] = []
    background: Thing = Thing()
    pose: Phrase = ""
    style: Phrase = ""
    subject: Phrase = ""


def schema() -> dict[str, Any]:
    """The JSON Schema of `Structure`: all its keys, no others, and no references, which some servers do not follow."""
    told = Structure.model_json_schema(mode="serialization")
    return _without_references(told, told.pop("$defs"))


def read_answer(raw: str | None, class_word: str, instruction: Instruction, model: str) -> Description:
    """The description that an answer holds. Raises AnswerError, whose `kind` says what is wrong with it."""
    if raw is None or not raw.strip():
        raise AnswerError("empty")
    if len(raw) > LONGEST:
        raise AnswerError("too long", raw)
    if instruction.answer == "structure":
        description = _in_parts(_object(raw), class_word)
    else:
        description = Description(class_word, sentence=_sentence(raw, instruction))
        _on_the_point(description.sentence, class_word, instruction.style)
    return replace(description, raw=raw, model=model, of_style=instruction.style)


def _without_references(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_without_references(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _without_references(definitions[node["$ref"].rpartition("/")[2]], definitions)
    kept = {key: value for key, value in node.items() if key not in ("title", "description", "default")}
    return {key: _without_references(value, definitions) for key, value in kept.items()}


def _sentence(raw: str, instruction: Instruction) -> str:
    text = clean(raw)
    if instruction.answer == "start" and not text.lower().startswith(instruction.text.lower()):
        text = f"{instruction.text} {text}"
    if not text:
        raise AnswerError("empty")
    if REFUSALS.match(text):
        raise AnswerError("refused", text)
    return _from_its_beginning(text, instruction)


def _from_its_beginning(text: str, instruction: Instruction) -> str:
    """Without a preamble ("Sure! Here is the caption: A cat ..."), if the sentence that was asked for follows one."""
    beginning = re.search(r'start with "([^"]+)"', instruction.text)
    at = text.find(beginning.group(1)) if beginning else -1
    return text[at:].rstrip("\"' ") if at > 0 else text


def _on_the_point(sentence: str, class_word: str, style: bool) -> None:
    try:
        marked(sentence, class_word, of_style=style)
    except ValueError as error:
        raise AnswerError("off the point", sentence) from error


def _object(raw: str) -> dict[str, Any]:
    """The JSON object in an answer, fenced or not."""
    fenced = FENCE.search(raw)
    text = fenced.group(1) if fenced else raw[raw.find("{") : raw.rfind("}") + 1]
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        kind = "refused" if REFUSALS.match(clean(raw)) else "broken"
        raise AnswerError(kind, raw) from error
    if not isinstance(answer, dict):
        raise AnswerError("broken", raw)
    return answer


def _in_parts(answer: dict[str, Any], class_word: str) -> Description:
    structure = _structure(answer)
    pairs = [thing.both() for thing in structure.objects if any(thing.both())]
    background, background_details = structure.background.both()
    description = Description(
        class_word,
        objects=tuple(name for name, _ in pairs),
        object_details=tuple(detail for _, detail in pairs),
        background=background,
        background_details=background_details,
        pose=structure.pose,
        style=structure.style,
        subject=_adjectives(structure.subject, class_word),
    )
    if not description.in_parts:
        raise AnswerError("empty", json.dumps(answer))
    return description


def _structure(answer: dict[str, Any]) -> Structure:
    try:
        return Structure.model_validate(answer)
    except ValidationError as error:
        for problem in error.errors():
            cause = problem.get("ctx", {}).get("error")
            if isinstance(cause, AnswerError):
                raise cause from error
        raise AnswerError("broken", json.dumps(answer)) from error


def _adjectives(text: str, class_word: str) -> str:
    """Looks that can stand before the class word: "a small brown dog" becomes "small brown"."""
    without_article = re.sub(r"^(an?|the)\s+", "", text, flags=re.IGNORECASE)
    before = re.split(pattern(class_word), without_article, maxsplit=1, flags=re.IGNORECASE)[0]
    return before.strip(" ,")
