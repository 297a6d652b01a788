"""Sticker World: a small world with ground truth, in which the paper's effect can be shown on a laptop."""
