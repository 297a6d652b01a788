"""Personalization: one training loop, in which each method says only what it trains.

`from sidkit import personalize` (the loop, in `loop.py`). A method is a file of its own and a line in `methods.py`; its
settings (steps, rates, rank, weight of prior preservation) are a profile's, with defaults in `sidkit.config.Training`.
"""
