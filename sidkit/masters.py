"""Weights held in half precision, and their fp32 originals, which wait in main memory for what is trained.

AdamW's small steps vanish in half precision, so a trained weight is fp32; and one that was rounded on the way there
starts from other values than the model's own. diffusers' examples refuse it
(examples/dreambooth/train_dreambooth.py:1008-1014 at 58eb52c).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from diffusers import DiffusionPipeline
from torch import nn

# What peft and torch put into the name of a weight that they wrap, and what it was called before.
WRAPPED = ((".base_layer.", "."), (".parametrizations.weight.original", ".weight"))


def hold(pipe: DiffusionPipeline, parts: Mapping[str, nn.Module], dtype: torch.dtype) -> None:
    """Round the weights of `parts`, fp32 and named as in the pipeline, to `dtype`; their originals are kept beside."""
    if dtype == torch.float32:
        return
    originals = {}
    for name, part in parts.items():
        originals |= {key: weight.data for key, weight in part.named_parameters(prefix=name)}
        nn.Module.to(part, dtype)  # diffusers' own warns of modules that it would rather keep in fp32
    pipe.originals = originals


def in_full(pipe: DiffusionPipeline, name: str, weight: nn.Parameter) -> torch.Tensor:
    """The values of the pipeline's weight `name` in fp32, on its device, as its file has them.

    ValueError for a weight that was rounded, and whose original nobody kept.
    """
    if weight.dtype == torch.float32:
        return weight.data
    for wrapped, plain in WRAPPED:
        name = name.replace(wrapped, plain)
    original = getattr(pipe, "originals", {}).get(name)
    if original is None:
        raise ValueError(
            f"{name}: expected fp32, in which it is trained, got {weight.dtype} without its original; "
            "load the pipeline by load_pipeline, whose profile says what is held in half precision"
        )
    return original.to(weight.device, copy=True)
