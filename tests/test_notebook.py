"""Parameters are checked before a kernel starts; then papermill runs the notebook."""

from pathlib import Path

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from sidkit.notebook import NotebookError, run_notebook
from sidkit.notebook_file import find_notebook
from sidkit.parameters import declared_parameters

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
        ({"subjects": "dog"}, r"subjects: expected list\[str\].* write subjects=\[\"dog\"\]"),
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
        ("steps = 3", (), "expected one code cell tagged 'parameters', found 0"),
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


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        '{"cells": [',
        "{}",
        "[]",
        "null",
        "3",
        '"text"',
        "# A script\nprint(3)",
        "<!DOCTYPE html><html></html>",
        '{"nbformat": "4", "nbformat_minor": 5, "metadata": {}, "cells": []}',
        '{"nbformat": 99, "nbformat_minor": 5, "metadata": {}, "cells": []}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        '{"nbformat": 4, "nbformat_minor": 5, "cells": []}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": {}}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": [], "cells": [null]}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": 3}]}',
        '{"nbformat": 4, "nbformat_minor": "x", "metadata": {}, "cells": []}',
        *(
            '{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": "n = 3", '
            f'"outputs": [], "execution_count": null, "metadata": {{"tags": {tags}}}}}]}}'
            for tags in ("null", "7", "{}")
        ),
        "[" * 100_000,
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    ],
)
def test_a_file_that_is_no_notebook_is_one_line_with_its_name(tmp_path, text):
    path = tmp_path / "odd.ipynb"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"^{path}: expected a notebook, ") as refusal:
        run_notebook(path, {"n": 4}, tmp_path / "out.ipynb")
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 400


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_notebook_in_another_encoding_is_told(tmp_path, encoding):
    source = write(tmp_path / "odd.ipynb", 'word = "café"')
    source.write_bytes(source.read_text().encode(encoding))
    with pytest.raises(ValueError, match=r"odd.ipynb: expected text in UTF-8"):
        run_notebook(source, {}, tmp_path / "out.ipynb")


def test_a_notebook_as_other_tools_save_it_is_read(tmp_path):
    source = write(tmp_path / "odd.IPYNB", "n = 3")
    source.write_bytes(b"\xef\xbb\xbf" + source.read_bytes().replace(b"\n", b"\r\n"))
    assert find_notebook(source) == source
    assert declared_parameters(source)["n"].default == 3
    run_notebook(source, {"n": 4}, tmp_path / "a {b}" / "copy.ipynb")
    assert "n = 4" in nbformat.read(tmp_path / "a {b}" / "copy.ipynb", as_version=4).cells[2].source


@pytest.mark.usefixtures("no_kernel")
def test_an_output_that_cannot_be_written_is_told_before_a_kernel_starts(source, tmp_path):
    with pytest.raises(ValueError, match="expected a file, or nothing yet, got a folder"):
        run_notebook(source, {}, tmp_path)
    with pytest.raises(ValueError, match="expected a folder in which x.ipynb can be written"):
        run_notebook(source, {}, Path("/proc") / "x.ipynb")
    with pytest.raises(OSError, match="Not a directory|File exists"):
        run_notebook(source, {}, source / "x.ipynb")
    assert not list(tmp_path.glob("*trial*"))


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
    with pytest.raises(NotebookError, match="^bad: cell 2 failed: ZeroDivisionError: division by zero$") as failure:
        run_notebook(source, {}, tmp_path / "out.ipynb")
    assert "1 / (steps - 3)" in failure.value.excerpt
