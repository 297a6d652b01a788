"""The autoencoder: 128 px pictures to 16 x 16 latents of 8 channels, a diffusers `AutoencoderKL`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from torch.nn import functional as F
from tqdm import tqdm

from sidkit.pretrain.fit import Part
from sidkit.pretrain.pool import Pool, save_whole, weights_name

CONFIG = dict(
    in_channels=3,
    out_channels=3,
    down_block_types=("DownEncoderBlock2D",) * 4,
    up_block_types=("UpDecoderBlock2D",) * 4,
    block_out_channels=(16, 32, 48, 96),
    layers_per_block=2,
    latent_channels=8,
    norm_num_groups=8,
    mid_block_add_attention=False,
    sample_size=128,
    scaling_factor=1.0,
)
ENDS = ("conv_in.", "conv_out.", "quant_conv.")  # layers that Muon leaves alone
ON_SHEET = 16  # pictures
ENCODED_AT_ONCE = 100


def pixels(pool: Pool, index: np.ndarray, device: torch.device) -> torch.Tensor:
    """Pictures of the pool as (n, 3, size, size) floats in [-1, 1]."""
    taken = np.ascontiguousarray(pool.pictures[np.sort(index)])
    batch = torch.from_numpy(taken).to(device)
    return batch.permute(0, 3, 1, 2).float() / 127.5 - 1


def halved(batch: torch.Tensor) -> torch.Tensor:
    """Pictures (n, c, h, w) at half the side: the means over 2 x 2 px."""
    return F.avg_pool2d(batch, 2)


def unlikeness(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """How unlike two batches of pictures (n, c, h, w) are, in their pixels and in their edges; 0 or more."""
    down = F.l1_loss(y.diff(dim=2), x.diff(dim=2))
    across = F.l1_loss(y.diff(dim=3), x.diff(dim=3))
    return F.l1_loss(y, x) + 2 * F.mse_loss(y, x) + down + across


def pictures(batch: torch.Tensor) -> list[Image.Image]:
    """(n, 3, h, w) in [-1, 1] as RGB pictures."""
    scaled = (batch.float().clamp(-1, 1) + 1) * 127.5
    array = scaled.round().byte().permute(0, 2, 3, 1)
    return [Image.fromarray(picture) for picture in array.cpu().numpy()]


class Autoencoder(Part):
    """L1 and L2 reconstruction with a light KL term; a mirrored picture is a picture."""

    def __init__(self, pool: Pool, batch: int, kl: float = 1e-4) -> None:
        super().__init__()
        self.vae = AutoencoderKL(**CONFIG)
        self.pool = pool
        self.batch = batch
        self.kl = kl

    def loss(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        x = pixels(self.pool, drawn.numpy(), self.vae.device)
        posterior = self.vae.encode(x).latent_dist
        noise = torch.randn(posterior.mean.shape, generator=generator).to(x.device)
        latents = posterior.mean + posterior.std * noise
        y = self.vae.decode(latents).sample.float()
        divergence = _from_standard(posterior.mean.float(), posterior.var.float(), posterior.logvar.float())
        return F.l1_loss(y, x) + F.mse_loss(y, x) + self.kl * divergence

    def reconstruct(self, index: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures of the pool as (n, 3, h, w) in [-1, 1], and what the autoencoder makes of them."""
        x = pixels(self.pool, index, self.vae.device)
        latents = self.vae.encode(x).latent_dist.mean
        return x, self.vae.decode(latents).sample

    def sheet(self) -> Image.Image:
        x, y = self.reconstruct(np.arange(ON_SHEET))
        return grid([*pictures(x), *pictures(y)], ON_SHEET)


def _from_standard(mean: torch.Tensor, variance: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """The mean KL divergence of normal distributions from the standard one."""
    return 0.5 * (mean**2 + variance - 1 - log_variance).mean()


class Decoder(Part):
    """The decoder alone, for pictures out of latents that stay as they are: what the UNet has learnt stays true.

    Sampled latents are never quite right, so the decoder sees latents with a little noise.
    """

    def __init__(self, vae: AutoencoderKL, pool: Pool, latents: np.ndarray, batch: int, noise: float = 0.05) -> None:
        super().__init__()
        self.vae = vae
        self.pool = pool
        self.latents = latents
        self.batch = batch
        self.noise = noise
        vae.requires_grad_(False)
        vae.decoder.requires_grad_(True)
        vae.post_quant_conv.requires_grad_(True)

    def loss(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        index = np.sort(drawn.numpy())
        x = pixels(self.pool, index, self.vae.device)
        latents = torch.from_numpy(self.latents[index]).float()
        noise = torch.randn(latents.shape, generator=generator)
        noised = (latents + self.noise * noise).to(x.device)
        y = self.vae.decode(noised).sample.float()
        return unlikeness(y, x)

    def matrices(self) -> set[str]:
        return inner_convolutions(self)

    def sheet(self) -> Image.Image:
        device = self.vae.device
        x = pixels(self.pool, np.arange(ON_SHEET), device)
        latents = torch.from_numpy(self.latents[:ON_SHEET]).float()
        y = self.vae.decode(latents.to(device)).sample
        return grid([*pictures(x), *pictures(y)], ON_SHEET)


def inner_convolutions(part: Part) -> set[str]:
    """The names of the trained convolutions between the first layer and the last."""
    inner = {name for name, weight in part.named_parameters() if weight.ndim == 4 and weight.requires_grad}
    return {name for name in inner if not any(end in name for end in ENDS)}


def grid(images: list[Image.Image], columns: int, scale: int = 1) -> Image.Image:
    """The pictures, all of one size, on one sheet."""
    side = images[0].width * scale
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * side, rows * side))
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        larger = image.resize((side, side), Image.NEAREST)
        sheet.paste(larger, (column * side, row * side))
    return sheet


@torch.no_grad()
def standardize(vae: AutoencoderKL, x: torch.Tensor) -> None:
    """Fold each latent channel's mean and deviation over `x` into the 1 x 1 convolutions: latents become standard."""
    latents = vae.encode(x).latent_dist.mean
    mean = latents.mean((0, 2, 3))
    std = latents.std((0, 2, 3))
    channels = len(mean)
    before, after = vae.quant_conv, vae.post_quant_conv
    before.weight[:channels] /= std[:, None, None, None]
    before.bias[:channels] = (before.bias[:channels] - mean) / std
    before.bias[channels:] -= 2 * std.log()
    after.bias += after.weight[:, :, 0, 0] @ mean
    after.weight *= std[None, :, None, None]


@torch.no_grad()
def encode_pool(pool: Pool, vae: AutoencoderKL, folder: Path) -> np.ndarray:
    """The latents of the whole pool, (n, 8, 16, 16) float16, kept in a file for each encoder.

    An autoencoder for pictures of half the side sees the pool's halved.
    """
    path = folder / f"latents-{weights_name(vae.encoder, vae.quant_conv)}.npy"
    if not path.exists():
        count = -(-len(pool) // ENCODED_AT_ONCE)
        latents = []
        for chunk in tqdm(np.array_split(np.arange(len(pool)), count), "encode"):
            x = pixels(pool, chunk, vae.device)
            if vae.config.sample_size * 2 == x.shape[-1]:
                x = halved(x)
            latents.append(vae.encode(x).latent_dist.mean.half().cpu().numpy())
        save_whole(path, np.concatenate(latents))
    return np.load(path)
