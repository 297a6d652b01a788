"""Makes the pieces of a study that the run store does not have, each out of those that it needs."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from diffusers import DiffusionPipeline

from sidkit.checkpoint import forget
from sidkit.model_cache import Models
from sidkit.models import copy_pipeline
from sidkit.personalization.loop import TrainingLog
from sidkit.personalization.watch import EarlyLook
from sidkit.runs import CHECKPOINTS, Runs, fingerprint
from sidkit.study.pieces.drawn import Drawn, draw, noise
from sidkit.study.pieces.drifted import Drifted, measure_drift, read_drift
from sidkit.study.pieces.encoded import Encoded, encode
from sidkit.study.pieces.measured import Measured, measure_pictures, read_measures
from sidkit.study.pieces.rendered import Rendered, render
from sidkit.study.pieces.trained import (
    ClassPictures,
    Prior,
    Trained,
    draw_class,
    load_trained,
    read_class,
    save_trained,
    train,
)
from sidkit.study.pieces.untrained import Untrained
from sidkit.subjects import Subject, load_subject

LOOKED_AT = 2  # captions that are drawn while a long training runs


@dataclass(frozen=True)
class Workshop:
    """The store, and the models that fill it."""

    runs: Runs
    models: Models
    _last: dict[str, DiffusionPipeline] = field(default_factory=dict)  # the model that was made last, by its key

    def pictures(self, wanted: Drawn) -> Path:
        """The folder of a subject's and arm's pictures."""

        def make(folder: Path) -> None:
            draw(wanted, self.pipeline(wanted.model), folder)

        return self.runs.get(
            "pictures",
            wanted,
            make,
            code=[Drawn, type(wanted.model)],
            then=lambda: self.forget(wanted.model),
        )

    def measures(self, wanted: Measured, pictures: Path) -> pd.DataFrame:
        """The table of the pictures in a folder, a row a picture."""

        def make(folder: Path) -> None:
            measure_pictures(wanted, self.models.instruments, pictures, folder)

        return read_measures(self.runs.get("measures", wanted, make, code=[Measured]))

    def drift(self, wanted: Drifted, before: Path, after: Path) -> pd.DataFrame:
        """The table of the pictures in two folders, a row a pair."""

        def make(folder: Path) -> None:
            measure_drift(wanted, self.models.instruments, before, after, folder)

        return read_drift(self.runs.get("drift", wanted, make, code=[Drifted]))

    def pipeline(self, wanted: Trained | Encoded | Untrained) -> DiffusionPipeline:
        """The base model, or a copy that has learnt the subject; that is kept until another one is asked for.

        Where weights are not kept, `forget` its checkpoint when what comes of it is safe.
        """
        if isinstance(wanted, Untrained):
            return self.models.pipe
        name = fingerprint(wanted)
        if name not in self._last:
            self._last.clear()  # first, so that there is room
            self._last[name] = self._learnt(wanted)
        return self._last[name]

    def _learnt(self, wanted: Trained | Encoded) -> DiffusionPipeline:
        pipe = copy_pipeline(self.models.pipe)
        if isinstance(wanted, Encoded):
            return encode(wanted, pipe, self.models.profile)
        if self.models.profile.keep_weights:
            load_trained(pipe, self.trained(wanted))
        else:
            self._train(wanted, pipe)
        return pipe

    def trained(self, wanted: Trained) -> Path:
        """The folder of the weights that the method trains (`personalization.saving`), with its `TrainingLog`."""

        def make(folder: Path) -> None:
            pipe = copy_pipeline(self.models.pipe)
            log = self._train(wanted, pipe)
            save_trained(wanted, pipe, log, folder)

        return self.runs.get("trained", wanted, make, code=[Trained], then=lambda: self.forget(wanted))

    def forget(self, wanted: Trained | Encoded | Untrained) -> None:
        """Remove the checkpoint of a training, if it has one."""
        if isinstance(wanted, Trained):
            forget(self._checkpoint(wanted))

    def class_pictures(self, wanted: ClassPictures) -> Prior:
        """What prior preservation wants, made once for all subjects of a class."""

        def make(folder: Path) -> None:
            draw_class(wanted, self.models.pipe, folder)

        return read_class(self.runs.get("class_pictures", wanted, make, code=[ClassPictures]))

    def _train(self, wanted: Trained, pipe: DiffusionPipeline) -> TrainingLog:
        """Personalize in place; no other process does the same just now, as it would write into the same checkpoint."""
        prior = self.class_pictures(wanted.prior) if wanted.prior else None
        checkpoint = self._checkpoint(wanted)
        early_look = self._early_look(wanted, pipe, checkpoint.name[:12])
        with self.runs.locked(checkpoint):
            return train(wanted, pipe, prior, watch=early_look, checkpoint=checkpoint)

    def _checkpoint(self, wanted: Trained) -> Path:
        return self.runs.side_folder(CHECKPOINTS) / fingerprint(wanted)

    def _early_look(self, wanted: Trained, pipe: DiffusionPipeline, name: str) -> EarlyLook | None:
        """What the first captions draw while a long training runs, if the profile asks for it."""
        profile = self.models.profile
        if not profile.early_look:
            return None
        folder = self.runs.side_folder("looks") / name
        print(f"early looks at the training: {folder}", file=sys.stderr)
        different = list(dict.fromkeys(wanted.captions))
        return EarlyLook(
            pipe,
            folder,
            different[:LOOKED_AT],
            list(noise(wanted.seed, 1)),
            profile.sampling,
            every=profile.early_look,
            precision=wanted.precision,
        )


def sticker_subject(wanted: Rendered, runs: Runs) -> Subject:
    """A subject of Sticker World, rendered into the store."""
    return load_subject(runs.get("subject", wanted, lambda folder: render(wanted, folder), code=[Rendered]))
