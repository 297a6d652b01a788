"""The loop that pretrains every part: progress with time left, a log, checkpoints, sheets, an EMA of the weights.

A run lives in a folder and goes on where it stopped; what is random in a step is drawn from the seed and the step,
whoever draws it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterator, Sized
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from sidkit.checkpoint import WEIGHT, Checkpoint, Saved
from sidkit.files import whole_file
from sidkit.pretrain.hardware import fast_attention, fast_format, is_gpu, multiplies_bf16
from sidkit.pretrain.plans import Plan

WORKERS = 12  # at most: they draw captions for a GPU, which would wait for them most of the time
LOG_EVERY = 10  # seconds
LARGEST_GRADIENT = 1.0  # norm
LEAST_RATE = 0.02  # share of the learning rate that the cooldown leaves
AVERAGE = "ema."  # before a weight's name in a checkpoint


class Part(nn.Module):
    """What a part adds to the loop: its modules, what it draws, a loss, a picture of how it does, and its files.

    `pool` is what it is trained on, and `batch` how many of that a step takes.
    """

    pool: Sized
    batch: int

    def draw(self, rng: np.random.Generator) -> Any:
        """What a batch is made of, on the CPU and small, for another process may send it: here which ones (batch,)."""
        return torch.from_numpy(rng.integers(len(self.pool), size=self.batch))

    def loss(self, drawn: Any, generator: torch.Generator) -> torch.Tensor:
        """The loss of one batch as `draw` chose it; `generator` is for what else is random."""
        raise TypeError(f"{type(self).__name__} does not say its loss")

    def sheet(self) -> Image.Image | None:
        """A picture that shows how training goes."""
        return None


def fit(part: Part, folder: Path, plan: Plan, before: dict | None = None) -> dict:
    """Train `part` for `plan.minutes`, on from the checkpoint in `folder`; returns steps, samples and seconds so far.

    `before` is the record of the weights that the part starts from. Leaves the part with its EMA weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part.to(plan.device)
    part.to(memory_format=fast_format(plan.device))
    run = _Run(part, folder, plan, before or {})
    run.resume()
    try:
        run.train()
    finally:
        run.save()
    run.swap_in_ema()
    part.to(memory_format=torch.contiguous_format)  # as files hold it
    return run.record()


