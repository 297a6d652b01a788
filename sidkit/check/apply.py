"""Writes the safe changes of the checker into a captions.json; the old text stays beside it."""

from __future__ import annotations

from pathlib import Path

from sidkit.captions import CAPTIONS, write_captions
from sidkit.check.check import find
from sidkit.check.evidence import read_folder
from sidkit.files import write_bytes

ROUNDS = 12  # changes to one caption; each takes out or puts in one thing


def fix_folder(folder: Path | str, class_word: str | None = None) -> dict[str, tuple[str, str]]:
    """Put right what is safe in a folder's captions; {file: (as it was, as it is now)} of those that changed.

    The file as it was is kept as `captions.before.json`. ValueError as of `check`.
    """
    evidence = read_folder(Path(folder), class_word, pictures=False)
    written = evidence.written
    changed = {}
    for file, old in evidence.captions.items():
        new = fixed(old, evidence.class_word, style=written.of_style)
        if new != old:
            changed[file] = (old, new)
            written = written.with_text(file, evidence.case, new)
    if changed:
        path = evidence.folder / CAPTIONS
        write_bytes(path.with_suffix(".before.json"), path.read_bytes())
        write_captions(evidence.folder, written)
    return changed


def fixed(text: str, class_word: str, *, style: bool = False) -> str:
    """A caption after every safe change, one at a time, as one may make another needless."""
    for _ in range(ROUNDS):
        fixes = [finding.fix for finding in find({"": text}, class_word, style=style) if finding.fix]
        if not fixes:
            break
        text = fixes[0]
    return text
