"""Personalization: one training loop, in which each method says only what it trains."""
