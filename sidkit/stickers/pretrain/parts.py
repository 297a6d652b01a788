"""How each part is put together, trained and written: pool in, weights and model card out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from sidkit.stickers.pretrain.card import write_card
from sidkit.stickers.pretrain.loop import Part, Plan, fit
from sidkit.stickers.pretrain.pool import Pool, pool

SIZE = 64  # px
LOOK = 96  # px; what the looking models scale a picture to

PLANS = {
    "autoencoder": Plan(batch=16, learning_rate=1.5e-3, weight_decay=0.0, ema=0.998),
    "text_to_image": Plan(batch=32, learning_rate=8e-4, ema=0.999),
    "reader": Plan(batch=64, learning_rate=1e-3, weight_decay=0.02, ema=0.998),
    "image_text": Plan(batch=96, learning_rate=6e-4, weight_decay=0.02, ema=0.998),
    "identity": Plan(batch=96, learning_rate=5e-4, weight_decay=0.02, ema=0.998),
}


def training_pool(work: Path, scenes: int) -> Pool:
    return pool(work / "pool", scenes, SIZE, seed=1)


def train_autoencoder(plan: Plan, work: Path, weights: Path, scenes: int, drop: float) -> Path:
    """Leaves the autoencoder in `work`: it is shipped inside the pipeline."""
    from sidkit.stickers.pretrain.autoencoder import Autoencoder, pixels, standardize

    torch.manual_seed(plan.seed)
    part = Autoencoder(training_pool(work, scenes), plan.batch)
    record = fit(part, work / "autoencoder", plan)
    standardize(part.vae, pixels(part.pool, np.arange(512), part.vae.device))
    folder = work / "autoencoder" / "weights"
    part.vae.save_pretrained(folder)
    _card(folder, "autoencoder", "diffusers", "autoencoder", "Pictures of 64 x 64 px to latents of 16 x 8 x 8 and back.", part, record)
    return folder


def train_text_to_image(plan: Plan, work: Path, weights: Path, scenes: int, drop: float) -> Path:
    from diffusers import AutoencoderKL

    from sidkit.stickers.pretrain.text_to_image import TextToImage, encode_pool

    torch.manual_seed(plan.seed)
    data = training_pool(work, scenes)
    vae = AutoencoderKL.from_pretrained(_autoencoder(work, weights)).to(plan.device, torch.float32).eval().requires_grad_(False)
    latents = encode_pool(data, vae, work / "pool" / "latents.npy")
    part = TextToImage(data, latents, vae, plan.batch, drop)
    record = fit(part, work / "text_to_image", plan)
    folder = weights / "text_to_image"
    part.export(folder)
    _card(folder, "text_to_image", "diffusers", "text to image", "A small Stable Diffusion: captions to pictures of 64 x 64 px.", part, record)
    return folder


def train_reader(plan: Plan, work: Path, weights: Path, scenes: int, drop: float) -> Path:
    from sidkit.stickers.nets import Reader
    from sidkit.stickers.pretrain.backbone import ARCHITECTURE, load_imagenet
    from sidkit.stickers.pretrain.looking import HEADS, ReaderPart

    torch.manual_seed(plan.seed)
    part = ReaderPart(Reader(ARCHITECTURE, LOOK, HEADS), training_pool(work, scenes), plan.batch)
    load_imagenet(part.reader.backbone.net)
    record = fit(part, work / "reader", plan)
    folder = weights / "reader"
    part.reader.save(folder)
    _card(folder, "reader", "timm", "factor reader", "A picture to the factors of its scene, one head a factor.", part, record)
    return folder


def train_identity(plan: Plan, work: Path, weights: Path, scenes: int, drop: float) -> Path:
    from sidkit.stickers.nets import IdentityNet, Reader
    from sidkit.stickers.pretrain.looking import IdentityPart

    torch.manual_seed(plan.seed)
    reader = Reader.load(weights / "reader")
    part = IdentityPart(IdentityNet(reader.config["architecture"], LOOK), training_pool(work, scenes), plan.batch)
    part.net.backbone.load_state_dict(reader.backbone.state_dict())
    record = fit(part, work / "identity", plan)
    folder = weights / "identity"
    part.net.save(folder)
    _card(folder, "identity", "timm", "identity encoder", "A picture to a unit vector that says which subject it shows.", part, record)
    return folder


def train_image_text(plan: Plan, work: Path, weights: Path, scenes: int, drop: float) -> Path:
    from sidkit.stickers.nets import Reader
    from sidkit.stickers.pretrain.image_text import make_image_text, save_image_text
    from sidkit.stickers.pretrain.looking import ImageTextPart
    from sidkit.stickers.pretrain.tokenizer import make_tokenizer

    torch.manual_seed(plan.seed)
    tokenizer, reader = make_tokenizer(), Reader.load(weights / "reader")
    model = make_image_text(reader.config["architecture"], LOOK, len(tokenizer))
    model.visual.trunk.load_state_dict(reader.backbone.net.state_dict(), strict=False)
    part = ImageTextPart(model, tokenizer, training_pool(work, scenes), plan.batch, LOOK)
    record = fit(part, work / "image_text", plan)
    folder = weights / "image_text"
    save_image_text(part.model, tokenizer, folder)
    _card(folder, "image_text", "open_clip", "image-text model", "A small CLIP: pictures and captions in one space.", part, record)
    return folder


def _autoencoder(work: Path, weights: Path) -> Path:
    """The autoencoder that was just trained, or the shipped one."""
    trained = work / "autoencoder" / "weights"
    return trained if trained.exists() else weights / "text_to_image" / "vae"


def _card(folder: Path, part: str, library: str, title: str, what: str, trained: Part, record: dict) -> None:
    parameters = sum(p.numel() for p in trained.parameters())
    write_card(folder, part, library, title, what, len(trained.pool), parameters, record)


TRAINERS = {
    "autoencoder": train_autoencoder,
    "text_to_image": train_text_to_image,
    "reader": train_reader,
    "identity": train_identity,
    "image_text": train_image_text,
}
