"""DreamBooth-LoRA: low-rank adapters in the denoiser's attention (Hu et al., ICLR 2022), by peft.

It is not in the paper; it is what most people run today.
"""

from __future__ import annotations

import torch
from diffusers import DiffusionPipeline
from peft import LoraConfig
from torch.nn import Parameter

from sidkit.config import Training

ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]  # as in diffusers' example
ADAPTER = "default"  # peft's own name
ADDED = ".lora_"  # in the names of the matrices


def lora(pipe: DiffusionPipeline, training: Training) -> dict[str, Parameter]:
    """Two matrices of rank `training.rank` beside each of the attention's; at the start their product is zero."""
    if ADAPTER not in getattr(pipe.unet, "peft_config", {}):
        config = LoraConfig(
            r=training.rank,
            lora_alpha=training.rank,
            target_modules=ATTENTION,
            init_lora_weights="gaussian",
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # every run starts from the same weights, as the other methods do
            pipe.unet.add_adapter(config, ADAPTER)
    named = pipe.unet.named_parameters(prefix="unet")
    added = {name: weight for name, weight in named if ADDED in name}
    for weight in added.values():
        weight.data = weight.data.float()  # peft makes it in the precision that the UNet is held in
    return added


def stored_as(pipe: DiffusionPipeline, name: str) -> str:
    """The name by which plain diffusers finds the weight: `pipe.load_lora_weights(folder, weight_name=FILE)`."""
    return name.replace(f".{ADAPTER}.", ".")
