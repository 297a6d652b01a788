"""A model that draws well already teaches one that is to read its captions in another way (arXiv 1503.02531).

It is told everything about a scene, and what it predicts is far less noisy to learn from than the picture itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline

from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene


class Teacher:
    """A pipeline with the same latents and noise schedule as the learner's; nothing of it is trained."""

    def __init__(self, folder: Path, device: str) -> None:
        pipe = StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32).to(device)
        self.tokenizer, self.text_encoder, self.unet = pipe.tokenizer, pipe.text_encoder, pipe.unet

    def tell(self, scenes: list[Scene], rng: np.random.Generator) -> torch.Tensor:
        """Tokens (n, length) of captions that leave nothing out."""
        texts = [grammar.caption(scene, grammar.FACTORS, True, rng) for scene in scenes]
        return self.tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids

    @torch.no_grad()
    def velocity(self, noised: torch.Tensor, steps: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """What the teacher predicts for noised latents (n, c, h, w) at steps (n,), told `tokens`."""
        hidden = self.text_encoder(tokens.to(noised.device)).last_hidden_state
        return self.unet(noised, steps, hidden).sample.float()
