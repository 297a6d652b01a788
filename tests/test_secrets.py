"""No key, and no header that holds one, is found in what is written: folders, run records, notebooks, logs, the book.

Each test sets keys in the environment, does what a user does, and searches the bytes of all that came of it. That the
search would find them is tested first.
"""

import base64
import gzip
import json
import os
import re
import subprocess
import sys
import zipfile

import pytest
from conftest import SECRETS, make_pipe
from PIL import Image
from test_remote import said, server  # noqa: F401  (a fixture)

from sidkit.notebook import NotebookError, run_notebook

KEY = SECRETS["OPENAI_API_KEY"]
HEADER = re.compile(rb"authorization['\"]?\s*[:=]|\bbearer\s+(?=\S*\d)\S{8,}", re.IGNORECASE)
PROFILE = """pipeline: {pipe}
resolution: 64
training: {{dreambooth: {{steps: 1, learning_rate: 1.0e-5}}}}
sampling: {{steps: 2, guidance: 2.0}}
encoders: {{image_text: "embedded:image_text", identity: "embedded:identity"}}
"""


def leaks(data, *, headers=True):
    """What is secret in bytes: a key as it is, in base64 at any offset, or its greater part; a header that holds it."""
    found = [name for name, key in SECRETS.items() for spelt in spellings(key) if spelt in data]
    return found + ([match.group().decode() for match in HEADER.finditer(data)] if headers else [])


def spellings(key):
    """A key, its middle, and what base64 makes of it wherever it begins (the two bytes at the ends depend on more)."""
    encoded = (base64.b64encode(b"x" * shift + key.encode() + b"xx")[4:-8] for shift in range(3))
    return [key.encode(), key[6:-6].encode(), *encoded]


def leaks_in(folder, **options):
    """File -> what is secret in it; archives are opened."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return {path: found for path in files if (found := leaks(unpacked(path), **options))}


def unpacked(path):
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix in (".zip", ".pt"):
        with zipfile.ZipFile(path) as archive:
            return b"".join(archive.read(name) for name in archive.namelist())
    return path.read_bytes()


@pytest.fixture
def keys(monkeypatch, server):  # noqa: F811
    """Keys in the environment; what the server answers with is the test's to say."""
    for name, key in SECRETS.items():
        monkeypatch.setenv(name, key)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    return server


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "cat"
    path.mkdir()
    for index in range(2):
        Image.new("RGB", (64, 64), (90 * index, 60, 120)).save(path / f"{index}.png")
    return path


def structure(place):
    """An answer as the instruction asks for it."""
    told = {
        "objects": [],
        "background": {"name": place, "detail": f"in a dark {place}"},
        "pose": "",
        "style": "",
        "subject": "cat",
    }
    return said(json.dumps(told))


def sidkit(*line, **environment):
    """The command in a process of its own, so that its logs and its last words are the real ones."""
    command = [sys.executable, "-c", "from sidkit.cli.main import main; main()", *line]
    done = subprocess.run(command, capture_output=True, env=os.environ | environment, timeout=300)
    return done.returncode, done.stdout + done.stderr


def test_the_search_would_find_it(tmp_path):
    for index, text in enumerate(
        (f"key={KEY}", f"key=...{KEY[6:-6]}...", base64.b64encode(f"u:{KEY}, and more".encode()).decode(),
         "{'Authorization': 'xyz'}", "Bearer abc12345")
    ):  # fmt: skip
        (tmp_path / f"{index}.txt").write_text(text)
    with zipfile.ZipFile(tmp_path / "5.zip", "w") as archive:
        archive.writestr("inside.txt", KEY)
    (tmp_path / "plain.txt").write_text("by the authorization of the bearer of good news")
    assert sorted(path.name for path in leaks_in(tmp_path)) == [*(f"{index}.txt" for index in range(5)), "5.zip"]
    assert sorted(path.name for path in leaks_in(tmp_path, headers=False)) == ["0.txt", "1.txt", "2.txt", "5.zip"]


def test_describing_by_the_command_with_the_client_s_debug_log(keys, folder):
    keys.script += [(200, {}, structure("beach")), (200, {}, structure("forest"))]
    line = ["describe", str(folder), "--class", "cat", "--by", "openai", "--model", "small"]
    code, told = sidkit(*line, OPENAI_LOG="debug")
    assert code == 0 and b"HTTP Request" in told, told.decode()  # the log is there
    assert all(headers["authorization"].endswith(KEY) for _, headers, _ in keys.requests) and len(keys.requests) == 2
    assert not leaks(told, headers=False) and not leaks_in(folder)


def test_a_server_that_repeats_the_key_and_its_header(keys, folder):
    echo = json.dumps({"error": {"message": f"bad header Authorization: Bearer {KEY}"}})
    keys.script += [(200, {}, structure(f"{KEY} beach")), (401, {}, echo)]
    code, told = sidkit("describe", str(folder), "--class", "cat", "--by", "openai", "--model", "small")
    assert code == 1 and len(keys.requests) == 2
    assert not leaks(told, headers=False) and not leaks_in(folder, headers=False)


@pytest.mark.slow
def test_the_chapter_for_one_s_own_images(keys, folder, tmp_path, capfd):
    """The notebook and its runs, where it works; and the traceback in the notebook, where the server refuses."""
    make_pipe("epsilon").save_pretrained(tmp_path / "pipe")
    (tmp_path / "mine.yaml").write_text(PROFILE.format(pipe=tmp_path / "pipe"))
    out, runs = tmp_path / "out", tmp_path / "runs"
    given = dict(folder=str(folder), class_word="cat", profile=str(tmp_path / "mine.yaml"), scale="smoke")
    given |= dict(describer="openai:small", store=str(runs), prompts=["a [v] cat in the snow"])
    echo = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}})
    keys.script += [(401, {}, echo)]
    with pytest.raises(NotebookError, match="gave no description"):
        run_notebook("11_your_images", given, out / "refused.ipynb")
    keys.script += [(200, {}, structure("beach")), (200, {}, structure("forest"))]
    run_notebook("11_your_images", given, out / "done.ipynb")
    assert "dark forest" in (out / "done.ipynb").read_text() and len(list(runs.rglob("run.json"))) > 4
    assert [leaks_in(place) for place in (out, runs, folder)] == [{}, {}, {}]
    assert not any(leaks(text.encode()) for text in capfd.readouterr())


@pytest.mark.slow
def test_the_book_and_the_runs_behind_it(small_book):
    """Built with the keys in the environment (`conftest.small_book`). Its scripts may speak of headers."""
    assert leaks_in(small_book, headers=False) == {}
    root = small_book.parents[1]
    assert [leaks_in(root / place) for place in ("runs", "book/chapters")] == [{}, {}]
