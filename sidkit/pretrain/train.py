"""Train one part of the shipped models: `train("text_to_image", minutes=60, device="cuda", batch=256)`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from sidkit.config import WEIGHTS, check_name
from sidkit.pretrain.job import Job
from sidkit.pretrain.parts import TRAINERS
from sidkit.pretrain.plans import PLANS, WORK, Plan

FEWEST = 32  # scenes


def train(
    part: str,
    *,
    minutes: float = 10,
    batch: int = 0,
    learning_rate: float = 0,
    device: str = "cpu",
    scenes: int = 60_000,
    drop: float = 0.25,
    cooldown: float = 0.3,
    work: str | Path = WORK,
    weights: str | Path | None = None,
) -> Path:
    """Train one part for `minutes` and write its weights and card; returns the weights' folder.

    `batch` and `learning_rate` of 0 take the part's own; `drop` is how often a caption leaves a factor out
    (text_to_image); `scenes` is the size of the pool, which is rendered once and kept.
    ValueError for an unknown part, too few scenes and a device that is not there, before anything starts.
    """
    check_name("part", part, PLANS)
    if scenes < FEWEST:
        raise ValueError(f"scenes: expected {FEWEST} or more, for a sheet shows so many; got {scenes}")
    _check_device(device)
    plan = replace(PLANS[part], minutes=minutes, device=device, cooldown=cooldown)
    plan = _overridden(plan, batch, learning_rate)
    torch.manual_seed(plan.seed)  # the modules' first weights
    job = Job(plan, Path(work), Path(weights or WEIGHTS), scenes, drop)
    return TRAINERS[part](job)


def _overridden(plan: Plan, batch: int, learning_rate: float) -> Plan:
    """The plan with what is not 0 in the place of its own."""
    return replace(plan, batch=batch or plan.batch, learning_rate=learning_rate or plan.learning_rate)


def _check_device(device: str) -> None:
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise ValueError(f"device: expected cpu or cuda, got {device}")
    if device != "cpu" and not torch.cuda.is_available():
        raise ValueError(f"device: expected a GPU for {device}, torch sees none; is it a CPU build? See the Makefile")
