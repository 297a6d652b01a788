"""The run store: same content, same folder; made once; nothing half-written is read."""

import importlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sidkit import config
from sidkit.imports import sources
from sidkit.runs import Runs, content, fingerprint, sources_of
from sidkit.stickers.references import make_subject


@dataclass(frozen=True)
class Settings:
    steps: int
    note: str = ""


def counting(text="done"):
    """A `make` that counts its calls in `make.calls`."""

    def make(folder):
        make.calls += 1
        (folder / "sub").mkdir()
        (folder / "sub" / "result.txt").write_text(text)

    make.calls = 0
    return make


def test_the_second_call_makes_nothing(tmp_path):
    make = counting()
    first = Runs(tmp_path).get("train", {"seed": 0}, make)
    second = Runs(tmp_path).get("train", {"seed": 0}, make)
    assert first == second
    assert make.calls == 1
    assert (first / "sub" / "result.txt").read_text() == "done"


def test_another_key_kind_or_code_is_another_run(tmp_path):
    runs, make = Runs(tmp_path), counting()
    folders = {
        runs.get("train", {"seed": 0}, make),
        runs.get("train", {"seed": 1}, make),
        runs.get("measure", {"seed": 0}, make),
        runs.get("train", {"seed": 0}, make, code=[config]),
    }
    assert len(folders) == make.calls == 4


def test_code_counts_but_its_comments_do_not(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    digests = []
    for name, source in [("m_one", "x = 1"), ("m_same", "x  =  1  # why"), ("m_other", "x = 2")]:
        (tmp_path / f"{name}.py").write_text(source)
        folder = Runs(tmp_path / "runs").get("k", {}, counting(), code=[importlib.import_module(name)])
        digests.append(json.loads((folder / "run.json").read_text())["code"][name])
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("name", ["__main__", "nowhere"])
def test_code_that_no_file_holds_is_refused(tmp_path, name):
    typed = {"__name__": name}
    exec("def make(folder): pass", typed)
    with pytest.raises(ValueError, match="that a file holds, got <function make"):
        Runs(tmp_path).get("k", {}, counting(), code=[typed["make"]])


def test_a_function_counts_with_all_that_its_module_reaches():
    assert sources_of([make_subject]) == sources_of([sys.modules[make_subject.__module__]])
    assert sources_of([make_subject]) == sources(["sidkit.stickers.references"])


def test_the_library_that_encodes_counts_where_it_is_used(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "m_eyes.py").write_text("def look():\n    import timm\n\n    return timm")
    (tmp_path / "m_hand.py").write_text("def draw():\n    pass")
    libraries = []
    for name in ("m_eyes", "m_hand"):
        folder = Runs(tmp_path / "runs").get("k", {}, counting(), code=[importlib.import_module(name)])
        libraries.append(json.loads((folder / "run.json").read_text())["libraries"])
    eyes, hand = libraries
    assert set(eyes) - set(hand) == {"timm"} and eyes["timm"] == metadata.version("timm")


def test_content_not_place_decides(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (3, 2), "red").save(tmp_path / name / "0.png")
        (tmp_path / name / f".hidden_{name}").write_text(name)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")
    Image.new("RGB", (3, 2), "blue").save(tmp_path / "b" / "0.png")
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "b")
    (tmp_path / "a" / "0.png").rename(tmp_path / "a" / "1.png")
    assert list(content(tmp_path / "a")) == ["1.png"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": True}, {"a": 1}),
        ([1, 2], [2, 1]),
        (Settings(1), Settings(2)),
        (Settings(1), {"steps": 1, "note": ""}),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.zeros(2, np.float32), np.zeros(1, np.float64)),
        (Image.new("RGB", (2, 3)), Image.new("RGB", (3, 2))),
        (b"a", b"b"),
        ("1", 1),
    ],
)
def test_what_differs_differs(one, other):
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(one) == fingerprint(one)


def test_order_of_names_does_not_count():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"x", "y"}) == fingerprint({"y", "x"})


