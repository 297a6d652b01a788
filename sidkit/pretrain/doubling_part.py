"""An autoencoder learns pictures of twice the side by the latents that a smaller one has of them."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch.nn import functional as F

from sidkit.pretrain.autoencoder import ON_SHEET, grid, halved, inner_convolutions, pictures, pixels, unlikeness
from sidkit.pretrain.fit import Part
from sidkit.pretrain.pool import Pool

NOISE = 0.05  # in the latents that the decoder learns from, for sampled ones are never quite right
SEEN = 4  # pictures of a batch that the encoder sees
DEVIATIONS = 0.1  # weight of the latents' log variances beside their means


class DoublingPart(Part):
    """The decoder draws from the small autoencoder's `latents` of the pool, with a little noise.

    The encoder, of which less is asked, learns from a few pictures of each batch to have the same latents, deviations
    included. So what a UNet has learnt of the latents stays true.
    """

    def __init__(self, vae: AutoencoderKL, small: AutoencoderKL, pool: Pool, latents: np.ndarray, batch: int) -> None:
        super().__init__()
        self.vae = vae
        self.pool = pool
        self.latents = latents
        self.batch = batch
        self.small = [small]  # in a list, so that it is no submodule and is neither trained nor saved

    def loss(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        index = np.sort(drawn.numpy())
        x = pixels(self.pool, index, self.vae.device)
        latents = torch.from_numpy(self.latents[index]).float()
        noise = torch.randn(latents.shape, generator=generator)
        noised = (latents + NOISE * noise).to(x.device)
        y = self.vae.decode(noised).sample.float()
        few = x[:: max(1, len(x) // SEEN)]
        return unlikeness(y, x) + self.apart(few)

    def apart(self, x: torch.Tensor) -> torch.Tensor:
        """How far the latents of pictures are from those that the small autoencoder has of them; 0 or more."""
        small = self.small[0].to(x.device)
        with torch.no_grad():
            wanted_mean, wanted_deviation = _moments(small, halved(x))
        mean, deviation = _moments(self.vae, x)
        return F.mse_loss(mean, wanted_mean) + DEVIATIONS * F.mse_loss(deviation, wanted_deviation)

    def matrices(self) -> set[str]:
        return inner_convolutions(self)

    def sheet(self) -> Image.Image:
        """Pictures, what the small autoencoder makes of them, enlarged, and what this one does."""
        small = self.small[0]
        x = pixels(self.pool, np.arange(ON_SHEET), self.vae.device)
        before = small.decode(small.encode(halved(x)).latent_dist.mean).sample
        enlarged = F.interpolate(before, x.shape[-2:], mode="bicubic")
        after = self.vae.decode(self.vae.encode(x).latent_dist.mean).sample
        return grid([*pictures(x), *pictures(enlarged), *pictures(after)], ON_SHEET)


def _moments(vae: AutoencoderKL, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The latents' means and log variances, (n, c, h, w) each."""
    return vae.quant_conv(vae.encoder(x)).float().chunk(2, dim=1)
