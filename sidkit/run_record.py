"""The record of a run, `run.json` in its folder: what it was made from, its files, and whether they are still the same.

A record holds a hash of itself. Of a file, size and time of change are compared at every look-up; where only the time
differs, the bytes decide, by their hash: a copied store is as good as the first one, and an edited file is not. What
no time tells, such as a disk that forgets, `damage(folder, thorough=True)` finds: it reads every byte (`sidkit store
verify`).
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from sidkit.files import ABSENT
from sidkit.shown import shown

RECORD = "run.json"
SEAL = "sha256"  # in a record, the hash of all else in it
ASKED = ("kind", "key", "code", "libraries")  # the parts of a record that make a run's name
TOLD = ("files", "started", "seconds")  # and some that are read of any


def run_name(record: dict[str, Any]) -> str:
    """The name of a run's folder: 16 hexadecimal digits that stand for all that shapes the run."""
    return digest({part: record[part] for part in ASKED})


def digest(value: Any) -> str:
    """16 hexadecimal digits that stand for a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def bytes_hash(data: bytes) -> str:
    """What stands for some bytes in a record."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def installed_version(library: str) -> str | None:
    """The version of a package, None where it is not installed."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def write_record(folder: Path, told: dict[str, Any]) -> None:
    """Write the record of a folder that is filled: what is told of the run, and what its files are."""
    record = told | _file_facts(folder)
    (folder / RECORD).write_text(json.dumps(record | {SEAL: _seal(record)}, indent=1))


def _seal(record: dict[str, Any]) -> str:
    sealed = {part: value for part, value in record.items() if part != SEAL}
    return bytes_hash(json.dumps(sealed, sort_keys=True).encode())


def _file_facts(folder: Path) -> dict[str, dict[str, Any]]:
    """By the names of a folder's files: `files` their sizes, `modified` their times of change (ns), `hashes`."""
    facts: dict[str, dict[str, Any]] = {"files": {}, "modified": {}, "hashes": {}}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            status = path.stat()
            facts["files"][name] = status.st_size
            facts["modified"][name] = status.st_mtime_ns
            facts["hashes"][name] = file_hash(path, status.st_size, status.st_mtime_ns)
    return facts


def read_record(folder: Path) -> dict[str, Any]:
    """The record of a run.

    Raises ValueError where it is no record or none is there, OSError where it cannot be read just now.
    """
    path = folder / RECORD
    if not _is_regular(_status(path)):  # a named pipe would hang
        raise ValueError(f"there is no file {RECORD} in it")
    text = path.read_bytes()
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{RECORD} is no JSON") from error
    if not _is_record(record):
        raise ValueError(f"{RECORD} is no record of a run")
    return record


def _is_record(value: Any) -> bool:
    if not isinstance(value, dict) or not all(part in value for part in (*ASKED, *TOLD)):
        return False
    tables = (value["code"], value["libraries"], value["files"], value.get("modified", {}), value.get("hashes", {}))
    return all(isinstance(table, dict) for table in tables)


def damage(folder: Path, *, thorough: bool = False) -> str | None:
    """What is wrong with the run in a folder, in words; None for a whole one.

    `thorough` reads every file. Raises OSError for what cannot be read just now, which says nothing about the run.
    """
    try:
        record = read_record(folder)
    except ValueError as error:
        return str(error)
    if SEAL in record and record[SEAL] != _seal(record):  # older ones have none
        return f"{RECORD} has changed since it was written"
    if run_name(record) != folder.name:
        return f"{RECORD} is of another run"
    for name in record["files"]:
        fault = _file_fault(folder, name, record, thorough=thorough)
        if fault:
            return f"{shown(name)} {fault}"
    return None


def _file_fault(folder: Path, name: str, record: dict[str, Any], *, thorough: bool) -> str | None:
    path = os.path.join(folder, name)  # pathlib would take most of a look-up's time
    status = _status(path)
    if not _is_regular(status):
        return "is no file" if status else "is missing"
    if status.st_size != record["files"][name]:
        return "has another size"
    kept = record.get("hashes", {}).get(name)
    if kept is None:  # of a record that was written before there were hashes
        return None
    if not thorough and status.st_mtime_ns == record.get("modified", {}).get(name):
        return None
    known = _read_hash(path) if thorough else file_hash(path, status.st_size, status.st_mtime_ns)
    return None if known == kept else "has other bytes"


def _status(path: Path | str) -> os.stat_result | None:
    """None where nothing is there, nor can be."""
    try:
        return os.stat(path)
    except ValueError:  # a zero in its name
        return None
    except OSError as error:
        if error.errno in ABSENT:
            return None
        raise


def _is_regular(status: os.stat_result | None) -> bool:
    return status is not None and stat.S_ISREG(status.st_mode)


@cache
def file_hash(path: Path | str, size: int, modified: int) -> str:
    """Hash of a file's bytes, remembered while its size and time of change stay: weights are asked for often."""
    return _read_hash(path)


def _read_hash(path: Path | str) -> str:
    with open(path, "rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
