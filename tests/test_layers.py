"""The package's shape: imports point one way, the lower layers need no torch, and the house rules hold."""

import ast
import graphlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from density import deepest_comprehension, density

PACKAGE = Path(__file__).parents[1] / "sidkit"

# From the bottom up; a name stands for the module and everything in it. A module imports from its own layer and below.
LAYERS = (
    (
        "sidkit",
        "sidkit.captions",
        "sidkit.config",
        "sidkit.csv_files",
        "sidkit.files",
        "sidkit.hub",
        "sidkit.identifier",
        "sidkit.image_files",
        "sidkit.imports",
        "sidkit.inflection",
        "sidkit.json_advice",
        "sidkit.mark",
        "sidkit.markdown",
        "sidkit.picture_folder",
        "sidkit.shown",
        "sidkit.spreadsheets",
        "sidkit.tether",
        "sidkit.torchvision_ops",
        "sidkit.trade_captions",
        "sidkit.two_values",
        "sidkit.yaml_files",
    ),
    ("sidkit.masks.given",),
    ("sidkit.stickers", "sidkit.subjects", "sidkit.dreambench"),
    ("sidkit.describe", "sidkit.run_record", "sidkit.store_errors", "sidkit.checkpoint"),
    ("sidkit.runs",),
    ("sidkit.store_care",),
    ("sidkit.layouts", "sidkit.stickers.references", "sidkit.stickers.sticker_prompts", "sidkit.stickers.line_up"),
    ("sidkit.stickers.mixtures", "sidkit.stickers.subject_encoder"),
    ("sidkit.pipeline_kinds", "sidkit.pipeline_files"),
    ("sidkit.models", "sidkit.masters", "sidkit.masks", "sidkit.measure", "sidkit.check", "sidkit.raters"),
    ("sidkit.model_cache", "sidkit.plot", "sidkit.worlds", "sidkit.check.subject"),
    ("sidkit.personalization", "sidkit.generation"),
    ("sidkit.attention", "sidkit.attention_hooks", "sidkit.encoder_methods"),
    ("sidkit.pretrain",),
    ("sidkit.study",),
    ("sidkit.chapters",),
    (
        "sidkit.notebook_file",
        "sidkit.parameters",
        "sidkit.notebook",
        "sidkit.screen",
        "sidkit.side_by_side",
        "sidkit.book",
        "sidkit.doctor",
        "sidkit.fetch",
        "sidkit.new",
        "sidkit.toc",
    ),
    ("sidkit.cli", "sidkit.__main__"),
)
WITHOUT_TORCH = (
    "sidkit.captions",
    "sidkit.config",
    "sidkit.hub",
    "sidkit.subjects",
    "sidkit.masks.given",
    "sidkit.plot.charts",
    "sidkit.measure.metrics",
    "sidkit.measure.statistics",
    "sidkit.describe",
    "sidkit.worlds",
    "sidkit.raters.form",
    "sidkit.raters.preferences",
    "sidkit.runs",
    "sidkit.notebook",
    "sidkit.cli.main",
    "sidkit.pretrain.plans",
    "sidkit.stickers.heads",
    "sidkit.stickers.scenes",
    "sidkit.stickers.grammar",
    "sidkit.stickers.references",
)

# The house rules that count. Where the code is not there yet, a number here says how far it is, and only falls.
DENSITY = 7  # syntax nodes a line of code (tests/density.py)
DEEPEST_COMPREHENSION = 2  # one in another, and none in that
KNOTS = set()  # rooms that still import each other


