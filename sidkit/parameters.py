"""A notebook's parameters: what its tagged cell declares, and values for them, of Python or as people type them.

The cell tagged `parameters` holds plain assignments, `name = literal` or `name: type = literal`; the type is the
annotation's, otherwise the default's. It is read and never run.

What is typed behind `-p name=` is a text where the parameter is one: `my cat #2`, `012` and `on` stay as they are, and
quotes around all of it are taken off. Other values are YAML 1.2's: numbers, true, false and null, and in brackets lists
and mappings.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from sidkit.config import check_name
from sidkit.notebook_file import read_notebook
from sidkit.shown import shown
from sidkit.yaml_files import parse_yaml, scalar

PASSED = "a text, number, true, false or null, or lists and mappings (of texts) of them"
TAG = "parameters"  # of the cell
TYPES = {"Any": Any, "Literal": Literal, "bool": bool, "dict": dict, "float": float, "int": int, "list": list}
TYPES |= {"str": str}
TYPE_NODES = (ast.Name, ast.Load, ast.Constant, ast.Subscript, ast.Tuple, ast.BinOp, ast.BitOr)
UNREADABLE = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)  # what Python's parser raises
QUOTED = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*""", re.DOTALL)
LONGEST_HINT = 200  # letters of a typed text to which a hint is given
BRACKETED = re.compile(r"\s*(\[.*\]|\{.*\})\s*", re.DOTALL)
SAID = {"yes": True, "on": True, "no": False, "off": False}  # beside true and false, where a parameter is one of them


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell."""

    name: str
    type: Any  # what pydantic checks a value against
    type_name: str
    default: Any

    def check(self, value: Any) -> Any:
        """Return `value`, an int as a float where a float is asked; raise ValueError for another type."""
        if not _can_be_passed(value):
            raise ValueError(f"{self.name}: expected {PASSED}, got {shown(value)}")
        try:
            return self._validated(value)
        except ValidationError as error:
            hint = f"; for a list write {self.name}={json.dumps([value])}" if self._takes([value]) else ""
            raise ValueError(f"{self._expected()}, got {shown(value)}{hint}") from error

    def read(self, text: str) -> Any:
        """The value that was typed; ValueError, with what to type, where it is none of the parameter's type."""
        for value in self._readings(text):
            if self._takes(value) and _can_be_passed(value):
                return self._validated(value)
        raise ValueError(f"{self._expected()}, got {shown(text)}{self._hint(text)}")

    def _readings(self, text: str) -> Iterator[Any]:
        """What a typed text may mean, the likeliest first; the text itself is the last, and mostly the only one."""
        if QUOTED.fullmatch(text):
            yield parse_yaml(text, self.name)
            return
        if not text:
            yield from ("", None)
            return
        if BRACKETED.fullmatch(text):
            yield from self._in_brackets(text)
            if self.type is Any:
                return  # a list that cannot be read is no text
        value = scalar(text.strip())
        yield None if text == "None" else text if isinstance(value, str) else value
        yield text
        if text.lower() in SAID:
            yield SAID[text.lower()]

    def _in_brackets(self, text: str) -> Iterator[Any]:
        """A list or mapping with its numbers, then with all that is in it as it was typed."""
        try:
            yield parse_yaml(text, self.name)
            yield parse_yaml(text, self.name, as_texts=True)
        except ValueError:
            return  # a text may begin and end with brackets

    def _hint(self, text: str) -> str:
        """The list that was meant, as a shell takes it; "" where there is none."""
        if len(text) > LONGEST_HINT:
            return ""
        inner = text.strip()
        if BRACKETED.fullmatch(text):
            inner = inner[1:-1]
        pieces = [piece.strip() for piece in inner.split(",")]
        for items in (", ".join(pieces), ", ".join(map(_quoted, pieces))):
            assignment = f"{self.name}=[{items}]"
            value = _parsed(f"[{items}]")
            if value is not None and self._takes(value):
                return f"; for a list write -p {shlex.quote(assignment)}"
        return ""

    def _expected(self) -> str:
        return f"{self.name}: expected {self.type_name}, like {shown(self.default)}"

    def _takes(self, value: Any) -> bool:
        try:
            self._validated(value)
        except ValidationError:
            return False
        return True

    def _validated(self, value: Any) -> Any:
        return TypeAdapter(self.type, config=ConfigDict(strict=True)).validate_python(value)


