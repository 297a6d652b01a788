"""Sticker World's own pages: how good its shipped models are, how they were made, and what they draw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.chapters import cast
from sidkit.config import PARTS, load_profile, model_key, weights_folder
from sidkit.generation import generate
from sidkit.model_cache import Models
from sidkit.pretrain.evaluate import evaluate
from sidkit.runs import Runs
from sidkit.stickers import factors, grammar
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import compose, render
from sidkit.study.chapter import Results
from sidkit.study.claims import Trial
from sidkit.study.pieces.base import Base
from sidkit.study.plan import Plan

NAME = "00_sticker_world"
SCORES = {  # by their name in `evaluate`: which model, what it does, and how its score is written
    "image_text": (
        "image-text model",
        "picks the right caption among 100 that differ in one to three factors",
        "{:.0%}",
    ),
    "identity": ("identity encoder", "finds a drawing that it has never seen among 100, in another scene", "{:.0%}"),
    "psnr_db": ("text-to-image model", "keeps a scene through its autoencoder", "{:.1f} dB"),
    "seconds_16": ("text-to-image model", "draws 16 pictures in 25 steps", "{:.1f} s"),
}
ROLES = (  # of the factors: name, values, and what it is in the paper
    ("subject", factors.SUBJECTS, "the subject"),
    ("its drawing", factors.ART_SETS, "its identity, which is to be learned"),
    ("place", factors.PLACES, "background bias"),
    ("object beside it", factors.NEARBY, "nearby-object bias"),
    ("what it wears", factors.TIED, "tied-object bias"),
    ("style of the picture", factors.STYLES, "wanted, where the content is the bias (substance)"),
    ("pose", factors.POSES, "pose bias"),
    ("colour or material", factors.ATTRIBUTES, "property edits, such as *a purple dog*"),
)
CARD_ROWS = ("parameters", "steps, samples", "time in the training loop", "hardware")
EXAMPLE = factors.Scene(
    "dog", "fluent", "beach", "daylight", nearby="balloon", nearby_color="blue", tied="top hat", tied_color="red"
)
ONE_CHANGE = {
    "as it is": {},
    "place": {"background": "snow"},
    "object": {"nearby": "gift"},
    "worn thing": {"tied": "scarf"},
    "pose": {"pose": "upside down"},
    "style": {"style": "watercolor"},
}


def plans(scale: str) -> dict[str, Plan]:
    """None: the shipped models are shown as they are."""
    return {}


def findings(results: Results) -> dict:
    """The scores of the shipped models."""
    return scores(results.runs, cast.of("sticker_world", "scenes scored", results.scale))


def claims(results: Results) -> list[Trial]:
    """None: the paper knows no Sticker World."""
    return []


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The factors of a scene, a scene in words, the shipped models and their scores."""
    return {
        "factors": factors_table(),
        "captions": captions_table(results.seed),
        "cards": cards_table(),
        "factor_scores": factor_scores_table(results.findings),
        "scores": scores_table(results.findings),
    }


def values(results: Results) -> dict[str, Any]:
    """How many scenes the scores are taken over, and the size of all weights."""
    return {
        "scenes": cast.of("sticker_world", "scenes scored", results.scale),
        "megabytes": megabytes(),
    }


def scores(runs: Runs, scenes: int) -> dict:
    """What `sidkit stickers evaluate --json` prints, measured once for these weights."""
    key = {"scenes": scenes, "models": [model_key(f"embedded:{part}") for part in PARTS]}

    def make(folder: Path) -> None:
        (folder / "scores.json").write_text(json.dumps(evaluate(scenes), indent=1))

    return json.loads((runs.get("scores", key, make, code=[evaluate]) / "scores.json").read_text())


def factor_scores_table(scores: Mapping[str, Any]) -> pd.DataFrame:
    """A row a factor: how often the base model draws it as asked, and how often the reader sees it right."""
    rows = [(factor, f"{share:.0%}", f"{scores['reader'][factor]:.0%}") for factor, share in scores["sampled"].items()]
    return pd.DataFrame(rows, columns=["Factor", "Drawn as the caption says", "Read right in rendered scenes"])


def scores_table(scores: Mapping[str, Any]) -> pd.DataFrame:
    """A row for each of the other scores, in words."""
    rows = [(model, task, form.format(scores[name])) for name, (model, task, form) in SCORES.items()]
    return pd.DataFrame(rows, columns=["Model", "What it does", "Score"])


