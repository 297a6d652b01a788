"""Notebooks executed side by side, each by a process of its own (`python -m sidkit.side_by_side CALL`).

Such a process ends with its parent, and its kernel with it (`sidkit.tether`). It says on its standard output, a JSON
object a line, what its notebook writes to stderr and how that ended.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from subprocess import PIPE, Popen
from threading import Thread
from typing import Any

from sidkit import tether
from sidkit.notebook import NotebookError, run_notebook
from sidkit.screen import Screen

GLANCE = 0.5  # seconds that one wait for a message lasts
LINE, DONE, FAILED = "line", "done", "failed"  # what a message is
RUNTIME = "JUPYTER_RUNTIME_DIR"  # where Jupyter keeps the files that say how to reach a kernel


@dataclass(frozen=True)
class Call:
    """One notebook to execute: its source, its parameters, and the page that is its executed copy."""

    source: Path
    parameters: dict[str, Any]
    page: Path

    @property
    def name(self) -> str:
        """The notebook's."""
        return self.source.stem


def execute(calls: Sequence[Call], jobs: int) -> None:
    """Run notebooks, `jobs` at once, and the last one, which gathers what the others found, when they are done.

    After one that fails none is begun; those that run are waited for. Raises NotebookError for the first that failed.
    However it ends, no process is left, and what was executed is said.
    """
    waiting = deque(calls)
    running: dict[str, Popen] = {}
    failures: list[NotebookError] = []
    messages: SimpleQueue = SimpleQueue()
    with Screen(len(calls)) as screen:
        try:
            while running or (waiting and not failures):
                while waiting and not failures and _may_begin(waiting, running, jobs):
                    call = waiting.popleft()
                    screen.say(f"executing {call.name}")
                    running[call.name] = _begin(call, messages)
                with suppress(Empty):
                    name, message = messages.get(timeout=GLANCE)
                    failures += _heard(name, message, running, screen)
        finally:
            tether.end(running.values())
            if running or waiting or failures:
                screen.say(f"{screen.finished_count} of {len(calls)} notebooks were executed; their pages are kept")
    if failures:
        raise failures[0]


def _may_begin(waiting: Sequence[Call], running: Mapping[str, Popen], jobs: int) -> bool:
    is_last = len(waiting) == 1
    return not running if is_last else len(running) < jobs


def _begin(call: Call, messages: SimpleQueue) -> Popen:
    wanted = json.dumps([str(call.source), call.parameters, str(call.page)])
    process = tether.begin([sys.executable, "-m", "sidkit.side_by_side", wanted], stdout=PIPE, encoding="utf-8")
    Thread(target=_listen, args=(call.name, process, messages), daemon=True).start()
    return process


def _listen(name: str, process: Popen, messages: SimpleQueue) -> None:
    """Pass on what a process says; when it ends without saying how, say that."""
    ended = False
    with process.stdout as said:
        for line in said:
            message = json.loads(line)
            ended = ended or message["kind"] in (DONE, FAILED)
            messages.put((name, message))
    code = process.wait()
    if not ended:
        reason = "the usual reason is too little memory" if code < 0 else "what it said is above"
        messages.put((name, {"kind": FAILED, "text": f"{name}: its process ended with code {code}; {reason}"}))


def _heard(name: str, message: dict, running: dict[str, Popen], screen: Screen) -> list[NotebookError]:
    """Show a message; the failure that it tells of, if it does."""
    if message["kind"] == LINE:
        screen.show(name, message["text"])
        return []
    tether.end([running.pop(name)])
    if message["kind"] == DONE:
        screen.finish(name)
        return []
    screen.remove(name)
    others = f"; what is begun is waited for: {', '.join(running)}" if running else ""
    screen.say(f"failed {name}{others}")
    return [NotebookError(message["text"], message.get("excerpt", ""))]


class Lines:
    """A file that says what a notebook writes to stderr, line by line."""

    def __init__(self, say: Callable[..., None]) -> None:
        self.say = say

    def write(self, text: str) -> None:
        """Say each line that is not blank; a bar that is drawn anew is a new line."""
        for line in re.split(r"[\r\n]+", text):
            if line.strip():
                self.say(LINE, text=line.rstrip())

    def flush(self) -> None:
        """Nothing is held back."""


def main() -> None:
    """What a process does that was begun here."""
    source, parameters, page = json.loads(sys.argv[1])
    say = _channel()
    runtime = tempfile.mkdtemp(prefix="sidkit-")
    os.environ[RUNTIME] = runtime
    tether.tie(at_end=lambda: shutil.rmtree(runtime, ignore_errors=True))
    try:
        run_notebook(source, parameters, Path(page), Lines(say))
        say(DONE)
    except NotebookError as error:
        say(FAILED, text=str(error), excerpt=error.excerpt)
    except (ValueError, OSError) as error:
        say(FAILED, text=f"{Path(source).stem}: {error}")
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


def _channel() -> Callable[..., None]:
    """What says a message to the parent; all else that goes to standard output goes to stderr from here on."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(kind: str, **message: str) -> None:
        print(json.dumps({"kind": kind, **message}), file=channel, flush=True)

    return say


if __name__ == "__main__":
    main()
