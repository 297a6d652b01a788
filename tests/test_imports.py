"""What keys a run is the code that it reaches: all of it, and little else."""

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

from sidkit.imports import ROOT, packages, sources

# Entry modules of what the store keeps, and how many modules at most each may reach.
MOST = {
    "sidkit.study.pieces.rendered": 32,
    "sidkit.study.pieces.trained": 30,
    "sidkit.study.pieces.encoded": 29,
    "sidkit.study.pieces.drawn": 17,
    "sidkit.study.pieces.measured": 23,
    "sidkit.study.pieces.masked": 4,
    "sidkit.study.pieces.watched": 21,
    "sidkit.masks.grounded_sam": 15,
    "sidkit.stickers.segmenter": 7,
    "sidkit.pretrain.evaluate": 36,  # the shipped models' scores
}


@pytest.fixture
def package(tmp_path):
    """A folder with a copy of the package's Python files, to be changed."""
    shutil.copytree(ROOT / "sidkit", tmp_path / "sidkit", ignore=_without_data)
    return tmp_path


def _without_data(folder, names):
    return [name for name in names if "." in name and not name.endswith(".py")] + ["weights", "art", "__pycache__"]


def with_text_in(package, module, text):
    """A copy of the package in which `text` stands at the end of a module; what was read once is remembered."""
    changed = package.with_name(f"{package.name}-{module}-{len(text)}")
    shutil.copytree(package, changed)
    path = changed.joinpath(*module.split(".")).with_suffix(".py")
    path.write_text(path.read_text() + text)
    return changed


CODE = "\n\ndef _shade(color):\n    return color\n"
WORDS = "\n\n# A comment.\n"


@pytest.mark.parametrize(
    ("entry", "module"),
    [
        ("sidkit.study.pieces.rendered", "sidkit.stickers.strokes"),
        ("sidkit.study.pieces.rendered", "sidkit.stickers.anchors"),
        ("sidkit.study.pieces.measured", "sidkit.stickers.nets"),
        ("sidkit.study.pieces.drawn", "sidkit.inflection"),
        ("sidkit.study.pieces.trained", "sidkit.personalization.lora"),
        ("sidkit.pretrain.evaluate", "sidkit.stickers.scenes"),
    ],
)
def test_code_that_is_reached_from_afar_counts(package, entry, module):
    before, after = sources([entry], package), sources([entry], with_text_in(package, module, CODE))
    assert [name for name in before if before[name] != after[name]] == [module]


def test_another_stroke_is_another_picture_in_the_store(package):
    stroke = "sidkit.stickers.strokes"
    roots = [package, with_text_in(package, stroke, CODE), with_text_in(package, stroke, WORDS)]
    plain, drawn_otherwise, commented = [_folder_kept(root) for root in roots]
    assert plain != drawn_otherwise
    assert plain == commented


def _folder_kept(root):
    """The name of the folder that a store gives a subject, in a process that runs the package at `root`."""
    code = """
        import tempfile
        from sidkit.runs import Runs
        from sidkit.stickers.references import make_subject
        print(Runs(tempfile.mkdtemp()).get("subject", {}, lambda folder: None, code=[make_subject]).name)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout


BARE = """import numpy as np

class A:
    x: int = 0

    def f(self, a=1):
        b = np.zeros(a)
        return b
"""


@pytest.mark.parametrize(
    ("source", "counts"),
    [
        (BARE, False),
        ('"""A module."""\n' + BARE, False),
        (BARE.replace("a=1)", "a: int = 1) -> 'A'"), False),
        (BARE.replace("b =", "b: float ="), False),
        (BARE.replace("x: int", '"""A class."""\n    x: int'), False),
        (BARE.replace("        b", '        """A method."""\n        b'), False),
        ("from typing import Any\n" + BARE.replace("a=1", "a: Any = 1"), False),  # needed by an annotation only
        (BARE.replace("(a)", "(a)  # of them"), False),
        (BARE.replace("x: int", "x: float"), True),  # of a dataclass's field
        (BARE.replace("a=1", "a=2"), True),
        (BARE.replace("zeros", "ones"), True),
        (BARE.replace("import numpy", "import torch"), True),
    ],
)
def test_what_shapes_nothing_does_not_count(tmp_path, source, counts):
    (tmp_path / "plain.py").write_text(BARE)
    (tmp_path / "other.py").write_text(source)
    differs = sources(["plain"], tmp_path)["plain"] != sources(["other"], tmp_path)["other"]
    assert differs == counts


def test_imports_are_followed_wherever_they_stand(tmp_path):
    files = {
        "__init__.py": "from house import door",
        "door.py": "1",
        "a.py": "from house import b\nfrom house.rooms import c, SIZE\nimport numpy",
        "b.py": "def f(x: 'E'):\n    from .rooms.d import g\nfrom house.e import E",
        "e.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house import unreached",
        "unreached.py": "1",
        "rooms/__init__.py": "SIZE = 1",
        "rooms/c.py": "import house.rooms.f",
        "rooms/d.py": "from ..a import b",  # a circle
        "rooms/f.py": "1",
    }
    for name, text in files.items():
        path = tmp_path / "house" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    found = [name.removeprefix("house.") for name in sources(["house.a"], tmp_path)]
    assert found == ["a", "b", "e", "rooms", "rooms.c", "rooms.d", "rooms.f"]
    with pytest.raises(ValueError, match=r"name of a Python module in .*, got 'house\.none'"):
        sources(["house.none"], tmp_path)


@pytest.mark.parametrize("entry", MOST)
def test_what_does_not_shape_a_result_is_not_imported_by_what_does(entry):
    reached = list(sources([entry]))
    assert len(reached) <= MOST[entry], f"{entry} reaches {', '.join(reached)}"
    rooms = {name.split(".")[1] for name in reached}
    assert not {"plot", "cli", "chapters", "notebook", "book", "doctor", "check", "worlds"} & rooms
    assert all(name.startswith("sidkit.study.pieces.") for name in reached if name.startswith("sidkit.study"))


def test_the_packages_of_others_are_told(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy.random as r\ndef f(x: 'A'):\n    from PIL import Image\n    return r, Image"
    )
    assert packages(sources(["mine"], tmp_path)) == {"numpy", "PIL"}
    assert {"open_clip", "timm"} <= packages(sources(["sidkit.study.pieces.measured"]))
    assert not {"open_clip", "timm"} & packages(sources(["sidkit.study.pieces.drawn"]))


def test_nothing_inside_comes_through_the_door():
    """The package's `__init__` would have to import what it offers by name, which cannot be followed."""
    modules = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "sidkit").rglob("*.py")]
    names = [".".join(module.parts).removesuffix(".__init__") for module in modules]
    assert not [name for name in names if name != "sidkit" and "sidkit" in sources([name])]
