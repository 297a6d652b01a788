"""Files and folders that take their name only when they are whole, written so in one place of the package."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sidkit import files
from sidkit.files import whole_file, whole_folder, write_bytes, write_json, write_text

PACKAGE = Path(files.__file__).parent


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_text_bytes_and_json_are_written_as_they_are(tmp_path):
    write_text(tmp_path / "a.txt", "Kätzchen\n")
    write_bytes(tmp_path / "b.bin", b"\x00\xff")
    write_json(tmp_path / "c.json", {"word": "Kätzchen"})
    assert (tmp_path / "a.txt").read_bytes() == "Kätzchen\n".encode()
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\xff"
    assert (tmp_path / "c.json").read_text(encoding="utf-8") == '{\n "word": "Kätzchen"\n}\n'
    assert names(tmp_path) == ["a.txt", "b.bin", "c.json"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path, error):
    path = tmp_path / "captions.json"
    write_text(path, "old")
    with pytest.raises(error), whole_file(path) as partial:
        partial.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["captions.json"]


def test_what_is_written_is_not_there_before_the_end(tmp_path):
    path = tmp_path / "mask.png"
    with whole_file(path) as partial:
        partial.write_bytes(b"half")
        assert not path.exists()
        assert partial.parent == path.parent  # a rename between disks is no single step
    assert path.read_bytes() == b"half"


def test_a_killed_writer_leaves_the_old_file_and_the_next_one_clears_up(tmp_path):
    path = tmp_path / "captions.json"
    write_text(path, "old")
    code = (
        "import os, signal, sys; from sidkit.files import whole_file\n"
        "with whole_file(sys.argv[1]) as partial:\n"
        "    partial.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, path], cwd=PACKAGE.parent, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    write_text(path, "new")
    assert path.read_text() == "new"
    assert names(tmp_path) == ["captions.json"]


def test_bytes_are_on_the_disk_before_they_have_the_name(tmp_path, monkeypatch):
    steps = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append("sync"), sync(handle)))
    monkeypatch.setattr(os, "replace", lambda *paths: (steps.append("rename"), replace(*paths)))
    write_text(tmp_path / "a.txt", "a")
    assert steps == ["sync", "rename", "sync"]  # the file, its name, the folder that holds the name


def test_a_link_is_written_through_and_permissions_stay(tmp_path):
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "captions.json", tmp_path / "captions.json"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_text(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_name_as_long_as_names_may_be(tmp_path):
    write_text(tmp_path / f"{'ü' * 120}.json", "x")
    assert len(names(tmp_path)) == 1


def test_a_folder_takes_its_name_when_it_is_whole(tmp_path):
    with whole_folder(tmp_path / "run") as partial:
        (partial / "deep").mkdir()
        (partial / "deep" / "a.txt").write_text("a")
        assert not (tmp_path / "run").exists()
    assert (tmp_path / "run" / "deep" / "a.txt").read_text() == "a"


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_a_folder_takes_the_place_of_what_was_there(tmp_path, kind):
    path = tmp_path / "run"
    if kind == "folder":
        path.mkdir()
        (path / "damaged.txt").write_text("x")
    elif kind == "file":
        path.write_text("x")
    else:
        path.symlink_to(tmp_path / "nowhere")
    with whole_folder(path) as partial:
        (partial / "a.txt").write_text("a")
    assert names(path) == ["a.txt"]


def test_a_folder_that_fails_leaves_the_old_one(tmp_path):
    with whole_folder(tmp_path / "run") as partial:
        (partial / "a.txt").write_text("old")
    with pytest.raises(ValueError, match="no"), whole_folder(tmp_path / "run") as partial:
        (partial / "a.txt").write_text("half")
        raise ValueError("no")
    assert (tmp_path / "run" / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["run"]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nobody_else_renames_a_path(path):
    """A path's `replace` takes one place, a text's takes two; who renames by hand has a name for what is unfinished."""
    if path.name == "files.py" and path.parent == PACKAGE:
        return
    nodes = list(ast.walk(ast.parse(path.read_text())))
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    renames = [call.lineno for call in calls if _renames(call)]
    constants = [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    renames += [node.lineno for node in constants if node.value.endswith((".partial", ".tmp"))]
    assert not renames, f"{path.name}: use sidkit.files in lines {renames}"


def _renames(call):
    if isinstance(call.func.value, ast.Name) and call.func.value.id == "os":
        return call.func.attr in ("replace", "rename", "renames")
    return call.func.attr == "replace" and len(call.args) == 1 and not call.keywords