class _Run:
    """A part in training: its optimizer, the average of its weights, and how far it has come."""

    def __init__(self, part: Part, folder: Path, plan: Plan, before: dict) -> None:
        self.part = part
        self.folder = folder
        self.plan = plan
        self.parameters = {name: weight for name, weight in part.named_parameters() if weight.requires_grad}
        self.optimizer = torch.optim.AdamW(
            self.parameters.values(),
            plan.learning_rate,
            weight_decay=plan.weight_decay,
            betas=(0.9, 0.99),
            fused=True,
        )
        self.checkpoint = Checkpoint(folder, self.parameters, self.optimizer)
        self.ema = {name: weight.detach().clone() for name, weight in self.parameters.items()}
        self.step = before.get("steps", 0)
        self.samples = before.get("samples", 0)
        self.seconds = before.get("seconds", 0)
        self.first = self.step  # from which the learning rate is warmed up

    def train(self) -> None:
        """Take steps until the plan's minutes are over."""
        batches = self._batches()
        log = _Every(LOG_EVERY)
        checkpoint = _Every(self.plan.save_every * 60)
        sheet = _Every(self.plan.sheet_every * 60)
        total = self.plan.minutes * 60
        start = time.monotonic()
        with tqdm(
            total=round(total),
            desc=type(self.part).__name__,
            unit="s",
            smoothing=0,
        ) as bar:
            while (now := time.monotonic()) - start < total:
                loss = self._step(next(batches), (now - start) / total)
                self.seconds += time.monotonic() - now
                self._show(bar, round(now - start), loss)
                if log.is_due(now):
                    self._log(loss.item())
                if checkpoint.is_due(now):
                    self.save()
                if sheet.is_due(now):
                    self._sheet()
        self._sheet()

    def _batches(self) -> Iterator[Any]:
        """The batches of this step and all after it; for a GPU they are drawn ahead, by processes of their own."""
        ahead = is_gpu(self.plan.device) and "fork" in multiprocessing.get_all_start_methods()
        workers = min(WORKERS, (os.cpu_count() or 2) - 1) if ahead else 0
        options = _forked(workers) if workers else {}
        draws = _Draws(self.part, self.plan.seed)
        return iter(DataLoader(draws, batch_size=None, sampler=count(self.step), **options))

    def _step(self, drawn: Any, progress: float) -> torch.Tensor:
        generator = torch.Generator().manual_seed(self.plan.seed * 1_000_003 + self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.learning_rate * self._rate(progress)
        device = torch.device(self.plan.device).type
        self.part.train()
        with torch.autocast(device, torch.bfloat16, enabled=self._halved(device)), fast_attention(device):
            loss = self.part.loss(drawn, generator)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters.values(), LARGEST_GRADIENT)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.samples += self.plan.batch
        self._average()
        return loss.detach()

    def _halved(self, device: str) -> bool:
        return device != "cpu" or (self.plan.cpu_bf16 and multiplies_bf16())

    def _rate(self, progress: float) -> float:
        """The share of the learning rate after a share `progress` of the minutes."""
        warm = min(1.0, (self.step - self.first + 1) / self.plan.warmup)
        cool = 1.0
        if self.plan.cooldown:
            cool = min(1.0, (1 - progress) / self.plan.cooldown)
        return warm * max(cool, LEAST_RATE)

    def _average(self) -> None:
        taken = self.step - self.first
        decay = min(self.plan.ema, (1 + taken) / (10 + taken))
        averages = list(self.ema.values())
        weights = [weight.detach() for weight in self.parameters.values()]
        torch._foreach_lerp_(averages, weights, 1 - decay)

    def _show(self, bar: tqdm, seconds: int, loss: torch.Tensor) -> None:
        """Move the bar, but not at each step: to ask for the loss makes a GPU wait."""
        if seconds > bar.n:
            bar.update(seconds - bar.n)
            bar.set_postfix(step=self.step, loss=f"{loss.item():.4f}")

    def _log(self, loss: float) -> None:
        row = {
            "step": self.step,
            "samples": self.samples,
            "seconds": round(self.seconds),
            "loss": round(loss, 5),
        }
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")

    def _sheet(self) -> None:
        """Draw the sheet with the averaged weights, then go on with the others."""
        weights = {name: weight.detach().clone() for name, weight in self.parameters.items()}
        self.swap_in_ema()
        with torch.no_grad():
            sheet = self.part.eval().sheet()
        if sheet is not None:
            with whole_file(self.folder / f"sheet_{self.step:07d}.png") as partial:
                sheet.save(partial, format="PNG")
        self._fill(weights)

    def swap_in_ema(self) -> None:
        """Put the averaged weights into the part."""
        self._fill(self.ema)
        self.part.eval()

    @torch.no_grad()
    def _fill(self, values: dict[str, torch.Tensor]) -> None:
        for name, parameter in self.parameters.items():
            parameter.copy_(values[name])

    def record(self) -> dict:
        """How far training has come, and by which plan."""
        return {
            "steps": self.step,
            "samples": self.samples,
            "seconds": round(self.seconds),
            "plan": asdict(self.plan),
        }

    def save(self) -> None:
        """Write the checkpoint."""
        whole = {WEIGHT + name: value for name, value in self.part.state_dict().items()}
        averages = {AVERAGE + name: value for name, value in self.ema.items()}
        counts = {"step": str(self.step), "seconds": str(self.seconds), "samples": str(self.samples)}
        self.checkpoint.save(whole | averages, counts)

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one; what joined the part since then keeps its start."""
        saved = self.checkpoint.load(self._fault)
        if saved is None:
            return
        self.checkpoint.restore(saved)
        self.part.load_state_dict(_under(saved.tensors, WEIGHT), strict=False)
        for name, average in _under(saved.tensors, AVERAGE).items():
            if name in self.ema:
                self.ema[name].copy_(average)
        self.step, self.samples, self.seconds = _counts(saved.facts)
        self.first = 0  # warmed up already

    def _fault(self, saved: Saved) -> str | None:
        """Why training cannot go on from it; parts that it does not have are none."""
        try:
            _counts(saved.facts)
        except (KeyError, ValueError):
            return "it does not say how far it has come"
        own = self.part.state_dict()
        for name, value in _under(saved.tensors, WEIGHT).items():
            if name in own and own[name].shape != value.shape:
                return f"{name} is of another shape in the model"
        return None


def _counts(facts: dict[str, str]) -> tuple[int, int, float]:
    """Steps, samples and seconds so far."""
    return int(facts["step"]), int(facts["samples"]), float(facts["seconds"])


class _Every:
    """Is due once in so many seconds, first when they have passed."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.last = time.monotonic()

    def is_due(self, now: float) -> bool:
        if now - self.last <= self.seconds:
            return False
        self.last = now
        return True


class _Draws(Dataset):
    """A part's batches by their step: the seed and the step say what is drawn."""

    def __init__(self, part: Part, seed: int) -> None:
        self.part = part
        self.seed = seed

    def __getitem__(self, step: int) -> Any:
        return self.part.draw(np.random.default_rng([self.seed, step]))


def _forked(workers: int) -> dict[str, Any]:
    """A loader's settings for processes that share the pool's memory, and touch no GPU."""
    return dict(
        num_workers=workers,
        multiprocessing_context="fork",
        worker_init_fn=_alone,
        pin_memory=True,
    )


def _alone(worker: int) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # threads do not survive a fork


def _under(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
