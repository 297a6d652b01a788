"""Care for a whole run store: every byte read and compared, and what nobody needs any more named, and removed if asked.

What a store has beside its runs: locks, unfinished folders of processes that were killed, what was set aside as
damaged, checkpoints of trainings that never went on, and runs of other code or libraries, which nobody finds again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

from filelock import FileLock, Timeout

from sidkit.checkpoint import FILE, read_checkpoint
from sidkit.files import PARTIAL, SET_ASIDE, is_there, make_way, remove, set_aside
from sidkit.imports import sources
from sidkit.run_record import bytes_hash, damage, installed_version, read_record
from sidkit.runs import CHECKPOINTS, LOCKS, Runs, lock_name

OWN = "sidkit"  # the package whose code can be compared with today's
LATE = 30 * 24 * 3600  # seconds after which a training is not expected to go on


@dataclass(frozen=True)
class Verdict:
    """What was found out about a run or checkpoint: what is `wrong` with it in words; None where it is whole."""

    path: Path
    wrong: str | None
    now: Path | None = None  # where it was set aside


@dataclass(frozen=True)
class Leftover:
    """Something that can go, and why. `lock` is the lock that guards it, if one does."""

    path: Path
    why: str
    bytes: int
    lock: Path | None = None


def verify(root: Path) -> Iterator[Verdict]:
    """Read every byte of every run and checkpoint in a store; what is damaged is set aside.

    Raises ValueError where there is no store. What cannot be read, or not be set aside, is told and left as it is.
    """
    runs = Runs(existing(root))
    for folder in run_folders(root):
        yield _verdict(runs, folder)
    for path in sorted((root / CHECKPOINTS).glob(f"*/{FILE}")):
        yield _checkpoint_verdict(path)


def leftovers(root: Path, *, old: bool = False) -> list[Leftover]:
    """What can be removed from a store without a result being lost that today's code would find.

    With `old`, also runs of other code or libraries than today's, and checkpoints that nobody has touched for a month.
    Raises ValueError where there is no store.
    """
    existing(root)
    found = [*_unfinished(root), *_set_aside(root)]
    if old:
        found += [*_old_runs(root), *_old_checkpoints(root)]
    return [*found, *_locks(root)]


def prune(root: Path, found: Iterable[Leftover]) -> Iterator[Leftover]:
    """Remove what `leftovers` named of a store, and tell each; what another process has come to use is left."""
    Runs(root).side_folder(LOCKS)
    for leftover in found:
        if leftover.lock is None:
            remove(leftover.path)
            yield leftover
        elif _remove_locked(leftover.path, leftover.lock):
            yield leftover


def existing(root: Path) -> Path:
    """The folder of a store that is there. ValueError for another."""
    if not root.is_dir():
        raise ValueError(f"expected the folder of a run store, found none at {root}; name it: --store FOLDER")
    return root


def run_folders(root: Path) -> list[Path]:
    """The folders in a store that have a run's name, whole or not."""
    kinds = [path for path in root.glob("*") if not path.name.startswith(".")]
    return sorted(path for kind in kinds for path in kind.glob("*") if _is_run_name(path.name))


def _is_run_name(name: str) -> bool:
    return len(name) == 16 and set(name) <= set("0123456789abcdef")


def _verdict(runs: Runs, folder: Path) -> Verdict:
    try:
        if damage(folder, thorough=True) is None:
            return Verdict(folder, None)
        with runs.locked(folder):  # whoever made it again meanwhile has let go
            wrong = damage(folder, thorough=True) if is_there(folder) else None
            return Verdict(folder, wrong, set_aside(folder, wrong) if wrong else None)
    except OSError as error:
        return Verdict(folder, f"cannot be read or set aside: {error}")


def _checkpoint_verdict(path: Path) -> Verdict:
    try:
        read_checkpoint(path)
    except ValueError as error:
        return Verdict(path, str(error), set_aside(path, str(error)))
    except OSError as error:
        return Verdict(path, f"cannot be read: {error}")
    return Verdict(path, None)


def _unfinished(root: Path) -> Iterator[Leftover]:
    for path in sorted(root.glob(f"*/.*{PARTIAL}")):
        folder = path.with_name(path.name.removeprefix(".").removesuffix(PARTIAL))
        lock = root / LOCKS / lock_name(folder)
        if not _is_held(lock):
            yield Leftover(path, "unfinished, its process was killed", _size(path), lock)


def _set_aside(root: Path) -> Iterator[Leftover]:
    patterns = [f"{above}*{SET_ASIDE}[0-9]*" for above in ("", "*/", "*/*/")]
    for path in sorted(chain.from_iterable(root.glob(pattern) for pattern in patterns)):
        yield Leftover(path, "set aside as damaged", _size(path))


def _old_checkpoints(root: Path) -> Iterator[Leftover]:
    for folder in sorted((root / CHECKPOINTS).glob("*")):
        if time.time() - folder.lstat().st_mtime > LATE:  # every save gives a folder a new time
            lock = root / LOCKS / lock_name(folder)
            yield Leftover(folder, "a training that stopped over a month ago", _size(folder), lock)


def _old_runs(root: Path) -> Iterator[Leftover]:
    for folder in run_folders(root):
        try:
            why = _outdated(read_record(folder))
        except (OSError, ValueError):
            continue  # damage is for `verify`
        if why:
            yield Leftover(folder, why, _size(folder), root / LOCKS / lock_name(folder))


def _outdated(record: dict) -> str | None:
    """Why today's code would not find a run again."""
    for name, version in record["libraries"].items():
        if installed_version(name) != version:
            return f"made with {name} {version}"
    for module, known in record["code"].items():
        if module.partition(".")[0] == OWN and _code(module) != known:
            return f"made with other code of {module}"
    return None


@cache
def _code(module: str) -> str | None:
    try:
        return bytes_hash(sources([module])[module].encode())
    except ValueError:  # there is no such module any more
        return None


def _locks(root: Path) -> Iterator[Leftover]:
    for path in sorted((root / LOCKS).glob("*.lock")):
        if _is_lock(path) and not _is_held(path):
            yield Leftover(path, "a lock that nobody holds", 0, path)


def _is_held(lock: Path) -> bool:
    if not _is_lock(lock):
        return False
    try:
        with FileLock(lock, blocking=False):
            return False
    except Timeout:
        return True


def _is_lock(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _remove_locked(path: Path, lock: Path) -> bool:
    """Remove something and its lock, unless somebody holds that. Who waits for the lock finds it gone, and makes it."""
    make_way(lock)
    try:
        with FileLock(lock, blocking=False):
            if path != lock:
                remove(path)
            lock.unlink(missing_ok=True)
    except Timeout:
        return False
    return True


def _size(path: Path) -> int:
    """Bytes of a file, or of all in a folder; links count nothing."""
    paths = [path, *path.rglob("*")] if path.is_dir() and not path.is_symlink() else [path]
    return sum(entry.stat().st_size for entry in paths if entry.is_file() and not entry.is_symlink())
