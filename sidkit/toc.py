"""The book's table of contents, `_toc.yml`, with a chapter more; comments and the rest of the text stay as they are."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from sidkit.yaml_files import parse_yaml, read_yaml

TOC = "_toc.yml"
LISTS = (
    "parts",
    "subtrees",
    "chapters",
    "sections",
    "entries",
)  # of pages, by the form of the book; the first that is there is taken
FOLDER = "book/chapters/"  # of the executed notebooks


def with_chapter(path: Path, chapter: str, part: str) -> str:
    """The text of the file at `path` with the chapter at its end, in the part of that caption where it has parts.

    A chapter that is listed already is not listed twice. Raises ValueError, with the file and the line to write by
    hand, for a file that is no table of contents, and for one into whose text the line cannot be put.
    """
    file = f"{FOLDER}{chapter}"
    by_hand = f"write `- file: {file}` into it by hand"
    contents = read_yaml(path)
    if not isinstance(contents, dict) or "root" not in contents:
        raise ValueError(f"{path}: expected a table of contents with a root and parts, found none; {by_hand}")
    text = path.read_bytes().decode("utf-8-sig")  # with its line ends
    if file in _files(contents):
        return text
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    name = next((name for name in LISTS if name in contents), None)
    longer = _longer(text, root, name, file, part)
    if _loaded(longer) != _expected(contents, name, file, part):
        raise ValueError(f"{path}: expected its pages as a list, an item a line; {by_hand}")
    return longer


def _files(contents: Any) -> set[str]:
    """Every page that is listed at any depth."""
    if isinstance(contents, list):
        return set().union(*map(_files, contents))
    if not isinstance(contents, dict):
        return set()
    page = contents.get("file")
    listed = {page} if isinstance(page, str) else set()
    return listed.union(*map(_files, contents.values()))


def _expected(contents: dict, name: str | None, file: str, part: str) -> dict:
    """The contents as they are to be."""
    page = {"file": file}
    if name is None:
        return contents | {"chapters": [page]}
    items = contents[name]
    if not isinstance(items, list):
        return {}
    if name == "subtrees":  # which of them is meant?
        return {}
    if name != "parts":
        return contents | {name: [*items, page]}
    at = _part_at(items, part)
    if at is None:
        return contents | {name: [*items, {"caption": part, "chapters": [page]}]}
    chapters = [*(items[at].get("chapters") or []), page]
    return contents | {name: [*items[:at], items[at] | {"chapters": chapters}, *items[at + 1 :]]}


def _part_at(parts: list, caption: str) -> int | None:
    for at, part in enumerate(parts):
        if isinstance(part, dict) and part.get("caption") == caption:
            return at
    return None


def _longer(text: str, root: yaml.MappingNode, name: str | None, file: str, part: str) -> str:
    """The text with the new lines behind the last item of their list."""
    page = f"- file: {file}"
    if name is None:
        return _with_lines(text, root, 0, ["chapters:", f"  {page}"])
    pages = _value(root, name)
    if name == "parts" and (own := _part_of(pages, part)) is not None:
        pages = _value(own, "chapters")
        return text if pages is None else _with_lines(text, pages, pages.start_mark.column, [page])
    lines = [page] if name != "parts" else [f"- caption: {part}", "  chapters:", f"    {page}"]
    return _with_lines(text, pages, pages.start_mark.column, lines)


def _part_of(parts: yaml.Node, caption: str) -> yaml.MappingNode | None:
    if not isinstance(parts, yaml.SequenceNode):
        return None
    for part in parts.value:
        own = isinstance(part, yaml.MappingNode) and _value(part, "caption")
        if own and own.value == caption:
            return part
    return None


def _value(mapping: yaml.MappingNode, key: str) -> yaml.Node | None:
    return next((value for name, value in mapping.value if name.value == key), None)


def _with_lines(text: str, node: yaml.Node, indent: int, lines: list[str]) -> str:
    """The text with indented lines behind the last line of a node, in the text's own line ends."""
    end = "\r\n" if "\r\n" in text else "\n"
    before = text.splitlines(keepends=True)
    last = _last_line(node)
    before[last] = before[last].rstrip("\r\n") + end
    new = [f"{' ' * indent}{line}{end}" for line in lines]
    return "".join([*before[: last + 1], *new, *before[last + 1 :]])


def _last_line(node: yaml.Node) -> int:
    """The line of the last word in a node: its own end may lie behind comments."""
    if isinstance(node, yaml.ScalarNode):
        return max(node.start_mark.line, node.end_mark.line - (node.end_mark.column == 0))
    inside = chain(*node.value) if isinstance(node, yaml.MappingNode) else node.value
    return max(map(_last_line, inside), default=node.start_mark.line)


def _loaded(text: str) -> Any:
    try:
        return parse_yaml(text, TOC)
    except ValueError:
        return None
