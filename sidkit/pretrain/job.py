"""One call of `train`: where its pool, its checkpoints and the shipped weights are, and how it starts from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from sidkit.pretrain.fit import Part, fit
from sidkit.pretrain.plans import Plan
from sidkit.pretrain.pool import Pool, pool
from sidkit.stickers.individuals import sample_life
from sidkit.stickers.sampling import sample_scene

SIZE = 128  # px


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
        return pool(self._pool, self.scenes, SIZE, seed=1)

    def wider_pool(self) -> Pool:
        """As many, of which half show a subject in a drawing from outside the world."""
        further = partial(sample_scene, further=0.5)
        return pool(self._wider_pool, self.scenes, SIZE, seed=2, sample=further)

    def lives(self) -> Pool:
        """As many, in which individuals follow their habits: what a model that draws learns from."""
        return pool(self._lives, self.scenes, SIZE, seed=3, sample=sample_life)

    @property
    def _pool(self) -> Path:
        return self.work / f"pool-{SIZE}-{self.scenes}"

    @property
    def _wider_pool(self) -> Path:
        return self.work / f"wider-pool-{SIZE}-{self.scenes}"

    @property
    def _lives(self) -> Path:
        return self.work / f"lives-{SIZE}-{self.scenes}"

    def shipped(self, part: str) -> Path:
        """The folder of a part's weights; the autoencoder's are inside the pipeline."""
        inside = part in ("autoencoder", "decoder")
        return self.weights / "text_to_image" / "vae" if inside else self.weights / part

    def tokenizer(self, part: str, inside: str = "", more: Iterable[str] = ()):
        """The tokenizer with which the part was begun."""
        from sidkit.pretrain.tokenizer import kept_tokenizer

        return kept_tokenizer([self.work / part / "tokenizer", self.shipped(part) / inside], more)

    def autoencoder(self):
        """The trained autoencoder, or else the shipped one, in single precision."""
        from diffusers import AutoencoderKL

        trained = self.work / "autoencoder" / "weights"
        vae = AutoencoderKL.from_pretrained(trained if trained.exists() else self.shipped("autoencoder"))
        return vae.to(self.plan.device, torch.float32).eval()

    def small_autoencoder(self):
        """The autoencoder for pictures of half the side that a larger one begins from, which is kept in `work`."""
        from diffusers import AutoencoderKL

        kept = self.work / "doubling" / "small"
        small = AutoencoderKL.from_pretrained(kept if kept.exists() else self.shipped("autoencoder"))
        if small.config.sample_size * 2 != SIZE:
            raise ValueError(
                f"{self.shipped('autoencoder')}: expected an autoencoder for {SIZE // 2} px to begin from, got one for "
                f"{small.config.sample_size} px; go on with `sidkit pretrain decoder`"
            )
        if not kept.exists():
            small.save_pretrained(kept)
        return small.to(self.plan.device, torch.float32).eval().requires_grad_(False)

    def latents(self, vae) -> np.ndarray:
        """The pool as latents, which are computed once for each encoder."""
        from sidkit.pretrain.autoencoder import encode_pool

        return encode_pool(self.pool(), vae, self._pool)

    def wider_latents(self, vae) -> np.ndarray:
        """The same of the wider pool."""
        from sidkit.pretrain.autoencoder import encode_pool

        return encode_pool(self.wider_pool(), vae, self._wider_pool)

    def latents_of_lives(self, vae) -> np.ndarray:
        """The same of the scenes in which individuals follow their habits."""
        from sidkit.pretrain.autoencoder import encode_pool

        return encode_pool(self.lives(), vae, self._lives)

    def latent_reader(self):
        """The trained latent reader, or None as long as there is none."""
        from sidkit.pretrain.latent_reader import LatentReader

        trained = self.work / "latent_reader" / "weights"
        return LatentReader.load(trained) if trained.exists() else None

    def teacher(self):
        """The pipeline in the work folder's `teacher`, or None as long as there is none."""
        from sidkit.pretrain.teacher import Teacher

        folder = self.work / "teacher"
        return Teacher(folder, self.plan.device) if folder.exists() else None

    def run(self, name: str, part: Part, begin: Callable[[Path | None], None]) -> dict:
        """Fill the part's weights with `begin` (given the shipped folder, if it is there), train it, tell how long."""
        shipped = self.shipped(name)
        known = shipped if any(shipped.rglob("*.safetensors")) else None
        begin(known)
        before = shipped / "training.json"
        return fit(
            part, self.work / name, self.plan, json.loads(before.read_text()) if known and before.exists() else None
        )
