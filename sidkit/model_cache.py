"""The models of a profile, each loaded when it is first needed: a study that finds all its work done loads none."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import torch
from diffusers import DiffusionPipeline

from sidkit.config import Profile
from sidkit.mark import check_ready
from sidkit.measure.instruments import Instruments
from sidkit.models import load_pipeline, tokenizers


class Models:
    """A profile's pipeline, and what its measures look with.

    `texts` is all that the pipeline will read; it is checked on loading.
    """

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
    def instruments(self) -> Instruments:
        """What the measures look with."""
        return Instruments(self.profile.encoders, self.device)
