"""Textual Inversion (Gal et al., ICLR 2023): learn a word, and leave the model as it is.

The word starts as the class word's embedding (`methods.start`), as in the paper. Instead of the paper's neutral
templates ("a rendition of [v]") the captions are whatever the description case says.
"""

from __future__ import annotations

from diffusers import DiffusionPipeline
from torch.nn import Parameter

from sidkit.config import Training
from sidkit.personalization.token import identifier_embeddings


def textual_inversion(pipe: DiffusionPipeline, training: Training) -> dict[str, Parameter]:
    """The identifier's embedding, of XL in both text encoders."""
    return identifier_embeddings(pipe)
