"""The training loop of every method."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import DiffusionPipeline
from PIL import Image
from tqdm import tqdm

from sidkit.checkpoint import Checkpoint
from sidkit.config import Training
from sidkit.mark import check_ready
from sidkit.models import computing_in, tokenizers, with_identifier
from sidkit.personalization.examples import Examples
from sidkit.personalization.memory import (
    check_optimizer,
    forget_peak,
    keep_freed_memory,
    little_memory,
    make_optimizer,
    peak,
)
from sidkit.personalization.methods import check_method, freeze, groups, start, trained_parameters
from sidkit.personalization.progress import Progress, run_name

LARGEST_GRADIENT = 1.0  # norm; as in diffusers' DreamBooth example


@dataclass(frozen=True)
class TrainingLog:
    """How training went: the loss of every step, the seconds that this call took and its peak of memory in bytes."""

    losses: tuple[float, ...]
    seconds: float
    peak: int


def personalize(
    pipe: DiffusionPipeline,
    images: list[Image.Image],
    captions: list[str],
    method: str,
    training: Training,
    *,
    seed: int,
    prior: tuple[list[Image.Image], list[str]] | None = None,
    masks: list[np.ndarray] | None = None,
    class_word: str | None = None,
    watch: Callable[[int, float], None] | None = None,
    progress: bool = True,
    checkpoint: Path | None = None,
    checkpoint_every: int = 100,
) -> TrainingLog:
    """Train `pipe` in place on pictures with one caption each, in which `[v]` stands for its identifier.

    `prior` are class pictures and their captions (`generation.class_pictures`), which `training.prior_weight` weighs:
    L = L(references) + weight * L(class pictures), DreamBooth's prior preservation.
    `masks`, boolean (h, w) and one a picture, leave of the loss only what lies on the subject.
    `class_word` ("dog") is where Textual Inversion starts from; the other methods do without.
    `watch(step, loss)` is called after every step, counted from 0; it may draw from `pipe` (`watch.EarlyLook`).
    All randomness is drawn from `seed`: the same call gives the same bits. With a folder `checkpoint`, the state is
    kept there every `checkpoint_every` steps, and a call with the same arguments goes on from it to the same bits; what
    is damaged there, or of other arguments, is set aside.
    Raises ValueError, before any training, for captions that do not fit and for an unknown method.
    """
    captions = with_identifier(pipe, captions)
    _check(pipe, images, captions, training, prior)
    check_method(method, training)
    parameters = trained_parameters(pipe, method, training)
    start(pipe, method, class_word)
    encode_once = not any(name.startswith("text_encoder") for name in parameters)
    references = Examples(pipe, images, captions, encode_once, masks)
    relatives = Examples(pipe, *prior, encode_once) if prior else None

    generator = torch.Generator().manual_seed(seed)
    optimizer = make_optimizer(groups(pipe, method, training, parameters), training)
    scaler = torch.amp.GradScaler(pipe.unet.device.type, enabled=training.precision == "fp16")
    run = run_name(method, training, seed, [class_word or "", *_data(references, relatives)])
    kept = Progress(Checkpoint(checkpoint, parameters, optimizer), scaler, generator, run)
    losses = kept.resume()

    keep_freed_memory(pipe.unet.device)
    forget_peak(pipe.unet.device)
    started = time.monotonic()
    bar = _bar(method, training.steps, len(losses), progress)
    with little_memory(pipe, training, encode_once):
        for step in bar:
            losses.append(_gradients(references, relatives, training, generator, scaler))
            _take_step(optimizer, scaler)
            bar.set_postfix(loss=f"{losses[-1]:.4f}", refresh=False)
            if (step + 1) % checkpoint_every == 0:
                kept.save(losses)
            if watch:
                watch(step, losses[-1])
    freeze(pipe)
    return TrainingLog(tuple(losses), time.monotonic() - started, peak(pipe.unet.device))


def _bar(method: str, steps: int, done: int, progress: bool) -> tqdm:
    """The steps that are left, and on the screen how far they are."""
    return tqdm(
        range(done, steps),
        total=steps,
        initial=done,
        desc=method,
        unit="step",
        leave=False,
        delay=2,
        disable=not progress,
    )


def _data(references: Examples, relatives: Examples | None) -> list[str | torch.Tensor]:
    """All that is trained on, the class pictures last."""
    if relatives is None:
        return references.data()
    return [*references.data(), *relatives.data()]


def _loss(
    references: Examples,
    relatives: Examples | None,
    training: Training,
    generator: torch.Generator,
) -> torch.Tensor:
    """L(references) + weight * L(class pictures), of a batch drawn from each."""
    loss = references.loss(training.batch_size, generator)
    if relatives is None:
        return loss
    prior_loss = relatives.loss(training.batch_size, generator)
    return loss + training.prior_weight * prior_loss


def _gradients(
    references: Examples,
    relatives: Examples | None,
    training: Training,
    generator: torch.Generator,
    scaler: torch.amp.GradScaler,
) -> float:
    """Add up the gradients of a step's passes; returns their mean loss."""
    total = 0.0
    for _ in range(training.accumulation):
        with computing_in(references.pipe, training.precision):
            loss = _loss(references, relatives, training, generator) / training.accumulation
        scaler.scale(loss).backward()
        total += loss.item()
    return total


def _take_step(optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler) -> None:
    scaler.unscale_(optimizer)
    trained = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    torch.nn.utils.clip_grad_norm_(trained, LARGEST_GRADIENT)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)


def _check(
    pipe: DiffusionPipeline,
    images: list[Image.Image],
    captions: list[str],
    training: Training,
    prior: tuple[list[Image.Image], list[str]] | None,
) -> None:
    _check_captions(pipe, images, captions)
    if prior:
        _check_captions(pipe, *prior)
    check_optimizer(training)
    if bool(prior) != bool(training.prior_weight):
        got = f"{'some' if prior else 'none'} and {training.prior_weight}"
        raise ValueError(
            f"expected class pictures exactly where prior_weight is not 0, got {got}; "
            "generation.class_pictures makes them"
        )


def _check_captions(
    pipe: DiffusionPipeline,
    pictures: list[Image.Image],
    captions: list[str],
) -> None:
    if not pictures or len(pictures) != len(captions):
        raise ValueError(f"expected pictures with one caption each, got {len(pictures)} and {len(captions)}")
    check_ready(captions, tokenizers(pipe))
