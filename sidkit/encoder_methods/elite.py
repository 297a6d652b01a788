"""ELITE (arXiv 2302.13848): why its checkpoint is refused, and what would be needed.

Its two mappers alone draw nothing: they feed projections that its code adds to every cross-attention of Stable
Diffusion 1.4. That code is no library, and is not copied here.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from diffusers import DiffusionPipeline

from sidkit.config import EncoderMethod, Profile
from sidkit.encoder_methods.reference import Reference

FILES = ("global_mapper.pt", "local_mapper.pt")
SOURCE = "github.com/csyxwei/ELITE"
INSTEAD = "use encoder:ip_adapter for photos, or encoder:stickers, which is of ELITE's family, in Sticker World"


def check(settings: EncoderMethod | None, profile: Profile) -> NoReturn:
    """Always ValueError: which of the checkpoint's files are missing, or why those that are there cannot be used."""
    if settings is None:
        told = f"expected encoder_methods.elite.weights, the folder of {' and '.join(FILES)} ({SOURCE})"
        raise ValueError(f"profile {profile.name}: {told}, found none; {INSTEAD}")
    folder = Path(settings.weights)
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise ValueError(f"elite: expected {' and '.join(missing)} in {folder} (from {SOURCE}), not there; {INSTEAD}")
    raise ValueError(
        f"elite: {folder} holds pickled mappers whose cross-attention layers exist in ELITE's own code only; "
        f"draw with that code ({SOURCE}) and measure its pictures; {INSTEAD}"
    )


def encode(pipe: DiffusionPipeline, settings: EncoderMethod, profile: Profile, reference: Reference) -> NoReturn:
    """Always ValueError, as `check`."""
    check(settings, profile)
