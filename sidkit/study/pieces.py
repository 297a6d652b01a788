"""The pieces of a study, each kept in the run store: a subject, the pictures of a subject and case, their measures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from sidkit import torchvision_ops  # noqa: F401  (before diffusers)
from sidkit.describe.text import insert
from sidkit.generate import class_pictures, generate
from sidkit.masks import given_mask
from sidkit.models import copy_pipeline
from sidkit.personalize.loop import personalize
from sidkit.runs import Runs, fingerprint
from sidkit.stickers.atlas import ART
from sidkit.stickers.subjects import SCENES, make_subject, read_truth
from sidkit.study.measures import measure
from sidkit.study.models import Models, weights
from sidkit.study.plan import METHOD, Plan, Stickers
from sidkit.subjects import Prompt, Subject, load_images, load_subject

# The code that shapes each kind of piece: when it changes, the pieces of that kind are made anew.
WORLD = [
    f"sidkit.stickers.{name}"
    for name in ("subjects", "scenes", "places", "styles", "colors", "grammar", "vocabulary", "looks", "factors")
]
DRAWING = ["sidkit.models", "sidkit.personalize", "sidkit.generate", "sidkit.describe.text"]
MEASURING = ["sidkit.measure", "sidkit.masks", "sidkit.study.measures"]

CHECKPOINT_EVERY = 250  # steps; in Sticker World a personalization is over before the first


@dataclass(frozen=True)
class Workshop:
    """Makes the pieces of a plan that the store does not have."""

    plan: Plan
    runs: Runs
    models: Models

    def pictures(self, subject: Subject, captions: Sequence[str], prompts: Sequence[Prompt]) -> Path:
        """Folder of the pictures of a subject that was learnt from `captions`, one a reference."""
        profile, identifier = self.plan.profile, self.plan.profile.identifier
        trained = {
            "method": METHOD,
            "training": self.plan.training,
            "model": weights(profile.pipeline, profile.revision),
            "resolution": profile.resolution,
            "identifier": identifier,
            "images": load_images(subject),
            "captions": [insert(text, identifier) for text in captions],
            "class word": subject.class_word if self.plan.training.prior_weight else None,
            "seed": self.plan.seed,
        }
        texts = [insert(prompt.text, identifier) for prompt in prompts]
        key = {"trained": trained, "prompts": texts, "seeds": seeds(self.plan), "sampling": profile.sampling}
        return self.runs.get("pictures", key, lambda folder: self._draw(folder, key), code=DRAWING)

    def measures(self, subject: Subject, pictures: Path, prompts: Sequence[Prompt]) -> pd.DataFrame:
        """The table of a pictures' folder, a row a picture."""
        masks = [given_mask(path) for path in subject.images]
        encoders = self.plan.profile.encoders
        models = (encoders.image_text, encoders.identity, *filter(None, [encoders.reader]))
        key = {
            "pictures": pictures.name,
            "prompts": prompts,
            "images": load_images(subject),
            "masks": None if any(mask is None for mask in masks) else masks,
            "undesired": read_truth(subject).shared if (subject.folder / SCENES).is_file() else {},
            "encoders": encoders,
            "models": [weights(name) for name in models],
        }
        folder = self.runs.get("measures", key, lambda folder: self._measure(folder, key, pictures), code=MEASURING)
        return pd.read_csv(folder / "measures.csv")

    def _draw(self, folder: Path, key: dict[str, Any]) -> None:
        """Personalize a copy of the base model, and draw; the state of a long training outlives a kill."""
        trained, checkpoint = key["trained"], self.runs.root / ".checkpoints" / fingerprint(key["trained"])
        pipe = copy_pipeline(self.models.pipe)
        data = (trained["images"], trained["captions"], METHOD, trained["training"])
        options = dict(seed=trained["seed"], prior=self._prior(trained["class word"]), progress=False)
        log = personalize(pipe, *data, **options, checkpoint=checkpoint, checkpoint_every=CHECKPOINT_EVERY)
        precision = trained["training"].precision
        drawn = generate(pipe, key["prompts"], key["seeds"], key["sampling"], precision=precision, progress=False)
        for index, picture in enumerate(drawn):
            picture.image.save(folder / file_name(*divmod(index, len(key["seeds"]))))
        (folder / "training.json").write_text(json.dumps({"losses": log.losses}))
        shutil.rmtree(checkpoint, ignore_errors=True)

    def _prior(self, class_word: str | None) -> tuple[list[Image.Image], list[str]] | None:
        """Class pictures of the base model, made once for all subjects of a class; None where the plan wants none."""
        if class_word is None:
            return None
        profile, training = self.plan.profile, self.plan.training
        key = {
            "model": weights(profile.pipeline, profile.revision),
            "resolution": profile.resolution,
            "class word": class_word,
            "count": training.prior_images,
            "sampling": profile.sampling,
            "seed": self.plan.seed,
        }

        def make(folder: Path) -> None:
            options = dict(seed=self.plan.seed, progress=False)
            images, captions = class_pictures(self.models.pipe, class_word, training, profile.sampling, **options)
            for index, image in enumerate(images):
                image.save(folder / f"{index:04}.png")
            (folder / "captions.json").write_text(json.dumps(captions))

        folder = self.runs.get("class_pictures", key, make, code=DRAWING)
        images = [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))]
        return images, json.loads((folder / "captions.json").read_text())

    def _measure(self, folder: Path, key: dict[str, Any], pictures: Path) -> None:
        order = seeds(self.plan)
        drawn = [
            [Image.open(pictures / file_name(index, turn)).convert("RGB") for turn in range(len(order))]
            for index in range(len(key["prompts"]))
        ]
        frame = measure(self.models, key["images"], key["masks"], key["prompts"], drawn, key["undesired"])
        frame.assign(seed=order * len(drawn)).to_csv(folder / "measures.csv", index=False)


def sticker_subject(wanted: Stickers, plan: Plan, runs: Runs) -> Subject:
    """A subject of Sticker World, rendered into the store."""
    settings = {"references": plan.references, "seed": plan.seed, "size": plan.profile.resolution}
    key = {"class": wanted.subject_class, "bias": wanted.bias, "art": ART, **settings}

    def make(folder: Path) -> None:
        make_subject(folder, wanted.subject_class, wanted.bias, **settings)

    return load_subject(runs.get("subject", key, make, code=WORLD))


def seeds(plan: Plan) -> list[int]:
    """The noise of a prompt's pictures: the same for every subject, case and prompt of a plan."""
    return [1000 * plan.seed + turn for turn in range(plan.pictures)]


def file_name(prompt: int, picture: int) -> str:
    """Of a prompt's picture, both counted from 0."""
    return f"prompt-{prompt:02}-{picture:02}.png"
