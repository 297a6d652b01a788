"""The hub: a mirror by environment variable, a cache folder, and what is said of gated, unknown and unreachable models.

A server of our own answers as the hub does, with a tiny pipeline of the true classes.
"""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sidkit import hub
from sidkit.config import load_profile
from sidkit.models import load_pipeline

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SCRIPT = """
import sys
from sidkit.config import load_profile
from sidkit.models import load_pipeline
pipe = load_pipeline(load_profile("stickers", pipeline=sys.argv[1], revision=sys.argv[2]))
print(type(pipe).__name__, pipe.unet.config.cross_attention_dim)
"""


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers /api/models/... with the list of files, and /.../resolve/... with a file."""

    folder, seen = None, []

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        self.seen.append(self.path)
        if "gated" in self.path:
            return self.send(b"", 403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"})
        if "/unknown" in self.path:
            return self.send(b"", 404, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
        if COMMIT not in self.path:
            return self.send(b"", 404, {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "No such revision"})
        if "/api/models/" in self.path:
            return self.listing()
        path = self.folder / self.path.split(f"/resolve/{COMMIT}/")[1]
        if not path.is_file():
            return self.send(b"", 404, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"})
        content = path.read_bytes()
        self.send(content, 200, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT})

    def listing(self):
        files = [path for path in sorted(self.folder.rglob("*")) if path.is_file()]
        names = [path.relative_to(self.folder).as_posix() for path in files]
        if "/tree/" in self.path:
            told = [
                {"type": "file", "path": name, "size": path.stat().st_size, "oid": "0" * 40}
                for name, path in zip(names, files)
            ]
        else:
            told = {"id": "some/pipeline", "modelId": "some/pipeline", "sha": COMMIT, "tags": [], "private": False}
            told |= {"siblings": [{"rfilename": name} for name in names], "downloads": 0, "likes": 0}
        self.send(json.dumps(told).encode(), 200, {"Content-Type": "application/json"})

    def send(self, content, status, headers):
        self.send_response(status)
        for name, value in ({"Content-Length": len(content)} | headers).items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def mirror(_tiny_pipe, tmp_path_factory):
    """The address of a hub that has some/pipeline, some/gated and nothing else."""
    Handler.folder = tmp_path_factory.mktemp("mirror")
    _tiny_pipe.save_pretrained(Handler.folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def load(name, home, revision=COMMIT, **settings):
    """Load a pipeline in a process of its own, which has the environment variables."""
    kept = {key: value for key, value in os.environ.items() if "proxy" not in key.lower() and not key.startswith("HF_")}
    environment = kept | {"HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1", **settings}
    command = [sys.executable, "-c", SCRIPT, name, revision]
    root = Path(__file__).parents[1]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root, check=False)


def test_a_mirror_and_a_cache_folder_by_environment_variable(mirror, tmp_path, monkeypatch):
    done = load("some/pipeline", tmp_path / "home", HF_ENDPOINT=mirror)
    assert done.stdout.split()[:1] == ["StableDiffusionPipeline"], done.stderr[-2000:]
    assert any(COMMIT in path for path in Handler.seen)
    assert list((tmp_path / "home").rglob(f"snapshots/{COMMIT}/model_index.json"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "home" / "hub"))
    assert load_pipeline(load_profile("stickers", pipeline="some/pipeline", revision=COMMIT)).unet is not None
    assert hub.cached("some/pipeline", "model_index.json", COMMIT).is_file()


@pytest.mark.parametrize(
    ("name", "revision", "words"),
    [
        (
            "some/gated",
            COMMIT,
            "accept the model's licence at http://127.0.0.1:.*/some/gated, then run `hf auth login`",
        ),
        ("some/unknown", COMMIT, "the hub knows no some/unknown"),
        ("some/pipeline", "main", "choose one of .*commits/main for the profile's revision"),
    ],
)
def test_what_cannot_be_had_is_told_with_what_to_do(mirror, tmp_path, monkeypatch, name, revision, words):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", mirror)
    template = mirror + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # as `make test` says
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ValueError, match=words):
        load_pipeline(load_profile("stickers", pipeline=name, revision=revision))


def test_an_error_that_is_not_the_hub_s_keeps_its_own_advice():
    assert hub.advice(ValueError("x"), "some/pipeline", "copy it again") == "copy it again"
