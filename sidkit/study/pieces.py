"""The pieces of a study, each kept in the run store: a subject, the pictures of a subject and case, their measures."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from diffusers import DiffusionPipeline
from PIL import Image

from sidkit.config import Training
from sidkit.encoder_methods.encoders import ENCODERS, encoded
from sidkit.encoder_methods.shown import Reference
from sidkit.generation import class_pictures, generate
from sidkit.mark import insert
from sidkit.masks.files import apply_mask, given_mask
from sidkit.measure.pictures import measure
from sidkit.model_cache import Models, weights
from sidkit.models import copy_pipeline
from sidkit.personalization.loop import TrainingLog, personalize
from sidkit.personalization.saving import load_personalized, save_personalized
from sidkit.personalization.watch import EarlyLook
from sidkit.runs import Runs, fingerprint
from sidkit.stickers.atlas import ART
from sidkit.stickers.references import make_subject
from sidkit.study.masks import masks_of
from sidkit.study.plan import Arm, Plan, Stickers
from sidkit.subjects import Prompt, Subject, load_images, load_subject
from sidkit.worlds import world_of_folder

# The code that shapes each kind of piece: when it changes, the pieces of that kind are made anew.
WORLD = [
    f"sidkit.stickers.{name}"
    for name in ("references", "scenes", "places", "styles", "colors", "grammar", "vocabulary", "looks", "factors")
]
TRAINING = ["sidkit.models", "sidkit.personalization", "sidkit.mark"]
DRAWING = [*TRAINING, "sidkit.generation"]
ENCODING = ["sidkit.models", "sidkit.mark", "sidkit.generation", "sidkit.encoder_methods"]
ENCODING += ["sidkit.stickers.subject_encoder", "sidkit.stickers.nets"]
MEASURING = ["sidkit.measure", "sidkit.masks.files", "sidkit.measure.pictures"]

CHECKPOINT_EVERY = 250  # steps; in Sticker World a personalization is over before the first


@dataclass(frozen=True)
class Workshop:
    """Makes the pieces of a plan that the store does not have."""

    plan: Plan
    runs: Runs
    models: Models

    def pictures(self, subject: Subject, arm: Arm, captions: Sequence[str], prompts: Sequence[Prompt]) -> Path:
        """Folder of the pictures of a subject that was learnt from `captions`, one a reference."""
        texts = [insert(prompt.text, self.plan.profile.identifier) for prompt in prompts]
        key = {
            "trained": self._training(subject, arm, captions),
            "prompts": texts,
            "seeds": seeds(self.plan),
            "sampling": self.plan.sampling_of(arm, subject),
        }
        code = ENCODING if arm.encoder else DRAWING
        return self.runs.get("pictures", key, lambda folder: self._draw(folder, key), code=code)

    def pipeline(self, subject: Subject, arm: Arm, captions: Sequence[str]) -> DiffusionPipeline:
        """A copy of the base model that has learnt the subject."""
        return self._personalized(self._training(subject, arm, captions))

    def trained(self, subject: Subject, arm: Arm, captions: Sequence[str]) -> Path:
        """Folder of the weights that the arm's method trains (`personalize.saving`), with its `TrainingLog`."""
        return self._trained(self._training(subject, arm, captions))

    def _training(self, subject: Subject, arm: Arm, captions: Sequence[str]) -> dict[str, Any]:
        """Everything that a personalization depends on."""
        if arm.encoder:
            return self._encoding(subject, arm)
        profile, training = self.plan.profile, self.plan.training_of(arm)
        images = load_images(subject)[: len(captions)]
        masks = masks_of(subject, arm)[: len(captions)] if arm.segment else None
        if arm.segment == "references":
            images = [apply_mask(image, mask, profile.encoders.fill) for image, mask in zip(images, masks, strict=True)]
        return {
            "method": arm.method,
            "training": training,
            "model": weights(profile.pipeline, profile.revision),
            "resolution": profile.resolution,
            "identifier": profile.identifier,
            "images": images,
            "masks": masks if arm.segment == "loss" else None,
            "captions": [insert(text, profile.identifier) for text in captions],
            "class word": subject.class_word if training.prior_weight else None,
            "seed": self.plan.seed,
        }

    def _encoding(self, subject: Subject, arm: Arm) -> dict[str, Any]:
        """Everything that a subject depends on which an encoder has looked at."""
        profile, settings = self.plan.profile, self.plan.profile.encoder_methods[arm.encoder]
        masked = ENCODERS[arm.encoder].needs_mask or arm.segment
        image, mask = load_images(subject)[0], masks_of(subject, arm)[0] if masked else None
        return {
            "encoder": arm.encoder,
            "settings": settings,
            "weights": weights(settings.weights, settings.revision),
            "eyes": weights(profile.encoders.reader) if profile.encoders.reader else None,
            "model": weights(profile.pipeline, profile.revision),
            "resolution": profile.resolution,
            "identifier": profile.identifier,
            "image": apply_mask(image, mask, profile.encoders.fill) if arm.segment else image,
            "mask": mask,
            "class word": subject.class_word,
            "precision": self.plan.training_of(arm).precision,
        }

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
            "undesired": world_of_folder(subject.folder).undesired(subject),
            "encoders": encoders,
            "models": [weights(name) for name in models],
        }
        folder = self.runs.get("measures", key, lambda folder: self._measure(folder, key, pictures), code=MEASURING)
        return pd.read_csv(folder / "measures.csv")

    def _draw(self, folder: Path, key: dict[str, Any]) -> None:
        pipe = self._personalized(key["trained"])
        trained = key["trained"]
        precision = trained["precision"] if "encoder" in trained else trained["training"].precision
        drawn = generate(pipe, key["prompts"], key["seeds"], key["sampling"], precision=precision, progress=False)
        for index, picture in enumerate(drawn):
            picture.image.save(folder / file_name(*divmod(index, len(key["seeds"]))))

    def _personalized(self, key: dict[str, Any]) -> DiffusionPipeline:
        pipe = copy_pipeline(self.models.pipe)
        if "encoder" in key:
            return encoded(
                key["encoder"], pipe, self.plan.profile, Reference(key["image"], key["mask"], key["class word"])
            )
        if self.plan.profile.keep_weights:
            load_personalized(pipe, self._trained(key))
        else:
            self._train(pipe, key)
        return pipe

    def _trained(self, key: dict[str, Any]) -> Path:
        def make(folder: Path) -> None:
            pipe = copy_pipeline(self.models.pipe)
            log = self._train(pipe, key)
            save_personalized(pipe, folder, key["method"], key["training"])
            (folder / "training.json").write_text(json.dumps(asdict(log)))

        return self.runs.get("trained", key, make, code=TRAINING)

    def _train(self, pipe: DiffusionPipeline, key: dict[str, Any]) -> TrainingLog:
        """Personalize in place; the state of a long training outlives a kill."""
        checkpoint = self.runs.root / ".checkpoints" / fingerprint(key)
        data = (key["images"], key["captions"], key["method"], key["training"])
        prior = self._prior(key["class word"], key["training"])
        options = dict(seed=key["seed"], prior=prior, masks=key["masks"], watch=self._look(pipe, key), progress=False)
        log = personalize(pipe, *data, **options, checkpoint=checkpoint, checkpoint_every=CHECKPOINT_EVERY)
        shutil.rmtree(checkpoint, ignore_errors=True)
        return log

    def _look(self, pipe: DiffusionPipeline, key: dict[str, Any]) -> EarlyLook | None:
        """What the first captions draw while a long training runs, in `looks` of the store, if the profile asks."""
        profile = self.plan.profile
        if not profile.early_look:
            return None
        folder = self.runs.root / "looks" / fingerprint(key)[:12]
        print(f"early looks at the training: {folder}", file=sys.stderr)
        texts, precision = list(dict.fromkeys(key["captions"]))[:2], key["training"].precision
        options = dict(every=profile.early_look, precision=precision)
        return EarlyLook(pipe, folder, texts, seeds(self.plan)[:1], profile.sampling, **options)

    def _prior(self, class_word: str | None, training: Training) -> tuple[list[Image.Image], list[str]] | None:
        """Class pictures of the base model, made once for all subjects of a class; None where the plan wants none."""
        if class_word is None:
            return None
        profile = self.plan.profile
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