def cards_table() -> pd.DataFrame:
    """A row a shipped model, from the card that pretraining wrote beside its weights."""
    rows = []
    for part in PARTS:
        card = _card(part)
        rows.append((part.replace("_", " "), *(card.get(name, "?") for name in CARD_ROWS)))
    return pd.DataFrame(rows, columns=["Model", "Parameters", "Steps, samples", "Training time", "Hardware"])


def factors_table() -> pd.DataFrame:
    """A row a factor: its name, how many values it has and a few of them, and what it is in the paper."""
    rows = [(name, len(values), f"{', '.join(list(values)[:4])}, ...", role) for name, values, role in ROLES]
    return pd.DataFrame(rows, columns=["Factor", "Values", "Such as", "In the paper"])


def captions_table(seed: int) -> pd.DataFrame:
    """A row a way of saying EXAMPLE: the caption, and what a parser reads back from it."""
    ways = {
        "the subject only": ({"subject"}, False),
        "all but the looks, class level": (grammar.UNDESIRED, False),
        "all but the looks, in detail": (grammar.UNDESIRED, True),
        "everything, in detail": (grammar.FACTORS, True),
    }
    rows = []
    for way, (named, in_detail) in ways.items():
        caption = grammar.caption(EXAMPLE, named, in_detail, np.random.default_rng(seed))
        rows.append((way, caption, ", ".join(grammar.parse(caption).values())))
    return pd.DataFrame(rows, columns=["Said", "Caption", "Read back"])


def some_scenes(count: int, size: int, *, seed: int) -> list[Image.Image]:
    """Scenes drawn at random, none selected, of `size` px."""
    rng = np.random.default_rng(seed)
    scenes = [sample_scene(rng) for _ in range(count)]
    return [render(scene, size, rng) for scene in scenes]


def one_change(size: int, *, seed: int) -> tuple[list[Image.Image], list[str]]:
    """EXAMPLE with one factor changed at a time, and what was changed."""
    scenes = [replace(EXAMPLE, **change) for change in ONE_CHANGE.values()]
    return [render(scene, size, np.random.default_rng(seed)) for scene in scenes], list(ONE_CHANGE)


def example_masks(size: int, *, seed: int) -> tuple[list[Image.Image], list[str]]:
    """EXAMPLE and the masks of what is in it."""
    composition = compose(EXAMPLE, size, np.random.default_rng(seed))
    title_by_mask = {"subject": "subject", "tied": "worn", "nearby": "beside it", "background": "background"}
    masks = [Image.fromarray(composition.masks[name]).convert("RGB") for name in title_by_mask]
    return [composition.image, *masks], ["scene", *title_by_mask.values()]


def drawn_beside_rendered(runs: Runs, count: int, *, seed: int) -> tuple[list[Image.Image], list[Image.Image]]:
    """Scenes as code renders them, and as the base model draws them from their full captions."""
    profile, rng = load_profile("stickers"), np.random.default_rng(seed)
    scenes = [sample_scene(rng) for _ in range(count)]
    rendered = [render(scene, profile.resolution, rng) for scene in scenes]
    captions = [grammar.caption(scene, grammar.FACTORS, True, rng) for scene in scenes]
    key = {"base": Base.of(profile), "captions": captions, "seed": seed, "sampling": profile.sampling}

    def make(folder: Path) -> None:
        pictures = generate(Models(profile).pipe, captions, [seed], profile.sampling, progress=False)
        for index, picture in enumerate(pictures):
            picture.image.save(folder / f"{index:03}.png")

    folder = runs.get("drawn", key, make, code=[generate])
    return rendered, [Image.open(path) for path in sorted(folder.glob("*.png"))]


def megabytes() -> float:
    """Size of the weights of all shipped models on disk."""
    files = [file for part in PARTS for file in weights_folder(part).rglob("*.safetensors")]
    return sum(file.stat().st_size for file in files) / 1e6


def _card(part: str) -> dict[str, str]:
    """The two-column table of a model's README."""
    cells = {}
    for line in (weights_folder(part) / "README.md").read_text().splitlines():
        name, separator, value = line.strip("| ").partition(" | ")
        if line.startswith("| ") and separator:
            cells[name.strip()] = value.strip()
    return cells
