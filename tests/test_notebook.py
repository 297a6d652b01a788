"""Parameters are checked before a kernel starts; then papermill runs the notebook."""

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from sidkit.notebook import declared_parameters, find_notebook, parse_assignments, run_notebook

CELL = """\
steps = 3  # optimizer steps
guidance = 7.5
prompt = "a dog"
subjects = ["dog", "cat"]
flip = False
seed: int | None = None
scale: Literal["smoke", "quick"] = "quick"
"""


def write(path, parameters, *cells, tags=("parameters",)):
    book = new_notebook(cells=[new_code_cell("from typing import Literal"), new_code_cell(parameters)])
    book.cells[1].metadata.tags = list(tags)
    book.cells += [new_code_cell(cell) for cell in cells]
    nbformat.write(book, path)
    return path


@pytest.fixture
def source(tmp_path):
    return write(tmp_path / "chapter.ipynb", CELL, "print(steps, guidance, subjects, seed, scale)")


@pytest.fixture
def no_kernel(monkeypatch):
    """Fails the test if papermill is reached."""
    monkeypatch.setattr(papermill, "execute_notebook", lambda *_, **__: pytest.fail("a kernel was started"))


def test_the_cell_declares_names_types_and_defaults(source):
    declared = declared_parameters(source)
    assert {name: parameter.type_name for name, parameter in declared.items()} == {
        "steps": "int",
        "guidance": "float",
        "prompt": "str",
        "subjects": "list[str]",
        "flip": "bool",
        "seed": "int | None",
        "scale": "Literal['smoke', 'quick']",
    }
    assert declared["subjects"].default == ["dog", "cat"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"stepz": 4}, "unknown parameter 'stepz'; did you mean 'steps'"),
        ({"steps": "many"}, "steps: expected int, like 3, got 'many'"),
        ({"steps": 2.5}, "steps: expected int"),
        ({"steps": True}, "steps: expected int"),
        ({"prompt": 5}, "prompt: expected str"),
        ({"flip": 1}, "flip: expected bool"),
        ({"subjects": "dog"}, r"subjects: expected list\[str\].* write subjects=\[dog\]"),
        ({"subjects": [1]}, r"subjects: expected list\[str\]"),
        ({"seed": "x"}, r"seed: expected int \| None"),
        ({"scale": "fulll"}, "scale: expected Literal"),
    ],
)
@pytest.mark.usefixtures("no_kernel")
def test_wrong_names_and_types_are_refused_before_a_kernel_starts(source, parameters, message):
    with pytest.raises(ValueError, match=message):
        run_notebook(source, parameters)


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize(
    ("cell", "tags", "message"),
    [
        ("steps = 3", (), "expected one cell tagged 'parameters', found 0"),
        ("steps = 2 * three", ("parameters",), "expected a literal value, got '2 \\* three'"),
        ("import os", ("parameters",), "expected name = literal, got 'import os'"),
    ],
)
def test_a_notebook_without_a_proper_cell_is_refused(tmp_path, cell, tags, message):
    with pytest.raises(ValueError, match=message):
        run_notebook(write(tmp_path / "x.ipynb", cell, tags=tags), {})


@pytest.mark.usefixtures("no_kernel")
def test_the_source_is_never_the_output(source):
    with pytest.raises(ValueError, match="another place than the notebook itself"):
        run_notebook(source, {}, source)


def test_a_notebook_is_found_by_name_or_path(tmp_path, source):
    assert find_notebook("chapter", tmp_path) == find_notebook(source) == source
    with pytest.raises(ValueError, match="unknown notebook 'chaptr'; did you mean 'chapter'"):
        find_notebook("chaptr", tmp_path)
    with pytest.raises(ValueError, match="expected a file at"):
        find_notebook(tmp_path / "none.ipynb")


def test_values_run_and_defaults_stay(tmp_path, source):
    output = run_notebook(source, {"steps": 4, "guidance": 3, "seed": 1}, tmp_path / "out" / "copy.ipynb")
    printed = nbformat.read(output, as_version=4).cells[-1].outputs[0].text
    assert printed == "4 3.0 ['dog', 'cat'] 1 quick\n"


def test_a_failing_cell_is_shown(tmp_path):
    source = write(tmp_path / "bad.ipynb", "steps = 3", "1 / (steps - 3)")
    with pytest.raises(papermill.PapermillExecutionError, match=r"1 / \(steps - 3\)"):
        run_notebook(source, {}, tmp_path / "out.ipynb")


def test_assignments_are_yaml():
    text = ["a=3", "b=1e-4", "c=[dog, 2, 1e-3]", "d=a [v] dog", "e=", "f=null", "g=true", "h=x=y"]
    assert parse_assignments(text) == {
        "a": 3,
        "b": 1e-4,
        "c": ["dog", 2, 1e-3],
        "d": "a [v] dog",
        "e": "",
        "f": None,
        "g": True,
        "h": "x=y",
    }


@pytest.mark.parametrize("text", ["steps", "=3", "two words=3", "a=[1"])
def test_what_is_no_assignment_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        parse_assignments([text])
