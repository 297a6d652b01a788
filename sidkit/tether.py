"""Processes that end when the one that began them does, however that ends: by itself, by Ctrl-C, or by a kill.

A child's standard input is a pipe whose other end only its parent holds, so that it closes when the parent is gone. In
the child a thread waits for that, and ends all that the child has begun, and then the child.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

import psutil

CUT = 1  # exit code of a child whose parent is gone
GRACE = 10  # seconds until a child that does not end by itself is killed


def begin(command: Sequence[str], **options: Any) -> subprocess.Popen:
    """Begin a Python process that calls `tie`; Ctrl-C in the terminal is left to its parent."""
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, **options)


def end(processes: Iterable[subprocess.Popen]) -> None:
    """End processes that were begun here, with all that they have begun, and wait until they are gone."""
    processes = list(processes)
    for process in processes:
        process.stdin.close()
    for process in processes:
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tie(at_end: Callable[[], None] = lambda: None) -> None:
    """In a process that was begun here: from now on it ends with its parent, after a call of `at_end`."""
    Thread(target=_wait, args=(at_end,), daemon=True).start()


def _wait(at_end: Callable[[], None]) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            process.kill()
    at_end()
    os._exit(CUT)
