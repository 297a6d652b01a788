"""Sticker World's own pages: how good its shipped models are, how they were made, and what they draw."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.chapters import cast
from sidkit.config import PARTS, load_profile, model_key, weights_folder
from sidkit.generation import generate
from sidkit.image_files import opened
from sidkit.markdown import Markdown
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


@dataclass(frozen=True)
class Score:
    """One of the scores of `evaluate`, in words."""

    model: str
    task: str
    form: str  # how the number is written


SCORES = {  # by their name in `evaluate`
    "image_text": Score(
        "image-text model", "picks the right caption among 100 that differ in one to three factors", "{:.0%}"
    ),
    "identity": Score(
        "identity encoder", "finds a drawing that it has never seen among 100, in another scene", "{:.0%}"
    ),
    "psnr_db": Score("text-to-image model", "keeps a scene through its autoencoder", "{:.1f} dB"),
    "seconds_16": Score("text-to-image model", "draws 16 pictures in 25 steps", "{:.1f} s"),
}


@dataclass(frozen=True)
class Factor:
    """A factor of a scene, its values, and what it is in the paper."""

    name: str
    values: Iterable[str]
    role: str | Markdown


FACTORS = (
    Factor("subject", factors.SUBJECTS, "the subject"),
    Factor("its drawing", factors.ART_SETS, "its identity, which is to be learned"),
    Factor("place", factors.PLACES, "background bias"),
    Factor("object beside it", factors.NEARBY, "nearby-object bias"),
    Factor("what it wears", factors.TIED, "tied-object bias"),
    Factor("style of the picture", factors.STYLES, "wanted, where the content is the bias (substance)"),
    Factor("pose", factors.POSES, "pose bias"),
    Factor("colour or material", factors.ATTRIBUTES, Markdown("property edits, such as *a purple dog*")),
)
LINE_BY_HEAD = {  # of a card
    "Parameters": "parameters",
    "Steps, samples": "steps, samples",
    "Training time": "time in the training loop",
    "Hardware": "hardware",
}
WAYS = {  # of saying a scene: the factors that are named, and whether in detail
    "the subject only": ({"subject"}, False),
    "all but the looks, class level": (grammar.UNDESIRED, False),
    "all but the looks, in detail": (grammar.UNDESIRED, True),
    "everything, in detail": (grammar.FACTORS, True),
}
TITLE_BY_MASK = {
    "subject": "subject",
    "tied": "worn",
    "nearby": "beside it",
    "background": "background",
}
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
    models = [model_key(f"embedded:{part}") for part in PARTS]
    key = {"scenes": scenes, "models": models}

    def make(folder: Path) -> None:
        text = json.dumps(evaluate(scenes), indent=1)
        (folder / "scores.json").write_text(text)

    folder = runs.get("scores", key, make, code=[evaluate])
    text = (folder / "scores.json").read_text()
    return json.loads(text)


def factor_scores_table(scores: Mapping[str, Any]) -> pd.DataFrame:
    """A row a factor: how often the base model draws it as asked, and how often the reader sees it right."""
    rows = []
    for factor, drawn in scores["sampled"].items():
        read = scores["reader"][factor]
        row = {
            "Factor": factor,
            "Drawn as the caption says": f"{drawn:.0%}",
            "Read right in rendered scenes": f"{read:.0%}",
        }
        rows.append(row)
    return pd.DataFrame(rows)


def scores_table(scores: Mapping[str, Any]) -> pd.DataFrame:
    """A row for each of the other scores, in words."""
    rows = []
    for name, score in SCORES.items():
        row = {
            "Model": score.model,
            "What it does": score.task,
            "Score": score.form.format(scores[name]),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def cards_table() -> pd.DataFrame:
    """A row a shipped model, from the card that pretraining wrote beside its weights."""
    rows = []
    for part in PARTS:
        card = _card(part)
        row = {"Model": part.replace("_", " ")}
        for head, line in LINE_BY_HEAD.items():
            row[head] = card.get(line, "?")
        rows.append(row)
    return pd.DataFrame(rows)


def factors_table() -> pd.DataFrame:
    """A row a factor: its name, how many values it has and a few of them, and what it is in the paper."""
    rows = []
    for factor in FACTORS:
        values = list(factor.values)
        few = ", ".join(values[:4])
        row = {
            "Factor": factor.name,
            "Values": len(values),
            "Such as": f"{few}, ...",
            "In the paper": factor.role,
        }
        rows.append(row)
    return pd.DataFrame(rows)


def captions_table(seed: int) -> pd.DataFrame:
    """A row a way of saying EXAMPLE: the caption, and what a parser reads back from it."""
    rows = []
    for way, (named, in_detail) in WAYS.items():
        rng = np.random.default_rng(seed)
        caption = grammar.caption(EXAMPLE, named, in_detail, rng)
        read_back = grammar.parse(caption).values()
        rows.append((way, caption, ", ".join(read_back)))
    return pd.DataFrame(rows, columns=["Said", "Caption", "Read back"])


def some_scenes(count: int, size: int, *, seed: int) -> list[Image.Image]:
    """Scenes drawn at random, none selected, of `size` px."""
    rng = np.random.default_rng(seed)
    scenes = [sample_scene(rng) for _ in range(count)]
    return [render(scene, size, rng) for scene in scenes]


def one_change(size: int, *, seed: int) -> tuple[list[Image.Image], list[str]]:
    """EXAMPLE with one factor changed at a time, and what was changed."""
    images, titles = [], []
    for title, change in ONE_CHANGE.items():
        scene = replace(EXAMPLE, **change)
        rng = np.random.default_rng(seed)
        images.append(render(scene, size, rng))
        titles.append(title)
    return images, titles


def example_masks(size: int, *, seed: int) -> tuple[list[Image.Image], list[str]]:
    """EXAMPLE and the masks of what is in it."""
    rng = np.random.default_rng(seed)
    composition = compose(EXAMPLE, size, rng)
    images, titles = [composition.image], ["scene"]
    for name, title in TITLE_BY_MASK.items():
        mask = Image.fromarray(composition.masks[name])
        images.append(mask.convert("RGB"))
        titles.append(title)
    return images, titles


def drawn_beside_rendered(
    runs: Runs,
    count: int,
    *,
    seed: int,
) -> tuple[list[Image.Image], list[Image.Image]]:
    """Scenes as code renders them, and as the base model draws them from their full captions."""
    profile = load_profile("stickers")
    rng = np.random.default_rng(seed)
    scenes = [sample_scene(rng) for _ in range(count)]
    rendered = [render(scene, profile.resolution, rng) for scene in scenes]
    captions = [grammar.caption(scene, grammar.FACTORS, True, rng) for scene in scenes]
    key = {
        "base": Base.of(profile),
        "captions": captions,
        "seed": seed,
        "sampling": profile.sampling,
    }

    def make(folder: Path) -> None:
        pipe = Models(profile).pipe
        pictures = generate(pipe, captions, [seed], profile.sampling, progress=False)
        for index, picture in enumerate(pictures):
            picture.image.save(folder / f"{index:03}.png")

    folder = runs.get("drawn", key, make, code=[generate])
    files = sorted(folder.glob("*.png"))
    return rendered, [opened(file) for file in files]


def megabytes() -> float:
    """Size of the weights of all shipped models on disk."""
    total = 0
    for part in PARTS:
        for file in weights_folder(part).rglob("*.safetensors"):
            total += file.stat().st_size
    return total / 1e6


def _card(part: str) -> dict[str, str]:
    """The two-column table of a model's README."""
    card = (weights_folder(part) / "README.md").read_text()
    cells = {}
    for line in card.splitlines():
        row = line.strip("| ")
        name, separator, value = row.partition(" | ")
        if line.startswith("| ") and separator:
            cells[name.strip()] = value.strip()
    return cells
