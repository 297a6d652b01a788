"""The run store: work that is done once, found again by everything that shaped it, and never read half-written.

    runs = Runs("runs")
    key = {"subject": subject.folder, "training": training, "seed": 0}
    folder = runs.get("trained", key, make, code=[personalize])

`make(folder)` writes its files into the folder that it is given. The folder gets its final name only when it is whole,
so a run that was killed leaves nothing that anybody reads: the next call starts it again. What is found damaged is set
aside under a name that says so, and made again; `sidkit.store_care` looks at a whole store.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from filelock import FileLock
from PIL import Image

from sidkit.files import is_there, make_folder, make_way, set_aside, whole_folder
from sidkit.imports import packages, sources
from sidkit.run_record import bytes_hash, damage, digest, file_hash, installed_version, run_name, write_record
from sidkit.store_errors import explained

LIBRARIES = ("torch", "diffusers", "transformers", "numpy", "pillow")
FURTHER = {"open_clip": "open_clip_torch", "timm": "timm", "inflect": "inflect"}  # count where the code imports them
LOCKS = ".locks"  # inside the store, a file a run that was ever made
CHECKPOINTS = ".checkpoints"  # inside the store, a folder a training that goes on
Entry = Callable | ModuleType


class Runs:
    """Folders under `root`, one a run: `root/KIND/KEY/`, with the run's provenance in `run.json`."""

    def __init__(self, root: Path | str = "runs"):
        self.root = Path(root)

    def get(
        self,
        kind: str,
        key: Any,
        make: Callable[[Path], None],
        *,
        code: Iterable[Entry] = (),
        then: Callable[[], None] = lambda: None,
    ) -> Path:
        """Return the folder of the run that `key` describes; `make(folder)` fills it if it is not there yet.

        `key` holds what shapes the result (see `content` for what a value may be). `code` are the functions, classes or
        modules that do the work: the source of their modules, and of whatever those import of their own package, is
        part of the key (`sidkit.imports`), as are the versions of the libraries that they use.
        `then()` is called when a run was made and is safe: it may remove what the making has left elsewhere.
        Two processes that ask for one run make it once: the second waits for the first. A damaged run is set aside and
        made again. Raises ValueError for a value that cannot be keyed, OSError where the store cannot be read or
        written (what is in it stays as it is); what `make` raises passes through and leaves no run.
        """
        reached = sources_of(code)
        record = {
            "kind": kind,
            "key": content(key),
            "code": {name: bytes_hash(text.encode()) for name, text in reached.items()},
            "libraries": libraries() | _further_libraries(reached),
        }
        folder = self.root / kind / run_name(record)
        with explained(self.root):
            whole = _is_whole(folder)
        if not whole:
            with self.locked(folder):
                if self._make(folder, record, make):
                    then()
        return folder

    @contextmanager
    def locked(self, folder: Path) -> Iterator[None]:
        """Be the only process that changes the run in a folder; waits for another one that does."""
        with explained(self.root):
            path = self.side_folder(LOCKS) / lock_name(folder)
            make_way(path)
            lock = FileLock(path)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def side_folder(self, name: str) -> Path:
        """A folder of the store that holds no runs of its own, such as CHECKPOINTS, made if it is not there."""
        _make_root(self.root)
        folder = self.root / name
        make_folder(folder)
        return folder

    def _make(self, folder: Path, record: dict, make: Callable[[Path], None]) -> bool:
        """Make a run, unless another process has while we waited for its lock; whether we did."""
        with explained(self.root):
            if _is_whole(folder):
                return False
            if is_there(folder):
                set_aside(folder, damage(folder) or "damaged")
            self.side_folder(folder.parent.name)
        with explained(self.root, full_only=True):
            _fill(folder, record, make)
        return True


def lock_name(folder: Path) -> str:
    """The name of the lock of a run's folder, in the store's `.locks`."""
    return f"{folder.parent.name}-{folder.name}.lock"


def sources_of(entries: Iterable[Entry]) -> dict[str, str]:
    """The code of every module that the entries reach, by the module's name; see `sidkit.imports`.

    Raises ValueError for an entry that no module's file holds, such as a function typed into a notebook.
    """
    code: dict[str, str] = {}
    for entry in entries:
        module = _module_of(entry)
        code |= sources([module.__name__], _import_root(module))
    return code


def fingerprint(*values: Any) -> str:
    """16 hexadecimal digits that stand for the content of `values`; equal content, equal digits."""
    return digest([content(value) for value in values])


