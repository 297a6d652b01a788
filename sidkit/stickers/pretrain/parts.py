"""How each part is put together, trained and written: pool in, weights and model card out.

A part goes on from its checkpoint in the work folder; without one from the shipped weights; without those from nothing
(the models that look: from ImageNet).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sidkit.stickers.pretrain.card import write_card
from sidkit.stickers.pretrain.loop import Part, Plan, fit
from sidkit.stickers.pretrain.pool import Pool, pool

SIZE = 64  # px
LOOK = 96  # px; what the looking models scale a picture to
FEATURES = 16_000  # pictures that the image-text model learns from

PLANS = {
    "autoencoder": Plan(batch=16, learning_rate=1.5e-3, weight_decay=0.0, ema=0.998),
    "text_to_image": Plan(batch=32, learning_rate=8e-4, ema=0.999),
    "reader": Plan(batch=64, learning_rate=1e-3, weight_decay=0.02, ema=0.998, cpu_bf16=False),
    "image_text": Plan(batch=64, learning_rate=1e-3, weight_decay=0.02, ema=0.998, cpu_bf16=False),
    "identity": Plan(batch=96, learning_rate=5e-4, weight_decay=0.02, ema=0.998, cpu_bf16=False),
}


@dataclass(frozen=True)
class Job:
    """What one call of `train` works with."""

    plan: Plan
    work: Path
    weights: Path
    scenes: int
    drop: float

    def pool(self) -> Pool:
        """The rendered scenes to train on."""
        return pool(self.work / "pool", self.scenes, SIZE, seed=1)

    def shipped(self, part: str) -> Path:
        """The folder of a part's weights; the autoencoder's are inside the pipeline."""
        return self.weights / "text_to_image" / "vae" if part == "autoencoder" else self.weights / part

    def run(self, name: str, part: Part, begin: Callable[[Path | None], None]) -> dict:
        """Fill the part's weights with `begin` (given the shipped folder, if it is there), train it, tell how long."""
        shipped = self.shipped(name)
        known = shipped if (shipped / "config.json").exists() or (shipped / "model_index.json").exists() else None
        begin(known)
        before = shipped / "training.json"
        return fit(
            part, self.work / name, self.plan, json.loads(before.read_text()) if known and before.exists() else None
        )


def train_autoencoder(job: Job) -> Path:
    """Leaves the autoencoder in the work folder; the pipeline is what ships it."""
    from diffusers import AutoencoderKL

    from sidkit.stickers.pretrain.autoencoder import Autoencoder, pixels, standardize

    part = Autoencoder(job.pool(), job.plan.batch)
    record = job.run(
        "autoencoder", part, lambda shipped: shipped and _copy(AutoencoderKL.from_pretrained(shipped), part.vae)
    )
    standardize(part.vae, pixels(part.pool, np.arange(512), part.vae.device))
    folder = job.work / "autoencoder" / "weights"
    part.vae.save_pretrained(folder)
    _card(
        folder, "autoencoder", "diffusers", "Pictures of 64 x 64 px to latents of 8 x 16 x 16 and back.", part, record
    )
    return folder


def train_text_to_image(job: Job) -> Path:
    """Train the diffusion model on the autoencoder's latents and write the whole pipeline."""
    from diffusers import AutoencoderKL

    from sidkit.stickers.pretrain.text_to_image import TextToImage, encode_pool

    data = job.pool()
    trained = job.work / "autoencoder" / "weights"
    vae = AutoencoderKL.from_pretrained(trained if trained.exists() else job.shipped("autoencoder"))
    vae = vae.to(job.plan.device, torch.float32).eval().requires_grad_(False)
    part = TextToImage(data, encode_pool(data, vae, job.work / "pool" / "latents.npy"), vae, job.plan.batch, job.drop)
    record = job.run("text_to_image", part, part.begin)
    folder = job.shipped("text_to_image")
    part.export(folder)
    _card(
        folder,
        "text_to_image",
        "diffusers",
        "A small Stable Diffusion: captions to pictures of 64 x 64 px.",
        part,
        record,
    )
    return folder


def train_reader(job: Job) -> Path:
    """Train the factor reader, at first from ImageNet weights."""
    from sidkit.stickers.nets import Reader
    from sidkit.stickers.pretrain.backbone import ARCHITECTURE, load_imagenet
    from sidkit.stickers.pretrain.looking import HEADS, ReaderPart

    part = ReaderPart(Reader(ARCHITECTURE, LOOK, HEADS), job.pool(), job.plan.batch)

    def begin(shipped: Path | None) -> None:
        _copy(Reader.load(shipped), part.reader) if shipped else load_imagenet(part.reader.backbone.net)

    record = job.run("reader", part, begin)
    folder = job.shipped("reader")
    part.reader.save(folder)
    _card(folder, "reader", "timm", "A picture to the factors of its scene, one head a factor.", part, record)
    return folder


def train_identity(job: Job) -> Path:
    """Train the identity encoder, at first from the reader's backbone."""
    from sidkit.stickers.nets import IdentityNet, Reader
    from sidkit.stickers.pretrain.looking import IdentityPart

    reader = Reader.load(job.shipped("reader"))
    part = IdentityPart(IdentityNet(reader.config["architecture"], LOOK), job.pool(), job.plan.batch)

    def begin(shipped: Path | None) -> None:
        _copy(IdentityNet.load(shipped), part.net) if shipped else _copy(reader.backbone, part.net.backbone)

    record = job.run("identity", part, begin)
    folder = job.shipped("identity")
    part.net.save(folder)
    _card(folder, "identity", "timm", "A picture to a unit vector that says which subject it shows.", part, record)
    return folder


def train_image_text(job: Job) -> Path:
    """Train the image-text model on the features of the reader's backbone."""
    from sidkit.stickers.nets import Reader
    from sidkit.stickers.pretrain.image_text import load_image_text, make_image_text, save_image_text
    from sidkit.stickers.pretrain.looking import ImageTextPart, pooled_features
    from sidkit.stickers.pretrain.tokenizer import make_tokenizer

    tokenizer, reader = make_tokenizer(), Reader.load(job.shipped("reader"))
    model = make_image_text(reader.config["architecture"], LOOK, len(tokenizer))
    data = job.pool()
    features = pooled_features(reader.backbone, data, FEATURES, job.plan.device)
    part = ImageTextPart(model, tokenizer, data, features, job.plan.batch)

    def begin(shipped: Path | None) -> None:
        if shipped:
            _copy(load_image_text(shipped), model)
        _copy(reader.backbone.net, model.visual.trunk)

    record = job.run("image_text", part, begin)
    folder = job.shipped("image_text")
    save_image_text(model, tokenizer, folder)
    _card(folder, "image_text", "open_clip", "A small CLIP: pictures and captions in one space.", part, record)
    return folder


def _copy(source: torch.nn.Module, target: torch.nn.Module) -> None:
    target.load_state_dict(source.state_dict())


def _card(folder: Path, part: str, library: str, what: str, trained: Part, record: dict) -> None:
    parameters = sum(p.numel() for p in trained.parameters())
    write_card(folder, part, library, what, len(trained.pool), parameters, record)


TRAINERS = {
    "autoencoder": train_autoencoder,
    "text_to_image": train_text_to_image,
    "reader": train_reader,
    "image_text": train_image_text,
    "identity": train_identity,
}
