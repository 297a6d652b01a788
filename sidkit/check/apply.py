"""Writes the safe changes of the checker into a captions.json; the old text stays beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from sidkit.captions import CAPTIONS
from sidkit.check.check import find
from sidkit.check.folder import read_folder
from sidkit.files import write_json, write_text
from sidkit.subjects import by_real_name

ROUNDS = 12  # changes to one caption; each takes out or puts in one thing


def fix_folder(folder: Path | str, class_word: str | None = None) -> dict[str, tuple[str, str]]:
    """Put right what is safe in a folder's captions; {file: (as it was, as it is now)} of those that changed.

    The file as it was is kept as `captions.before.json`. ValueError as of `check`.
    """
    told = read_folder(Path(folder), class_word, pictures=False)
    texts = {file: (text, fixed(text, told.class_word, style=told.style)) for file, text in told.captions.items()}
    changed = {file: both for file, both in texts.items() if both[0] != both[1]}
    if changed:
        _write(told.path / CAPTIONS, changed, told.case)
    return changed


def fixed(text: str, class_word: str, *, style: bool = False) -> str:
    """A caption after every safe change, one at a time, as one may make another needless."""
    for _ in range(ROUNDS):
        fixes = [one.fix for one in find({"": text}, class_word, style=style) if one.fix]
        if not fixes:
            break
        text = fixes[0]
    return text


def _write(path: Path, texts: Mapping[str, tuple[str, str]], case: int) -> None:
    old = path.read_text(encoding="utf-8-sig")
    told = json.loads(old)
    told["captions"] = by_real_name(told["captions"], texts)
    for file, (_, new) in texts.items():
        entry = told["captions"][file]
        told["captions"][file] = new if isinstance(entry, str) else {**entry, str(case): new}
    write_text(path.with_suffix(".before.json"), old)
    write_json(path, told)
