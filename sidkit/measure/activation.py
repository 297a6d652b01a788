"""Whether a named model computes as its weights were trained to: with GELU, or OpenAI's approximation, QuickGELU.

Weights load into either without a fault, and then every embedding is a little wrong. open_clip only warns of it, and
timm only notes it.
"""

from __future__ import annotations

import open_clip
import timm
from open_clip.pretrained import get_pretrained_cfg

QUICK = "quick_gelu"  # in open_clip's configurations; where it is left out, the model has GELU
ENDING = "-quickgelu"  # of open_clip's names
CLIP, QUICK_CLIP = "_clip_", "_clip_quickgelu_"  # in timm's names


def check_open_clip(model: str, pretrained: str) -> None:
    """Raise ValueError where open_clip builds `model` with another activation than its weights were trained with."""
    is_quick = open_clip.get_model_config(model).get(QUICK, False)
    wants_quick = get_pretrained_cfg(model, pretrained).get(QUICK, False)
    if is_quick == wants_quick:
        return
    twin = model + ENDING if wants_quick else model.removesuffix(ENDING)
    has_twin = twin != model and pretrained in open_clip.list_pretrained_tags_by_model(twin)
    remedy = f"name {twin}/{pretrained}" if has_twin else "name other weights"
    raise ValueError(
        f"encoders.image_text: {model}/{pretrained} is built with {_name(is_quick)}, "
        f"expected {_name(wants_quick)}, with which its weights were trained; {remedy}"
    )


def check_timm(name: str) -> None:
    """Raise ValueError where timm says of weights that they want QuickGELU, and builds the model with GELU."""
    notes = " ".join(timm.get_pretrained_cfg(name).notes or ())
    if "quickgelu" not in notes.lower() or QUICK_CLIP in name:
        return
    twin = name.replace(CLIP, QUICK_CLIP)
    raise ValueError(
        f"encoders.identity: {name} is built with {_name(False)}, "
        f"expected {_name(True)}, with which its weights were trained; name {twin}"
    )


def _name(is_quick: bool) -> str:
    return "QuickGELU" if is_quick else "GELU"
