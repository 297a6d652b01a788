"""What is fetched: from a real (local) git repository and a hub of our own, and never without being asked for."""

import subprocess

import pytest
from typer.testing import CliRunner

from sidkit.cli import main as cli
from sidkit.config import load_profile
from sidkit.fetch import _wanted, about, fetch


def git(folder, *words):
    identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    """A repository as DreamBench's is."""
    root = tmp_path / "theirs"
    (root / "dataset" / "dog").mkdir(parents=True)
    (root / "dataset" / "dog" / "00.jpg").write_bytes(b"picture")
    (root / "LICENSE.md").write_text("CC BY 4.0")
    (root / "README.md").write_text("not wanted")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "m")
    return root.as_uri()


def test_a_data_set_is_cloned_with_its_licence_and_nothing_else(repository, tmp_path):
    (path,) = fetch("dreambench", tmp_path / "photos" / "dreambench", repository=repository)
    found = sorted(one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_file())
    assert found == ["LICENSE.md", "dog/00.jpg"]
    assert [one.name for one in path.parent.iterdir()] == ["dreambench"]  # no leftovers


def test_a_folder_that_holds_files_is_left_alone(repository, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cat.jpg").touch()
    with pytest.raises(ValueError, match="expected an empty or new folder"):
        fetch("dreambench", tmp_path / "mine", repository=repository)


def test_without_a_network_it_is_told_and_nothing_is_left(tmp_path):
    with pytest.raises(ValueError, match="cannot be cloned .*is the network there"):
        fetch("dreambench", tmp_path / "new", repository=(tmp_path / "nowhere").as_uri())
    assert not list(tmp_path.iterdir())


def test_the_source_and_the_licence_are_named():
    assert "github.com/google/dreambooth" in about("dreambench") and "CC BY 4.0" in about("dreambench")
    assert "stable-diffusion-v1-5 at 451f4fe1" in about("sd15") and "sam-vit-base" in about("sd15")
    assert "nothing, it is shipped" in about("stickers") and fetch("stickers", None) == []
    with pytest.raises(ValueError, match="unknown thing to fetch 'dreambnch'; did you mean 'dreambench'"):
        about("dreambnch")


def test_only_what_is_loaded_is_downloaded():
    full, half = (list(_wanted(load_profile(name), load_profile(name).pipeline)) for name in ("sd15", "sdxl"))
    assert "unet/diffusion_pytorch_model.safetensors" in full and "text_encoder_2/model.fp16.safetensors" in half
    assert not [name for name in full + half if name.endswith((".bin", ".ckpt", "*")) or "safety" in name]


def test_nothing_is_downloaded_without_a_yes(monkeypatch):
    monkeypatch.setattr("sidkit.fetch.fetch", lambda *_: pytest.fail("downloaded"))
    result = CliRunner().invoke(cli.app, ["fetch", "dreambench"], input="n\n")
    assert result.exit_code == 1 and "google/dreambooth" in result.output
