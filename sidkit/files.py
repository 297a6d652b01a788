"""Files and folders that take their name only when they are whole, and JSON that people edit, read with suspicion.

    with whole_file(folder / "mask.png") as partial:
        image.save(partial, format="PNG")

What is written lies beside its place under another name, goes to the disk, and then takes the place of what was there,
in one step. Whatever ends the block early, an error, Ctrl-C or a kill, leaves what was there. Who may have company in
writing one file holds a lock (`sidkit.runs`). What is found damaged is set aside, and never deleted unsaid.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import shutil
import stat
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sidkit.json_advice import json_advice
from sidkit.shown import shown

PROBE = 65_536  # bytes by which it is tried whether a folder has room
LONGEST = 60  # letters of a name that its partial file keeps; a name has at most 255 bytes
PARTIAL = ".partial"
ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)  # other errors pass, and say nothing
SET_ASIDE = ".set-aside-"  # and a number: what the name of a damaged thing goes on with


def write_text(path: Path | str, text: str) -> None:
    """Write a UTF-8 text file whole, or not at all. Its folder must be there."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write a file whole, or not at all. Its folder must be there."""
    with whole_file(path) as partial:
        partial.write_bytes(data)


def write_json(path: Path | str, value: Any) -> None:
    """Write a value as JSON that a person can read and edit: indented, letters with accents as they are."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def read_text(path: Path | str) -> str:
    """The text of a file that people edit, with or without the mark that some editors put before UTF-8.

    Raises ValueError in one line, which names the file, where it is not there, cannot be read, or is not UTF-8.
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # a folder, or a pipe, which would be waited for
        raise ValueError(f"{path}: expected a file, got a {'folder' if path.is_dir() else 'device or pipe'}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path}: expected a file that can be read, but {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected text in UTF-8, got another encoding; save it as UTF-8") from error


def read_json(path: Path | str) -> Any:
    """The value in a JSON file that people edit.

    Raises ValueError in one line, which names the file, where it cannot be read, is not UTF-8, is no JSON, holds half a
    character, or has a key twice: of those, a parser would keep the last one and lose what was written under the first.
    """
    return parse_json(read_text(path), str(path))


def parse_json(text: str, where: str) -> Any:
    """The value in JSON that people edit. Raises ValueError as `read_json`; it begins with `where`."""
    try:
        value = json.loads(text, object_pairs_hook=_no_repeats)
        json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeEncodeError as error:  # "\ud800", of which no file can be written and nothing shown
        half, near = error.object[error.start], error.object[max(0, error.start - 30) : error.start + 30]
        told = f"expected text, got half a character, {half!r}, in {shown(near)}"
        raise ValueError(f"{where}: {told}; write the whole one, or take it out") from error
    except RecursionError as error:
        raise ValueError(f"{where}: expected JSON, but it is nested too deep") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: expected JSON, {error}; {json_advice(error)}") from error
    except ValueError as error:
        raise ValueError(f"{where}: expected JSON, {error}") from error


