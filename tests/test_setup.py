"""What is imported is declared, what is declared is locked, and the lock brings no CUDA."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import yaml
from conftest import BOOK
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCK = dict(line.split("==") for line in (ROOT / "requirements.lock").read_text().splitlines() if line[0] != "#")
LOCK = {canonicalize_name(name): version for name, version in LOCK.items()}


def requirements(*groups):
    return {canonicalize_name(Requirement(text).name): Requirement(text) for group in groups for text in group}


def imported(folder):
    """Top-level names of every import in a folder's modules."""
    names = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.split(".")[0])
    return names


def distributions(names):
    """The distributions that bring the imported names, our own modules and the standard library left out."""
    modules = [*(ROOT / "tests").glob("*.py"), *(ROOT / "book" / "_ext").glob("*.py")]
    own = {"sidkit", "conftest", *(path.stem for path in modules)}
    brought_by = metadata.packages_distributions()
    foreign = names - own - set(sys.stdlib_module_names)
    return {canonicalize_name(brought_by.get(name, [name])[0]) for name in foreign}


def test_every_import_is_a_declared_dependency():
    undeclared = distributions(imported("sidkit")) - set(requirements(PROJECT["dependencies"], *EXTRAS.values()))
    assert not undeclared
    undeclared = distributions(imported("tests")) - set(requirements(PROJECT["dependencies"], *EXTRAS.values()))
    assert not undeclared


def test_the_lock_holds_what_make_needs():
    for name, requirement in requirements(PROJECT["dependencies"], EXTRAS["book"], EXTRAS["test"]).items():
        assert name in LOCK, f"{name} is not in requirements.lock; run `make lock`"
        assert requirement.specifier.contains(LOCK[name]), f"{requirement} but {LOCK[name]} is locked"


def test_the_lock_brings_no_cuda():
    assert not [name for name in LOCK if re.match("nvidia|cuda|triton", name)]


def test_make_and_the_lock_agree_on_torch():
    makefile = (ROOT / "Makefile").read_text()
    assert f"TORCH_VERSION := {LOCK['torch']}\n" in makefile
    assert f"TORCHVISION_VERSION := {LOCK['torchvision']}\n" in makefile


def test_conda_installs_the_same_lock():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert {"-r requirements.lock", "-e ."} <= set(dependencies[-1]["pip"])


def test_ruff_finds_nothing():
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "."]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"run `make lint`\n{run.stdout}"


def test_the_files_that_look_at_the_book_are_known_to_be_kept_together():
    using = {path.name for path in (ROOT / "tests").glob("test_*.py") if "small_book" in path.read_text()}
    assert using - {Path(__file__).name} == set(BOOK)
