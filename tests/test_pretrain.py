"""Pretraining: a run resumes with the same bits, tokenizer and latents are what the models expect."""

import numpy as np
import pytest
import torch

from sidkit import torchvision_ops  # noqa: F401
from sidkit.stickers import grammar
from sidkit.stickers.pretrain.autoencoder import Autoencoder, pixels, psnr, standardize
from sidkit.stickers.pretrain.looking import HEADS, altered, labels
from sidkit.stickers.pretrain.loop import Part, Plan, _Run
from sidkit.stickers.pretrain.pool import pool
from sidkit.stickers.pretrain.tokenizer import IDENTIFIERS, LENGTH, make_tokenizer
from sidkit.stickers.scenes import sample_scene


class Line(Part):
    """Learns y = 2 x, from noise drawn with the step's generator."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(3))

    def loss(self, generator):
        x = torch.randn(8, 3, generator=generator)
        return ((x * self.weight - 2 * x) ** 2).mean()


@pytest.fixture(scope="module")
def small_pool(tmp_path_factory):
    return pool(tmp_path_factory.mktemp("pool") / "pool", 24, 64, seed=1)


def run_steps(folder, count):
    folder.mkdir(exist_ok=True)
    run = _Run(Line(), folder, Plan(minutes=1, batch=8, learning_rate=0.1, warmup=1, cooldown=0), {})
    run.resume()
    for _ in range(count):
        run._step(0.0)
    run.save()
    return run


def test_a_resumed_run_has_the_bits_of_an_unbroken_one(tmp_path):
    whole = run_steps(tmp_path / "whole", 20)
    run_steps(tmp_path / "parts", 7)
    parts = run_steps(tmp_path / "parts", 13)
    assert parts.step == whole.step == 20
    assert torch.equal(parts.part.weight, whole.part.weight)
    assert torch.equal(parts.ema["weight"], whole.ema["weight"])
    assert not torch.equal(whole.part.weight, run_steps(tmp_path / "other", 19).part.weight)


def test_the_loop_learns(tmp_path):
    assert torch.allclose(run_steps(tmp_path, 200).part.weight, torch.full((3,), 2.0), atol=0.05)


def test_every_word_and_identifier_is_one_token():
    tokenizer = make_tokenizer()
    assert tokenizer.model_max_length == LENGTH
    for word in (*grammar.words(), *IDENTIFIERS):
        assert len(tokenizer(word).input_ids) == 3, word
    assert len(tokenizer("a zebra").input_ids) > 4  # an unknown word falls into pieces
    assert not set(IDENTIFIERS) & set(grammar.words())


def test_standardized_latents_are_standard_and_decode_to_the_same_picture(small_pool):
    torch.manual_seed(0)
    part = Autoencoder(small_pool, 8)
    x = pixels(small_pool, np.arange(24), torch.device("cpu"))
    with torch.no_grad():
        before = part.vae.decode(part.vae.encode(x).latent_dist.mean).sample
        standardize(part.vae, x)
        latents = part.vae.encode(x).latent_dist.mean
        after = part.vae.decode(latents).sample
    assert torch.allclose(latents.mean((0, 2, 3)), torch.zeros(latents.shape[1]), atol=1e-4)
    assert torch.allclose(latents.std((0, 2, 3)), torch.ones(latents.shape[1]), atol=1e-3)
    assert torch.allclose(before, after, atol=1e-4)


def test_psnr_of_a_known_error():
    x = torch.zeros(2, 3, 8, 8)
    assert psnr(x, x + 0.2) == pytest.approx(20.0, abs=1e-4)  # peak 2, error 0.2: 20 log10(2 / 0.2)


def test_altered_scenes_differ_in_one_to_three_factors():
    rng = np.random.default_rng(0)
    counts = set()
    for _ in range(300):
        scene = sample_scene(rng)
        before, after = labels(scene), labels(altered(scene, rng))
        counts.add(sum(before[head] != after[head] for head in HEADS))
    assert counts == {1, 2, 3}
