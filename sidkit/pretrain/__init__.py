"""Pretraining of the shipped models: `train("text_to_image", minutes=60, device="cuda", batch=256)`.

Order: autoencoder; latent_reader, which tells text_to_image what its drawings lack and goes on learning beside it;
text_to_image itself. At any time: decoder, which sharpens the pictures, and segmenter, which stands alone. Then reader
and, looking with its backbone, image_text, identity and captioner; last subject_encoder, through the shipped
text_to_image.
Every part goes on where its folder in `work` stopped; the retraining of weights needs no change in code.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

WORK = Path("pretraining")
FEWEST = 32  # scenes
PARTS = (
    "autoencoder",
    "decoder",
    "latent_reader",
    "text_to_image",
    "reader",
    "image_text",
    "identity",
    "captioner",
    "subject_encoder",
    "segmenter",
)


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
    """
    import torch

    from sidkit.config import WEIGHTS, check_name
    from sidkit.pretrain import parts
    from sidkit.pretrain.job import Job

    check_name("part", part, PARTS)
    if scenes < FEWEST:
        raise ValueError(f"scenes: expected {FEWEST} or more, for a sheet shows so many; got {scenes}")
    _check_device(device)
    plan = replace(parts.PLANS[part], minutes=minutes, device=device, cooldown=cooldown)
    plan = replace(plan, batch=batch or plan.batch, learning_rate=learning_rate or plan.learning_rate)
    torch.manual_seed(plan.seed)  # the modules' first weights
    return parts.TRAINERS[part](Job(plan, Path(work), Path(weights or WEIGHTS), scenes, drop))


def _check_device(device: str) -> None:
    import torch

    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise ValueError(f"device: expected cpu or cuda, got {device}")
    if device != "cpu" and not torch.cuda.is_available():
        raise ValueError(f"device: expected a GPU for {device}, torch sees none; is it a CPU build? See the Makefile")
