"""Positive and negative controls of the text-to-image model: can the paper's mechanism be seen in it at all?

- `swap`: is a word read where it stands? The words of one caption, with the end and padding states of another.
- `lift`: does a word look where its thing is? Its share of attention there, by the share of the area.
- `identifier`: does the word before the class word say which one? Personalized models with and without `[v]`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from diffusers import DiffusionPipeline
from PIL import Image
from tqdm import tqdm

from sidkit.attention import look, off_subject
from sidkit.config import Profile, Sampling
from sidkit.describe.cases import captions_of_case
from sidkit.generation import class_pictures, generate
from sidkit.mark import insert
from sidkit.masks.files import given_mask
from sidkit.measure.encoders import FactorReader
from sidkit.measure.pictures import measure, without_identifier
from sidkit.model_cache import Models
from sidkit.models import load_pipeline, resolution
from sidkit.personalization.loop import personalize
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.heads import labels
from sidkit.stickers.references import make_subject, prompts, read_truth
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import compose
from sidkit.subjects import Prompt, Subject, load_images

SEED = 2_027
READ = ("class", "background", "nearby", "tied")  # factors of which the swap tells, and in which its captions differ
LOOKING = {"class": "subject", "nearby": "nearby", "tied": "tied"}  # a word, and the mask that it is about
LEAST_AREA = 0.01  # of a picture; a thing that is nearly hidden tells nothing
POSES = ("standing", "jumping", "tilted")
BATCH = 8  # pictures drawn together
SUBJECTS = {
    "dog": ("background", "nearby"),
    "robot": ("nearby", "tied"),
    "cat": ("background", "tied"),
    "backpack": ("background", "nearby"),
    "owl": ("nearby", "tied"),
    "car": ("background", "nearby"),
}
PRIOR_IMAGES = 16
DREAMBOOTH_STEPS = 500


def swap(pipe: DiffusionPipeline, reader: FactorReader, count: int, sampling: Sampling) -> dict[str, float]:
    """Share of `count` pictures that show a factor as caption A, whose words they are drawn from, says it, or as B.

    For each factor of READ: `class_plain` of plain captions A, the ceiling, `class_as_a` and `class_as_b` with the end
    and padding states of captions B, which say other values.
    """
    rng = np.random.default_rng(SEED)
    pairs = [_unlike(rng) for _ in range(count)]
    captions = [[grammar.caption(scene, grammar.FACTORS, True, rng) for scene in pair] for pair in pairs]
    plain, swapped = [], []
    for start in tqdm(range(0, count, BATCH), "swap"):
        (words, ends), none = _states(pipe, captions[start : start + BATCH])
        noise = [torch.Generator().manual_seed(start + index) for index in range(len(words))]
        plain += _drawn(pipe, words[:, 0], none, noise, sampling)
        noise = [torch.Generator().manual_seed(start + index) for index in range(len(words))]
        swapped += _drawn(pipe, _with_ends(words, ends), none, noise, sampling)
    first, second = ([labels(pair[index]) for pair in pairs] for index in (0, 1))
    plain_read, read = reader.read(plain), reader.read(swapped)
    shares = {}
    for factor in READ:
        shares[f"{factor}_plain"] = _agreement(plain_read, first, factor)
        shares[f"{factor}_as_a"] = _agreement(read, first, factor)
        shares[f"{factor}_as_b"] = _agreement(read, second, factor)
    return shares


def _unlike(rng: np.random.Generator) -> tuple[Scene, Scene]:
    """Two full scenes that differ in class, place and things."""
    first = _full(rng)
    while True:
        second = _full(rng)
        if all(labels(first)[factor] != labels(second)[factor] for factor in READ):
            return first, second


def _full(rng: np.random.Generator) -> Scene:
    """A plain scene with a nearby and a tied thing."""
    while True:
        scene = sample_scene(rng)
        if scene.nearby and scene.tied and not scene.style and scene.pose in POSES:
            return scene


def _states(
    pipe: DiffusionPipeline, captions: Sequence[Sequence[str]]
) -> tuple[tuple[torch.Tensor, torch.Tensor], torch.Tensor]:
    """States (n, 2, tokens, width) of pairs of captions, where each ends (n, 2), and the states of no caption."""
    texts = [text for pair in captions for text in pair]
    tokenizer = pipe.tokenizer
    tokens = tokenizer(texts, padding="max_length", return_tensors="pt").input_ids
    options = dict(device=pipe.unet.device, num_images_per_prompt=1, do_classifier_free_guidance=True)
    with torch.no_grad():
        states, none = pipe.encode_prompt(texts, **options)
    ends = (tokens == tokenizer.eos_token_id).int().argmax(dim=1)
    return (states.unflatten(0, (-1, 2)), ends.unflatten(0, (-1, 2))), none[: len(captions)]


def _with_ends(states: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """The first caption of each pair with the second's end and padding, (n, tokens, width)."""
    places = torch.arange(states.shape[2])
    at = torch.maximum(places, ends[:, 1:])[..., None].expand_as(states[:, 0])
    own = (places < ends[:, :1])[..., None].to(states.device)
    return torch.where(own, states[:, 0], states[:, 1].gather(1, at.to(states.device)))


