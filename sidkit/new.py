"""A beginning with pictures of one's own: a captions file to fill in, and a chapter of the book for them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import nbformat

from sidkit.captions import CAPTIONS, Captions, check_bias, class_word_of, read_captions, write_captions
from sidkit.config import load_profile, profiles
from sidkit.files import check_writable, write_text
from sidkit.layouts.taken import Layout, check_place, fill, read_layout
from sidkit.markdown import Markdown
from sidkit.notebook_file import find_notebook, read_notebook
from sidkit.parameters import declared_parameters
from sidkit.picture_folder import is_text
from sidkit.shown import shown
from sidkit.toc import TOC, with_chapter

CHAPTER, LABEL = "11_your_images", "yours-"
PART = "Your own images"
USUAL_BIAS = ("background",)
LONGEST_SLUG = 80  # letters of a folder's name in a chapter's


def make_new(
    folder: Path,
    class_word: str,
    bias: Sequence[str] = (),
    *,
    profile: str,
    scale: str,
    root: Path,
    source: Path | None = None,
    trigger: str | None = None,
    tell: Callable[[Layout], None] = lambda layout: None,
) -> list[Path]:
    """Write `captions.json` into `folder`, if it has none, and a copy of chapter 11 for it into the book in `root`.

    With a `source`, another trainer's folder, `folder` is made first, of copies. Captions that lie beside the pictures
    are taken over, with `[v]` for their `trigger`; every other picture gets an empty caption, to be written by hand or
    by `sidkit describe`; without a `bias`, it is the background. A captions.json that is there stays as it is.
    Returns the paths that were written, after `tell` was called with what the folder held. Raises ValueError, before
    anything is written, for a folder without pictures or with a file that cannot be read, an empty class word, an
    unknown bias or profile, a class word or bias that is not the one in captions.json, a folder without a book, a
    chapter that is there already, and where nothing can be written.
    """
    if source is not None:
        check_place(folder, source)
    of_style = "substance" in bias
    layout = read_layout(source or folder, class_word, trigger=trigger, of_style=of_style, deeper=source is not None)
    begun = _begun(folder, class_word, bias, layout)
    chapter_name = _free_name(folder, root)
    notebook, toc = _notebook(chapter_name, root), root / TOC
    if not toc.is_file():
        raise ValueError(f"root: expected the book's {TOC} in {root.resolve()}, found none; go there, or say --root")
    if notebook.exists():
        raise ValueError(f"{notebook}: expected no such chapter yet; edit it, or move it away")
    parameters = {
        "folder": _place(folder, root),
        "class_word": begun.class_word,
        "profile": _profile(profile, root),
        "scale": scale,
    }
    text_by_path = {
        notebook: chapter(chapter_name, folder.resolve().name, parameters),
        toc: with_chapter(toc, chapter_name, PART),
    }
    captions = folder / CAPTIONS
    written = [*text_by_path] if captions.exists() else [captions, *text_by_path]
    for path in written if source is None else text_by_path:
        check_writable(path)
    if source is not None:
        fill(folder, layout, begun)
    elif captions in written:
        write_captions(folder, begun)
    for path, text in text_by_path.items():
        write_text(path, text)
    tell(layout)
    return written


def _begun(folder: Path, class_word: str, bias: Sequence[str], layout: Layout) -> Captions:
    """The folder's captions, or, where there are none, such as wait to be written. ValueError as `make_new`."""
    if not class_word.strip():
        raise ValueError("class: expected a word such as dog, got an empty one")
    word = class_word_of(folder, class_word)
    begun = read_captions(folder, begun=True)
    check_bias(bias, begun, folder)
    new = Captions(class_word=word, bias=tuple(bias) or USUAL_BIAS, captions=layout.captions)
    return begun.model_copy(update={"class_word": word}) if (folder / CAPTIONS).exists() else new


def chapter(name: str, title: str, parameters: dict[str, str]) -> str:
    """Chapter 11 as JSON, with `parameters` for its parameters, and titles and labels that are its own."""
    notebook = read_notebook(find_notebook(CHAPTER))
    first = notebook.cells[0]
    _, _, below = first.source.partition("\n")
    head = Markdown("# Your own images: {}").format(title)
    first.source = f"{head}\n{below}"
    for cell in notebook.cells:
        cell.source = cell.source.replace(LABEL, f"{name}-")
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = _with(cell.source, parameters)
        drawn = cell.metadata.get("mystnb", {})
        if "figure" in drawn:
            label = drawn["figure"]["name"]
            drawn["figure"]["name"] = label.replace(LABEL, f"{name}-")
    return nbformat.writes(notebook) + "\n"


def _with(cell: str, parameters: dict[str, str]) -> str:
    """The parameters cell with other texts for the names that are parameters."""
    for name, value in parameters.items():
        assigned = re.compile(rf'^({name}\b[^=\n]*= )"[^"\n]*"', re.MULTILINE)
        literal = json.dumps(value, ensure_ascii=False)
        cell = assigned.sub(partial(_assigned, literal), cell)
    return cell


def _assigned(literal: str, match: re.Match) -> str:
    """The left side of an assignment with another literal: no backslash in it means anything here."""
    return match.group(1) + literal


def _free_name(folder: Path, root: Path) -> str:
    """The chapter's name; where the chapter of another folder has it (`lab/cat`, `home/cat`), with a number behind."""
    name, place = _chapter_name(folder), _place(folder, root)
    notebook = _notebook(name, root)
    if not notebook.exists() or _is_of(notebook, place):
        return name
    return f"{name}-{hashlib.sha256(place.encode()).hexdigest()[:6]}"


def _is_of(notebook: Path, place: str) -> bool:
    """Whether a chapter is of the folder at a place."""
    parameters = declared_parameters(notebook)
    return "folder" in parameters and parameters["folder"].default == place


def _notebook(name: str, root: Path) -> Path:
    return root / "notebooks" / f"{name}.ipynb"


def _chapter_name(folder: Path) -> str:
    """A file's name for the chapter; what a link cannot hold becomes a hyphen, or a number if nothing is left."""
    name = folder.resolve().name
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:6]
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if len(slug) > LONGEST_SLUG:
        slug = f"{slug[:LONGEST_SLUG]}-{digest}"
    return f"own-{slug or digest}"


def _place(folder: Path, root: Path) -> str:
    """The folder as the notebook says it: from the book's root where it lies inside, so that both can move."""
    folder, root = folder.resolve(), root.resolve()
    if folder.is_relative_to(root):
        folder = folder.relative_to(root)
    if not is_text(str(folder)):
        raise ValueError(f"{shown(folder.name)}: expected a folder whose name is UTF-8, as notebooks are; rename it")
    return folder.as_posix()


def _profile(name: str, root: Path) -> str:
    """A profile's name, or the place of one's own file. ValueError as `load_profile`."""
    load_profile(name)
    return name if name in profiles() else _place(Path(name), root)
