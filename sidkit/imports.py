"""What code a result depends on: the modules that an entry module reaches through its package's own imports.

    sources(["sidkit.generation"])  # {"sidkit.config": "...", "sidkit.generation": "...", "sidkit.models": "...", ...}

Comments, docstrings and the annotations of functions shape nothing, so they are left out of the code. A class keeps
the annotations of its fields, which dataclasses work with. An import that only annotations need is left out, too, but
followed: `def measure(encoders: Encoders)` works with that module's code. What stands under `if TYPE_CHECKING` is not
followed. Of a package, its `__init__` counts only where something other than a module is taken from it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]  # the folder that holds the package

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Import = ast.Import | ast.ImportFrom


def sources(entries: Iterable[str], root: Path = ROOT) -> dict[str, str]:
    """The code of every module that the modules `entries` reach, themselves included, by its dotted name.

    Imports inside functions are followed, too; those of other packages are not. `root` is the folder that holds the
    package. Raises ValueError for an entry that is no module there.
    """
    found: dict[str, str] = {}
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name], imported = _read(root, name)
            waiting += imported
    return dict(sorted(found.items()))


def packages(code: Mapping[str, str]) -> set[str]:
    """The packages that modules import, as `sources` returned these, their own apart: {"numpy", "torch"}."""
    imported = {package for text in code.values() for package in _packages(text)}
    return imported - {name.partition(".")[0] for name in code}


@cache
def _packages(text: str) -> frozenset[str]:
    names = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.append(node.module)
    return frozenset(name.partition(".")[0] for name in names)


@cache
def _read(root: Path, name: str) -> tuple[str, tuple[str, ...]]:
    """A module's bare code, and the modules of its own package that it imports."""
    path = _path(root, name)
    if path is None:
        raise ValueError(f"code: expected the name of a Python module in {root}, got {name!r}")
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    tree = _Bare().visit(ast.parse(path.read_bytes()))
    imported = _imported(root, tree, package) - {name}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    bare = _filled(_Used(used).visit(tree))
    return ast.unparse(bare), tuple(sorted(imported))


def _path(root: Path, name: str) -> Path | None:
    """The file of a module or package; None where there is none."""
    place = root.joinpath(*name.split("."))
    files = (place.with_suffix(".py"), place / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def _imported(root: Path, tree: ast.Module, package: str) -> set[str]:
    """The modules of the package at `root` that a module of `package` takes something from."""
    top = package.partition(".")[0]
    names: set[str] = set()
    for node in ast.walk(tree):
        names.update(_asked_for(root, node, package))
    return {name for name in names if name.partition(".")[0] == top and _path(root, name)}


def _asked_for(root: Path, node: ast.AST, package: str) -> Iterator[str]:
    """The names of the modules that an import asks for; none for any other node."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        source = _absolute(node, package)
        for alias in node.names:
            module = f"{source}.{alias.name}"
            yield module if _path(root, module) else source


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """The module after `from`, its leading dots resolved."""
    if not node.level:
        return node.module
    parents = package.split(".")
    kept = parents[: len(parents) + 1 - node.level]
    return ".".join([*kept, node.module] if node.module else kept)


class _Bare(ast.NodeTransformer):
    """Takes out docstrings, the annotations of functions, and what is there for type checkers alone."""

    def __init__(self) -> None:
        self.fields: set[ast.AnnAssign] = set()  # of classes

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = _without_docstring(node.body)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = _without_docstring(node.body)
        self.fields |= {statement for statement in node.body if isinstance(statement, ast.AnnAssign)}
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: _Function) -> ast.AST:
        node.returns = None
        node.body = _without_docstring(node.body)
        return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_If(self, node: ast.If) -> ast.AST | None:
        is_for_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return None if is_for_types else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | None:
        if node in self.fields:
            return node
        if node.value is None:
            return None
        assignment = ast.Assign([node.target], self.visit(node.value))
        return ast.copy_location(assignment, node)


class _Used(ast.NodeTransformer):
    """Takes out the imports of names that nothing uses."""

    def __init__(self, used: set[str]):
        self.used = used

    def visit_Import(self, node: _Import) -> _Import | None:
        node.names = [alias for alias in node.names if self._is_used(alias)]
        return node if node.names else None

    visit_ImportFrom = visit_Import

    def _is_used(self, alias: ast.alias) -> bool:
        bound = alias.asname or alias.name.partition(".")[0]
        return bound in self.used


def _filled(tree: ast.Module) -> ast.Module:
    """The tree with `pass` where nothing is left."""
    for node in ast.walk(tree):
        if getattr(node, "body", None) == []:
            node.body = [ast.Pass()]
    return tree


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *others]:
            return others
    return body
