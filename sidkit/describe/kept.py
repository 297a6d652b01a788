"""descriptions.json: every answer of a describer with its question, and what in captions.json describers wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer, ValidationError

from sidkit.captions import Captions
from sidkit.describe.description import Description, to_parts
from sidkit.files import read_json, write_json
from sidkit.shown import shown, shown_name

DESCRIPTIONS = "descriptions.json"


class Answer(BaseModel):
    """One answer, and all that it hangs on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    image: str  # "sha256:" and the hash of the picture's pixels
    model: str
    instruction: str  # its name
    asked: str  # the question, word for word
    time: str  # UTC, ISO 8601
    raw: str  # the answer, as it came
    description: Annotated[Description, PlainSerializer(to_parts)]


class Written(BaseModel):
    """Captions of a picture that a describer wrote into captions.json, by case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: str  # the model
    captions: dict[int, str]


class Kept(BaseModel):
    """The file's content: answers by question, and what was written by file name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answers: dict[str, Answer] = {}
    wrote: dict[str, Written] = {}

    def by_hand(self, captions: Captions) -> dict[str, dict[int, str]]:
        """The captions that differ from what a describer wrote, by file and case: a person's."""
        by_hand = {}
        for file, texts in captions.written().items():
            ours = self.wrote[file].captions if file in self.wrote else {}
            theirs = {case: text for case, text in texts.items() if ours.get(case) != text}
            if theirs:
                by_hand[file] = theirs
        return by_hand

    def with_answer(self, question: str, answer: Answer) -> Kept:
        """The same with one answer more, or in the place of an older one."""
        answers = {**self.answers, question: answer}
        return self.model_copy(update={"answers": answers})


def read_kept(folder: Path | str) -> Kept:
    """What a folder's descriptions.json holds; nothing where there is none.

    Raises ValueError in one line for a file that no describer can have written.
    """
    path = Path(folder) / DESCRIPTIONS
    if not path.exists():
        return Kept()
    try:
        return Kept.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ": ".join(shown_name(str(key)) for key in first["loc"]) or "the whole"
        told = f"expected answers as `sidkit describe` keeps them, got {shown(first['input'])} in {where}"
        raise ValueError(
            f"{path}: {told} ({first['msg']}); move it away to have the pictures described again"
        ) from error


def write_kept(folder: Path | str, kept: Kept) -> None:
    """Write a folder's descriptions.json whole, or not at all."""
    values = kept.model_dump(mode="json", exclude_defaults=True)
    write_json(Path(folder) / DESCRIPTIONS, values)
