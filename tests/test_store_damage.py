"""Damage in the run store heals: it is told, set aside under a name that says so, and made again; nothing else is."""

import errno
import json
import os
import shutil
import stat
import sys
from pathlib import Path

import pytest
from store_kills import stand_kills

from sidkit import run_record
from sidkit.files import is_there, make_folder, remove, set_aside
from sidkit.runs import Runs
from sidkit.store_care import leftovers, prune, verify

KEY = {"seed": 0}
DATA = bytes(range(256)) * 40


def write(path, data):
    """Other bytes, and a later time of change, as writing has it: a test may be quicker than a disk's clock."""
    path.write_bytes(data)
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


def making(calls):
    def make(folder):
        calls.append(folder)
        (folder / "deep").mkdir()
        (folder / "deep" / "result.bin").write_bytes(DATA)
        (folder / "empty.txt").write_text("")

    return make


def finished(root):
    """A store with one run in it, and its folder."""
    folder = Runs(root).get("train", KEY, making([]))
    return folder, folder / "deep" / "result.bin", folder / "run.json"


def place(path, kind):
    """Put something else in the place of a file or folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if kind == "file":
        path.write_text("a note of mine")
    elif kind == "folder":
        path.mkdir()
        (path / "note.txt").write_text("a note of mine")
    elif kind == "link without an end":
        path.symlink_to("nowhere")
    elif kind == "link to itself":
        path.symlink_to(path)
    elif kind == "pipe":
        os.mkfifo(path)


RECORDS = {
    "cut": None,
    "empty": b"",
    "zeroed": bytes(400),
    "not UTF-8": b"\xff\xfe{}",
    "no end": b'{"files": {"deep/result.bin": 10240}',
    "list": b"[]",
    "null": b"null",
    "text": b'"x"',
    "number": b"7",
    "object without files": b"{}",
    "files null": b'{"files": null}',
    "files a list": b'{"kind": 1, "key": 1, "code": {}, "libraries": {}, "files": ["deep/result.bin"]}',
    "nothing else": b'{"files": {}}',
    "hashes null": b'{"kind": 1, "key": 1, "code": {}, "libraries": {}, "files": {}, "hashes": null}',
    "a zero in a name": b'{"kind": 1, "key": 1, "code": {}, "libraries": {}, "files": {"a\\u0000": 1}}',
    "a size in words": b'{"kind": 1, "key": 1, "code": {}, "libraries": {}, "files": {"empty.txt": "0"}}',
    "nested without end": b"[" * 100_000,
    "parts that are told": lambda record: record.pop("started"),
    "its own hash": lambda record: record.update(sha256="sha256:0"),
    "a time, at equal size": lambda record: record.update(started=record["started"].replace("20", "21", 1)),
    "the hash of a file": lambda record: record["hashes"].update({"empty.txt": record["hashes"]["deep/result.bin"]}),
    "another key": lambda record: record.update(key={"seed": 1}),
}
FILES = {
    "cut": DATA[:100],
    "empty": b"",
    "longer": DATA + b"x",
    "zeroed at equal size": bytes(len(DATA)),
    "one bit": bytes([DATA[0] ^ 1]) + DATA[1:],
    "half of it": DATA[:5120] + DATA[:5120][::-1],
}
PLACES = ("nothing", "file", "folder", "link without an end", "link to itself", "pipe")


def heals(root, folder, capsys, *, kept=1):
    calls = []
    capsys.readouterr()
    assert Runs(root).get("train", KEY, making(calls)) == folder
    assert len(calls) == 1
    assert (folder / "deep" / "result.bin").read_bytes() == DATA and not folder.is_symlink()
    assert len(list(folder.parent.glob(f"{folder.name}.set-aside-*"))) == kept
    assert capsys.readouterr().err.count("set aside: ") == kept
    assert Runs(root).get("train", KEY, making(calls)) == folder and len(calls) == 1


@pytest.mark.parametrize("name", RECORDS)
def test_a_damaged_record(tmp_path, capsys, name):
    folder, _, record = finished(tmp_path)
    change = RECORDS[name]
    data = record.read_bytes()[:-200] if change is None else change
    if callable(change):
        told = json.loads(record.read_text())
        change(told)
        data = json.dumps(told, indent=1).encode()
    write(record, data)
    heals(tmp_path, folder, capsys)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file(tmp_path, capsys, name):
    folder, file, _ = finished(tmp_path)
    write(file, FILES[name])
    heals(tmp_path, folder, capsys)
    (kept,) = folder.parent.glob("*.set-aside-1")
    assert (kept / "deep" / "result.bin").read_bytes() == FILES[name]


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("part", ["deep/result.bin", "deep", "run.json", "."])
def test_another_thing_in_its_place(tmp_path, capsys, part, kind):
    folder, _, _ = finished(tmp_path)
    place(folder / part if part != "." else folder, kind)
    heals(tmp_path, folder, capsys, kept=0 if (part, kind) == (".", "nothing") else 1)


@pytest.mark.parametrize("kind", PLACES[1:])
def test_another_thing_in_the_place_of_the_unfinished_folder(tmp_path, capsys, kind):
    folder, _, _ = finished(tmp_path)
    place(folder, "nothing")
    place(folder.with_name(f".{folder.name}.partial"), kind)
    heals(tmp_path, folder, capsys, kept=0)


@pytest.mark.parametrize("kind", ["file", "link without an end"])
@pytest.mark.parametrize("name", [".locks", "train"])
def test_another_thing_in_the_place_of_a_folder_of_the_store(tmp_path, capsys, name, kind):
    folder, _, _ = finished(tmp_path)
    place(folder, "nothing")
    place(tmp_path / name, kind)
    calls = []
    assert Runs(tmp_path).get("train", KEY, making(calls)) == folder and len(calls) == 1
    assert is_there(tmp_path / f"{name}.set-aside-1")
    assert f"{name} (expected a folder) is now {name}.set-aside-1" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [*PLACES[2:], "link"])
def test_another_thing_in_the_place_of_a_lock(tmp_path, kind):
    folder, file, _ = finished(tmp_path)
    lock = tmp_path / ".locks" / f"train-{folder.name}.lock"
    place(lock, kind)
    (tmp_path / "mine.txt").write_text("mine")
    if kind == "link":
        lock.symlink_to(tmp_path / "mine.txt")
    assert [verdict.wrong for verdict in verify(tmp_path)] == [None]
    assert lock not in [leftover.path for leftover in leftovers(tmp_path)]
    write(file, b"")
    calls = []
    assert Runs(tmp_path).get("train", KEY, making(calls)) == folder and len(calls) == 1
    assert is_there(lock.with_name(f"{lock.name}.set-aside-1")) and (tmp_path / "mine.txt").read_text() == "mine"


def test_a_disk_that_cannot_sync_a_folder_is_written_all_the_same(tmp_path, monkeypatch):
    """Some disks of a network answer so."""
    sync = os.fsync

    def files_only(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(handle)

    monkeypatch.setattr(os, "fsync", files_only)
    folder, file, _ = finished(tmp_path)
    assert file.read_bytes() == DATA and [verdict.wrong for verdict in verify(tmp_path)] == [None]


def test_every_byte_and_name_is_on_the_disk_before_a_run_has_its_name(tmp_path, monkeypatch):
    synced = []
    sync, replace = os.fsync, os.replace

    def noted(handle):
        synced.append(os.fstat(handle).st_ino)
        sync(handle)

    def renamed(source, target):
        for path in (source, *Path(source).rglob("*")):
            assert os.stat(path).st_ino in synced
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(os, "replace", renamed)
    folder, _, _ = finished(tmp_path)
    assert folder.is_dir() and folder.parent.stat().st_ino == synced[-1]


def test_damage_twice_is_kept_twice(tmp_path, capsys):
    folder, file, record = finished(tmp_path)
    write(file, b"")
    heals(tmp_path, folder, capsys)
    write(record, b"[]")
    capsys.readouterr()
    Runs(tmp_path).get("train", KEY, making([]))
    assert sorted(path.name for path in folder.parent.glob("*.set-aside-*")) == [
        f"{folder.name}.set-aside-1",
        f"{folder.name}.set-aside-2",
    ]


def test_a_link_to_a_store_that_is_gone_is_made_again_where_it_leads(tmp_path, capsys):
    (tmp_path / "runs").symlink_to(tmp_path / "big" / "runs")
    with pytest.raises(FileNotFoundError, match="run store .*: expected a folder that is there .* mount"):
        Runs(tmp_path / "runs").get("train", KEY, making([]))
    (tmp_path / "big").mkdir()
    folder = Runs(tmp_path / "runs").get("train", KEY, making([]))
    assert folder.is_dir() and (tmp_path / "runs").is_symlink() and (tmp_path / "big" / "runs" / "train").is_dir()
    assert "it was not there" in capsys.readouterr().err


def test_a_store_that_is_a_file_is_left_alone(tmp_path):
    (tmp_path / "runs").write_text("a note of mine")
    with pytest.raises(OSError, match="expected a folder"):
        Runs(tmp_path / "runs").get("train", KEY, making([]))
    assert (tmp_path / "runs").read_text() == "a note of mine"


def test_a_copied_store_is_as_good(tmp_path):
    folder, _, _ = finished(tmp_path / "runs")
    shutil.copytree(tmp_path / "runs", tmp_path / "copy", copy_function=shutil.copyfile)
    calls = []
    copy = Runs(tmp_path / "copy").get("train", KEY, making(calls))
    assert copy.name == folder.name and not calls
    assert (copy / "empty.txt").stat().st_mtime_ns != (folder / "empty.txt").stat().st_mtime_ns


def test_a_record_without_hashes_is_as_good_as_it_was(tmp_path):
    folder, file, path = finished(tmp_path)
    record = json.loads(path.read_text())
    del record["hashes"], record["modified"], record["sha256"]
    path.write_text(json.dumps(record))
    calls = []
    assert Runs(tmp_path).get("train", KEY, making(calls)) == folder and not calls
    file.write_bytes(b"")
    assert Runs(tmp_path).get("train", KEY, making(calls)) == folder and len(calls) == 1


@pytest.mark.parametrize("kind", ["EIO", "ESTALE", "EACCES", "EPERM", "ENOMEM", "EMFILE", "ETIMEDOUT"])
@pytest.mark.parametrize("call", ["lstat", "stat", "open"])
def test_a_passing_error_takes_no_run_away(tmp_path, monkeypatch, capsys, kind, call):
    folder, file, record = finished(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    number = getattr(errno, kind)

    def fail(path, *_, **__):
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        if call == "open":
            patch.setattr(Path, "read_bytes", fail)
        else:
            patch.setattr(os if call == "lstat" else run_record.os, call, failing(getattr(os, call), folder, fail))
        calls = []
        with pytest.raises(OSError, match="run store") as error:
            Runs(tmp_path).get("train", KEY, making(calls))
        assert error.value.errno == number and not calls
    assert [path for path in sorted(tmp_path.rglob("*")) if ".locks" not in str(path)] == [
        path for path in before if ".locks" not in str(path)
    ]
    assert Runs(tmp_path).get("train", KEY, making(calls)) == folder and not calls
    assert "set aside" not in capsys.readouterr().err


def failing(call, folder, fail):
    """`call`, which fails for what lies in a folder."""

    def maybe(path, *rest, **options):
        return fail(path) if str(path).startswith(str(folder)) else call(path, *rest, **options)

    return maybe


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_says_so_and_leaves_nothing(tmp_path, number):
    def make(folder):
        (folder / "half.bin").write_bytes(b"half")
        raise OSError(number, os.strerror(number))

    with pytest.raises(OSError, match="its disk is full; .*`sidkit store prune`") as error:
        Runs(tmp_path).get("train", KEY, make)
    assert error.value.errno == number
    assert list((tmp_path / "train").iterdir()) == []


def test_an_error_of_the_maker_stays_its_own(tmp_path):
    def make(folder):
        (folder / "none" / "a.txt").write_text("a")

    with pytest.raises(FileNotFoundError) as error:
        Runs(tmp_path).get("train", KEY, make)
    assert "run store" not in str(error.value)


def as_another_user(function):
    """Call in a process that is not root's; returns what it wrote."""
    read, written = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgid(65534)
            os.setuid(65534)
            function()
            said = "all went well"
        except BaseException as error:  # noqa: BLE001 - a forked test must not go on
            said = f"{type(error).__name__}: {error}"
        os.write(written, said.encode())
        os._exit(0)
    os.close(written)
    os.waitpid(child, 0)
    with os.fdopen(read) as stream:
        return stream.read()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can be somebody else")
