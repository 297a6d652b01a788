"""A beginning with pictures of one's own: a captions file to fill in, and a chapter of the book for them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat

from sidkit.captions import BIASES, CAPTIONS, SID_CASE, Captions, write_captions
from sidkit.config import check_name, profiles
from sidkit.describe.folder import class_word_of
from sidkit.files import write_text
from sidkit.notebook import find_notebook
from sidkit.subjects import readable_pictures

CHAPTER, LABEL = "11_your_images", "yours-"
TOC, PART = "_toc.yml", "Your own images"


def make_new(folder: Path, class_word: str, bias: Sequence[str], *, profile: str, scale: str, root: Path) -> list[Path]:
    """Write `captions.json` into `folder`, if it has none, and a copy of chapter 11 for it into the book in `root`.

    Every picture gets an empty caption, to be written by hand or by `sidkit describe`; none that is there is touched,
    and the class word that is there wins.
    Returns the paths that were written. Raises ValueError, before anything is written, for a folder without pictures
    or with one that cannot be read, an empty class word, an unknown bias or profile, a folder without a book, and a
    chapter that is there already.
    """
    pictures = [path.name for path in readable_pictures(folder, "new")]
    if not class_word.strip():
        raise ValueError("class: expected a word such as dog, got an empty one")
    for name in bias:
        check_name("bias", name, BIASES)
    if not profile.endswith((".yaml", ".yml")):
        check_name("profile", profile, profiles())
    toc = root / TOC
    chapter_name = _chapter_name(folder)
    notebook = root / "notebooks" / f"{chapter_name}.ipynb"
    if not toc.is_file():
        raise ValueError(f"root: expected the book's {TOC} in {root.resolve()}, found none; go there, or say --root")
    if notebook.exists():
        raise ValueError(f"{notebook}: expected no such chapter yet; edit it, or move it away")
    word = class_word_of(folder) or class_word.strip()
    parameters = {"folder": _place(folder, root), "class_word": word, "profile": profile, "scale": scale}
    written = [notebook, toc]
    if not (folder / CAPTIONS).exists():
        waiting = {picture: {SID_CASE: ""} for picture in pictures}
        write_captions(folder, Captions(class_word=word, bias=tuple(bias), captions=waiting))
        written.insert(0, folder / CAPTIONS)
    write_text(notebook, chapter(chapter_name, folder.resolve().name, parameters))
    write_text(toc, _with_chapter(toc.read_text(), chapter_name))
    return written


def chapter(name: str, title: str, parameters: dict[str, str]) -> str:
    """Chapter 11 as JSON, with `parameters` for its parameters, and titles and labels that are its own."""
    notebook = nbformat.read(find_notebook(CHAPTER), as_version=4)
    first = notebook.cells[0]
    first.source = re.sub(r"^# .*", f"# Your own images: {title}", first.source, count=1)
    for cell in notebook.cells:
        cell.source = cell.source.replace(LABEL, f"{name}-")
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = _with(cell.source, parameters)
        shown = cell.metadata.get("mystnb", {})
        if "figure" in shown:
            label = shown["figure"]["name"]
            shown["figure"]["name"] = label.replace(LABEL, f"{name}-")
    return nbformat.writes(notebook) + "\n"


def _with(cell: str, parameters: dict[str, str]) -> str:
    """The parameters cell with other texts for the names that are parameters."""
    for name, value in parameters.items():
        assigned = re.compile(rf'^({name}\b[^=\n]*= )"[^"\n]*"', re.MULTILINE)
        literal = json.dumps(value, ensure_ascii=False)
        escaped = literal.replace("\\", r"\\")
        cell = assigned.sub(rf"\g<1>{escaped}", cell)
    return cell


def _chapter_name(folder: Path) -> str:
    """A file's name for the chapter; what a link cannot hold becomes a hyphen, or a number if nothing is left."""
    name = folder.resolve().name
    digest = hashlib.sha256(name.encode()).hexdigest()
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"own-{slug or digest[:6]}"


def _place(folder: Path, root: Path) -> str:
    """The folder as the notebook says it: from the book's root where it lies inside, so that both can move."""
    folder, root = folder.resolve(), root.resolve()
    if folder.is_relative_to(root):
        folder = folder.relative_to(root)
    return folder.as_posix()


def _with_chapter(toc: str, name: str) -> str:
    """The table of contents with the chapter in a part of its own, which is the last."""
    lines = [toc.rstrip()]
    if f"caption: {PART}" not in toc:
        lines += [f"  - caption: {PART}", "    chapters:"]
    lines += [f"      - file: book/chapters/{name}", ""]
    return "\n".join(lines)
