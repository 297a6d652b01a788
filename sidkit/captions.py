"""captions.json: what a person, or a describer, wrote of a subject's pictures. One reader for everybody.

    {"class_word": "cat", "bias": ["background"],
     "captions": {"00.jpg": "a photo of a [v] cat on a green sofa",
                  "01.jpg": "a photo of a [v] cat on a green sofa beside a paper bag"}}

`[v]` stands for the identifier. A picture's caption is a text, which is the paper's case 3 (SID), or, to compare
cases, one text each: `"00.jpg": {"1": "a photo of a [v] cat", "3": "a photo of a [v] cat on a green sofa"}`.
`"name"` may name the subject where the folder's name would not. A file that is begun may lack any of it, and an empty
caption waits to be written: `read_captions` refuses what is malformed, `Captions.faults` tells what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from sidkit.config import check_name
from sidkit.files import composed, read_json, write_json
from sidkit.mark import MARK, TRIGGER, check_mark
from sidkit.shown import shown, shown_name

CAPTIONS = "captions.json"
BIASES = ("background", "nearby", "tied", "substance", "pose")  # what leaks into [v] (section 3.1)
WRITTEN_CASES = (1, 2, 3, 4)  # of Table 1; `sidkit.describe.cases` says what they are
USUAL_CASE = 1  # the class alone, as most people caption
SID_CASE = 3  # the paper's; a caption that is only a text is of this case

EXAMPLE = '{"class_word": "dog", "bias": ["background"], "captions": {"00.png": "a photo of a [v] dog on a beach"}}'
NEEDED = ("class_word", "bias", "captions")  # keys to train with
MISNAMED = ("captions.json.txt", "captions.json.json", "captions.jsonc", "captions.json5", CAPTIONS)  # in any case
DETERMINER = re.compile(r"(?:an?|the|my|our|your|his|her|its|their|this|that|these|those|some)\s", re.IGNORECASE)


def _listed(bias: Any) -> Any:
    if isinstance(bias, str):
        return (bias,)
    return tuple(bias) if isinstance(bias, list) else bias


def _number(case: Any) -> Any:
    return int(case) if case in map(str, WRITTEN_CASES) else case


def _unmarked(word: str) -> str:
    if MARK in word or not word.isprintable():
        raise ValueError(f"without {MARK} and line ends")
    return word


def _of_a_kind(word: str) -> str:
    if TRIGGER.search(word) or DETERMINER.match(word):
        raise ValueError("without a trigger and an article")
    return word


def _by_case(entry: Any) -> Any:
    return {str(SID_CASE): entry} if isinstance(entry, str) else entry


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_unmarked)]
ClassWord = Annotated[Text, AfterValidator(_of_a_kind)]
Bias = Literal[BIASES]
Case = Annotated[Literal[WRITTEN_CASES], BeforeValidator(_number)]


@dataclass(frozen=True)
class Fault:
    """Why captions cannot be trained on as they stand: because of which file, and of which case if it is one's."""

    file: str
    message: str  # in one line: what was expected, what came, what to do
    case: int | None = None