def test_a_second_user_reads_what_is_there_and_is_told_about_the_rest(tmp_path):
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder.name:
            folder.chmod(0o755)
    folder, _, _ = finished(tmp_path / "runs")
    assert as_another_user(lambda: Runs(tmp_path / "runs").get("train", KEY, making([]))) == "all went well"
    told = as_another_user(lambda: Runs(tmp_path / "runs").get("train", {"seed": 1}, making([])))
    assert told.startswith("PermissionError") and "umask 002" in told
    folder.chmod(0o700)
    told = as_another_user(lambda: Runs(tmp_path / "runs").get("train", KEY, making([])))
    assert told.startswith("PermissionError") and "umask 002" in told


def test_nothing_is_lost_to_kills(tmp_path):
    """`python tests/store_kills.py --kills 1000` takes longer."""
    outcome = stand_kills(tmp_path, kills=40, runs=40)
    assert outcome.kills >= 40 and outcome.unfinished and outcome.finished
    assert (outcome.lost, outcome.wrong) == (0, 0)


def test_verify_reads_every_byte(tmp_path):
    folder, file, _ = finished(tmp_path)
    assert [verdict.wrong for verdict in verify(tmp_path)] == [None]
    status = file.stat()
    file.write_bytes(FILES["one bit"])
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    calls = []
    Runs(tmp_path).get("train", KEY, making(calls))
    assert not calls  # size and time are as they were
    (verdict,) = verify(tmp_path)
    assert verdict.wrong == "'deep/result.bin' has other bytes" and verdict.now.is_dir()
    Runs(tmp_path).get("train", KEY, making(calls))
    assert len(calls) == 1 and [verdict.wrong for verdict in verify(tmp_path)] == [None]


