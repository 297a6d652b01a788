"""What is downloaded on request only: DreamBench's pictures, and the weights of a profile before its first run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import snapshot_download

from sidkit import hub
from sidkit.config import Profile, check_name, load_profile, profiles, shipped


@dataclass(frozen=True)
class Source:
    """Data of others: where it is, under which licence, and what of it is kept."""

    repository: str
    licence: str
    folder: str


SOURCES = {
    "dreambench": Source(
        "https://github.com/google/dreambooth",
        "CC BY 4.0; pictures by the authors and from Unsplash, each with its link in references_and_licenses.txt",
        "dataset",
    )
}
COMPONENTS = ("unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler")


def about(name: str) -> str:
    """What `fetch` would download, from where and under which terms. ValueError for an unknown name."""
    check_name("thing to fetch", name, (*SOURCES, *profiles()))
    if name in SOURCES:
        source = SOURCES[name]
        return f"{name}: {source.repository} ({source.licence})"
    profile = load_profile(name)
    wanted = ", ".join(f"{reference} at {revision or 'main'}" for reference, revision in _repositories(profile))
    return f"{name}: {wanted or 'nothing, it is shipped'}; each under the licence on its page of the hub"


def fetch(name: str, folder: Path, *, repository: str | None = None) -> list[Path]:
    """Download a data set into `folder`, or a profile's weights into the hub's cache; returns where they are.

    `repository` takes the place of the known one (a mirror, a copy). Raises ValueError where it cannot be had, and
    where `folder` is not empty; nothing is left half done.
    """
    check_name("thing to fetch", name, (*SOURCES, *profiles()))
    if name in SOURCES:
        return [_clone(SOURCES[name], folder, repository or SOURCES[name].repository)]
    return [_snapshot(load_profile(name), *wanted) for wanted in _repositories(load_profile(name))]


def _clone(source: Source, folder: Path, repository: str) -> Path:
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"fetch: expected an empty or new folder, got {folder}, which holds files; name another")
    if shutil.which("git") is None:
        raise ValueError(
            f"fetch: expected git to be installed; or download {repository} by hand, and copy its {source.folder}"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        told = ["git", "clone", "--depth", "1", repository, f"{work}/copy"]
        done = subprocess.run(told, capture_output=True, text=True, check=False, env=_unasking())
        if done.returncode:
            why = done.stderr.strip().splitlines()[-1:] or ["git said nothing"]
            raise ValueError(f"fetch: {repository} cannot be cloned ({why[0]}); is the network there?")
        kept = Path(work) / "copy" / source.folder
        if not kept.is_dir():
            raise ValueError(f"fetch: expected a folder {source.folder} in {repository}, found none; has it moved?")
        for licence in (Path(work) / "copy").glob("LICENSE*"):
            shutil.copy(licence, kept)
        if folder.exists():
            folder.rmdir()
        shutil.move(kept, folder)
    return folder


def _unasking() -> dict[str, str]:
    """Without a terminal's questions for a password, which would hang."""
    return {**os.environ, "GIT_TERMINAL_PROMPT": "0"}


def _repositories(profile: Profile) -> list[tuple[str, str | None]]:
    found = [(profile.pipeline, profile.revision)]
    if profile.masks:
        found.append((profile.masks.detector, profile.masks.detector_revision))
        found.append((profile.masks.segmenter, profile.masks.segmenter_revision))
    return [(name, revision) for name, revision in found if _of_the_hub(name)]


def _of_the_hub(reference: str) -> bool:
    return not shipped(reference) and not Path(reference).exists()


def _snapshot(profile: Profile, reference: str, revision: str | None) -> Path:
    try:
        return Path(snapshot_download(reference, revision=revision, allow_patterns=list(_wanted(profile, reference))))
    except (OSError, ValueError) as error:
        told = hub.advice(error, reference, "is the network there?")
        raise ValueError(f"fetch: {reference} cannot be downloaded ({type(error).__name__}); {told}") from error


def _wanted(profile: Profile, reference: str) -> Iterable[str]:
    """Only what is loaded: a pipeline's repository also holds other formats, and single files of everything."""
    if reference != profile.pipeline:
        return ["*.json", "*.txt", "*.safetensors"]
    variant = f".{profile.variant}" if profile.variant else ""
    weights = [f"{stem}{variant}.safetensors" for stem in ("model", "diffusion_pytorch_model", "*-of-*")]
    kinds = ("*.json", "*.txt", *weights)
    return ["model_index.json", *(f"{component}/{kind}" for component in COMPONENTS for kind in kinds)]
