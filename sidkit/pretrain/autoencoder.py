"""The autoencoder: 64 px pictures to 16 x 16 latents of 8 channels, a diffusers `AutoencoderKL`."""

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
    down_block_types=("DownEncoderBlock2D",) * 3,
    up_block_types=("UpDecoderBlock2D",) * 3,
    block_out_channels=(16, 48, 96),
    layers_per_block=1,
    latent_channels=8,
    norm_num_groups=8,
    mid_block_add_attention=False,
    sample_size=64,
    scaling_factor=1.0,
)


def pixels(pool: Pool, index: np.ndarray, device: torch.device) -> torch.Tensor:
    """Pictures of the pool as (n, 3, size, size) floats in [-1, 1]."""
    batch = torch.from_numpy(np.ascontiguousarray(pool.pictures[np.sort(index)])).to(device)
    return batch.permute(0, 3, 1, 2).float() / 127.5 - 1


def pictures(batch: torch.Tensor) -> list[Image.Image]:
    """(n, 3, h, w) in [-1, 1] as RGB pictures."""
    array = ((batch.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return [Image.fromarray(one) for one in array]


class Autoencoder(Part):
    """L1 and L2 reconstruction with a light KL term; a mirrored picture is a picture."""

    def __init__(self, pool: Pool, batch: int, kl: float = 1e-4) -> None:
        super().__init__()
        self.vae = AutoencoderKL(**CONFIG)
        self.pool, self.batch, self.kl = pool, batch, kl

    def loss(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        x = pixels(self.pool, drawn.numpy(), self.vae.device)
        posterior = self.vae.encode(x).latent_dist
        noise = torch.randn(posterior.mean.shape, generator=generator).to(x.device)
        y = self.vae.decode(posterior.mean + posterior.std * noise).sample.float()
        kl = 0.5 * (posterior.mean.float() ** 2 + posterior.var.float() - 1 - posterior.logvar.float()).mean()
        return F.l1_loss(y, x) + F.mse_loss(y, x) + self.kl * kl

    def reconstruct(self, index: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        x = pixels(self.pool, index, self.vae.device)
        return x, self.vae.decode(self.vae.encode(x).latent_dist.mean).sample

    def sheet(self) -> Image.Image:
        x, y = self.reconstruct(np.arange(16))
        return grid([*pictures(x), *pictures(y)], 16, 2)


class Decoder(Part):
    """The decoder alone, for pictures out of latents that stay as they are: what the UNet has learnt stays true.

    Sampled latents are never quite right, so the decoder sees latents with a little noise.
    """

    def __init__(self, vae: AutoencoderKL, pool: Pool, latents: np.ndarray, batch: int, noise: float = 0.05) -> None:
        super().__init__()
        self.vae, self.pool, self.latents, self.batch, self.noise = vae, pool, latents, batch, noise
        vae.requires_grad_(False)
        for trained in (vae.decoder, vae.post_quant_conv):
            trained.requires_grad_(True)

    def loss(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        index = np.sort(drawn.numpy())
        x, z = pixels(self.pool, index, self.vae.device), torch.from_numpy(self.latents[index]).float()
        z = (z + self.noise * torch.randn(z.shape, generator=generator)).to(x.device)
        y = self.vae.decode(z).sample.float()
        return F.l1_loss(y, x) + 4 * F.mse_loss(y, x)

    def sheet(self) -> Image.Image:
        y = self.vae.decode(torch.from_numpy(self.latents[:16]).float().to(self.vae.device)).sample
        return grid([*pictures(pixels(self.pool, np.arange(16), self.vae.device)), *pictures(y)], 16, 2)


def grid(images: list[Image.Image], columns: int, scale: int = 1) -> Image.Image:
    """The pictures, all of one size, on one sheet."""
    side = images[0].width * scale
    sheet = Image.new("RGB", (columns * side, -(-len(images) // columns) * side))
    for index, image in enumerate(images):
        sheet.paste(image.resize((side, side), Image.NEAREST), (index % columns * side, index // columns * side))
    return sheet


def psnr(x: torch.Tensor, y: torch.Tensor) -> float:
    """Mean over pictures of the peak signal-to-noise ratio in dB, of pixels in [-1, 1]."""
    error = ((x - y.clamp(-1, 1)) ** 2).mean((1, 2, 3))
    return float((10 * torch.log10(4 / error)).mean())


@torch.no_grad()
def standardize(vae: AutoencoderKL, x: torch.Tensor) -> None:
    """Fold each latent channel's mean and deviation over `x` into the 1 x 1 convolutions: latents become standard."""
    latents = vae.encode(x).latent_dist.mean
    mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    channels = len(mean)
    vae.quant_conv.weight[:channels] /= std[:, None, None, None]
    vae.quant_conv.bias[:channels] = (vae.quant_conv.bias[:channels] - mean) / std
    vae.quant_conv.bias[channels:] -= 2 * std.log()
    vae.post_quant_conv.bias += vae.post_quant_conv.weight[:, :, 0, 0] @ mean
    vae.post_quant_conv.weight *= std[None, :, None, None]


@torch.no_grad()
def encode_pool(pool: Pool, vae: AutoencoderKL, folder: Path) -> np.ndarray:
    """The latents of the whole pool, (n, 8, 16, 16) float16, kept in a file for each encoder."""
    path = folder / f"latents-{weights_name(vae.encoder, vae.quant_conv)}.npy"
    if not path.exists():
        chunks = np.array_split(np.arange(len(pool)), -(-len(pool) // 100))
        latents = [
            vae.encode(pixels(pool, chunk, vae.device)).latent_dist.mean.half().cpu().numpy()
            for chunk in tqdm(chunks, "encode")
        ]
        save_whole(path, np.concatenate(latents))
    return np.load(path)