def check_writable(path: Path | str) -> None:
    """Raise ValueError, before any work, where a file could not be written later.

    That is: it is a folder, or read-only; its folder is not there, read-only or full. What is there is not touched.
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise ValueError(f"{path}: expected a file, or nothing yet, got a folder; move it away")
    if path.exists() and not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise ValueError(f"{path}: expected a file that can be written, but it is read-only; `chmod u+w` lets you")
    partial = partial_path(path)
    try:
        partial.write_bytes(bytes(PROBE))
        _sync(partial)
    except OSError as error:
        told = f"expected a folder in which {path.name} can be written, but {error.strerror}"
        raise ValueError(f"{path.parent}: {told}; change its permissions, make room, or copy it elsewhere") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def check_new_folder(folder: Path | str) -> None:
    """Raise ValueError, before any work, where a folder cannot be made: with anything in it, or where none can be."""
    folder = Path(folder)
    if not os.path.lexists(folder):
        check_writable(folder)
        return
    if folder.is_symlink() or not folder.is_dir():
        raise ValueError(f"{folder}: expected no such folder yet, got a file or a link; name another, or move it away")
    there = sorted(path.name for path in folder.iterdir())
    if there:
        told = f"expected no such folder yet, or an empty one, got {shown(there[0])} in it"
        raise ValueError(f"{folder}: {told}; name another, or move it away")
    check_writable(folder / "new")


@contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """The path to write to in the block; when that ends, what was written takes the place of `path`.

    A link is followed, and a file that was there keeps its permissions; a new one has those that a new file has here,
    whoever writes it (safetensors would keep it from the group). Raises OSError where writing does.
    """
    path = Path(os.path.realpath(path))
    partial = partial_path(path)
    _remove(partial)  # of a process that was killed
    partial.touch()
    mode = (path if path.exists() else partial).stat().st_mode
    partial.unlink()
    try:
        with _disk_errors(path):
            yield partial
        partial.chmod(stat.S_IMODE(mode))
        _sync(partial)
        os.replace(partial, path)
    except BaseException:  # also Ctrl-C
        partial.unlink(missing_ok=True)
        raise
    _sync_names(path.parent)


@contextmanager
def whole_folder(path: Path | str) -> Iterator[Path]:
    """The empty folder to fill in the block; when that ends, it takes the place of `path`, whatever was there."""
    path = Path(path)
    partial = partial_path(path)
    _remove(partial)
    partial.mkdir(parents=True)
    try:
        with _disk_errors(path):
            yield partial
        for entry in partial.rglob("*"):
            if entry.is_file():
                _sync(entry)
            elif entry.is_dir():
                _sync_names(entry)
        _sync_names(partial)
        _remove(path)  # a folder takes no other's place unless that is empty
        os.replace(partial, path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _sync_names(path.parent)


def partial_path(path: Path) -> Path:
    """A hidden name in the same folder, and so on the same disk, where a rename is one step."""
    return path.with_name(f".{path.name[:LONGEST]}{PARTIAL}")


def composed(name: str) -> str:
    """A file's name with each letter and its accent as one character: systems spell it in two ways."""
    return unicodedata.normalize("NFC", name)


def name_key(name: str) -> str:
    """What two names share that a disk may take for one: Windows and macOS do not tell large letters from small."""
    return composed(name).casefold()


def is_there(path: Path | str) -> bool:
    """Whether something has that name, be it a link that leads nowhere.

    Raises OSError where it cannot be told: an input/output error or a stale handle of a network's disk says nothing
    of what lies there, and nobody may take it for absence.
    """
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno in ABSENT:
            return False
        raise
    return True


def set_aside(path: Path, why: str) -> Path:
    """Give a damaged file, folder or link another name in its folder, and say so on stderr; returns its new place.

    Nothing is deleted, so that a person can look at it; `sidkit store prune` removes what a store has of these.
    """
    stem = f"{path.name[:LONGEST]}{SET_ASIDE}"
    kept = next(place for number in itertools.count(1) if not is_there(place := path.with_name(f"{stem}{number}")))
    os.rename(path, kept)
    print(f"set aside: {path} ({why}) is now {kept.name}", file=sys.stderr)
    return kept


def make_way(path: Path) -> None:
    """Set aside what stands in the place of a file and is none: a folder, a pipe, a link."""
    if is_there(path) and (path.is_symlink() or not path.is_file()):
        set_aside(path, "expected a file")


def make_folder(path: Path) -> None:
    """Have a folder at `path`; a file or a link without an end that stands there is set aside.

    Its parents are made where they are missing. Raises OSError where one of them is no folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(exist_ok=True)
    except FileExistsError:
        if not path.is_dir():  # nobody else has put it right meanwhile
            set_aside(path, "expected a folder")
        path.mkdir(exist_ok=True)


def remove(path: Path) -> None:
    """Delete what is at a path, if anything is; of a folder, killed half-way, nothing is left under its own name."""
    partial = path
    if not path.name.endswith(PARTIAL):
        partial = partial_path(path)
        _remove(partial)
        with suppress(FileNotFoundError):
            os.replace(path, partial)
    _remove(partial)


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    counts = Counter(key for key, _ in pairs)
    for key, count in counts.items():
        if count > 1:
            raise ValueError(f"but {shown(key)} is there {count} times; keep one")
    return dict(pairs)


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Libraries in Rust, such as safetensors, tell of a full disk by errors of their own: here they are OSErrors."""
    try:
        yield
    except Exception as error:
        told = re.search(r"\(os error (\d+)\)$", str(error))
        if isinstance(error, OSError) or told is None:
            raise
        number = int(told[1])
        raise OSError(number, os.strerror(number), str(path)) from error


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Have a file's bytes on the disk before its name says that they are: else a power cut leaves it empty."""
    reading = os.O_RDONLY if os.name == "posix" else os.O_RDWR  # Windows wants more; a file may be read-only
    handle = os.open(path, reading)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_names(folder: Path) -> None:
    """Have a folder's names on the disk, where the system can do that; some disks of a network cannot."""
    with suppress(OSError):
        _sync(folder)
