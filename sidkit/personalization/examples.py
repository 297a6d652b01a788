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
        pooled = None if self.pooled is None else self.pooled[index]
        return Meaning(self.hidden[index], pooled)


class Examples:
    """Pictures with a caption each and, where the loss looks at the subject alone, a mask each.

    With `encode_once` the captions are encoded here; without, at every step, because the text encoder is trained.
    `masks` are boolean (height, width), True on the subject. ValueError for masks that do not fit.
    """

    def __init__(
        self,
        pipe: DiffusionPipeline,
        images: list[Image.Image],
        captions: list[str],
        encode_once: bool,
        masks: list[np.ndarray] | None = None,
    ) -> None:
        self.pipe = pipe
        self.captions = captions
        self.schedule = DDPMScheduler.from_config(pipe.scheduler.config)
        with torch.no_grad():
            self.latents = encode_pictures(pipe, images)  # (n, c, h, w)
            self.meaning = encode_texts(pipe, captions) if encode_once else None
        self.weights = None  # of the latents' cells in the loss, (n, 1, h, w)
        if masks is not None:
            self.weights = _cell_shares(images, masks, self.latents)

    def loss(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Mean squared error of the noise, or of the velocity where the model predicts that, over `count` draws."""
        index = _shuffled(len(self.latents), count, generator).to(self.latents.device)
        latents = self.latents[index]
        noise = torch.randn(latents.shape, generator=generator).to(latents)
        levels = self.schedule.config.num_train_timesteps
        timesteps = torch.randint(levels, (count,), generator=generator).to(index)
        noisy = self.schedule.add_noise(latents, noise, timesteps)
        predicted = denoise(self.pipe, noisy, timesteps, self._meaning_of(index)).float()
        target = self._target(latents, noise, timesteps)
        if self.weights is None:
            return F.mse_loss(predicted, target)
        weights = self.weights[index].expand_as(target)
        errors = weights * (predicted - target) ** 2
        return errors.sum() / weights.sum()

    def data(self) -> list[str | torch.Tensor]:
        """All that training depends on, for the key of a checkpoint."""
        data = [*self.captions, self.latents]
        if self.weights is not None:
            data.append(self.weights)
        return data

    def _meaning_of(self, index: torch.Tensor) -> Meaning:
        if self.meaning is not None:
            return self.meaning[index]
        return encode_texts(self.pipe, [self.captions[place] for place in index])

    def _target(
        self,
        latents: torch.Tensor,
        noise: torch.Tensor,
        timesteps: torch.Tensor,
    ) -> torch.Tensor:
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
    encoded = pipe.encode_prompt(
        texts,
        device=pipe.unet.device,
        num_images_per_prompt=1,
        do_classifier_free_guidance=False,
    )
    is_xl = len(encoded) == 4  # hidden states and pooled vectors, each for the prompt and against the negative one
    return Meaning(encoded[0], encoded[2] if is_xl else None)


def encode_pictures(pipe: DiffusionPipeline, images: list[Image.Image]) -> torch.Tensor:
    """Latents (n, c, h, w): the mean of the autoencoder's posterior, in the UNet's scale; computed in fp32.

    A picture is scaled to the pipeline's resolution and its middle square taken; never mirrored or cropped at random,
    which would contradict its caption.
    """
    side = resolution(pipe)
    latents = []
    for image in images:
        square = ImageOps.fit(image.convert("RGB"), (side, side), Image.LANCZOS)
        array = torch.from_numpy(np.array(square)).permute(2, 0, 1)
        pixels = array[None].to(pipe.vae.device) / 127.5 - 1  # (1, 3, side, side) in [-1, 1]
        with torch.autocast(pixels.device.type, enabled=False):
            latents.append(pipe.vae.encode(pixels).latent_dist.mean)
    return torch.cat(latents) * pipe.vae.config.scaling_factor


def _cell_shares(
    images: list[Image.Image],
    masks: list[np.ndarray],
    latents: torch.Tensor,
) -> torch.Tensor:
    """How much of each latent's cell a mask covers, (n, 1, h, w) in 0 to 1, cut as the pictures are."""
    height, width = latents.shape[-2:]
    shares = []
    for image, mask in zip(images, masks, strict=True):
        _check_mask(mask, image)
        picture = Image.fromarray(mask).convert("L")
        square = ImageOps.fit(picture, (width, height), Image.BOX)
        shares.append(torch.from_numpy(np.array(square)))
    return torch.stack(shares)[:, None].to(latents) / 255


def _check_mask(mask: np.ndarray, image: Image.Image) -> None:
    expected = "masks: expected one of each picture's size with a subject in it"
    if mask.shape != (image.height, image.width):
        height, width = mask.shape
        raise ValueError(f"{expected}, got {width} x {height} px for {image.width} x {image.height}")
    if not mask.any():
        raise ValueError(f"{expected}, got an empty one")


def denoise(
    pipe: DiffusionPipeline,
    noisy: torch.Tensor,
    timesteps: torch.Tensor,
    meaning: Meaning,
) -> torch.Tensor:
    """The UNet's prediction for noisy latents (n, c, h, w) at integer timesteps (n,)."""
    added = None
    if meaning.pooled is not None:  # XL also reads the picture's size before and after its crop, and the crop's corner
        side = resolution(pipe)
        sizes = torch.tensor([[side, side, 0, 0, side, side]]).to(noisy)
        added = {"text_embeds": meaning.pooled, "time_ids": sizes.expand(len(noisy), -1)}
    return pipe.unet(noisy, timesteps, meaning.hidden, added_cond_kwargs=added).sample


def _shuffled(examples: int, count: int, generator: torch.Generator) -> torch.Tensor:
    """`count` indices in which no example comes more than once more often than another."""
    rounds = -(-count // examples)
    orders = [torch.randperm(examples, generator=generator) for _ in range(rounds)]
    return torch.cat(orders)[:count]
