"""Describing a subject's folder: each answer is kept beside the pictures, and captions that a person wrote stay.

`descriptions.json` holds the answers, each with its picture's hash, the model, the question, the time and the raw
text; a question that is answered there is not asked again. `captions.json` gets the captions. A caption in it that is
not what a describer wrote there is a person's: it is never overwritten, whatever a model says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from sidkit.captions import BIASES, CAPTIONS, SID_CASE, WRITTEN_CASES
from sidkit.config import check_name
from sidkit.describe.answers import AnswerError
from sidkit.describe.describers import Describer
from sidkit.describe.description import Description, from_parts, to_parts
from sidkit.describe.instructions import Instruction
from sidkit.describe.spend import Cost, check_spend
from sidkit.files import write_json
from sidkit.subjects import SUFFIXES, by_real_name, load_image, picture_files

DESCRIPTIONS = "descriptions.json"
HAND = "hand"


@dataclass(frozen=True)
class Report:
    """What became of each file: who wrote its caption now, and what went wrong."""

    captions: dict[str, dict[int, str]]
    by: dict[str, str]  # file -> "hand" or the model
    asked: tuple[str, ...]  # files that a question was asked about; the others were answered before, or by hand
    failed: dict[str, AnswerError] = field(default_factory=dict)


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
) -> Report:
    """Describe every picture of a folder that has no caption by hand, and write `captions.json`.

    All is checked, and the cost is known, before the first question. It must not be over `spend_at_most` dollars;
    without that, `agree` is called with the cost and returns the limit. With `again`, questions are asked though they
    are answered. A picture whose answer is of no use is reported, and nothing is written into captions.json before
    every picture has a caption.
    Raises ValueError for pictures, files, a class word or a cost that will not do.
    """
    folder = Path(folder)
    told = _read(folder / CAPTIONS)
    word = _class_word(class_word, told, folder)
    images = {path.name: load_image(path) for path in _pictures(folder)}
    kept = _read(folder / DESCRIPTIONS)
    mine = _by_hand(told.get("captions", {}), kept.get("wrote", {}))
    wanted = _cases(cases, mine)
    asking = describer.fits(instruction).filled(word)
    questions = {name: _question(image, word, asking, describer.name) for name, image in images.items()}
    open_files = [name for name in images if set(wanted) - set(mine.get(name, {}))]
    known = {} if again else kept.get("answers", {})
    todo = [name for name in open_files if questions[name] not in known]
    limit = _agreed(describer, asking, [images[name].size for name in todo], spend_at_most, agree)
    failed = _ask_all(folder, describer, word, asking, {name: (images[name], questions[name]) for name in todo}, limit)
    answers = _read(folder / DESCRIPTIONS).get("answers", {})
    described = {name: from_parts(answers[questions[name]]["description"]) for name in open_files if name not in failed}
    captions = {name: _captions(described.get(name), mine.get(name, {}), wanted) for name in images}
    if not failed:
        _write_captions(folder, told, word, _biases(bias, told, described.values()), captions, mine)
    by = {name: HAND if name not in open_files else describer.name for name in images}
    return Report(captions, by, tuple(todo), failed)


def sources(folder: Path | str) -> dict[str, dict[str, str]]:
    """Who wrote each caption: {file: {case: "hand" or the model}}."""
    told, kept = _read(Path(folder) / CAPTIONS), _read(Path(folder) / DESCRIPTIONS)
    captions, wrote = told.get("captions", {}), kept.get("wrote", {})
    mine = _by_hand(captions, wrote)
    return {
        name: {str(case): HAND if case in mine.get(name, {}) else wrote[name]["by"] for case in _by_case(entry)}
        for name, entry in captions.items()
    }


def class_word_of(folder: Path | str) -> str:
    """The class word in a folder's captions.json, "" where there is none."""
    return str(_read(Path(folder) / CAPTIONS).get("class_word") or "").strip()


def unwritten(folder: Path | str) -> list[str]:
    """Names of the pictures of a folder that have no caption yet. ValueError for a folder without pictures."""
    pictures = [path.name for path in _pictures(Path(folder))]
    told = by_real_name(_read(Path(folder) / CAPTIONS).get("captions", {}), pictures)
    texts = {name: list(_by_case(told.get(name)).values()) for name in pictures}
    return [name for name, said in texts.items() if not said or not all(text.strip() for text in said)]


def _by_hand(captions: Mapping[str, Any], wrote: Mapping[str, Any]) -> dict[str, dict[int, str]]:
    """Captions that differ from what a describer wrote: a person's. Empty ones wait for somebody."""
    found = {}
    for name, entry in captions.items():
        ours = wrote.get(name, {}).get("captions", {})
        found[name] = {
            case: text for case, text in _by_case(entry).items() if text.strip() and ours.get(str(case)) != text
        }
    return {name: texts for name, texts in found.items() if texts}


def _by_case(entry: Any) -> dict[int, str]:
    entry = {str(SID_CASE): entry} if isinstance(entry, str) else entry or {}
    return {int(check_name("case", str(case), map(str, WRITTEN_CASES))): str(text) for case, text in entry.items()}


