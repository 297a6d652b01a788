"""The checker for one folder and one profile: the model's own tokenizer, and what is known to be in the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sidkit.check.check import Finding, check
from sidkit.check.limits import limit_of
from sidkit.config import DEFAULT_PROFILE, Profile, load_profile
from sidkit.worlds import world_of_folder


def check_folder(
    folder: Path | str, class_word: str | None = None, *, profile: str | Profile = DEFAULT_PROFILE, **options: Any
) -> list[Finding]:
    """What a folder's captions would teach wrongly, for the model of a profile; scenes tell what drawings hold.

    Options are those of `sidkit.check.check.check`. ValueError for an unknown profile and a folder that cannot be read.
    """
    settings = load_profile(profile) if isinstance(profile, str) else profile
    world = world_of_folder(folder)
    return check(
        folder,
        class_word,
        seen=world.seen(Path(folder)),
        limits=(limit_of(settings.pipeline),),
        identifier=settings.identifier,
        **options,
    )
