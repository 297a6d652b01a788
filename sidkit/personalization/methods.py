"""The methods by name. A method names what it trains and leaves the loop to `loop.personalize`.

A new one is a module, and an entry in METHODS; what it is trained with stands under `training` in the profiles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from diffusers import DiffusionPipeline
from torch import nn

from sidkit.config import Training, check_name
from sidkit.masters import in_full
from sidkit.personalization import lora as low_rank
from sidkit.personalization import token
from sidkit.personalization.custom_diffusion import custom_diffusion
from sidkit.personalization.dreambooth import dreambooth
from sidkit.personalization.svdiff import rate_of, svdiff
from sidkit.personalization.textual_inversion import textual_inversion


def _as_named(pipe: DiffusionPipeline, name: str) -> str:
    return name


def _the_one_rate(pipe: DiffusionPipeline, name: str, training: Training) -> float:
    return training.learning_rate


@dataclass(frozen=True)
class Method:
    """What sets a method apart from the others.

    `parameters(pipe, training)` returns what is trained by name, the part of the pipeline first ("unet.conv_in.bias").
    It may first add parts to the pipeline; called again on that pipeline, it returns the same and adds nothing.
    `stored_as(pipe, name)` is a parameter's name in a saved file, `rate_of(pipe, name, training)` its learning rate.
    `title` is what people call the method.
    """

    title: str
    parameters: Callable[[DiffusionPipeline, Training], dict[str, nn.Parameter]]
    stored_as: Callable[[DiffusionPipeline, str], str] = _as_named
    rate_of: Callable[[DiffusionPipeline, str, Training], float] = _the_one_rate
    trains_text: bool = False  # whether `training.text_encoder` means something to it
    starts_as_class: bool = False  # whether the identifier's embedding starts as the class word's


# The paper's four in its order, then LoRA, which is not in the paper.
METHODS: dict[str, Method] = {
    "dreambooth": Method("DreamBooth", dreambooth, trains_text=True),
    "custom_diffusion": Method("Custom Diffusion", custom_diffusion, token.stored_as),
    "svdiff": Method("SVDiff", svdiff, rate_of=rate_of, trains_text=True),
    "textual_inversion": Method("Textual Inversion", textual_inversion, token.stored_as, starts_as_class=True),
    "lora": Method("LoRA", low_rank.lora, low_rank.stored_as),
}


def trained_parameters(pipe: DiffusionPipeline, method: str, training: Training) -> dict[str, nn.Parameter]:
    """What `method` trains, by name; everything else in the pipeline is frozen.

    They are fp32, as their file has them, whatever the pipeline is held in. ValueError for an unknown method, for a
    text encoder that the method does not train, and for weights that were rounded (`masters.in_full`).
    """
    check_method(method, training)
    parameters = METHODS[method].parameters(pipe, training)
    freeze(pipe)
    for name, parameter in parameters.items():
        parameter.data = in_full(pipe, name, parameter)
        parameter.requires_grad_(True)
    return parameters


def groups(
    pipe: DiffusionPipeline, method: str, training: Training, parameters: Mapping[str, nn.Parameter]
) -> list[dict[str, Any]]:
    """What a method trains as an optimizer takes it: a group a learning rate."""
    members: dict[float, list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        rate = METHODS[method].rate_of(pipe, name, training)
        members.setdefault(rate, []).append(parameter)
    return [{"params": trained, "lr": rate} for rate, trained in members.items()]


def start(pipe: DiffusionPipeline, method: str, class_word: str | None) -> None:
    """Give what a method adds the values from which its paper starts, where those are not there already.

    ValueError for a method that starts from the class word, and none given.
    """
    if not METHODS[method].starts_as_class:
        return
    if not class_word:
        raise ValueError(f"class_word: expected one, as whose embedding the identifier's starts in {method}, got none")
    token.start_at(pipe, class_word)


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