def check_parameters(source: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` as the notebook takes them; ValueError where it has no such parameter, or another type of it."""
    declared = declared_parameters(source)
    return {name: declared[check_name("parameter", name, declared)].check(value) for name, value in values.items()}


def read_parameters(source: Path, text_by_name: Mapping[str, str]) -> dict[str, Any]:
    """The values that were typed for a notebook's parameters; ValueError as `check_parameters`."""
    declared = declared_parameters(source)
    return {name: declared[check_name("parameter", name, declared)].read(text) for name, text in text_by_name.items()}


def parse_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """`["steps=3", "folder=my cat #2"]` -> `{"steps": "3", "folder": "my cat #2"}`, for `read_parameters`."""
    text_by_name: dict[str, str] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name.isidentifier():
            raise ValueError(f"parameter: expected name=value, got {shown(assignment)}")
        if any("\ud800" <= letter <= "\udfff" for letter in text):  # a byte that the terminal's encoding does not know
            raise ValueError(f"{name}: expected text in UTF-8, got {shown(text)}; set LANG to a UTF-8 one, or type it")
        if name in text_by_name:
            both = f"{shown(text_by_name[name])} and {shown(text)}"
            raise ValueError(f"{name}: expected one value, got {both}; for a list write -p '{name}=[a, b]'")
        text_by_name[name] = text
    return text_by_name


def declared_parameters(source: Path) -> dict[str, Parameter]:
    """The parameters of a notebook, by name, from its tagged cell; ValueError names the notebook and the line."""
    declared = [_parameter(source, statement) for statement in _statements(source)]
    return {parameter.name: parameter for parameter in declared}


def parameters_cell(source: Path) -> str:
    """The source of the one cell tagged `parameters`."""
    cells = read_notebook(source).cells
    tagged = [cell.source for cell in cells if cell.cell_type == "code" and TAG in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise ValueError(f"{source}: expected one code cell tagged 'parameters', found {len(tagged)}")
    return tagged[0]


def _statements(source: Path) -> list[ast.stmt]:
    cell = parameters_cell(source)
    try:
        return ast.parse(cell).body
    except UNREADABLE as error:
        number = getattr(error, "lineno", None) or 1
        line = (cell.splitlines() or [""])[number - 1 : number]
        came = f"line {number}, {shown(''.join(line))}; what else it holds belongs into another cell"
        raise ValueError(f"{source}: parameters cell: expected name = literal a line, got {came}") from error


def _parameter(source: Path, statement: ast.stmt) -> Parameter:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
            return Parameter(name, _type(source, annotation), ast.unparse(annotation), _literal(source, value))
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            default = _literal(source, value)
            kind = _type_of(default)
            return Parameter(name, kind, kind.__name__ if isinstance(kind, type) else str(kind), default)
    raise ValueError(f"{source}: parameters cell: expected name = literal, got {shown(ast.unparse(statement))}")


def _literal(source: Path, value: ast.expr) -> Any:
    try:
        literal = ast.literal_eval(value)
    except UNREADABLE as error:
        came = shown(ast.unparse(value))
        raise ValueError(f"{source}: parameters cell: expected a literal value, got {came}") from error
    if not _can_be_passed(literal):
        raise ValueError(f"{source}: parameters cell: expected {PASSED}, got {shown(ast.unparse(value))}")
    return literal


def _can_be_passed(value: Any) -> bool:
    """Whether papermill passes a value on as it is: it makes a text of a tuple, and of a mapping's number for a key."""
    try:
        return json.loads(json.dumps(value)) == value
    except (TypeError, ValueError, RecursionError):
        return False


def _type(source: Path, annotation: ast.expr) -> Any:
    """What an annotation names, if it is built of known types alone; nothing else of it is run."""
    name = ast.unparse(annotation)
    try:
        _check_type(annotation)
        kind = eval(name, {"__builtins__": {}}, TYPES)
        TypeAdapter(kind)
        return kind
    except (*UNREADABLE, PydanticUserError) as error:
        known = ", ".join(TYPES)
        message = f"{source}: parameters cell: expected types made of {known} and None, got {shown(name)}"
        raise ValueError(message) from error


def _check_type(annotation: ast.expr) -> None:
    if isinstance(annotation, ast.Constant):
        raise TypeError("a text or number is no type")
    for node in ast.walk(annotation):
        if not isinstance(node, TYPE_NODES):
            raise TypeError(f"{type(node).__name__} makes no type")
        if isinstance(node, ast.Name) and node.id not in TYPES:
            raise TypeError(f"unknown type {node.id}")


def _type_of(default: Any) -> Any:
    """The type that a default stands for: a list's elements count, and None stands for anything."""
    if default is None:
        return Any
    kinds = {type(item) for item in default} if isinstance(default, list) else set()
    return list[kinds.pop()] if len(kinds) == 1 else type(default)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _parsed(text: str) -> Any:
    """The value of a text in YAML; None where it has none."""
    try:
        return parse_yaml(text, "")
    except ValueError:
        return None
