"""The run store: work that is done once, found again by everything that shaped it, and never read half-written.

    runs = Runs("runs")
    key = {"subject": subject.folder, "training": training, "seed": 0}
    folder = runs.get("trained", key, make, code=[personalize])

`make(folder)` writes its files into the folder that it is given. The folder gets its final name only when it is whole,
so a run that was killed leaves nothing that anybody reads: the next call starts it again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from filelock import FileLock
from PIL import Image

from sidkit.files import whole_folder
from sidkit.imports import packages, sources

LIBRARIES = ("torch", "diffusers", "transformers", "numpy", "pillow")
FURTHER = {"open_clip": "open_clip_torch", "timm": "timm", "inflect": "inflect"}  # count where the code imports them
RECORD = "run.json"
Entry = Callable | ModuleType


class Runs:
    """Folders under `root`, one a run: `root/KIND/KEY/`, with the run's provenance in `run.json`."""

    def __init__(self, root: Path | str = "runs"):
        self.root = Path(root)

    def get(self, kind: str, key: Any, make: Callable[[Path], None], *, code: Iterable[Entry] = ()) -> Path:
        """Return the folder of the run that `key` describes; `make(folder)` fills it if it is not there yet.

        `key` holds what shapes the result (see `content` for what a value may be). `code` are the functions, classes or
        modules that do the work: the source of their modules, and of whatever those import of their own package, is
        part of the key (`sidkit.imports`), as are the versions of the libraries that they use.
        Two processes that ask for one run make it once: the second waits for the first.
        Raises ValueError for a value that cannot be keyed; what `make` raises passes through and leaves no run.
        """
        reached = sources_of(code)
        record = {
            "kind": kind,
            "key": content(key),
            "code": {name: _sha(text.encode()) for name, text in reached.items()},
            "libraries": libraries() | _further_libraries(reached),
        }
        folder = self.root / kind / _digest(record)
        if _is_whole(folder):
            return folder
        lock = self.root / ".locks" / f"{kind}-{folder.name}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            if not _is_whole(folder):  # another process may have made it while we waited
                _make(folder, record, make)
        return folder


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
    return _digest([content(value) for value in values])


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
            return _sha(value)
        case Path():
            return _path(value)
        case Image.Image():
            return f"image {value.mode} {value.width}x{value.height} {_sha(_pixels(value))}"
        case np.ndarray():
            return (
                f"array {value.dtype} {'x'.join(map(str, value.shape))} {_sha(np.ascontiguousarray(value).tobytes())}"
            )
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


def _make(folder: Path, record: dict, make: Callable[[Path], None]) -> None:
    """Fill a sibling of `folder`, write the record last, and rename; we hold the lock of this run."""
    clock, started = time.monotonic(), datetime.now(UTC)
    with whole_folder(folder) as partial:
        make(partial)
        files = {
            str(path.relative_to(partial)): path.stat().st_size for path in sorted(partial.rglob("*")) if path.is_file()
        }
        run = {
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - clock, 2),
            "files": files,
        }
        (partial / RECORD).write_text(json.dumps(record | run | provenance(), indent=1))


def _is_whole(folder: Path) -> bool:
    """Whether the record is there and every file that it lists has the size that it had."""
    try:
        files = json.loads((folder / RECORD).read_text())["files"]
        return all((folder / name).stat().st_size == size for name, size in files.items())
    except (OSError, ValueError, KeyError):
        return False


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
    return {name: _version(name) for name in LIBRARIES}


def _further_libraries(code: Mapping[str, str]) -> dict[str, str | None]:
    """The versions of those that shape only what the code imports them for."""
    imported = packages(code)
    return {name: _version(name) for package, name in FURTHER.items() if package in imported}


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


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
    return _file(path, status.st_size, status.st_mtime_ns)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


@cache
def _file(path: Path, size: int, modified: int) -> str:
    """Hash of a file's bytes, remembered while its size and time of change stay: weights are asked for often."""
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def _pixels(image: Image.Image) -> bytes:
    """The bytes of all pixels; of a picture with a palette, or one transparent colour, as they are seen."""
    is_plain = image.palette is None and "transparency" not in image.info
    return image.tobytes() if is_plain else image.convert("RGBA").tobytes()


def _sha(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
