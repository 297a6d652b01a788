"""The rooms of the package, files and folders at its top: which uses which, read from the imports, and their floors.

A room stands one floor below the lowest of those that use it. Nothing is kept by hand: a new room or import is there
when the page is built.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache

from definitions import PACKAGE, Module, imported_names, modules, split, summary


@dataclass(frozen=True, eq=False)
class Room:
    """A file or folder at the top of the package; `module` is the file, or the folder's `__init__`."""

    name: str
    module: Module
    uses: frozenset[str]  # names of other rooms

    @property
    def is_folder(self) -> bool:
        """Whether it holds several modules."""
        return self.module.path.name == "__init__.py"

    @property
    def purpose(self) -> str:
        """What it is for, in a sentence: the first one of its docstring."""
        return summary(self.module)


@cache
def rooms() -> dict[str, Room]:
    """Every room by its name."""
    used: dict[str, set[str]] = {}
    for module in modules().values():
        if module.name != PACKAGE:
            used.setdefault(room_of(module), set()).update(_rooms_used_by(module))
    return {name: Room(name, modules()[f"{PACKAGE}.{name}"], frozenset(uses - {name})) for name, uses in used.items()}


def room_of(module: Module) -> str:
    """The room that a module lies in."""
    return module.name.split(".")[1]


def _rooms_used_by(module: Module) -> set[str]:
    """The rooms from which a module imports, inside of functions, too; what only type checkers read does not count."""
    for_types = {name for node in ast.walk(module.tree) for name in _names_for_types(node)}
    origins = (split(dotted)[0] for name, dotted in imported_names(module).items() if name not in for_types)
    return {room_of(origin) for origin in origins if origin is not None and origin.name != PACKAGE}


def _names_for_types(node: ast.AST) -> set[str]:
    """What is imported under `if TYPE_CHECKING`."""
    if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
        return set()
    imports = [inner for inner in ast.walk(node) if isinstance(inner, ast.ImportFrom)]
    return {alias.asname or alias.name for inner in imports for alias in inner.names}


@cache
def depth_of(name: str) -> int:
    """How many floors below the roof: 0 for a room that no other uses. RecursionError where rooms use each other."""
    users = (room.name for room in rooms().values() if name in room.uses)
    return 1 + max(map(depth_of, users), default=-1)


@cache
def reached(name: str) -> frozenset[str]:
    """All rooms that a room uses, or that those use, and so on."""
    uses = rooms()[name].uses
    return uses.union(*(reached(used) for used in uses))


def drawn_uses(name: str) -> list[str]:
    """What a room uses, without what another of them leads to anyway: the arrows that are enough to draw."""
    uses = rooms()[name].uses
    through_others = frozenset().union(*(reached(used) for used in uses))
    return sorted(uses - through_others)
