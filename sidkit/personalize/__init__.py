"""Personalization: one training loop, in which each method says only what it trains."""

from sidkit import torchvision_ops  # noqa: F401  (before diffusers and peft)
