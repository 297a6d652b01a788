"""A picture in parts: the JSON that a describer is asked for, and the reader of what comes back."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from sidkit.describe import phrases
from sidkit.describe.answer_error import AnswerError
from sidkit.describe.description import Description
from sidkit.describe.plain_words import clean
from sidkit.describe.refusals import objection

LONGEST_PHRASE = 300  # characters
# How models say that there is nothing to say.
NOTHING = re.compile(
    r"(?:n/?a|null|nil|empty|undefined|unknown|unclear|unspecified|undetermined|string|text|phrase|\W*)$|"
    r"(?:no|not|none|nothing|n/a)\b(?!-|\.? ?\d).*|"
    r"(?:i )?(?:unable to|cannot|can't|could not|hard to|difficult to|impossible to) (?:be )?"
    r"(?:determin|identif|tell|discern|specif)\w*.*|description of\b.*",
    re.IGNORECASE,
)
# What models call an ordinary photo, where only another style was asked for.
ORDINARY = """
photo|photograph|photography|a photo|a photograph|ordinary photo|an ordinary photo|realistic photo|realistic|
photorealistic|photo-realistic|ordinary|normal|natural|photographic|realistic photograph|ordinary photograph
"""


def _cleaned(phrase: Any) -> Any:
    """A phrase in plain words; "" where a model says in its own way that there is none."""
    if phrase is None:
        return ""
    if isinstance(phrase, list) and all(isinstance(part, str) for part in phrase):
        phrase = " and ".join(phrase)
    if not isinstance(phrase, str):
        return phrase
    text = clean(phrase, listed=True).strip(" .,;")
    if len(text) > LONGEST_PHRASE:
        raise AnswerError("too long", text)
    if NOTHING.match(text):
        return ""
    kind = objection(text)
    if kind:
        raise AnswerError(kind, text)
    return text


OTHER_NAMES = {"name": ("object", "item", "label"), "detail": ("details", "description")}


def _listed(value: Any) -> Any:
    """The things of a list; one alone is a list of one."""
    return [value] if value and isinstance(value, str | dict) else value or []


Phrase = Annotated[str, BeforeValidator(_cleaned)]


def _small_keys(value: dict[Any, Any]) -> dict[str, Any]:
    return {str(key).lower(): part for key, part in value.items()}


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
        """A text in the place of the two is both; a thing under other names only would be lost."""
        if not isinstance(value, dict):
            return {"name": value}
        given = _small_keys(value)
        parts = {
            name: next((given[key] for key in (name, *OTHER_NAMES[name]) if key in given), "") for name in OTHER_NAMES
        }
        if given and not any(parts.values()) and any(given.values()):
            raise AnswerError("broken", str(value))
        return parts

    def both(self) -> tuple[str, str]:
        """The plain phrase and the close one."""
        return self.name or self.detail, self.detail or self.name


class Structure(_Part):
    """A picture in parts, as a describer is asked for it: the schema of the question, and the reader of the answer."""

    objects: Annotated[list[Thing], BeforeValidator(_listed)] = []
    background: Thing = Thing()
    pose: Phrase = ""
    style: Phrase = ""
    subject: Phrase = ""


def schema() -> dict[str, Any]:
    """The JSON Schema of `Structure`: all its keys, no others, and no references, which some servers do not follow."""
    whole = Structure.model_json_schema(mode="serialization")
    return _without_references(whole, whole.pop("$defs"))


def read_structure(text: str, class_word: str, *, of_style: bool) -> Description:
    """The description that the JSON object in a text makes, each of its phrases one that a caption can take.

    Raises AnswerError for a text without such an object, and for an object that says nothing.
    """
    answer = _object(text)
    try:
        structure = Structure.model_validate(answer)
    except ValidationError as error:
        raise _cause(error, text) from error
    description = _described(structure, class_word, of_style)
    if not description.in_parts:
        raise AnswerError("empty", text)
    return description


def _object(text: str) -> dict[str, Any]:
    """The first object in a text that has a part of a structure; what stands around it is passed over."""
    for value in objects_in(text):
        answer = _small_keys(value)
        if Structure.model_fields.keys() & answer.keys():
            return answer
    raise AnswerError(objection(clean(text)) or "broken", text)


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """All objects that begin in a text, also those in others; at last one that is written as Python writes it."""
    read = json.JSONDecoder(strict=False).raw_decode  # a line end within a text
    start = text.find("{")
    while start >= 0:
        with suppress(ValueError, RecursionError):
            yield read(text, start)[0]
        start = text.find("{", start + 1)
    whole = text[text.find("{") : text.rfind("}") + 1]
    try:
        value = ast.literal_eval(whole)  # single quotes, a comma too many
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return
    if isinstance(value, dict):
        yield value


def _cause(error: ValidationError, text: str) -> AnswerError:
    """The fault of a phrase, or of the whole."""
    for problem in error.errors():
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, AnswerError):
            return cause
    return AnswerError("broken", text)


def _described(structure: Structure, class_word: str, of_style: bool) -> Description:
    pairs = list(dict.fromkeys(thing.both() for thing in structure.objects if any(thing.both())))
    pose = phrases.in_pose(structure.pose, class_word)
    is_ordinary = structure.style.lower() in ORDINARY.replace("\n", "").split("|")
    said_again = pose and any(plain.startswith(f"{pose} ") for plain, _ in pairs)  # "sitting", "sitting on a chair"
    place, place_closely = structure.background.both()
    return Description(
        class_word,
        objects=_things([plain for plain, _ in pairs], class_word, of_style),
        object_details=_things([close for _, close in pairs], class_word, of_style),
        background=phrases.in_place(place, class_word),
        background_details=phrases.in_place(place_closely, class_word),
        pose="" if said_again else pose,
        style="" if is_ordinary else phrases.in_style(structure.style),
        subject=phrases.looks(structure.subject, class_word),
    )


def _things(named: list[str], class_word: str, of_style: bool) -> tuple[str, ...]:
    """What a picture of a style shows stands behind "a painting of", and needs no word that joins it."""
    first = named[:1] if of_style else []
    others = [phrases.after_noun(phrase, class_word) for phrase in named[len(first) :]]
    return (*first, *phrases.in_list(others))


def _without_references(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_without_references(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _without_references(definitions[node["$ref"].rpartition("/")[2]], definitions)
    kept = {key: value for key, value in node.items() if key not in ("title", "description", "default")}
    return {key: _without_references(value, definitions) for key, value in kept.items()}