def _drawn(
    pipe: DiffusionPipeline,
    states: torch.Tensor,
    none: torch.Tensor,
    noise: list[torch.Generator],
    sampling: Sampling,
) -> list[Image.Image]:
    with torch.inference_mode():
        return pipe(
            prompt_embeds=states,
            negative_prompt_embeds=none,
            generator=noise,
            num_inference_steps=sampling.steps,
            guidance_scale=sampling.guidance,
            height=resolution(pipe),
            width=resolution(pipe),
        ).images


def _agreement(read: dict[str, np.ndarray], truth: list[dict[str, int]], factor: str) -> float:
    return float(np.mean(read[factor].argmax(1) == [one[factor] for one in truth]))


def lift(pipe: DiffusionPipeline, count: int) -> dict[str, float]:
    """For each word of LOOKING the mean share of its attention on its thing by the mean share of the area.

    Over `count` rendered scenes that the model looks at under full captions, as `sidkit.attention` averages: all noise
    levels, layers and heads. 1 is chance.
    """
    rng = np.random.default_rng(SEED)
    rows = [_looked_at(pipe, _full(rng), rng) for _ in tqdm(range(count), "lift")]
    means = pd.DataFrame([row for found in rows for row in found]).groupby("word")[["on", "area"]].mean()
    return {word: float(means.on[word] / means.area[word]) for word in LOOKING}


def _looked_at(pipe: DiffusionPipeline, scene: Scene, rng: np.random.Generator) -> list[dict]:
    """A row a word whose thing can be seen: the share of its attention and of the area that lies on the thing."""
    composed = compose(scene, resolution(pipe), rng)
    said = ("subject", "background", "nearby", "tied")
    caption = grammar.caption(scene, said, (), rng)
    words = {"class": scene.subject, "nearby": scene.nearby, "tied": scene.tied}
    maps = look(pipe, [composed.image], [caption], list(words.values()), seed=int(rng.integers(2**31)))
    rows = []
    for word, mask in ((word, composed.masks[LOOKING[word]]) for word in words):
        if mask.mean() >= LEAST_AREA:
            on = 1 - off_subject(maps.of(words[word]), [mask])[0]
            rows.append(dict(word=word, on=on, area=mask.mean()))
    return rows


def identifier(
    profile: Profile, subjects: dict[str, tuple[str, ...]] = SUBJECTS, steps: int = DREAMBOOTH_STEPS, seeds: int = 2
) -> dict[str, float]:
    """Identity and leakage of models of case 1, trained with prior preservation, with and without `[v]` in the prompt.

    Means over subjects; `identity` and `leakage` are with minus without. Minutes for each subject.
    """
    models, rows = Models(profile), []
    for subject_class, bias in subjects.items():
        with tempfile.TemporaryDirectory() as folder:
            subject = make_subject(Path(folder) / subject_class, subject_class, bias, 4, seed=0)
            rows.append(_with_and_without(models, profile, subject, steps, list(range(seeds))))
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    apart = {factor: means[f"{factor}_with"] - means[f"{factor}_without"] for factor in ("identity", "leakage")}
    return apart | means


def _with_and_without(
    models: Models, profile: Profile, subject: Subject, steps: int, seeds: list[int]
) -> dict[str, float]:
    training = replace(profile.training["dreambooth"], prior_weight=1.0, prior_images=PRIOR_IMAGES, steps=steps)
    pipe, asked = load_pipeline(profile, "cpu"), prompts(subject, 1, seed=0)
    prior = class_pictures(pipe, subject.class_word, training, profile.sampling, seed=0, progress=False)
    captions = [insert(caption, profile.identifier) for caption in captions_of_case(subject, 1)]
    personalize(pipe, load_images(subject), captions, "dreambooth", training, seed=0, prior=prior)
    found = {}
    for arm, texts in (
        ("with", [insert(prompt.text, profile.identifier) for prompt in asked]),
        ("without", [without_identifier(prompt.text) for prompt in asked]),
    ):
        drawn = generate(pipe, texts, seeds, profile.sampling, progress=False)
        measured = _measured(models, subject, asked, [picture.image for picture in drawn])
        found |= {f"{factor}_{arm}": float(measured[factor].mean()) for factor in ("identity", "leakage")}
    return found


def _measured(models: Models, subject: Subject, asked: list[Prompt], drawn: list[Image.Image]) -> pd.DataFrame:
    each = len(drawn) // len(asked)
    by_prompt = [drawn[start : start + each] for start in range(0, len(drawn), each)]
    masks = [given_mask(image) for image in subject.images]
    return measure(models, load_images(subject), masks, asked, by_prompt, read_truth(subject).shared)