def test_verify_knows_a_run_under_another_name(tmp_path):
    folder, _, _ = finished(tmp_path)
    other = Runs(tmp_path).get("train", {"seed": 1}, making([]))
    shutil.rmtree(other)
    shutil.copytree(folder, other)
    assert [verdict.wrong for verdict in verify(tmp_path) if verdict.path == other] == ["run.json is of another run"]
    assert folder.is_dir() and not other.exists()


def test_verify_and_prune_want_a_store(tmp_path):
    for look in (verify, leftovers):
        with pytest.raises(ValueError, match="expected the folder of a run store"):
            list(look(tmp_path / "none"))


def test_prune_names_what_can_go_and_nothing_else(tmp_path):
    folder, file, _ = finished(tmp_path)
    write(file, b"")
    Runs(tmp_path).get("train", KEY, making([]))
    unfinished = tmp_path / "train" / f".{'a' * 16}.partial"
    unfinished.mkdir()
    (unfinished / "half.bin").write_bytes(DATA)
    stopped, going = (tmp_path / ".checkpoints" / name for name in ("stopped", "going"))
    for checkpoint in (stopped, going):
        checkpoint.mkdir(parents=True)
        (checkpoint / "checkpoint.safetensors").write_bytes(DATA)
    os.utime(stopped, (0, 0))
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "mine.ipynb").write_text("{}")
    found = leftovers(tmp_path)
    assert {leftover.path.relative_to(tmp_path).as_posix(): leftover.why for leftover in found} == {
        f"train/.{'a' * 16}.partial": "unfinished, its process was killed",
        f"train/{folder.name}.set-aside-1": "set aside as damaged",
        f".locks/train-{folder.name}.lock": "a lock that nobody holds",
    }
    assert unfinished.is_dir()
    assert list(prune(tmp_path, found)) == found
    assert leftovers(tmp_path) == []
    old = leftovers(tmp_path, old=True)
    assert [(leftover.path, leftover.bytes) for leftover in old] == [(stopped, len(DATA))]
    assert list(prune(tmp_path, old)) == old and list(prune(tmp_path, old)) == old
    assert not stopped.exists() and going.is_dir()
    calls = []
    assert Runs(tmp_path).get("train", KEY, making(calls)) == folder and not calls
    assert (tmp_path / "notebooks" / "mine.ipynb").is_file()


