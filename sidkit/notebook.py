"""Running a notebook with parameters: the one place that calls papermill.

Papermill only warns of a misspelt parameter and runs on with the default. Here every name and type is checked against
the cell tagged `parameters` before a kernel starts. That cell holds plain assignments, `name = literal` or
`name: type = literal`; the type is the annotation's, otherwise the default's.
"""

from __future__ import annotations

import ast
import logging
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

import nbformat
import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from sidkit.config import check_name

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
_ANNOTATIONS = {"Any": Any, "Literal": Literal}


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell."""

    name: str
    type: Any  # what pydantic checks a value against
    type_name: str
    default: Any

    def check(self, value: Any) -> Any:
        """Return `value`, an int as a float where a float is asked; raise ValueError for another type."""
        try:
            return TypeAdapter(self.type, config=ConfigDict(strict=True)).validate_python(value)
        except ValidationError as error:
            hint = f"; for a list write {self.name}=[{value}]" if self.type_name.startswith("list") else ""
            message = f"{self.name}: expected {self.type_name}, like {self.default!r}, got {value!r}{hint}"
            raise ValueError(message) from error


def run_notebook(
    name: str | Path, parameters: Mapping[str, Any], output: Path | None = None, progress: TextIO | None = sys.stderr
) -> Path:
    """Execute a notebook with `parameters` over its defaults and return the executed copy.

    `name` is that of a chapter (`02_description_cases`) or the path of any .ipynb file; `output` is where the executed
    copy goes (default: `runs/notebooks/NAME.ipynb`). Cells run in the current folder; what they write to stderr, above
    all their progress, goes to `progress`.

    Raises ValueError, before any work, for an unknown notebook or parameter (the nearest one is offered) and for a
    value of a wrong type; `papermill.PapermillExecutionError`, which shows the cell, where one fails.
    """
    source = find_notebook(name)
    checked = check_parameters(source, parameters)
    output = Path(output or Path("runs") / "notebooks" / source.name)
    if output.resolve() == source.resolve():
        raise ValueError(f"output: expected another place than the notebook itself, got {output}")
    output.parent.mkdir(parents=True, exist_ok=True)

    import papermill  # half a second, and only needed once everything is checked

    kernel = {"kernel_name": "python3", "language": "python"}  # whatever the editor that saved it was set to
    kernel["extra_arguments"] = ["--IPKernelApp.log_level=CRITICAL"]  # not its ports, nor that it ends
    logging.getLogger("papermill").setLevel(logging.ERROR)  # it warns of types that it cannot read
    shown = dict(progress_bar=progress is sys.stderr, stderr_file=progress)
    papermill.execute_notebook(str(source), str(output), checked, **kernel, **shown)
    return output


def find_notebook(name: str | Path, folder: Path = NOTEBOOKS) -> Path:
    """The path of a notebook given by path, or by its name in `folder`; ValueError offers the nearest name."""
    path = Path(name)
    if path.suffix == ".ipynb":
        if not path.is_file():
            raise ValueError(f"notebook: expected a file at {path}, found none")
        return path
    return folder / f"{check_name('notebook', str(name), (file.stem for file in folder.glob('*.ipynb')))}.ipynb"


def check_parameters(source: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` as the notebook takes them; ValueError where it has no such parameter, or another type of it."""
    declared = declared_parameters(source)
    return {name: declared[check_name("parameter", name, declared)].check(value) for name, value in values.items()}


def declared_parameters(source: Path) -> dict[str, Parameter]:
    """The parameters of a notebook, by name, from its tagged cell."""
    declared = [_parameter(source, node) for node in ast.parse(parameters_cell(source)).body]
    return {parameter.name: parameter for parameter in declared}


def parameters_cell(source: Path) -> str:
    """The source of the one cell tagged `parameters`."""
    cells = nbformat.read(source, as_version=4).cells
    tagged = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise ValueError(f"{source.name}: expected one cell tagged 'parameters', found {len(tagged)}")
    return tagged[0]


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """`["steps=3", "subjects=[dog, cat]"]` -> `{"steps": 3, "subjects": ["dog", "cat"]}`; values are YAML."""
    parsed = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name.isidentifier():
            raise ValueError(f"parameter: expected name=value, got {assignment!r}")
        parsed[name] = parse_value(text)
    return parsed


def parse_value(text: str) -> Any:
    """A YAML scalar or list; nothing at all is the empty text."""
    try:
        return yaml.load(text, Loader=_Loader) if text.strip() else ""
    except yaml.YAMLError as error:
        raise ValueError(f"expected a YAML value, got {text!r}") from error


class _Loader(yaml.SafeLoader):
    """YAML whose 1e-4 is a number, as in YAML 1.2; YAML 1.1 asks for 1.0e-4."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def _parameter(source: Path, node: ast.stmt) -> Parameter:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
            type_name = ast.unparse(annotation)
            return Parameter(name, eval(type_name, dict(_ANNOTATIONS)), type_name, _literal(source, value))
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            default = _literal(source, value)
            kind = _type_of(default)
            return Parameter(name, kind, kind.__name__ if isinstance(kind, type) else str(kind), default)
    raise ValueError(f"{source.name}: parameters cell: expected name = literal, got {ast.unparse(node)!r}")


def _literal(source: Path, value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError as error:
        message = f"{source.name}: parameters cell: expected a literal value, got {ast.unparse(value)!r}"
        raise ValueError(message) from error


def _type_of(default: Any) -> Any:
    """The type that a default stands for: a list's elements count, and None stands for anything."""
    if default is None:
        return Any
    kinds = {type(item) for item in default} if isinstance(default, list) else set()
    return list[kinds.pop()] if len(kinds) == 1 else type(default)
