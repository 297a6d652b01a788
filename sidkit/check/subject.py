"""The checker for one folder and one profile: the model's own tokenizer, and what is known to be in the pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sidkit.captions import CAPTIONS, read_captions
from sidkit.check.check import Finding, check
from sidkit.check.limits import limit_of
from sidkit.config import DEFAULT_PROFILE, Profile, load_profile
from sidkit.mark import insert
from sidkit.shown import shown, shown_name
from sidkit.worlds import world_of_folder


def check_folder(
    folder: Path | str, class_word: str | None = None, *, profile: str | Profile = DEFAULT_PROFILE, **options: Any
) -> list[Finding]:
    """What a folder's captions would teach wrongly, for the model of a profile; scenes tell what drawings hold.

    Options are those of `sidkit.check.check.check`. ValueError for an unknown profile and a folder that cannot be read.
    """
    settings = load_profile(profile) if isinstance(profile, str) else profile
    limit = replace(limit_of(settings.pipeline), name=f"the model of profile {settings.name}")
    world = world_of_folder(folder)
    return check(
        folder,
        class_word,
        seen=world.seen(Path(folder)),
        limits=(limit,),
        identifier=settings.identifier,
        **options,
    )


def check_lengths(folder: Path | str, profile: Profile) -> None:
    """Raise ValueError, with the picture's name, for a caption that the profile's model would not read to its end."""
    limit = limit_of(profile.pipeline)
    for file, texts in read_captions(folder, begun=True).written().items():
        for case, text in texts.items():
            count, lost = limit.lost(insert(text, profile.identifier))
            if lost:
                where = f"{Path(folder) / CAPTIONS}: case {case} of {shown_name(file)}"
                most = f"expected at most {limit.length} tokens, start and end included, got {count}"
                end = f"the model of profile {profile.name} would not see the end of it, {shown(lost)}"
                raise ValueError(f"{where}: {most}; {end}; shorten it")
