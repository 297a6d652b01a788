"""The scores of the shipped models, on scenes that no training has seen: `sidkit stickers evaluate`.

Everything is a share between 0 and 1, but for `psnr_db` (decibels) and `seconds_16` (seconds for 16 pictures).
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from sidkit.config import load_profile
from sidkit.measure.encoders import FactorReader, IdentityEncoder, ImageTextEncoder
from sidkit.measure.leakage import shown
from sidkit.models import load_pipeline, resolution
from sidkit.pretrain import controls
from sidkit.pretrain.job import SIZE
from sidkit.pretrain.judges import judges
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.heads import identity, labels
from sidkit.stickers.sampling import altered, sample_scene
from sidkit.stickers.scenes import render
from sidkit.stickers.tensors import channels_first

SEED = 2_026
CHOICES = 100  # captions a picture is matched with, designs an identity is found among
SWAPPED, LOOKED_AT = 96, 60  # pairs of captions and scenes of the controls, at most
JUDGED = 120  # pictures that two judges look at, at most
MATCHED = 200  # pictures at most: each takes 100 captions
RECONSTRUCTED = 500  # pictures at most
STEPS, GUIDANCE = 25, 3.0
DRAWN_AT_ONCE = 20
DECODED_AT_ONCE = 50
TIMED = 16  # pictures


def evaluate(scenes: int = 1000, *, personalized: bool = False) -> dict:
    """Measure every part. `scenes` is how many scenes each share is taken over.

    With `personalized` also the control of the identifier, which trains a model for each of its subjects.
    """
    profile = load_profile("stickers")
    reader = FactorReader(profile.encoders)
    pipe = load_pipeline(profile, "cpu")
    swapped = controls.swap(pipe, reader, min(scenes, SWAPPED), profile.sampling)
    measured = {"swap": swapped, "lift": controls.lift(pipe, min(scenes, LOOKED_AT))}
    if personalized:
        measured["identifier"] = controls.identifier(profile)
    return {
        "controls": measured,
        "sampled": sampled(pipe, reader, scenes),
        "reader": read(reader, scenes),
        "image_text": matched(ImageTextEncoder(profile.encoders), scenes),
        "identity": found(IdentityEncoder(profile.encoders), scenes),
        "judges": judges(pipe, reader, min(scenes, JUDGED), profile.sampling),
        "psnr_db": reconstructed(pipe.vae, min(scenes, RECONSTRUCTED)),
        "seconds_16": seconds(pipe),
    }


def draw(count: int, *, held_out: bool, seed: int = SEED, size: int = SIZE) -> tuple[list[Scene], list[Image.Image]]:
    """Scenes and their pictures, of designs that pretraining saw or of those held out."""
    rng = np.random.default_rng([seed, held_out])
    scenes = [sample_scene(rng, held_out=held_out) for _ in range(count)]
    pictures = [render(scene, size, rng) for scene in scenes]
    return scenes, pictures


def agreement(reader: FactorReader, scenes: list[Scene], pictures: list[Image.Image]) -> dict[str, float]:
    """Share of pictures in which the reader sees what the scene says and nothing else, for each factor.

    A place counts with its variant, where the reader tells it.
    """
    seen = {factor: shown(shares) for factor, shares in reader.read(pictures).items()}
    truth = [labels(scene) for scene in scenes]
    right = {head: _alone(seen[head], [label[head] for label in truth]) for head in truth[0]}
    if "variant" in seen:
        variants = [reader.values["variant"].index(scene.variant) for scene in scenes]
        right["background"] &= _alone(seen["variant"], variants)
    return {head: float(found.mean()) for head, found in right.items()}


def _alone(seen: np.ndarray, wanted: list[int]) -> np.ndarray:
    """In which pictures (n,) nothing is seen (n, values) but what is wanted of each."""
    only = np.arange(seen.shape[1]) == np.array(wanted)[:, None]
    return (seen == only).all(axis=1)


def read(reader: FactorReader, count: int) -> dict[str, float]:
    """The reader on rendered scenes whose designs it never saw."""
    scenes, pictures = draw(count, held_out=True)
    return agreement(reader, scenes, pictures)


def sampled(pipe, reader: FactorReader, count: int) -> dict[str, float]:
    """Pictures sampled from full captions of known designs, read by the factor reader."""
    scenes, _ = draw(count, held_out=False)
    captions = _full_captions(scenes, np.random.default_rng(SEED))
    noise = torch.Generator().manual_seed(SEED)
    pictures = []
    for start in tqdm(range(0, count, DRAWN_AT_ONCE), "sample"):
        pictures += _sample(pipe, captions[start : start + DRAWN_AT_ONCE], noise)
    return agreement(reader, scenes, pictures)


def _full_captions(scenes: list[Scene], rng: np.random.Generator) -> list[str]:
    return [grammar.caption(scene, grammar.FACTORS, True, rng) for scene in scenes]


def _sample(pipe, captions: list[str], noise: torch.Generator) -> list[Image.Image]:
    side = resolution(pipe)
    drawn = pipe(
        captions,
        height=side,
        width=side,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        generator=noise,
    )
    return drawn.images


def matched(encoder: ImageTextEncoder, count: int) -> float:
    """Share of pictures whose own caption is the nearest of 100; the others differ in one to three factors."""
    count = min(count, MATCHED)
    scenes, pictures = draw(count, held_out=False)
    images = encoder.images(pictures)
    rng = np.random.default_rng(SEED)
    right = 0
    for scene, image in zip(tqdm(scenes, "match"), images):
        others = [altered(scene, rng) for _ in range(CHOICES - 1)]
        texts = encoder.texts(_full_captions([scene, *others], rng))
        nearest = (texts @ image).argmax()
        right += int(nearest == 0)
    return right / count


def found(encoder: IdentityEncoder, count: int) -> float:
    """Share of pictures whose subject is found among 100 held-out subjects, each in another scene."""
    rng = np.random.default_rng(SEED)
    subjects = _subjects(rng)
    gallery = encoder.images([_elsewhere(subject, rng) for subject in subjects])
    wanted = rng.integers(0, len(subjects), count)
    queries = encoder.images([_elsewhere(subjects[index], rng) for index in wanted])
    nearest = (queries @ gallery.T).argmax(1)
    return float(np.mean(nearest == wanted))


def _subjects(rng: np.random.Generator) -> list[Scene]:
    """100 scenes with different subjects: held-out designs in several hues."""
    subjects: dict[tuple, Scene] = {}
    while len(subjects) < CHOICES:
        scene = sample_scene(rng, held_out=True)
        subjects.setdefault(identity(scene), scene)
    return list(subjects.values())


def _elsewhere(subject: Scene, rng: np.random.Generator) -> Image.Image:
    """The subject in a scene drawn anew, as a plain sticker."""
    scene = replace(
        sample_scene(rng),
        style=None,
        subject=subject.subject,
        design=subject.design,
        hue=subject.hue,
        attribute=subject.attribute,
    )
    return render(scene, SIZE, rng)


@torch.no_grad()
def reconstructed(vae, count: int) -> float:
    """Mean peak signal-to-noise ratio in dB of held-out scenes through the autoencoder."""
    _, pictures = draw(count, held_out=True, size=vae.config.sample_size)
    arrays = [np.asarray(picture) for picture in pictures]
    x = channels_first(np.stack(arrays)) / 127.5 - 1
    decoded = []
    for batch in x.split(DECODED_AT_ONCE):
        latents = vae.encode(batch).latent_dist.mean
        decoded.append(vae.decode(latents).sample)
    return psnr(x, torch.cat(decoded))


def psnr(x: torch.Tensor, y: torch.Tensor) -> float:
    """Mean over pictures (n, c, h, w) of the peak signal-to-noise ratio in dB, of pixels in [-1, 1]."""
    squares = (x - y.clamp(-1, 1)) ** 2
    error = squares.mean((1, 2, 3))
    return float((10 * torch.log10(4 / error)).mean())


def seconds(pipe) -> float:
    """Seconds for 16 pictures with 25 steps; the best of three."""
    scenes, _ = draw(TIMED, held_out=False)
    captions = _full_captions(scenes, np.random.default_rng(SEED))
    times = []
    for _ in range(3):
        start = time.perf_counter()
        _sample(pipe, captions, torch.Generator().manual_seed(SEED))
        times.append(time.perf_counter() - start)
    return min(times)
