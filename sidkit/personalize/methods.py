"""The methods by name. A method is a function that names what it trains and leaves the loop to `loop.personalize`.

`method(pipe, training)` returns the parameters by name, the part of the pipeline first ("unet.conv_in.weight"). It may
first add parts to the pipeline; called again on that pipeline, it returns the same parameters and adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from diffusers import DiffusionPipeline
from torch import nn

from sidkit.config import Training, check_name
from sidkit.personalize.dreambooth import dreambooth

Method = Callable[[DiffusionPipeline, Training], dict[str, nn.Parameter]]

METHODS: dict[str, Method] = {"dreambooth": dreambooth}


def trained_parameters(pipe: DiffusionPipeline, method: str, training: Training) -> dict[str, nn.Parameter]:
    """What `method` trains, by name; everything else in the pipeline is frozen. ValueError for an unknown method."""
    parameters = METHODS[check_name("method", method, METHODS)](pipe, training)
    freeze(pipe)
    for parameter in parameters.values():
        parameter.requires_grad_(True)
    return parameters


def freeze(pipe: DiffusionPipeline) -> None:
    """No gradients, and no dropout, whose randomness would not be ours."""
    for part in pipe.components.values():
        if isinstance(part, nn.Module):
            part.requires_grad_(False).eval()
