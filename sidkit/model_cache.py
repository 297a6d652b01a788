"""The models of a profile, each loaded when it is first needed: a study that finds all its work done loads none."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline

from sidkit.config import Profile, locate
from sidkit.mark import check_ready
from sidkit.measure.encoders import FactorReader, IdentityEncoder, ImageTextEncoder
from sidkit.models import load_pipeline, tokenizers

CARD = ("README.md", "training.json")


class Models:
    """A profile's pipeline and encoders. `texts` is all that the pipeline will read; it is checked on loading."""

    def __init__(self, profile: Profile, texts: Iterable[str] = ()):
        self.profile, self.texts = profile, tuple(texts)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        if profile.threads:
            torch.set_num_threads(profile.threads)

    @cached_property
    def pipe(self) -> DiffusionPipeline:
        """The base model as it is before personalization. ValueError for a text that it would cut."""
        pipe = load_pipeline(self.profile, self.device)
        check_ready(self.texts, tokenizers(pipe))
        return pipe

    @cached_property
    def image_text(self) -> ImageTextEncoder:
        """CLIP's role."""
        return ImageTextEncoder(self.profile.encoders, self.device)

    @cached_property
    def identity(self) -> IdentityEncoder:
        """DINO's role."""
        return IdentityEncoder(self.profile.encoders, self.device)

    @cached_property
    def reader(self) -> FactorReader | None:
        """What sees leaking; there is none outside of Sticker World."""
        return FactorReader(self.profile.encoders, self.device) if self.profile.encoders.reader else None


def weights(reference: str, revision: str | None = None) -> Any:
    """What stands for a model in a run's key: the files of a local folder but for its card, or a hub's name for it."""
    folder = Path(locate(reference))
    if not folder.exists():
        return [reference, revision]
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in CARD)
    return {path.relative_to(folder).as_posix(): path for path in sorted(files)}
