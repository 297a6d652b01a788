"""How the run store stands SIGKILL: processes that make runs are killed at random moments, and everything is looked at.

    python tests/store_kills.py --kills 1000

Nothing may be lost: a run that was finished before a kill is the same one after it, with all its bytes, and what was
not finished is made again.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sidkit.run_record import RECORD
from sidkit.runs import Runs, provenance

KIND = "kept"
FILES = 3
CHUNKS = 4
PAUSE = 0.0005  # seconds between two chunks of a file, in which a kill may fall
LONGEST_LIFE = 0.15  # seconds


@dataclass(frozen=True)
class Outcome:
    """What came of it; `lost` and `wrong` are to be 0."""

    kills: int
    unfinished: int  # runs that a kill left half made, once or more
    finished: int  # runs that were whole when the last kill had fallen
    lost: int  # of those seen whole at any time, how many are not the same any more
    wrong: int  # of all runs, made to the end afterwards, how many have other bytes


def stand_kills(root: Path, kills: int, *, runs: int, processes: int = 2, seed: int = 0) -> Outcome:
    """Kill `kills` processes or more that make the `runs` of a store, `processes` at once, then finish and read all."""
    rng = random.Random(seed)
    seen: dict[Path, int] = {}
    unfinished: set[str] = set()
    lost = done = 0
    provenance()  # asks git once, here and not in each process
    while done < kills or not (seen and unfinished):  # a busy machine may kill all before they begin
        children = [_forked(root, runs, rng.random()) for _ in range(processes)]
        time.sleep(rng.uniform(0, LONGEST_LIFE))
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        done += processes
        unfinished |= {path.name for path in root.glob(f"{KIND}/.*.partial")}
        now = _identities(root)
        lost += sum(now.get(folder) != identity for folder, identity in seen.items())
        seen |= now
    folders = _make_all(root, range(runs))
    wrong = sum(not _is_right(folder, index) for index, folder in enumerate(folders))
    return Outcome(done, len(unfinished), len(seen), lost, wrong)


def _forked(root: Path, runs: int, seed: float) -> int:
    """A process that makes the runs in an order of its own; returns its number."""
    child = os.fork()
    if child:
        return child
    order = list(range(runs))
    random.Random(seed).shuffle(order)
    _make_all(root, order)
    os._exit(0)


def _make_all(root: Path, order) -> list[Path]:
    return [Runs(root).get(KIND, {"index": index}, lambda folder, index=index: _make(folder, index)) for index in order]


def _make(folder: Path, index: int) -> None:
    for number in range(FILES):
        with (folder / f"{number}.bin").open("wb") as file:
            for _ in range(CHUNKS):
                file.write(_bytes(index, number))
                file.flush()
                time.sleep(PAUSE)


def _bytes(index: int, number: int) -> bytes:
    return random.Random(FILES * index + number).randbytes(500)


def _is_right(folder: Path, index: int) -> bool:
    return all((folder / f"{n}.bin").read_bytes() == CHUNKS * _bytes(index, n) for n in range(FILES))


def _identities(root: Path) -> dict[Path, int]:
    """Of every whole run the number of its record on the disk, which another one would not have."""
    return {path.parent: path.stat().st_ino for path in root.glob(f"{KIND}/[0-9a-f]*/{RECORD}")}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(stand_kills(Path(folder), given.kills, runs=given.runs))