class Captions(BaseModel):
    """The content of captions.json. Captions are texts with `[v]` by file name and case; an empty one waits."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Text | None = None
    class_word: ClassWord | None = None
    bias: Annotated[tuple[Bias, ...], BeforeValidator(_listed)] = ()
    captions: dict[str, Annotated[dict[Case, str], BeforeValidator(_by_case)]] = {}

    @property
    def of_style(self) -> bool:
        """Whether what is learnt is a style, whose pictures are all that is undesired (Fig. 3, example 2)."""
        return "substance" in self.bias

    @property
    def cases(self) -> tuple[int, ...]:
        """The cases that any picture has a text of."""
        return tuple(sorted({case for texts in self.written().values() for case in texts}))

    def written(self) -> dict[str, dict[int, str]]:
        """The captions that do not wait, by file and case; a file without one is not in it."""
        written = {}
        for file, texts in self.captions.items():
            kept = {case: text for case, text in texts.items() if text.strip()}
            if kept:
                written[file] = kept
        return written

    def of_case(self, case: int) -> dict[str, str]:
        """The texts of one case by file."""
        written = self.written()
        return {file: texts[case] for file, texts in written.items() if case in texts}

    def waits(self, file: str) -> bool:
        """Whether a picture has no caption yet, or one that is empty."""
        texts = self.captions.get(file, {})
        return not texts or not all(map(str.strip, texts.values()))

    def named_as(self, pictures: Iterable[str]) -> Captions:
        """The same by the names that the pictures have: an accent may be spelt as one character with its letter or two.

        Raises ValueError where two captions are of one picture.
        """
        real_names = {composed(name): name for name in pictures}
        captions: dict[str, dict[int, str]] = {}
        for file, texts in self.captions.items():
            name = real_names.get(composed(file), file)
            if name in captions:
                told = f"expected one caption for {shown_name(name)}, got two, its accents spelt in two ways"
                raise ValueError(f"{CAPTIONS}: {told}")
            captions[name] = texts
        return self.model_copy(update={"captions": captions})

    def with_text(self, file: str, case: int, text: str) -> Captions:
        """The same with one text in the place of what was there."""
        texts = {**self.captions[file], case: text}
        captions = {**self.captions, file: texts}
        return self.model_copy(update={"captions": captions})

    def faults(self, pictures: Iterable[str]) -> Iterator[Fault]:
        """All that is in the way of training on pictures of these names; none where nothing is."""
        pictures = sorted(pictures)
        written = self.written()
        yield from self._lacking()
        yield from self.astray(pictures)
        for name in pictures:
            if name not in written:
                yield Fault(name, f"expected a caption for each picture, got none for {shown_name(name)}; describe it")
        yield from self._uneven()
        yield from self._badly_marked()

    def astray(self, pictures: Iterable[str]) -> Iterator[Fault]:
        """Captions of pictures that are not there."""
        for file in sorted(set(self.captions) - set(pictures)):
            if unknown := _unknown("picture", file, pictures):
                yield Fault(file, f"{unknown}; put the picture back, or take its caption out")

    def _lacking(self) -> Iterator[Fault]:
        """Keys that are not there, and a bias that names nothing."""
        given = self.model_dump(exclude_unset=True, exclude_none=True)
        for key in NEEDED:
            if key not in given:
                yield Fault(CAPTIONS, f"expected the keys {', '.join(NEEDED)}; {key} is not there")
        if "bias" in given and not self.bias:
            yield Fault(CAPTIONS, f"expected bias to be a list of {', '.join(BIASES)}, got an empty one")

    def _uneven(self) -> Iterator[Fault]:
        """Pictures that lack a case which another has."""
        cases = self.cases
        for file, texts in self.written().items():
            for case in cases:
                if case not in texts:
                    name = shown_name(file)
                    message = f"expected the same cases for every picture, but {name} lacks case {case}; write it"
                    yield Fault(file, message, case)

    def _badly_marked(self) -> Iterator[Fault]:
        """Texts that do not name the subject exactly once."""
        for file, texts in self.written().items():
            for case, text in texts.items():
                try:
                    check_mark(text, f"case {case} of {shown_name(file)}")
                except ValueError as error:
                    yield Fault(file, str(error), case)


def read_captions(folder: Path | str, *, begun: bool = False) -> Captions:
    """Read a folder's captions.json; with `begun`, a file that is not there yet holds nothing.

    Raises ValueError in one line, which names the file, for one that is missing or misnamed, no JSON, has a key twice,
    or holds anything but what is described above.
    """
    path = Path(folder) / CAPTIONS
    if not path.exists():
        _check_not_misnamed(path.parent)
        if begun:
            return Captions()
        told = f"expected {path} with a caption for each picture, found none"
        raise ValueError(f"{told}; `sidkit new` makes one to fill in, or write {EXAMPLE}")
    try:
        return Captions.model_validate(read_json(path))
    except ValidationError as error:
        raise ValueError(f"{path}: {_explained(error)}") from error


def _check_not_misnamed(folder: Path) -> None:
    """Raise ValueError where what somebody wrote goes by another name: an editor added `.txt`, which Windows hides."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.lower() in MISNAMED:
            raise ValueError(f"{path}: expected captions in {CAPTIONS}, got a file of this name; rename it")


