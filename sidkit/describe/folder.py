"""Describing a subject's folder: each answer is kept beside the pictures, and captions that a person wrote stay.

`descriptions.json` holds the answers (`sidkit.describe.kept`); a question that is answered there is not asked again.
`captions.json` gets the captions (`sidkit.captions`). A caption in it that is not what a describer wrote there is a
person's: it is never overwritten, whatever a model says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from sidkit.captions import (
    CAPTIONS,
    SID_CASE,
    WRITTEN_CASES,
    Captions,
    check_bias,
    class_word_of,
    read_captions,
    write_captions,
)
from sidkit.config import check_name
from sidkit.describe.answer_error import AnswerError
from sidkit.describe.describers import Describer
from sidkit.describe.description import Description
from sidkit.describe.instructions import Instruction
from sidkit.describe.kept import DESCRIPTIONS, Answer, Kept, Written, read_kept, write_kept
from sidkit.describe.spend import Cost, check_spend
from sidkit.files import check_writable
from sidkit.image_files import load_image
from sidkit.picture_folder import listed_pictures
from sidkit.trade_captions import check_none_beside

HAND = "hand"


@dataclass(frozen=True)
class Described:
    """What became of each picture of a folder, by file name."""

    captions: dict[str, dict[int, str]]
    by: dict[str, str]  # "hand" or the model
    asked: tuple[str, ...]  # files that a question was asked about; the others were answered before, or by hand
    failed: dict[str, AnswerError] = field(default_factory=dict)
    unasked: tuple[str, ...] = ()  # files left out, as the server would have failed on them as well


@dataclass(frozen=True)
class _Picture:
    """A picture that can be read; its pixels are not kept, as a folder of photos would fill the memory."""

    path: Path
    hash: str  # of its pixels
    size: tuple[int, int]  # px


@dataclass(frozen=True)
class _Asking:
    """One question about the pictures of one folder."""

    folder: Path
    describer: Describer
    class_word: str
    instruction: Instruction

    def question(self, picture: _Picture) -> str:
        """What stands for the question in descriptions.json: the same picture, words and model give the same."""
        parts = [picture.hash, self.class_word, self.instruction.text, self.describer.name]
        digest = _sha(json.dumps(parts).encode())
        return digest[:24]

    def ask(self, picture: _Picture) -> None:
        """Ask, and keep the answer. Raises AnswerError for an answer of no use."""
        description = self.describer.describe(load_image(picture.path), self.class_word, self.instruction)
        answer = Answer(
            file=picture.path.name,
            image=f"sha256:{picture.hash}",
            model=description.model,
            instruction=self.instruction.name,
            asked=self.instruction.text,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            raw=description.raw,
            description=replace(description, raw="", model=""),
        )
        write_kept(self.folder, read_kept(self.folder).with_answer(self.question(picture), answer))


def describe_folder(
    folder: Path | str,
    class_word: str | None,
    describer: Describer,
    instruction: Instruction,
    *,
    cases: Sequence[int] = (SID_CASE,),
    bias: Sequence[str] = (),
    spend_at_most: float | None = None,
    again: bool = False,
    agree: Callable[[Cost], float | None] = lambda cost: None,
) -> Described:
    """Describe every picture of a folder that has no caption by hand, and write `captions.json`.

    All is checked, and the cost is known, before the first question. It must not be over `spend_at_most` dollars;
    without that, `agree` is called with the cost and returns the limit. With `again`, questions are asked though they
    are answered. A picture whose answer is of no use is reported, and nothing is written into captions.json before
    every picture has a caption.
    Raises ValueError for pictures, files, a class word, a bias or a cost that will not do, and where nothing can be
    written; a class word or bias that is in captions.json is not changed.
    """
    folder = Path(folder)
    pictures = {path.name: _read(path) for path in listed_pictures(folder, "describe")}
    begun = _begun(folder, pictures)
    word = class_word_of(folder, class_word)
    check_bias(bias, begun, folder)
    kept = read_kept(folder)
    by_hand = kept.by_hand(begun)
    wanted_cases = _cases(cases, by_hand)
    check_none_beside(folder, (name for name in pictures if begun.waits(name)))
    asking = _Asking(folder, describer, word, describer.fits(instruction).filled(word))
    for file in (CAPTIONS, DESCRIPTIONS):
        check_writable(folder / file)

    waiting = [name for name in pictures if set(wanted_cases) - set(by_hand.get(name, {}))]
    questions = {name: asking.question(pictures[name]) for name in waiting}
    unanswered = {name: pictures[name] for name in waiting if again or questions[name] not in kept.answers}
    limit = _limit(asking, unanswered, spend_at_most, agree)
    failed, unasked = _ask_all(asking, unanswered, limit)

    answers = read_kept(folder).answers
    described = [name for name in waiting if name not in failed and name not in unasked]
    answered = {name: answers[questions[name]] for name in described}
    captions = {name: _captions(answered.get(name), by_hand.get(name, {}), wanted_cases) for name in pictures}
    if not failed:
        biases = tuple(bias) or _biases(begun, [answer.description for answer in answered.values()])
        written = begun.model_copy(update={"class_word": word, "bias": biases, "captions": captions})
        _write(folder, written, by_hand, answered)
    by = {name: describer.name if name in waiting else HAND for name in pictures}
    asked = tuple(name for name in unanswered if name not in unasked)
    return Described(captions, by, asked, failed, unasked)


def sources(folder: Path | str) -> dict[str, dict[str, str]]:
    """Who wrote each caption: {file: {case: "hand" or the model}}."""
    captions = read_captions(folder, begun=True)
    kept = read_kept(folder)
    by_hand = kept.by_hand(captions)
    writers: dict[str, dict[str, str]] = {}
    for file, texts in captions.written().items():
        writers[file] = {}
        for case in texts:
            a_person_s = case in by_hand.get(file, {})
            writers[file][str(case)] = HAND if a_person_s else kept.wrote[file].by
    return writers


def unwritten(folder: Path | str) -> list[str]:
    """Names of the pictures of a folder that have no caption yet. ValueError for a folder without pictures."""
    names = [path.name for path in listed_pictures(Path(folder), "describe")]
    captions = read_captions(folder, begun=True).named_as(names)
    return [name for name in names if captions.waits(name)]


def _begun(folder: Path, images: Iterable[str]) -> Captions:
    """What is in captions.json so far. ValueError for a caption without its picture, which would get lost."""
    begun = read_captions(folder, begun=True).named_as(images)
    for fault in begun.astray(images):
        raise ValueError(f"{folder}: {fault.message}")
    return begun


def _cases(cases: Sequence[int], by_hand: Mapping[str, Mapping[int, str]]) -> tuple[int, ...]:
    """The cases asked for, and those that a person wrote for any picture: every picture has the same ones."""
    for case in cases:
        check_name("case", str(case), map(str, WRITTEN_CASES))
    wanted = set(cases).union(*by_hand.values())
    return tuple(sorted(wanted))


def _limit(
    asking: _Asking, pictures: Mapping[str, _Picture], limit: float | None, agree: Callable[[Cost], float | None]
) -> float | None:
    """The dollars that may be spent; ValueError if the questions would cost more, or nobody agreed."""
    sizes = [picture.size for picture in pictures.values()]
    cost = asking.describer.cost(sizes, asking.instruction) if sizes else None
    if cost is None:
        return limit
    limit = agree(cost) if limit is None else limit
    check_spend(cost, limit)
    return limit


def _ask_all(
    asking: _Asking, pictures: Mapping[str, _Picture], limit: float | None
) -> tuple[dict[str, AnswerError], tuple[str, ...]]:
    """Ask about each picture, and keep each answer as it comes. What failed, by file, and the files not asked about.

    A server that is not there, or fails on two pictures one after the other, is not asked about the next.
    """
    failed: dict[str, AnswerError] = {}
    names = list(pictures)
    before = None
    for index, (name, picture) in enumerate(tqdm(pictures.items(), "describe", disable=len(pictures) < 2)):
        paid = asking.describer.paid
        if limit is not None and paid > limit:
            raise ValueError(f"spent ${paid:.4f} of ${limit:.4f}: stopped before {name}; answers so far are kept")
        try:
            asking.ask(picture)
            before = None
        except AnswerError as error:
            failed[name] = error
            if error.for_all or (error.of_try and before == error.kind):
                return failed, tuple(names[index + 1 :])
            before = error.kind
    return failed, ()


def _captions(answer: Answer | None, by_hand: Mapping[int, str], cases: Sequence[int]) -> dict[int, str]:
    """A picture's captions: a person's, and for the other cases those that an answer makes."""
    captions = {}
    for case in sorted({*cases, *by_hand}):
        if case in by_hand:
            captions[case] = by_hand[case]
        elif answer is not None:
            captions[case] = answer.description.caption(case)
    return captions


def _biases(begun: Captions, described: Sequence[Description]) -> tuple[str, ...]:
    """Those written, or else what the descriptions speak of."""
    if begun.bias:
        return begun.bias
    if any(description.of_style for description in described):
        return ("substance",)
    return ("background", "nearby") if any(description.objects for description in described) else ("background",)


def _write(
    folder: Path, captions: Captions, by_hand: Mapping[str, Mapping[int, str]], answered: Mapping[str, Answer]
) -> None:
    """Write captions.json, and beside it what in it is a describer's; files that say so already stay as they are."""
    wrote = {}
    for name, answer in answered.items():
        theirs = by_hand.get(name, {})
        ours = {case: text for case, text in captions.captions[name].items() if case not in theirs}
        wrote[name] = Written(by=answer.model, captions=ours)
    before = read_kept(folder)
    kept: Kept = before.model_copy(update={"wrote": wrote})
    if kept.model_dump() != before.model_dump():
        write_kept(folder, kept)
    if captions.model_dump() != read_captions(folder, begun=True).model_dump():
        write_captions(folder, captions)


def _read(path: Path) -> _Picture:
    image = load_image(path)
    return _Picture(path, _hash(image), image.size)


def _hash(image: Image.Image) -> str:
    size = f"{image.mode} {image.width}x{image.height} "
    return _sha(size.encode() + image.tobytes())


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
