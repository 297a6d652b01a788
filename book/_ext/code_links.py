"""Under each figure and table of a chapter a link to the code that makes it, and a map of a chapter's code at its end.

A figure is made in the cell that names it; a table is glued under a key, which the chapter's `tables` gives it. So what
makes either is read from the notebook and from the chapter's module, and is nowhere written down.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from definitions import Module, Place, definitions, dotted_name, imported_names, modules, names_of_imports, place_of
from definitions import summary as summary_of
from docutils import nodes
from sources import link
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

CHAPTERS = "sidkit.chapters"
GENERAL = "sidkit.study.chapter"  # makes the tables that every chapter has
GLUED = re.compile(r"\{table\}(?P<head>.*?)\{glue:md\} (?P<key>\S+)", re.DOTALL)
NAME = re.compile(r":name: (\S+)")

Made = dict[str, dict[str, Place]]  # name of a figure or table -> what makes it, as it is called there, and where


def makers(notebook: Path) -> Made:
    """What makes each figure and glued table of a chapter."""
    cells = nbformat.read(notebook, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    known = _imported_by(cells)
    chapter = _chapter_among(known)
    made = {}
    for cell in code:
        figure = cell.metadata.get("mystnb", {}).get("figure")
        if figure:
            made[figure["name"]] = _called(ast.parse(cell.source), known)
    for cell in cells if chapter else []:
        for name, key in _glued_tables(cell.source if cell.cell_type == "markdown" else ""):
            made[name] = _makers_of_table(chapter, key)
    return made


def chapter_of(notebook: Path) -> Module | None:
    """The module of a chapter: the first that its notebook imports; a copy for one's own images has chapter 11's."""
    return _chapter_among(_imported_by(nbformat.read(notebook, as_version=4).cells))


def _imported_by(cells: Iterable[nbformat.NotebookNode]) -> dict[str, str]:
    """What the imports of a notebook give a name to, and what that stands for, dotted."""
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    return names_of_imports(ast.parse("\n".join(code)))


def _chapter_among(imported: dict[str, str]) -> Module | None:
    for dotted in imported.values():
        if dotted.startswith(f"{CHAPTERS}."):
            return modules().get(dotted)
    return None


def _glued_tables(text: str) -> Iterator[tuple[str, str]]:
    """The names of a text's tables that come out of the run, each with the key under which it is glued."""
    for found in GLUED.finditer(text):
        yield NAME.search(found["head"])[1], found["key"]


def _makers_of_table(chapter: Module, key: str) -> dict[str, Place]:
    """What is called for the table; where nothing is, the line on which it is given its key."""
    made = {"claims": place_of(f"{chapter.name}.claims")} if key == "claims" else {}
    lines = {}
    for module in (chapter, modules()[GENERAL]):
        known = imported_names(module) | {name: f"{module.name}.{name}" for name in definitions(module)}
        for value in _values_under(module.tree, key):
            made |= _called(value, known)
            lines[f"{module.name.rpartition('.')[2]}.tables"] = Place(module, value.lineno)
    return made or lines


def _values_under(tree: ast.AST, key: str) -> Iterator[ast.expr]:
    """What dictionaries in a module hold under a key, which may be put together: f"table_{name}"."""
    for node in ast.walk(tree):
        for name, value in _entries(node):
            if re.fullmatch(_pattern(name), key):
                yield value


def _entries(node: ast.AST) -> Iterator[tuple[ast.expr | None, ast.expr]]:
    """The keys and values that a piece of code puts into a dictionary."""
    if isinstance(node, ast.Dict):
        yield from zip(node.keys, node.values)
    elif isinstance(node, ast.DictComp):
        yield node.key, node.value
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                yield target.slice, node.value


def _pattern(name: ast.expr | None) -> str:
    """A regular expression for the values that an expression can have; one that fits nothing if that is unknown."""
    if isinstance(name, ast.Constant):
        return re.escape(str(name.value))
    if isinstance(name, ast.JoinedStr):
        return "".join(_pattern(part) if isinstance(part, ast.Constant) else ".+" for part in name.values)
    return "(?!)"


def _called(code: ast.AST, known: dict[str, str]) -> dict[str, Place]:
    """The functions of the package that are called, those of chapters first."""
    found = {}
    for node in ast.walk(code):
        name = dotted_name(node.func) if isinstance(node, ast.Call) else ""
        first, dot, rest = name.partition(".")
        place = place_of(known[first] + dot + rest) if first in known else None
        if place is not None:
            found[name] = place
    return dict(sorted(found.items(), key=lambda item: not item[1].module.name.startswith(CHAPTERS)))


def add_links(app: Sphinx, doctree: nodes.document) -> None:
    """Put the links under the figures and tables of a page that is a chapter."""
    page = app.env.docname
    source = Path(app.env.doc2path(page))
    if source.suffix != ".ipynb":
        return
    made = makers(source)
    shown = [*doctree.findall(nodes.figure), *doctree.findall(nodes.table)]
    for node in shown:
        for name in node["ids"]:
            if made.get(name):
                node.parent.insert(node.parent.index(node) + 1, _links(app, made[name], page))


def _links(app: Sphinx, places: dict[str, Place], page: str) -> nodes.paragraph:
    paragraph = nodes.paragraph("", "Code: ", classes=["code-links"])
    for index, (name, place) in enumerate(places.items()):
        paragraph += [nodes.Text(", ")] if index else []
        paragraph += link(app, place, name, page)
    return paragraph


class CodeMap(SphinxDirective):
    """`{code-map}`: a row for each function of the chapter, then one for each thing of the package that it uses."""

    def run(self) -> list[nodes.Node]:
        notebook = Path(self.env.doc2path(self.env.docname))
        chapter = chapter_of(notebook) if notebook.suffix == ".ipynb" else None
        if chapter is None:
            raise self.error(f"code-map: expected a notebook that imports a module of {CHAPTERS}, got {notebook.name}")
        rows = [*_own(chapter), *_used(chapter)]
        lines = ["| What | Where |", "| --- | --- |", *(f"| {what} | {{source}}`{dotted}` |" for what, dotted in rows)]
        return self.parse_text_to_nodes("\n".join(lines))


def _own(chapter: Module) -> Iterator[tuple[str, str]]:
    """What each public function of a chapter does, and its dotted name."""
    for name, node in definitions(chapter).items():
        if isinstance(node, ast.FunctionDef) and not name.startswith("_") and "." not in name:
            yield summary_of(chapter, name), f"{chapter.name}.{name}"


def _used(chapter: Module) -> Iterator[tuple[str, str]]:
    """The same of what a chapter takes from elsewhere: its functions, and the modules that it takes whole."""
    for dotted in sorted(set(imported_names(chapter).values())):
        place = place_of(dotted)
        if place is None or place.module.name.startswith(CHAPTERS):
            continue
        is_module = dotted == place.module.name
        text = summary_of(place.module, "" if is_module else dotted.rpartition(".")[2])
        if text:
            yield text, dotted


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("code-map", CodeMap)
    app.connect("doctree-read", add_links, priority=600)  # after the passports, which lie further from the picture
    return {"parallel_read_safe": True, "parallel_write_safe": True}
