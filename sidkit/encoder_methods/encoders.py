"""The encoder methods by name: each says whether it can be used, and makes a pipeline that knows the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diffusers import DiffusionPipeline

from sidkit.config import Profile, check_name
from sidkit.encoder_methods import NAMES, blip_diffusion, elite, ip_adapter, stickers
from sidkit.encoder_methods.shown import Reference, Shown


@dataclass(frozen=True)
class Encoder:
    """`check(settings, profile)` raises ValueError before any work; `encode` returns what `generate` can draw with."""

    check: Callable[..., None]
    encode: Callable[..., Any]
    needs_mask: bool = False


ENCODERS: dict[str, Encoder] = {
    "stickers": Encoder(stickers.check, stickers.encode, needs_mask=True),
    "ip_adapter": Encoder(ip_adapter.check, ip_adapter.encode),
    "blip_diffusion": Encoder(blip_diffusion.check, blip_diffusion.encode),
    "elite": Encoder(elite.check, elite.encode, needs_mask=True),
}


def check_encoder(name: str, profile: Profile) -> None:
    """Raise ValueError for an unknown encoder, and for one that cannot be used with this profile, with what to do."""
    check_name("encoder", name, NAMES)
    ENCODERS[name].check(profile.encoder_methods.get(name), profile)


def encoded(name: str, pipe: DiffusionPipeline, profile: Profile, reference: Reference) -> DiffusionPipeline | Shown:
    """The pipeline, changed in place, that draws the reference's subject; nothing is trained.

    ValueError as `check_encoder`, and for a reference without the mask that an encoder needs.
    """
    check_encoder(name, profile)
    if ENCODERS[name].needs_mask and reference.mask is None:
        raise ValueError(f"encoder {name}: expected a mask of the reference's subject, got none; draw or find one")
    return ENCODERS[name].encode(pipe, profile.encoder_methods[name], profile, reference)