def test_prune_leaves_what_is_in_use(tmp_path):
    folder, _, _ = finished(tmp_path)
    seen = []

    def make(partial):
        seen.extend(leftovers(tmp_path))

    shutil.rmtree(folder)
    Runs(tmp_path).get("train", KEY, make)
    assert seen == []


@pytest.mark.parametrize(
    ("part", "value", "why"),
    [
        ("libraries", {"torch": "1.0"}, "made with torch 1.0"),
        ("libraries", {"no_such_library": "1.0"}, "made with no_such_library 1.0"),
        ("code", {"sidkit.config": "sha256:0"}, "made with other code of sidkit.config"),
        ("code", {"sidkit.no_such_module": "sha256:0"}, "made with other code of sidkit.no_such_module"),
        ("code", {"somebody.elses": "sha256:0"}, None),
    ],
)
def test_prune_old_names_runs_of_other_code(tmp_path, part, value, why):
    folder, _, path = finished(tmp_path)
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {part: value}))
    assert not [leftover for leftover in leftovers(tmp_path) if leftover.path == folder]
    found = [leftover.why for leftover in leftovers(tmp_path, old=True) if leftover.path == folder]
    assert found == ([why] if why else [])


def test_setting_aside_deletes_nothing(tmp_path):
    for text in ("first", "second"):
        (tmp_path / "a.txt").write_text(text)
        set_aside(tmp_path / "a.txt", "damaged")
    assert [(tmp_path / f"a.txt.set-aside-{n}").read_text() for n in (1, 2)] == ["first", "second"]
    make_folder(tmp_path / "deep" / "folder")
    remove(tmp_path / "deep")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt.set-aside-1", "a.txt.set-aside-2"]
