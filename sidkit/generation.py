"""Pictures from prompts and seeds. A seed is a noise, so pictures pair up across prompts, cases and methods."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DiffusionPipeline
from PIL import Image
from tqdm import tqdm

from sidkit.config import Sampling
from sidkit.inflection import with_article
from sidkit.mark import check_ready
from sidkit.models import computing_in, resolution, tokenizers, with_identifier

CPU_BATCH = 8  # pictures; the kernels' rounding depends on the size of a batch, so on a CPU there is only one size
BIG = 32  # latent pixels a side; above this a picture is enough for a CPU


@dataclass(frozen=True)
class Picture:
    """One generated picture, with what made it."""

    prompt: str
    seed: int
    image: Image.Image


def generate(
    pipe: DiffusionPipeline,
    prompts: list[str],
    seeds: list[int],
    sampling: Sampling,
    *,
    precision: str = "fp32",
    progress: bool = True,
) -> list[Picture]:
    """One picture for each prompt and seed, prompts in order and the seeds of a prompt together; DDIM with eta 0.

    `[v]` in a prompt stands for the pipeline's identifier. `precision` is the denoiser's and the text encoders'; the
    autoencoder decodes in fp32. On a CPU a picture's bits depend on its own prompt and seed
    only, not on what is drawn beside it; on a GPU also on `sampling.batch_size`, by rounding that the eye cannot see.
    Raises ValueError for a prompt that the model would cut, and for a negative prompt without guidance.
    """
    prompts = with_identifier(pipe, prompts)
    check_ready([*prompts, sampling.negative_prompt], tokenizers(pipe))
    if sampling.negative_prompt and sampling.guidance == 1:
        raise ValueError("negative_prompt works through guidance: expected sampling.guidance above 1, got 1")
    wanted = [(prompt, seed) for prompt in prompts for seed in seeds]
    size = _batch_size(pipe, sampling)
    pictures = []
    with tqdm(total=len(wanted), desc="draw", unit="picture", delay=5, disable=not progress) as bar:
        for start in range(0, len(wanted), size):
            batch = wanted[start : start + size]
            filled = batch + batch[-1:] * (size - len(batch))
            with torch.inference_mode(), computing_in(pipe, precision), _decoding_in_full(pipe.vae):
                images = _draw(pipe, filled, sampling)
            pictures += [Picture(prompt, seed, image) for (prompt, seed), image in zip(batch, images)]
            bar.update(len(batch))
    return pictures


def class_pictures(
    pipe: DiffusionPipeline,
    class_word: str,
    count: int,
    sampling: Sampling,
    *,
    seed: int,
    precision: str = "fp32",
    progress: bool = True,
) -> tuple[list[Image.Image], list[str]]:
    """Pictures of the class by the base model with their captions, "a photo of a dog": DreamBooth's prior preservation.

    `personalize` takes them as `prior`; make them once for a class and base model.
    """
    caption = f"a photo of {with_article(class_word)}"
    seeds = [seed + index for index in range(count)]
    drawn = generate(pipe, [caption], seeds, sampling, precision=precision, progress=progress)
    return [picture.image for picture in drawn], [caption] * len(drawn)


def _batch_size(pipe: DiffusionPipeline, sampling: Sampling) -> int:
    """How many pictures the model always sees at once; what is not wanted is drawn and dropped."""
    if pipe.device.type != "cpu":
        return sampling.batch_size
    return CPU_BATCH if pipe.unet.config.sample_size <= BIG else 1


def _draw(pipe: DiffusionPipeline, batch: list[tuple[str, int]], sampling: Sampling) -> list[Image.Image]:
    prompts, seeds = map(list, zip(*batch))
    negative = [sampling.negative_prompt] * len(batch) if sampling.negative_prompt else None
    return pipe(
        prompts,
        negative_prompt=negative,
        latents=torch.cat([_noise(pipe, seed) for seed in seeds]),
        num_inference_steps=sampling.steps,
        guidance_scale=sampling.guidance,
        height=resolution(pipe),
        width=resolution(pipe),
    ).images


@contextmanager
def _decoding_in_full(vae: torch.nn.Module) -> Iterator[None]:
    """Within, `vae` decodes in its weights' precision, whatever the rest is computed in: bf16 has 8 bits a number."""
    decode, was_its_own = vae.decode, "decode" in vars(vae)

    def in_full(latents: torch.Tensor, *arguments: Any, **options: Any) -> Any:
        with torch.autocast(latents.device.type, enabled=False):
            return decode(latents.to(vae.dtype), *arguments, **options)

    vae.decode = in_full
    try:
        yield
    finally:
        if was_its_own:
            vae.decode = decode
        else:
            del vae.decode  # its class's shows again


def _noise(pipe: DiffusionPipeline, seed: int) -> torch.Tensor:
    """Drawn on the CPU, so that every machine starts from the same."""
    shape = (1, pipe.unet.config.in_channels, *[pipe.unet.config.sample_size] * 2)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(pipe.unet.device)
