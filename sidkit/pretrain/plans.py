"""How each part of the shipped models is trained, in the order in which they are to be trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

WORK = Path("pretraining")  # where scenes and checkpoints are kept


@dataclass(frozen=True)
class Plan:
    """How a part is trained. `minutes` is the budget of this call; the learning rate falls in its last `cooldown`."""

    minutes: float = 10
    batch: int = 64
    learning_rate: float = 1e-3  # of AdamW
    matrix_rate: float = 0  # of Muon, which then trains what the part calls its matrices
    weight_decay: float = 0.01
    warmup: int = 100  # steps
    cooldown: float = 0.3  # share of the minutes
    ema: float = 0.999
    device: str = "cpu"
    cpu_bf16: bool = True  # bfloat16 on a CPU that has it; depthwise convolutions are slower with it
    seed: int = 0
    save_every: float = 3  # minutes
    sheet_every: float = 8  # minutes


PLANS = {
    "autoencoder": Plan(batch=16, learning_rate=1.5e-3, weight_decay=0.0, ema=0.998),
    "doubling": Plan(batch=16, learning_rate=1.5e-3, matrix_rate=0.01, weight_decay=0.0, ema=0.998),
    "decoder": Plan(batch=16, learning_rate=1e-3, matrix_rate=5e-3, weight_decay=0.0, ema=0.999),
    "latent_reader": Plan(batch=128, learning_rate=2e-3, weight_decay=0.05, ema=0.995),
    "text_to_image": Plan(batch=32, learning_rate=5e-4, matrix_rate=6e-3, ema=0.999),
    "reader": Plan(batch=64, learning_rate=1e-3, weight_decay=0.02, ema=0.998, cpu_bf16=False),
    "image_text": Plan(batch=64, learning_rate=1e-3, weight_decay=0.02, ema=0.998, cpu_bf16=False),
    "identity": Plan(batch=256, learning_rate=1e-3, weight_decay=0.02, ema=0.998, cpu_bf16=False),
    "captioner": Plan(batch=48, learning_rate=2e-3, weight_decay=0.02, ema=0.99, cpu_bf16=False),
    "subject_encoder": Plan(batch=32, learning_rate=1e-3, weight_decay=0.02, ema=0.995),
    "segmenter": Plan(batch=16, learning_rate=3e-3, ema=0.99, cpu_bf16=False),
}
