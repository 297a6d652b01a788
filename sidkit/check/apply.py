"""Writes the safe changes of the checker into a captions.json; the old text stays beside it."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain, count
from pathlib import Path

from sidkit.captions import CAPTIONS, write_captions
from sidkit.check.check import IN_ANY_CASE, KINDS, find
from sidkit.check.evidence import read_folder
from sidkit.files import check_writable, write_bytes

ROUNDS = 12  # changes to one caption; each takes out or puts in one thing


def fix_folder(folder: Path | str, class_word: str | None = None) -> dict[str, tuple[str, str]]:
    """Put right what is safe in a folder's captions; {file: (as it was, as it is now)} of those that changed.

    Of other cases than the one that is checked, signs and triggers alone are put right, under "00.png, case 1".
    The file as it was is kept as `captions.before.json`, or with a number where that is there. Raises ValueError as
    `check`, and where the folder cannot be written to.
    """
    evidence = read_folder(Path(folder), class_word, pictures=False)
    written = evidence.written
    changed = {}
    for case in evidence.written.cases:
        kinds = KINDS if case == evidence.case else IN_ANY_CASE
        for file, old in evidence.written.of_case(case).items():
            new = fixed(old, evidence.class_word, style=written.of_style, kinds=kinds)
            if new != old:
                changed[file if case == evidence.case else f"{file}, case {case}"] = (old, new)
                written = written.with_text(file, case, new)
    if changed:
        path = evidence.folder / CAPTIONS
        before = _free_name(path)
        for file in (before, path):
            check_writable(file)
        write_bytes(before, path.read_bytes())
        write_captions(evidence.folder, written)
    return changed


def _free_name(path: Path) -> Path:
    """A name for the file as it was, under which nothing is kept yet."""
    names = chain([".before.json"], (f".before-{number}.json" for number in count(2)))
    return next(before for name in names if not (before := path.with_suffix(name)).exists())


def fixed(text: str, class_word: str, *, style: bool = False, kinds: Collection[str] = KINDS) -> str:
    """A caption after every safe change of these kinds, one at a time, as one may make another needless."""
    for _ in range(ROUNDS):
        findings = find({"": text}, class_word, style=style)
        fixes = [finding.fix for finding in findings if finding.fix and finding.kind in kinds]
        if not fixes:
            break
        text = fixes[0]
    return text