def class_word_of(folder: Path | str, given: str | None = None) -> str:
    """The class word in a folder's captions.json, or else the one `given`.

    Raises ValueError where there is neither, and where the two differ: what is written is not changed unsaid.
    """
    path = Path(folder) / CAPTIONS
    written = read_captions(folder, begun=True).class_word or ""
    given = (given or "").strip()
    if not written and not given:
        told = f"expected what kind of thing {folder} shows, such as dog, got nothing"
        raise ValueError(f"class_word: {told}; say it (--class dog), or write it into {CAPTIONS}")
    if written and given and written != given:
        told = f"expected {shown(written)} as in {path}, got {shown(given)}"
        raise ValueError(f"class_word: {told}; leave it out, or change the file")
    return written or _word(given)


def check_bias(bias: Sequence[str], written: Captions, folder: Path | str) -> None:
    """Raise ValueError for a bias that is unknown, or not what a folder's captions.json says."""
    for name in bias:
        check_name("bias", name, BIASES)
    if bias and written.bias and set(bias) != set(written.bias):
        expected = f"expected {', '.join(written.bias)} as in {Path(folder) / CAPTIONS}, got {', '.join(bias)}"
        raise ValueError(f"bias: {expected}; leave it out, or change the file")


def _word(given: str) -> str:
    """A class word that may stand in captions.json. ValueError for any other."""
    try:
        return Captions(class_word=given).class_word
    except ValidationError as error:
        raise ValueError(_explained(error)) from error


def write_captions(folder: Path | str, captions: Captions) -> None:
    """Write a folder's captions.json whole, or not at all; a picture that has case 3 alone gets a plain text."""
    values = captions.model_dump(exclude_none=True)
    for file, texts in captions.captions.items():
        if set(texts) == {SID_CASE}:
            values["captions"][file] = texts[SID_CASE]
    write_json(Path(folder) / CAPTIONS, values)


def _explained(error: ValidationError) -> str:
    """The first of pydantic's errors in our words."""
    first = error.errors()[0]
    where, value = first["loc"], first["input"]
    got = shown(value)
    if not where:
        return f'expected an object {{"class_word": ..., "bias": ..., "captions": ...}}, got {got}'
    match where[0], where[1:]:
        case "name", _:
            return f'expected name to be a text such as "Rex", without {MARK}, got {got}'
        case "class_word", _:
            return f'expected class_word to be a text such as "dog", without {MARK}, another trigger or "a", got {got}'
        case "bias", _:
            return _unknown("bias", value, BIASES) or f"expected bias to be a list of {', '.join(BIASES)}, got {got}"
        case "captions", ():
            return f"expected captions to map file names to captions, got {got}"
        case "captions", (file, *_):
            name = shown_name(file)
            form = f'expected {name} to have a caption or {{"1": caption, "3": caption}}, got {got}'
            return (where[-1] == "[key]" and _unknown(f"case of {name}", value, map(str, WRITTEN_CASES))) or form
    unknown = _unknown("key", where[0], Captions.model_fields)
    return f"{unknown}; its form is {EXAMPLE}" if unknown else str(error)


def _unknown(kind: str, value: Any, known: Iterable[str]) -> str:
    """What `check_name` says of a name that is not known; "" of anything else."""
    try:
        check_name(kind, value, known) if isinstance(value, str) else None
    except ValueError as error:
        return str(error)
    return ""
