"""Two judges of what a picture shows, one that was taught the factors and one that compares pixels: do they agree?

Both say what leaks, of the same pictures: a caption says each of a scene's place, nearby and worn thing every other
time, and all three count as undesired. So a picture shows as much of them as the text-to-image model took from the
caption, or put there of its own accord.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from diffusers import DiffusionPipeline
from PIL import Image
from tqdm import tqdm

from sidkit.config import Sampling
from sidkit.measure.encoders import FactorReader
from sidkit.measure.leakage import leaks
from sidkit.models import resolution
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.matching import SpriteMatcher
from sidkit.stickers.sampling import sample_scene

SEED = 2_028
UNDESIRED = ("background", "nearby", "tied")
BATCH = 8  # pictures drawn together

Judge = FactorReader | SpriteMatcher


def judges(pipe: DiffusionPipeline, reader: FactorReader, count: int, sampling: Sampling) -> dict[str, float]:
    """Correlation of the reader's leakage with the sprite matcher's over `count` drawn pictures, and by factor.

    NaN where one of them sees the same in all pictures.
    """
    scenes = plain_scenes(count)
    pictures = drawn(pipe, captions(scenes), sampling)
    return correlations(leaked(reader, scenes, pictures), leaked(SpriteMatcher(), scenes, pictures))


def plain_scenes(count: int) -> list[Scene]:
    """Scenes with a nearby and a worn thing each, of plain stickers that stand."""
    rng, found = np.random.default_rng(SEED), []
    while len(found) < count:
        scene = replace(sample_scene(rng), style=None, pose="standing")
        if scene.nearby and scene.tied:
            found.append(scene)
    return found


def captions(scenes: Sequence[Scene]) -> list[str]:
    """A caption for each scene that says every other time what is undesired."""
    rng = np.random.default_rng(SEED)
    said = [[factor for factor in UNDESIRED if rng.random() < 0.5] for _ in scenes]
    return [grammar.caption(scene, ["subject", *factors], True, rng) for scene, factors in zip(scenes, said)]


def drawn(pipe: DiffusionPipeline, texts: Sequence[str], sampling: Sampling) -> list[Image.Image]:
    """A picture for each text."""
    side, noise, pictures = resolution(pipe), torch.Generator().manual_seed(SEED), []
    settings = dict(num_inference_steps=sampling.steps, guidance_scale=sampling.guidance, height=side, width=side)
    for start in tqdm(range(0, len(texts), BATCH), "draw for two judges"):
        pictures += pipe(list(texts[start : start + BATCH]), generator=noise, **settings).images
    return pictures


def leaked(judge: Judge, scenes: Sequence[Scene], pictures: Sequence[Image.Image]) -> dict[str, np.ndarray]:
    """Of each undesired factor whether the judge sees the scene's value: (n,) of 0 and 1."""
    read = judge.read(pictures)
    rows = []
    for turn, scene in enumerate(scenes):
        one = {factor: shares[turn : turn + 1] for factor, shares in read.items()}
        rows.append(leaks(one, judge.values, {factor: getattr(scene, factor) for factor in UNDESIRED}, asked={}))
    return {factor: np.concatenate([row[factor] for row in rows]) for factor in UNDESIRED}


def correlations(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, float]:
    """Pearson's correlation of the leakage, the mean over the factors, and of each factor's leaks."""
    leakage = {"leakage": [np.mean(list(leaks.values()), axis=0) for leaks in (one, other)]}
    pairs = leakage | {factor: [one[factor], other[factor]] for factor in one}
    return {name: _correlation(*pair) for name, pair in pairs.items()}


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if one.std() and other.std() else float("nan")
