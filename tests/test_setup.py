"""What is imported is declared, what is declared is locked, and the lock brings no CUDA."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from conftest import BOOK
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
BUILD = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]
PYTHONS = ("3.11.9", "3.12.8", "3.13.1")
SYSTEMS = (("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64"))


def locked(file):
    """The requirements of a lock, each with the hashes of its files."""
    text = (ROOT / file).read_text().replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line and line[0] != "#"]
    entries = []
    for words in lines:
        hashes = [word for word in words if word.startswith("--hash=")]
        entries.append((Requirement(" ".join(words[: len(words) - len(hashes)])), hashes))
    return entries


def held(entries, environment=None):
    """The version of each package that a lock holds for an environment, by default this one."""
    chosen = [lock for lock, _ in entries if lock.marker is None or lock.marker.evaluate(environment)]
    return {canonicalize_name(lock.name): str(lock.specifier).removeprefix("==") for lock in chosen}


def environments():
    for python in PYTHONS:
        for platform, system, machine in SYSTEMS:
            yield {
                "python_version": python.rpartition(".")[0],
                "python_full_version": python,
                "sys_platform": platform,
                "platform_system": system,
                "platform_machine": machine,
                "os_name": "posix",
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
            }


LOCK = held(locked("requirements.lock")) | held(locked("torch-cpu.lock"))


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


@pytest.mark.parametrize("torch_lock", ["torch-cpu.lock", "torch-pypi.lock"])
def test_the_locks_hold_what_make_needs_for_every_python_and_system(torch_lock):
    needed = requirements(PROJECT["dependencies"], EXTRAS["book"], EXTRAS["test"], GROUPS["build"], BUILD["requires"])
    entries = locked("requirements.lock") + locked(torch_lock)
    for environment in environments():
        versions = held(entries, environment)
        for name, requirement in needed.items():
            assert name in versions, f"{name} is not in requirements.lock for {environment}; run `make lock`"
            assert requirement.specifier.contains(versions[name]), f"{requirement} but {versions[name]} is locked"


def needs(name):
    """The requirements of a package; none of one that an older environment lacks."""
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


def test_the_lock_holds_all_that_it_leads_to():
    """pip installs what is in the locks and looks for nothing further."""
    for name in LOCK:
        for text in needs(name):
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert canonicalize_name(requirement.name) in LOCK, f"{name} needs {requirement}"


@pytest.mark.parametrize("file", ["requirements.lock", "torch-cpu.lock", "torch-pypi.lock"])
def test_every_locked_file_has_a_version_and_a_hash(file):
    for requirement, hashes in locked(file):
        assert [one.operator for one in requirement.specifier] == ["=="] and requirement.url is None
        assert hashes and all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", text) for text in hashes)


def test_the_locks_of_a_cpu_bring_no_cuda():
    names = [requirement.name for file in ("requirements.lock", "torch-cpu.lock") for requirement, _ in locked(file)]
    assert not [name for name in names if re.match("nvidia|cuda|triton", name)]


def test_the_locks_agree_on_torch():
    (cpu, files), *others = locked("torch-cpu.lock")
    pypi = held(locked("torch-pypi.lock"))
    assert not others and str(cpu.specifier) == f"=={pypi['torch']}+cpu"
    assert len(files) == len(PYTHONS) * 2  # x86_64 and aarch64
    assert "torch" not in held(locked("requirements.lock"))


def test_nothing_is_installed_that_has_no_hash():
    """All that `make venv` installs comes from a lock, but for the project itself, which is built by what is locked."""
    recipe = (ROOT / "Makefile").read_text()
    assert "LOCKED := install --no-deps --only-binary :all: --require-hashes" in recipe
    installs = [line for line in recipe.splitlines() if line.startswith("\t@$(PIP)")]
    assert len(installs) == 3
    for line in installs:
        for command in line.removeprefix("\t@").split("||"):
            assert "$(LOCKED)" in command or "--no-deps --no-build-isolation --editable ." in command


def test_conda_installs_the_same_lock():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert {"-r requirements.lock", "-r torch-cpu.lock"} <= set(dependencies[-1]["pip"])


def test_ruff_finds_nothing():
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "."]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"run `make lint`\n{run.stdout}"


def test_the_files_that_look_at_the_book_are_known_to_be_kept_together():
    using = {path.name for path in (ROOT / "tests").glob("test_*.py") if "small_book" in path.read_text()}
    assert using - {Path(__file__).name} == set(BOOK)
