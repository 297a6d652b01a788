"""The front door: every name resolves to the thing in its room, says what it is, and costs nothing before."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sidkit
from sidkit import config
from sidkit.stickers.references import make_subject

PACKAGE = Path(sidkit.__file__).parent
OPEN_ALL = "import sidkit; print({name: getattr(sidkit, name).__module__ for name in sidkit.__all__})"


def seen_by_editors():
    """Name -> room, from the imports that only a type checker reads."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imports = [node for block in blocks for node in block.body]
    return {alias.asname: node.module for node in imports for alias in node.names}


@pytest.mark.parametrize("name", sidkit.__all__)
def test_a_name_is_the_thing_in_its_room_and_says_what_it_is(name):
    offered = getattr(sidkit, name)
    assert offered is getattr(importlib.import_module(offered.__module__), name)
    assert len(inspect.getdoc(offered)) > 20 and name in dir(sidkit)


def test_in_a_fresh_process_every_name_is_had_without_importing_its_room_first():
    run = subprocess.run([sys.executable, "-c", OPEN_ALL], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert ast.literal_eval(run.stdout) == seen_by_editors()


def test_editors_see_what_the_door_offers():
    assert seen_by_editors() == sidkit._ROOM_OF


def test_no_name_is_both_a_room_and_something_to_call():
    rooms = {path.stem for path in PACKAGE.rglob("*") if path.suffix == ".py" or path.is_dir()}
    assert not rooms & set(sidkit.__all__)


def test_a_name_that_is_not_there_is_refused_as_python_does():
    with pytest.raises(AttributeError, match="has no attribute 'personalise'"):
        sidkit.personalise  # noqa: B018
    assert not hasattr(sidkit, "measure_everything")


@pytest.mark.slow
def test_the_lines_in_the_readme_run(tmp_path, monkeypatch, tiny_weights, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "WEIGHTS", tiny_weights)
    make_subject("photos/my_cat", "cat", ["background"], seed=0)
    (lines,) = re.findall(r"```python\n(.*?)```", (PACKAGE.parent / "README.md").read_text(), re.DOTALL)
    exec(lines, {})
    assert -1 <= float(capsys.readouterr().out.splitlines()[-1]) <= 1
    assert len([line for line in lines.splitlines() if line.strip()]) <= 14
