"""The base model, as it stands in the keys of all that is made with it."""

from __future__ import annotations

from dataclasses import dataclass

from sidkit.config import Memory, ModelKey, Profile, model_key


@dataclass(frozen=True)
class Base:
    """All that a pipeline depends on before it has learnt anything."""

    weights: ModelKey
    variant: str | None
    config: str | None
    resolution: int
    identifier: str
    memory: Memory

    @classmethod
    def of(cls, profile: Profile) -> Base:
        """The base model of a profile."""
        return cls(
            weights=model_key(profile.pipeline, profile.revision),
            variant=profile.variant,
            config=profile.config,
            resolution=profile.resolution,
            identifier=profile.identifier,
            memory=profile.memory,
        )
