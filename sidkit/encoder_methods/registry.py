"""The encoder methods by name: each says whether it can be used, and makes a pipeline that knows the reference.

A new one is a module with `check` and `encode`, an entry here, and its name in `sidkit.encoder_methods`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diffusers import DiffusionPipeline

from sidkit.config import Profile, check_name
from sidkit.encoder_methods import ENCODER_NAMES, blip_diffusion, elite, ip_adapter, sticker_encoder
from sidkit.encoder_methods.reference import Reference, ReferencePipeline


@dataclass(frozen=True)
class Encoder:
    """What an encoder method can be asked.

    `check(settings, profile)` raises ValueError before any work; `encode(pipe, settings, profile, reference)` returns
    what `generate` can draw with.
    """

    check: Callable[..., None]
    encode: Callable[..., Any]
    needs_mask: bool = False


ENCODERS: dict[str, Encoder] = {
    "stickers": Encoder(sticker_encoder.check, sticker_encoder.encode, needs_mask=True),
    "ip_adapter": Encoder(ip_adapter.check, ip_adapter.encode),
    "blip_diffusion": Encoder(blip_diffusion.check, blip_diffusion.encode),
    "elite": Encoder(elite.check, elite.encode, needs_mask=True),
}


def check_encoder(name: str, profile: Profile) -> None:
    """Raise ValueError for an unknown encoder, and for one that cannot be used with this profile, with what to do."""
    check_name("encoder", name, ENCODER_NAMES)
    settings = profile.encoder_methods.get(name)
    ENCODERS[name].check(settings, profile)


def encoded(
    name: str,
    pipe: DiffusionPipeline,
    profile: Profile,
    reference: Reference,
) -> DiffusionPipeline | ReferencePipeline:
    """The pipeline, changed in place, that draws the reference's subject; nothing is trained.

    ValueError as `check_encoder`, and for a reference without the mask that an encoder needs.
    """
    check_encoder(name, profile)
    encoder = ENCODERS[name]
    if encoder.needs_mask and reference.mask is None:
        raise ValueError(f"encoder {name}: expected a mask of the reference's subject, got none; draw or find one")
    settings = profile.encoder_methods[name]
    return encoder.encode(pipe, settings, profile, reference)