def test_what_cannot_be_keyed_is_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot hold a object"):
        Runs(tmp_path).get("k", {"model": object()}, counting())
    with pytest.raises(ValueError, match="does not exist"):
        Runs(tmp_path).get("k", {"photo": tmp_path / "none.png"}, counting())


def test_provenance_is_readable_and_holds_no_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    folder = Runs(tmp_path).get("train", {"settings": Settings(3, "a [v] dog")}, counting())
    text = (folder / "run.json").read_text()
    record = json.loads(text)
    assert record["key"] == {"settings": {"Settings": {"steps": 3, "note": "a [v] dog"}}}
    assert record["files"] == {"sub/result.txt": 4}
    assert {"torch", "diffusers", "transformers", "numpy", "pillow"} == set(record["libraries"])
    assert {"started", "seconds", "python", "platform", "device", "commit", "command"} <= set(record)
    assert "sk-secret" not in text


def test_a_make_that_raises_leaves_no_run(tmp_path):
    def fail(folder):
        (folder / "half.txt").write_text("half")
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        Runs(tmp_path).get("train", {}, fail)
    assert list((tmp_path / "train").iterdir()) == []


@pytest.mark.parametrize("damage", ["record missing", "record cut", "file missing", "file cut"])
def test_a_damaged_folder_is_made_again(tmp_path, damage):
    make = counting()
    folder = Runs(tmp_path).get("train", {}, make)
    path = folder / ("run.json" if damage.startswith("record") else "sub/result.txt")
    path.unlink() if damage.endswith("missing") else path.write_text(path.read_text()[:-1])
    assert Runs(tmp_path).get("train", {}, make) == folder
    assert make.calls == 2
    assert (folder / "sub" / "result.txt").read_text() == "done"


SLOW = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from sidkit.runs import Runs

    def make(folder):
        (folder / "result.txt").write_text("half")
        with Path(sys.argv[2]).open("a") as log:
            log.write("made\\n")
        time.sleep(float(sys.argv[3]))
        (folder / "result.txt").write_text("whole")

    print(Runs(sys.argv[1]).get("train", {"seed": 0}, make) / "result.txt")
    """
)


def start(tmp_path, seconds):
    command = [sys.executable, "-c", SLOW, str(tmp_path / "runs"), str(tmp_path / "log"), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])


def wait_for(path, seconds=60):
    deadline = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert path.exists()


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_a_killed_run_is_not_read_and_starts_again(tmp_path):
    killed = start(tmp_path, seconds=600)
    wait_for(tmp_path / "log")
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert [path.name[0] for path in (tmp_path / "runs" / "train").iterdir()] == ["."]  # only the unfinished sibling
    again = start(tmp_path, seconds=0)
    result = Path(again.communicate(timeout=120)[0].strip())
    assert result.read_text() == "whole"
    assert [path.name for path in (tmp_path / "runs" / "train").iterdir()] == [result.parent.name]


def test_two_processes_make_it_once(tmp_path):
    both = [start(tmp_path, seconds=0.5) for _ in range(2)]
    results = {process.communicate(timeout=120)[0].strip() for process in both}
    assert len(results) == 1
    assert Path(results.pop()).read_text() == "whole"
    assert (tmp_path / "log").read_text() == "made\n"


def paletted(*colors):
    picture = Image.new("P", (8, 8))
    picture.putpalette([value for color in colors for value in color])
    return picture


def with_clear_color(mode, color):
    picture = Image.new(mode, (8, 8))
    picture.info["transparency"] = color
    return picture


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (paletted((255, 0, 0)), paletted((0, 0, 255))),
        (with_clear_color("RGB", (0, 0, 0)), with_clear_color("RGB", (9, 9, 9))),
        (with_clear_color("L", 0), Image.new("L", (8, 8))),
        (with_clear_color("P", 0), Image.new("P", (8, 8))),
    ],
)
def test_pictures_that_look_different_have_different_keys(one, other):
    assert one.tobytes() == other.tobytes()  # it is not the pixels' numbers that differ
    assert fingerprint(one) == fingerprint(one.copy()) != fingerprint(other)
