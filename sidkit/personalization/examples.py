"""Captioned pictures as a diffusion model trains on them: encoded once, as far as what encodes them is frozen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from diffusers import DDPMScheduler, DiffusionPipeline
from PIL import Image, ImageOps
from torch.nn import functional as F

from sidkit.models import resolution


@dataclass(frozen=True)
class Meaning:
    """Encoded texts: hidden states (n, tokens, width) and, of XL, pooled vectors (n, width)."""

    hidden: torch.Tensor
    pooled: torch.Tensor | None = None

    def __getitem__(self, index: torch.Tensor) -> Meaning:
        return Meaning(self.hidden[index], None if self.pooled is None else self.pooled[index])


class Examples:
    """Pictures with a caption each and, where the loss looks at the subject alone, a mask each."""

    def __init__(
        self,
        pipe: DiffusionPipeline,
        images: list[Image.Image],
        captions: list[str],
        encode_once: bool,
        masks: list[np.ndarray] | None = None,
    ):
        with torch.no_grad():
            self.latents = encode_pictures(pipe, images)  # (n, c, h, w)
            self.meaning = encode_texts(pipe, captions) if encode_once else None
        self.weights = None if masks is None else _cell_shares(images, masks, self.latents)  # (n, 1, h, w)
        self.pipe, self.captions = pipe, captions
        self.schedule = DDPMScheduler.from_config(pipe.scheduler.config)

    def loss(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Mean squared error of the noise, or of the velocity where the model predicts that, over `count` draws."""
        index = _shuffled(len(self.latents), count, generator).to(self.latents.device)
        latents = self.latents[index]
        noise = torch.randn(latents.shape, generator=generator).to(latents)
        timesteps = torch.randint(self.schedule.config.num_train_timesteps, (count,), generator=generator).to(index)
        predicted = denoise(self.pipe, self.schedule.add_noise(latents, noise, timesteps), timesteps, self._say(index))
        target = self._target(latents, noise, timesteps)
        if self.weights is None:
            return F.mse_loss(predicted.float(), target)
        weights = self.weights[index].expand_as(target)
        return (weights * (predicted.float() - target) ** 2).sum() / weights.sum()

    def data(self) -> list[str | torch.Tensor]:
        """All that training depends on, for the key of a checkpoint."""
        return [*self.captions, self.latents, *([] if self.weights is None else [self.weights])]

    def _say(self, index: torch.Tensor) -> Meaning:
        return self.meaning[index] if self.meaning else encode_texts(self.pipe, [self.captions[i] for i in index])

    def _target(self, latents: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        match self.schedule.config.prediction_type:
            case "epsilon":
                return noise
            case "v_prediction":
                return self.schedule.get_velocity(latents, noise, timesteps)
            case other:
                raise ValueError(
                    f"prediction_type: expected epsilon or v_prediction, got {other}; use another pipeline"
                )


def encode_texts(pipe: DiffusionPipeline, texts: list[str]) -> Meaning:
    """Texts as the UNet reads them when the pipeline samples; gradients flow where they are on."""
    options = dict(device=pipe.unet.device, num_images_per_prompt=1, do_classifier_free_guidance=False)
    encoded = pipe.encode_prompt(texts, **options)
    return Meaning(encoded[0], encoded[2] if len(encoded) == 4 else None)


def encode_pictures(pipe: DiffusionPipeline, images: list[Image.Image]) -> torch.Tensor:
    """Latents (n, c, h, w): the mean of the autoencoder's posterior, in the UNet's scale.

    A picture is scaled to the pipeline's resolution and its middle square taken; never mirrored or cropped at random,
    which would contradict its caption.
    """
    side = resolution(pipe)
    latents = []
    for image in images:
        square = ImageOps.fit(image.convert("RGB"), (side, side), Image.LANCZOS)
        pixels = torch.from_numpy(np.array(square)).permute(2, 0, 1)[None].to(pipe.vae.device) / 127.5 - 1
        latents.append(pipe.vae.encode(pixels).latent_dist.mean)
    return torch.cat(latents) * pipe.vae.config.scaling_factor


def _cell_shares(images: list[Image.Image], masks: list[np.ndarray], latents: torch.Tensor) -> torch.Tensor:
    """How much of each latent's cell a mask covers, (n, 1, h, w) in 0 to 1, cut as the pictures are."""
    sizes = [(mask.shape[::-1], image.size) for image, mask in zip(images, masks, strict=True)]
    if wrong := [pair for pair in sizes if pair[0] != pair[1]] or [mask for mask in masks if not mask.any()]:
        raise ValueError(f"masks: expected one of each picture's size with a subject in it, got {wrong[0]}")
    squares = [ImageOps.fit(Image.fromarray(mask).convert("L"), latents.shape[:1:-1], Image.BOX) for mask in masks]
    return torch.stack([torch.from_numpy(np.array(one)) for one in squares])[:, None].to(latents) / 255


def denoise(pipe: DiffusionPipeline, noisy: torch.Tensor, timesteps: torch.Tensor, meaning: Meaning) -> torch.Tensor:
    """The UNet's prediction for noisy latents (n, c, h, w) at integer timesteps (n,)."""
    added = None
    if meaning.pooled is not None:  # XL also reads the picture's size and crop
        sizes = torch.tensor([[resolution(pipe)] * 2 + [0, 0] + [resolution(pipe)] * 2]).to(noisy)
        added = {"text_embeds": meaning.pooled, "time_ids": sizes.expand(len(noisy), -1)}
    return pipe.unet(noisy, timesteps, meaning.hidden, added_cond_kwargs=added).sample


def _shuffled(examples: int, count: int, generator: torch.Generator) -> torch.Tensor:
    """`count` indices in which no example comes more than once more often than another."""
    rounds = [torch.randperm(examples, generator=generator) for _ in range(-(-count // examples))]
    return torch.cat(rounds)[:count]
