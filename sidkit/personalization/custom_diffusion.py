"""Custom Diffusion (Kumari et al., CVPR 2023), written from the paper: what the denoiser takes from the words.

The paper also trains on pictures made smaller or larger, and says so in the caption; here a picture stays as it is,
because it has a caption of its own, which such a change would contradict.
"""

from __future__ import annotations

from diffusers import DiffusionPipeline
from torch.nn import Parameter

from sidkit.config import Training
from sidkit.personalization.token import identifier_embeddings

FROM_WORDS = (".attn2.to_k.weight", ".attn2.to_v.weight")  # keys and values of cross-attention (section 3.2)


def custom_diffusion(pipe: DiffusionPipeline, training: Training) -> dict[str, Parameter]:
    """Key and value projections of every cross-attention, and the identifier's embedding."""
    trained = {}
    for name, weight in pipe.unet.named_parameters():
        if name.endswith(FROM_WORDS):
            trained[f"unet.{name}"] = weight
    return trained | identifier_embeddings(pipe)