def content(value: Any) -> Any:
    """A JSON form of `value` that a person can read, in which large content is replaced by its SHA-256.

    Takes None, bool, int, float, str, bytes, sequences, sets, mappings, dataclasses, numpy arrays and scalars, PIL
    images (by pixels) and paths: of a file (by its bytes), of a folder (by the names and bytes in it). Where a file or
    folder lies does not count, nor do hidden files. Raises ValueError for any other type and for a path that does not
    exist.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case np.generic():
            return value.item()
        case bytes():
            return bytes_hash(value)
        case Path():
            return _path(value)
        case Image.Image():
            return f"image {value.mode} {value.width}x{value.height} {bytes_hash(_pixels(value))}"
        case np.ndarray():
            shape = "x".join(map(str, value.shape))
            return f"array {value.dtype} {shape} {bytes_hash(np.ascontiguousarray(value).tobytes())}"
        case Mapping():
            return {str(key): content(value[key]) for key in sorted(value, key=str)}
        case Set():
            return sorted((content(item) for item in value), key=str)
        case Sequence():
            return [content(item) for item in value]
    if is_dataclass(value):
        return {type(value).__name__: {field.name: content(getattr(value, field.name)) for field in fields(value)}}
    raise ValueError(
        f"a run's key cannot hold a {type(value).__name__}; give its settings, an array, an image or a path"
    )


def _fill(folder: Path, record: dict, make: Callable[[Path], None]) -> None:
    """Fill a sibling of `folder`, write the record last, and rename; we hold the lock of this run."""
    clock, started = time.monotonic(), datetime.now(UTC)
    with whole_folder(folder) as partial:
        make(partial)
        run = {
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - clock, 2),
        }
        write_record(partial, record | run | provenance())


def _is_whole(folder: Path) -> bool:
    return is_there(folder) and damage(folder) is None


def _make_root(root: Path) -> None:
    """Have the store's own folder; at the end of a link, too, if the folder above that is there."""
    if root.is_symlink() and not root.exists():
        end = Path(os.path.realpath(root))
        end.mkdir()
        print(f"made anew: {end}, to which the link {root} leads; it was not there", file=sys.stderr)
    root.mkdir(parents=True, exist_ok=True)


def provenance() -> dict[str, Any]:
    """Where and by what something is made: Python, machine, commit, command; nothing of the environment's variables."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": _device(),
        "commit": _commit(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def _device() -> str:
    torch = sys.modules.get("torch")  # asked only where the run has loaded it already
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"cpu x {os.cpu_count()}"


@cache
def _commit() -> str | None:
    """The code's git commit, "+" where files differ from it; None outside of a checkout."""
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


@cache
def libraries() -> dict[str, str | None]:
    """The versions of the packages that shape every result."""
    return {name: installed_version(name) for name in LIBRARIES}


def _further_libraries(code: Mapping[str, str]) -> dict[str, str | None]:
    """The versions of those that shape only what the code imports them for."""
    imported = packages(code)
    return {name: installed_version(name) for package, name in FURTHER.items() if package in imported}


def _module_of(entry: Entry) -> ModuleType:
    name = entry.__name__ if isinstance(entry, ModuleType) else getattr(entry, "__module__", "")
    module = sys.modules.get(name)
    if name == "__main__" or getattr(module, "__file__", None) is None:
        raise ValueError(f"code: expected a function, class or module that a file holds, got {entry!r}; put it there")
    return module


def _import_root(module: ModuleType) -> Path:
    """The folder that holds the module's top package, or the module itself."""
    path = Path(module.__file__)
    folder = path.parent if path.name == "__init__.py" else path
    return folder.parents[module.__name__.count(".")]


def _path(path: Path) -> Any:
    if path.is_dir():
        files = (file for file in path.rglob("*") if file.is_file())
        named = {file.relative_to(path): file for file in files}
        return {name.as_posix(): _path(file) for name, file in sorted(named.items()) if not _is_hidden(name)}
    if not path.is_file():
        raise ValueError(f"a run's key names {path}, which does not exist")
    status = path.stat()
    return file_hash(path, status.st_size, status.st_mtime_ns)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _pixels(image: Image.Image) -> bytes:
    """The bytes of all pixels; of a picture with a palette, or one transparent colour, as they are seen."""
    is_plain = image.palette is None and "transparency" not in image.info
    return image.tobytes() if is_plain else image.convert("RGBA").tobytes()
