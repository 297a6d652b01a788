"""Nothing that was begun outlives what began it: processes are really killed here, and looked for."""

import signal
import subprocess
import sys
import time

import psutil
import pytest
from test_book import CONFIG
from test_notebook import write

from sidkit import tether

SECONDS = 30  # until a process that ought to end is said to live on
CHILD = """
import subprocess, sys, time
from pathlib import Path
from sidkit.tether import tie
tie(at_end=lambda: Path("tidied").touch())
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
Path("begun").touch()
time.sleep(100)
"""
PARENT = f"""
import sys, time
from sidkit.tether import begin
begin([sys.executable, "-c", {CHILD!r}])
time.sleep(100)
"""
SLEEPING = "import time\nfrom pathlib import Path\nPath('begun').touch()\ntime.sleep(100)"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def begun(folder, *command):
    """A process that has come so far that the file is there, and all that it has begun."""
    process = subprocess.Popen([sys.executable, *command], stderr=subprocess.PIPE, text=True, start_new_session=True)
    limit = time.monotonic() + 3 * SECONDS
    while not (folder / "begun").exists():
        assert process.poll() is None and time.monotonic() < limit, process.stderr.read()
        time.sleep(0.05)
    return process, psutil.Process(process.pid).children(recursive=True)


def assert_gone(processes):
    _, alive = psutil.wait_procs(processes, timeout=SECONDS)
    left = [process.cmdline() for process in alive]
    for process in alive:
        process.kill()
    assert not left


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_tied_process_and_all_that_it_began_end_with_their_parent(folder, number):
    process, children = begun(folder, "-c", PARENT)
    assert len(children) == 2
    process.send_signal(number)
    process.communicate()
    assert_gone(children)
    assert (folder / "tidied").exists()


def test_an_ended_process_takes_along_what_it_began(folder):
    process = tether.begin([sys.executable, "-c", CHILD])
    while not (folder / "begun").exists():
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    tether.end([process])
    assert len(children) == 1 and process.poll() == tether.CUT
    assert_gone(children)


def test_a_process_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(tether, "GRACE", 0.1)
    process = tether.begin([sys.executable, "-c", "import time; time.sleep(100)"])
    tether.end([process])
    assert process.poll() == -signal.SIGKILL


@pytest.fixture
def sleeping_book(folder):
    """Of two notebooks that sleep, and one that waits for them."""
    (folder / "notebooks").mkdir()
    names = ["01_a", "02_b", "03_last"]
    for name in names:
        write(folder / "notebooks" / f"{name}.ipynb", "n = 3", SLEEPING)
    (folder / "start.md").write_text("# Start\n")
    pages = "".join(f"- file: chapters/{name}\n" for name in names)
    (folder / "_toc.yml").write_text(f"format: jb-book\nroot: start\nchapters:\n{pages}")
    (folder / "_config.yml").write_text(CONFIG)
    return folder


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_book_that_is_stopped_leaves_no_kernel_and_says_what_is_kept(sleeping_book, number, code):
    process, children = begun(sleeping_book, "-m", "sidkit", "book", "--jobs", "2")
    assert len(children) >= 3  # two workers and a kernel, or more
    process.send_signal(number)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == code
    assert_gone(children)
    if number != signal.SIGKILL:
        assert "0 of 3 notebooks were executed; their pages are kept" in err
        assert "stopped; what is finished in the run store is kept" in err and "Traceback" not in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_a_notebook_that_is_stopped_leaves_no_kernel(folder, number, code):
    source = write(folder / "sleeping.ipynb", "n = 3", SLEEPING)
    process, children = begun(folder, "-m", "sidkit", "notebook", str(source), "--output", "out.ipynb")
    assert len(children) == 1
    process.send_signal(number)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == code
    assert_gone(children)
    assert number == signal.SIGKILL or "out.ipynb has the cells that were run" in err