def module_name(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


SOURCES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def tree(name):
    return ast.parse(SOURCES[name].read_text())


def imported(name):
    """The modules of this package that a module imports anywhere, also inside functions.

    What the front door offers does not count: it is fetched when a user asks, and only editors see it imported.
    """
    package = name if SOURCES[name].name == "__init__.py" else name.rpartition(".")[0]
    read = [node for node in tree(name).body if name != "sidkit" or not isinstance(node, ast.If)]
    found = set()
    for node in (node for statement in read for node in ast.walk(statement)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            source = ".".join([*parents, *filter(None, [node.module])])
            found |= {source} | {f"{source}.{alias.name}" for alias in node.names}
    return (found & set(SOURCES)) - {name}


def layer(name):
    """The layer of the longest name in LAYERS that covers the module."""
    covering = [(len(cover), rank) for rank, names in enumerate(LAYERS) for cover in names if covers(cover, name)]
    return max(covering)[1]


def covers(cover, name):
    return name == cover or (cover != "sidkit" and name.startswith(cover + "."))


def room(name):
    """The file or folder of the package that a module lies in."""
    return name.split(".")[1]


def functions(name):
    return [node for node in ast.walk(tree(name)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


@pytest.mark.parametrize("name", SOURCES)
def test_every_module_has_a_layer_and_imports_none_above_it(name):
    above = {other for other in imported(name) if layer(other) > layer(name)}
    assert not above, f"{name} imports from a higher layer: {above}"


def test_imports_have_no_circle():
    # A package's own __init__ may gather its modules, and they may import each other: not a circle through the package.
    graph = {name: {other for other in imported(name) if not name.startswith(other + ".")} for name in SOURCES}
    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_rooms_have_no_knot():
    """Folders, too, import one way: none leads back to itself through others."""
    graph = {room(name): set() for name in SOURCES if name != "sidkit"}
    for name in SOURCES.keys() - {"sidkit"}:
        graph[room(name)] |= {room(other) for other in imported(name) - {"sidkit"}} - {room(name)}
    for one, other in KNOTS:
        graph[one].discard(other)
    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_a_file_name_says_which_file():
    rooms = [
        path for name, path in SOURCES.items() if path.stem not in ("__init__", "__main__") and room(name) != "chapters"
    ]
    counts = Counter(path.stem for path in rooms)
    assert not {stem for stem, count in counts.items() if count > 1}


def test_a_line_holds_one_thought():
    assert density(SOURCES.values()).mean <= DENSITY


@pytest.mark.parametrize("name", SOURCES)
def test_comprehensions_are_not_nested_deeply(name):
    assert deepest_comprehension(tree(name)) <= DEEPEST_COMPREHENSION


def test_importing_the_package_is_quick_and_brings_nothing():
    code = "import sys, time; t = time.perf_counter(); import sidkit; print(time.perf_counter() - t, *sys.modules)"
    seconds, *modules = python(code).split()
    assert float(seconds) < 0.3
    assert not {"torch", "numpy", "PIL", "pydantic", "diffusers"} & set(modules)


@pytest.mark.parametrize("name", [name for name in WITHOUT_TORCH if name in SOURCES])
def test_the_lower_modules_need_no_torch(name):
    assert python(f"import sys, {name}; print('torch' in sys.modules)").strip() == "False"


def test_the_command_line_starts_quickly():
    heavy = "{'torch', 'diffusers', 'papermill', 'matplotlib', 'pandas'}"
    assert python(f"import sys, sidkit.cli.main; print({heavy} & set(sys.modules))").strip() == "set()"


@pytest.mark.parametrize("name", SOURCES)
def test_house_rules(name):
    assert name.rpartition(".")[2] not in {"utils", "common", "helpers"}
    assert len(SOURCES[name].read_text().splitlines()) <= 300
    for function in functions(name):
        assert function.end_lineno - function.lineno < 60, f"{name}.{function.name} is longer than 60 lines"
    bare = [node.lineno for node in ast.walk(tree(name)) if isinstance(node, ast.ExceptHandler) and node.type is None]
    assert not bare, f"{name}: bare except in lines {bare}"


@pytest.mark.parametrize("name", SOURCES)
def test_public_things_say_what_they_are(name):
    public = [
        node for node in tree(name).body if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_"
    ]
    silent = [node.name for node in public if not ast.get_docstring(node)]
    assert ast.get_docstring(tree(name)) or not SOURCES[name].read_text().strip(), f"{name} has no docstring"
    assert not silent, f"{name}: no docstring in {silent}"


def python(code):
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout
