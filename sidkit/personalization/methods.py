"""The methods by name. A method names what it trains and leaves the loop to `loop.personalize`.

A new one is a module, and an entry in METHODS; what it is trained with stands under `training` in the profiles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diffusers import DiffusionPipeline
from torch import nn

from sidkit.config import Training, check_name
from sidkit.personalization import lora as low_rank
from sidkit.personalization import token
from sidkit.personalization.custom_diffusion import custom_diffusion
from sidkit.personalization.dreambooth import dreambooth
from sidkit.personalization.svdiff import svdiff
from sidkit.personalization.textual_inversion import textual_inversion


def _as_named(pipe: DiffusionPipeline, name: str) -> str:
    return name


@dataclass(frozen=True)
class Method:
    """What sets a method apart from the others.

    `parameters(pipe, training)` returns what is trained by name, the part of the pipeline first ("unet.conv_in.bias").
    It may first add parts to the pipeline; called again on that pipeline, it returns the same and adds nothing.
    `stored_as(pipe, name)` is the name of a parameter in a saved file. `title` is what people call the method.
    """

    title: str
    parameters: Callable[[DiffusionPipeline, Training], dict[str, nn.Parameter]]
    stored_as: Callable[[DiffusionPipeline, str], str] = _as_named
    trains_text: bool = False  # whether `training.text_encoder` means something to it


# The paper's four in its order, then LoRA, which is not in the paper.
METHODS: dict[str, Method] = {
    "dreambooth": Method("DreamBooth", dreambooth, trains_text=True),
    "custom_diffusion": Method("Custom Diffusion", custom_diffusion, token.stored_as),
    "svdiff": Method("SVDiff", svdiff),
    "textual_inversion": Method("Textual Inversion", textual_inversion, token.stored_as),
    "lora": Method("LoRA", low_rank.lora, low_rank.stored_as),
}


def trained_parameters(pipe: DiffusionPipeline, method: str, training: Training) -> dict[str, nn.Parameter]:
    """What `method` trains, by name; everything else in the pipeline is frozen.

    ValueError for an unknown method, and for a text encoder that the method does not train.
    """
    check_method(method, training)
    parameters = METHODS[method].parameters(pipe, training)
    freeze(pipe)
    for parameter in parameters.values():
        parameter.data = parameter.data.float()  # AdamW's small steps vanish in half precision
        parameter.requires_grad_(True)
    return parameters


def check_method(method: str, training: Training) -> None:
    """Raise ValueError for an unknown method, and for settings that it has no use for."""
    check_name("method", method, METHODS)
    if training.text_encoder and not METHODS[method].trains_text:
        able = [name for name in METHODS if METHODS[name].trains_text]
        raise ValueError(
            f"text_encoder: expected false for {method}, got true; methods that train it: {', '.join(able)}"
        )


def freeze(pipe: DiffusionPipeline) -> None:
    """No gradients, and no dropout, whose randomness would not be ours."""
    for part in pipe.components.values():
        if isinstance(part, nn.Module):
            part.requires_grad_(False).eval()
