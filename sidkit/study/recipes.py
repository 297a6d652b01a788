"""From a plan to the keys of its pieces: all that each piece depends on, gathered from profile, subject and arm."""

from __future__ import annotations

from pathlib import Path

from sidkit.config import model_key
from sidkit.mark import insert
from sidkit.masks.given import apply_mask
from sidkit.personalization.methods import METHODS
from sidkit.study.cells import Cell
from sidkit.study.masks import given_if_all, masks_of
from sidkit.study.pieces.base import Base
from sidkit.study.pieces.drawn import Drawn, noise
from sidkit.study.pieces.encoded import Encoded
from sidkit.study.pieces.measured import Measured
from sidkit.study.pieces.rendered import Rendered
from sidkit.study.pieces.trained import ClassPictures, Trained
from sidkit.study.pieces.untrained import Untrained
from sidkit.study.plan import Plan, Stickers
from sidkit.subjects import load_images
from sidkit.worlds import world_of_folder


def rendered(plan: Plan, wanted: Stickers) -> Rendered:
    """A subject of Sticker World."""
    return Rendered(
        subject_class=wanted.subject_class,
        bias=wanted.bias,
        references=plan.references + plan.held_out,
        seed=plan.seed,
        size=plan.profile.resolution,
    )


def learnt(plan: Plan, cell: Cell) -> Trained | Encoded:
    """The model that has learnt the subject as the arm says."""
    return encoded(plan, cell) if cell.arm.encoder else trained(plan, cell)


def trained(plan: Plan, cell: Cell) -> Trained:
    """The model that was trained on the subject's references."""
    profile, training = plan.profile, plan.training_of(cell.arm)
    count = len(cell.captions)
    images, masks = load_images(cell.subject)[:count], masks_of(cell.subject, cell.arm)
    if masks is not None:
        masks = list(masks[:count])
    if cell.arm.segment == "references":
        images = [apply_mask(image, mask, profile.encoders.fill) for image, mask in zip(images, masks, strict=True)]
    return Trained(
        base=Base.of(profile),
        method=cell.arm.method,
        training=training,
        images=images,
        masks=masks if cell.arm.segment == "loss" else None,
        captions=[insert(text, profile.identifier) for text in cell.captions],
        prior=class_pictures(plan, cell) if training.prior_weight else None,
        class_word=cell.subject.class_word if METHODS[cell.arm.method].starts_as_class else None,
        seed=plan.seed,
    )


def untrained(plan: Plan, cell: Cell) -> Untrained:
    """The base model, computed as the arm's own is."""
    return Untrained(Base.of(plan.profile), plan.training_of(cell.arm).precision)


def class_pictures(plan: Plan, cell: Cell) -> ClassPictures:
    """What keeps the model from forgetting the other members of the class."""
    training = plan.training_of(cell.arm)
    return ClassPictures(
        base=Base.of(plan.profile),
        class_word=cell.subject.class_word,
        count=training.prior_images,
        precision=training.precision,
        sampling=plan.profile.sampling,
        seed=plan.seed,
    )


def encoded(plan: Plan, cell: Cell) -> Encoded:
    """The model that an encoder has shown the subject's first reference."""
    profile, arm = plan.profile, cell.arm
    settings, reader = profile.encoder_methods[arm.encoder], profile.encoders.reader
    image = load_images(cell.subject)[0]
    masks = masks_of(cell.subject, arm)
    mask = None if masks is None else masks[0]
    return Encoded(
        base=Base.of(profile),
        encoder=arm.encoder,
        settings=settings,
        weights=model_key(settings.weights, settings.revision),
        eyes=model_key(reader) if reader else None,
        image=apply_mask(image, mask, profile.encoders.fill) if arm.segment else image,
        mask=mask,
        class_word=cell.subject.class_word,
        precision=plan.training_of(arm).precision,
    )


def drawn(plan: Plan, cell: Cell) -> Drawn:
    """The pictures of the cell."""
    return Drawn(
        model=learnt(plan, cell),
        prompts=tuple(insert(prompt.text, plan.profile.identifier) for prompt in cell.prompts),
        seeds=noise(plan.seed, plan.pictures),
        sampling=cell.sampling,
    )


def measured(plan: Plan, cell: Cell, pictures: Path) -> Measured:
    """The table of the cell's pictures, which lie in the folder `pictures`."""
    encoders = plan.profile.encoders
    names = [encoders.image_text, encoders.identity, encoders.reader]
    compared = slice(-plan.held_out or None, None)  # those held out, or all
    masks, world = given_if_all(cell.subject), world_of_folder(cell.subject.folder)
    return Measured(
        pictures=pictures.name,
        prompts=cell.prompts,
        seeds=noise(plan.seed, plan.pictures),
        references=load_images(cell.subject)[compared],
        masks=masks and masks[compared],
        undesired=world.undesired(cell.subject),
        line_up=world.line_up(cell.subject),
        encoders=encoders,
        models=tuple(model_key(name) for name in names if name),
    )
