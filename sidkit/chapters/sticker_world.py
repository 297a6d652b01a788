"""Sticker World's own pages: how good its shipped models are, how they were made, and what they draw."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.config import PARTS, load_profile, locate, weights_folder
from sidkit.generation import generate
from sidkit.model_cache import Models, weights
from sidkit.pretrain.evaluate import evaluate
from sidkit.runs import Runs
from sidkit.stickers import grammar
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import render
from sidkit.study.pieces import DRAWING, MEASURING

SCENES = {"smoke": 8, "quick": 100, "full": 1000}  # that the models are scored on, by scale
SCORING = ["sidkit.pretrain.evaluate", *DRAWING, *MEASURING]
SINGLE = {
    "image_text": ("picks the right caption among 100 that differ in one to three factors", "{:.0%}"),
    "identity": ("finds a drawing that it has never seen among 100, in another scene", "{:.0%}"),
    "psnr_db": ("keeps a scene through its autoencoder", "{:.1f} dB"),
    "seconds_16": ("draws 16 pictures in 25 steps", "{:.1f} s"),
}


def scores(runs: Runs, scenes: int) -> dict:
    """What `sidkit stickers evaluate --json` prints, measured once for these weights."""
    key = {"scenes": scenes, "models": [weights(f"embedded:{part}") for part in PARTS]}

    def make(folder: Path) -> None:
        (folder / "scores.json").write_text(json.dumps(evaluate(scenes), indent=1))

    return json.loads((runs.get("scores", key, make, code=SCORING) / "scores.json").read_text())


def factors_scores_table(found: dict) -> pd.DataFrame:
    """A row a factor: how often the base model draws it as asked, and how often the reader sees it right."""
    rows = [(factor, f"{share:.0%}", f"{found['reader'][factor]:.0%}") for factor, share in found["sampled"].items()]
    return pd.DataFrame(rows, columns=["Factor", "Drawn as the caption says", "Read right in rendered scenes"])


def scores_table(found: dict) -> pd.DataFrame:
    """A row for each of the other scores, in words."""
    models = {"image_text": "image-text model", "identity": "identity encoder"}
    rows = [
        (models.get(name, "text-to-image model"), text, form.format(found[name]))
        for name, (text, form) in SINGLE.items()
    ]
    return pd.DataFrame(rows, columns=["Model", "What it does", "Score"])


def cards_table() -> pd.DataFrame:
    """A row a shipped model, from the card that pretraining wrote beside its weights."""
    wanted = ("parameters", "steps, samples", "time in the training loop", "hardware")
    rows = [(part.replace("_", " "), *(_card(part).get(name, "?") for name in wanted)) for part in PARTS]
    return pd.DataFrame(rows, columns=["Model", "Parameters", "Steps, samples", "Training time", "Hardware"])


def drawn_beside_rendered(runs: Runs, count: int, *, seed: int) -> tuple[list[Image.Image], list[Image.Image]]:
    """Scenes as code renders them, and as the base model draws them from their full captions."""
    profile, rng = load_profile("stickers"), np.random.default_rng(seed)
    scenes = [sample_scene(rng) for _ in range(count)]
    rendered = [render(scene, profile.resolution, rng) for scene in scenes]
    captions = [grammar.caption(scene, grammar.FACTORS, True, rng) for scene in scenes]
    key = {"model": weights(profile.pipeline), "captions": captions, "seed": seed, "sampling": profile.sampling}

    def make(folder: Path) -> None:
        pictures = generate(Models(profile).pipe, captions, [seed], profile.sampling, progress=False)
        for index, picture in enumerate(pictures):
            picture.image.save(folder / f"{index:03}.png")

    folder = runs.get("drawn", key, make, code=DRAWING)
    return rendered, [Image.open(path) for path in sorted(folder.glob("*.png"))]


def factors_table(known: Sequence[tuple[str, Collection[str], str]]) -> pd.DataFrame:
    """A row a factor: its name, how many values it has and a few of them, and what it is in the paper."""
    rows = [(name, len(values), f"{', '.join(list(values)[:4])}, ...", role) for name, values, role in known]
    return pd.DataFrame(rows, columns=["Factor", "Values", "Such as", "In the paper"])


def megabytes() -> float:
    """Size of all shipped weights on disk."""
    folders = [Path(locate(f"embedded:{part}")) for part in PARTS]
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*.safetensors")) / 1e6


def _card(part: str) -> dict[str, str]:
    """The two-column table of a model's README."""
    lines = (weights_folder(part) / "README.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ", 1)] for line in lines if line.startswith("| ")]
    return {row[0]: row[1] for row in cells if len(row) == 2}