def _cases(cases: Sequence[int], mine: Mapping[str, Mapping[int, str]]) -> tuple[int, ...]:
    """The cases asked for, and those that a person wrote for any picture: every picture has the same ones."""
    asked = {int(check_name("case", str(case), map(str, WRITTEN_CASES))) for case in cases}
    return tuple(sorted(asked | {case for texts in mine.values() for case in texts}))


def _captions(described: Description | None, mine: Mapping[int, str], cases: Sequence[int]) -> dict[int, str]:
    made = {case: described.caption(case) for case in cases if case not in mine} if described else {}
    return dict(sorted((made | dict(mine)).items()))


def _question(image: Image.Image, class_word: str, instruction: Instruction, model: str) -> str:
    """What stands for a question: the same picture, words and model give the same."""
    return _sha(json.dumps([_hash(image), class_word, instruction.text, model]).encode())[:24]


def _agreed(
    describer: Describer, asking: Instruction, sizes: list, limit: float | None, agree: Callable[[Cost], float | None]
) -> float | None:
    """The dollars that may be spent; ValueError if the questions would cost more, or nobody agreed."""
    cost = describer.cost(sizes, asking) if sizes else None
    if cost is None:
        return limit
    limit = agree(cost) if limit is None else limit
    check_spend(cost, limit)
    return limit


def _ask_all(
    folder: Path, describer: Describer, word: str, asking: Instruction, todo: Mapping, limit: float | None
) -> dict[str, AnswerError]:
    """Ask, and keep each answer as it comes; what failed, by file."""
    failed: dict[str, AnswerError] = {}
    for name, (image, question) in tqdm(todo.items(), "describe", disable=len(todo) < 2):
        if limit is not None and describer.paid > limit:
            raise ValueError(
                f"spent ${describer.paid:.4f} of ${limit:.4f}: stopped before {name}; answers so far are kept"
            )
        try:
            told = describer.describe(image, word, asking)
        except AnswerError as error:
            failed[name] = error
            continue
        _keep(folder / DESCRIPTIONS, question, _record(name, image, asking, told))
    return failed


def _record(name: str, image: Image.Image, asking: Instruction, told: Description) -> dict[str, Any]:
    return {
        "file": name,
        "image": f"sha256:{_hash(image)}",
        "model": told.model,
        "instruction": asking.name,
        "asked": asking.text,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "raw": told.raw,
        "description": to_parts(replace(told, raw="", model="")) | {"class_word": told.class_word},
    }


def _keep(path: Path, question: str, record: dict[str, Any]) -> None:
    kept = _read(path)
    kept.setdefault("answers", {})[question] = record
    write_json(path, kept)


def _write_captions(
    folder: Path, told: dict, word: str, bias: Sequence[str], captions: Mapping[str, Mapping[int, str]], mine: Mapping
) -> None:
    """Write captions.json whole, and beside it what in it is ours."""
    entries = {name: texts[SID_CASE] if set(texts) == {SID_CASE} else {str(case): text for case, text in texts.items()}
               for name, texts in captions.items()}  # fmt: skip
    kept = _read(folder / DESCRIPTIONS)
    answers = sorted(kept.get("answers", {}).values(), key=lambda answer: answer["time"])
    models = {answer["file"]: answer["model"] for answer in answers}  # the last one counts
    ours = {name: {str(case): text for case, text in texts.items() if case not in mine.get(name, {})}
            for name, texts in captions.items()}  # fmt: skip
    kept["wrote"] = {name: {"by": models[name], "captions": texts} for name, texts in ours.items() if texts}
    write_json(folder / DESCRIPTIONS, kept)
    write_json(folder / CAPTIONS, {**told, "class_word": word, "bias": list(bias), "captions": entries})


def _biases(bias: Sequence[str], told: Mapping, described: Iterable[Description]) -> list[str]:
    """Those given, those written, or else what the descriptions speak of."""
    if bias or told.get("bias"):
        given = bias or told["bias"]
        return [check_name("bias", one, BIASES) for one in ([given] if isinstance(given, str) else given)]
    described = list(described)
    if any(one.of_style for one in described):
        return ["substance"]
    return ["background", *(["nearby"] if any(one.objects for one in described) else [])]


def _class_word(given: str | None, told: Mapping, folder: Path) -> str:
    word = given or told.get("class_word")
    if not isinstance(word, str) or not word.strip():
        raise ValueError(f"{folder}: expected a class word, got none; say --class dog")
    return word.strip()


def _pictures(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise ValueError(f"describe: expected a folder of pictures at {folder}, found none")
    found = picture_files(folder)
    if not found:
        raise ValueError(f"describe: expected pictures in {folder} ({', '.join(SUFFIXES)}), found none")
    return found


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, {error}; put it right, or move it away") from error
    if not isinstance(told, dict):
        raise ValueError(f"{path}: expected a JSON object, got {str(told)[:60]!r}")
    return told


def _hash(image: Image.Image) -> str:
    return _sha(f"{image.mode} {image.width}x{image.height} ".encode() + image.tobytes())


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
