"""Where the things of the package are defined, by their dotted names; read from its files, nothing is imported."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = "sidkit"
ROOT = Path(importlib.util.find_spec(PACKAGE).origin).parent
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)


@dataclass(frozen=True, eq=False)
class Module:
    """A file of the package: its dotted name, its path below the package, its text, and that as a tree."""

    name: str
    path: Path
    source: str
    tree: ast.Module

    @property
    def shown_path(self) -> str:
        """The path as it is said to a reader: `sidkit/study/plan.py`."""
        return (Path(PACKAGE) / self.path).as_posix()


@dataclass(frozen=True)
class Place:
    """A line of a module."""

    module: Module
    line: int


@cache
def modules() -> dict[str, Module]:
    """Every module of the package by its dotted name."""
    found = {}
    for file in sorted(ROOT.rglob("*.py")):
        path = file.relative_to(ROOT)
        parts = (PACKAGE, *path.with_suffix("").parts)
        name = ".".join(parts).removesuffix(".__init__")
        source = file.read_text()
        found[name] = Module(name, path, source, ast.parse(source))
    return found


def place_of(dotted: str) -> Place | None:
    """Where a module, or a function, class, method or constant in it begins; None where there is no such thing.

    A name that a module only imports is looked for where it comes from.
    """
    module, rest = split(dotted)
    if module is None:
        return None
    if not rest:
        return Place(module, 1)
    if node := definitions(module).get(rest):
        return Place(module, node.lineno)
    first, _, further = rest.partition(".")
    origin = imported_names(module).get(first)
    if origin is None or origin == dotted:
        return None
    return place_of(f"{origin}.{further}" if further else origin)


def split(dotted: str) -> tuple[Module | None, str]:
    """The module that a dotted name begins with, and what is left; of two that fit, the longer one."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        if module := modules().get(".".join(parts[:count])):
            return module, ".".join(parts[count:])
    return None, dotted


@cache
def definitions(module: Module) -> dict[str, ast.stmt]:
    """Functions, classes, methods ("Plan.runs") and constants of a module, by name, in their order."""
    found: dict[str, ast.stmt] = {}
    for node in module.tree.body:
        for name in _names(node):
            found[name] = node
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}": inner for inner in node.body for name in _names(inner)}
    return found


def _names(node: ast.stmt) -> Iterator[str]:
    """What a statement gives a name to."""
    if isinstance(node, DEFINITIONS):
        yield node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from (leaf.id for leaf in ast.walk(target) if isinstance(leaf, ast.Name))


@cache
def imported_names(module: Module) -> dict[str, str]:
    """What a module's imports of the package give a name to: the name and what it stands for, dotted."""
    return names_of_imports(module.tree)


def names_of_imports(tree: ast.AST) -> dict[str, str]:
    """The same of any code, such as a notebook's."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name: alias.name for alias in node.names if alias.name == PACKAGE}
    return found


def dotted_name(node: ast.expr) -> str:
    """`a.b.c` of an expression that is only names and dots; "" of any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted_name(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def summary(module: Module, name: str = "") -> str:
    """The first sentence of a docstring, of a module or of a thing in it; "" where there is none."""
    node = definitions(module).get(name) if name else module.tree
    text = ast.get_docstring(node) if isinstance(node, (*DEFINITIONS, ast.Module)) else None
    paragraph = (text or "").split("\n\n")[0].replace("\n", " ")
    sentence, stop, _ = paragraph.partition(". ")
    return f"{sentence}." if stop else paragraph
