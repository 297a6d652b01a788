"""The package's source in the book: a page a module, an address a line, and names that lead to where they are defined.

Pages lie under `code/`, so `sidkit.study.plan` is `code/sidkit/study/plan.html`, and its line 20 is `#L-20` there.
`{source}` in a text links to a module or to what is defined in it: {source}`sidkit.study.plan.make_plan`.
"""

from __future__ import annotations

import ast
import html
from collections.abc import Iterator
from itertools import accumulate

from definitions import (
    FUNCTIONS,
    Module,
    Place,
    definitions,
    dotted_name,
    imported_names,
    modules,
    place_of,
)
from docutils import nodes
from pygments.lexers.python import PythonLexer
from pygments.token import STANDARD_TYPES
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

FOLDER = "code"


def page_of(module: Module) -> str:
    """The name of a module's page, as Sphinx names pages."""
    return f"{FOLDER}/{module.shown_path.removesuffix('.py')}"


def address(app: Sphinx, place: Place, page: str) -> str:
    """The address of a line, from a page of the book."""
    return f"{app.builder.get_relative_uri(page, page_of(place.module))}#L-{place.line}"


def link(app: Sphinx, place: Place, text: str, page: str) -> nodes.reference:
    """A link to a line, in the look of code."""
    code = nodes.literal(text, text)
    return nodes.reference("", "", code, internal=True, refuri=address(app, place, page), classes=["source-link"])


class SourceRole(SphinxRole):
    """`{source}` with a dotted name: a link to the line where it is defined."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        place = place_of(self.text)
        if place is None:
            message = f"source: expected the name of a module of sidkit or of a thing in it, got {self.text!r}"
            return [nodes.literal(self.text, self.text)], [self.inliner.reporter.error(message, line=self.lineno)]
        return [link(self.env.app, place, self.text, self.env.docname)], []


def collect_pages(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """A page for every module of the package."""
    for module in modules().values():
        page = page_of(module)
        body = f"<h1>{module.shown_path}</h1>\n{_listing(app, module, page)}"
        yield page, {"title": module.shown_path, "body": body}, "page.html"


def _listing(app: Sphinx, module: Module, page: str) -> str:
    """The module's lines, numbered; a click on a number gives the line's address."""
    lines = []
    for number, line in enumerate(_highlighted_lines(app, module, page), start=1):
        lines.append(f'<span id="L-{number}"><a class="line-number" href="#L-{number}">{number}</a>{line}</span>')
    return '<div class="highlight source-page"><pre tabindex="0">' + "\n".join(lines) + "</pre></div>"


def _highlighted_lines(app: Sphinx, module: Module, page: str) -> list[str]:
    """The module in HTML, a text a line, names in links."""
    target_by_start = dict(_references(module))
    pieces = []
    for start, kind, text in PythonLexer().get_tokens_unprocessed(module.source):
        shown = _colored(text, STANDARD_TYPES.get(kind, ""))
        place = target_by_start.get(start)
        pieces.append(f'<a href="{address(app, place, page)}">{shown}</a>' if place else shown)
    return "".join(pieces).rstrip("\n").split("\n")


def _colored(text: str, token: str) -> str:
    """A token in HTML; one of several lines is cut at their ends."""
    lines = (html.escape(line) for line in text.split("\n"))
    return "\n".join(f'<span class="{token}">{line}</span>' if token and line else line for line in lines)


def _references(module: Module) -> Iterator[tuple[int, Place]]:
    """Where in a module's text names stand that are defined in the package, in characters, and where that is."""
    character_at = _Characters(module.source)
    known = imported_names(module) | {name: f"{module.name}.{name}" for name in definitions(module)}
    names = [node for node in ast.walk(module.tree) if isinstance(node, (ast.Name, ast.Attribute))]
    shadowed = _local_names(module.tree)
    for node in names:
        first, dot, rest = dotted_name(node).partition(".")
        if first not in known or first in shadowed:
            continue
        place = place_of(known[first] + dot + rest)
        if place is not None:
            last = (rest or first).rpartition(".")[2]
            yield character_at(node.end_lineno, node.end_col_offset) - len(last), place


def _local_names(tree: ast.Module) -> set[str]:
    """What functions give a name to: there it may stand for something else."""
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    arguments = {inner.arg for function in functions for inner in ast.walk(function) if isinstance(inner, ast.arg)}
    stored = (inner for function in functions for inner in ast.walk(function) if isinstance(inner, ast.Name))
    return arguments | {name.id for name in stored if isinstance(name.ctx, ast.Store)}


class _Characters:
    """Python says where code stands by line and bytes; this says it in characters from the beginning."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines(keepends=True)
        self.starts = list(accumulate(map(len, self.lines), initial=0))

    def __call__(self, line: int, count: int) -> int:
        before = self.lines[line - 1].encode()[:count].decode()
        return self.starts[line - 1] + len(before)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_role("source", SourceRole())
    app.connect("html-collect-pages", collect_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
