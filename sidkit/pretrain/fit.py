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
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from sidkit.files import whole_file
from sidkit.pretrain.plans import Plan

WORKERS = 12  # at most: they draw captions for a GPU, which would wait for them most of the time


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
    gpu = torch.device(plan.device).type == "cuda"
    part.to(plan.device)
    part.to(memory_format=torch.channels_last if gpu else torch.contiguous_format)  # what convolutions are fast in
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
    def __init__(self, part: Part, folder: Path, plan: Plan, before: dict) -> None:
        self.part, self.folder, self.plan = part, folder, plan
        self.parameters = {name: p for name, p in part.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(
            self.parameters.values(), plan.learning_rate, weight_decay=plan.weight_decay, betas=(0.9, 0.99), fused=True
        )
        self.ema = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.step, self.samples, self.seconds = (before.get(key, 0) for key in ("steps", "samples", "seconds"))
        self.first = self.step

    def train(self) -> None:
        batches, total = self._batches(), self.plan.minutes * 60
        start = last = saved = pictured = time.monotonic()
        with tqdm(total=round(total), desc=type(self.part).__name__, unit="s", smoothing=0) as bar:
            while (now := time.monotonic()) - start < total:
                loss = self._step(next(batches), (now - start) / total)
                self.seconds += time.monotonic() - now
                if round(now - start) > bar.n:  # not at each step: it makes a GPU wait
                    bar.update(round(now - start) - bar.n)
                    bar.set_postfix(step=self.step, loss=f"{loss.item():.4f}")
                if now - last > 10:
                    self._log(loss.item())
                    last = now
                if now - saved > self.plan.save_every * 60:
                    self.save()
                    saved = now
                if now - pictured > self.plan.sheet_every * 60:
                    self._sheet()
                    pictured = now
        self._sheet()

    def _batches(self) -> Iterator[Any]:
        """The batches of this step and all after it; for a GPU they are drawn ahead, by processes of their own."""
        gpu = torch.device(self.plan.device).type == "cuda" and "fork" in multiprocessing.get_all_start_methods()
        workers = min(WORKERS, (os.cpu_count() or 2) - 1) if gpu else 0
        draws, steps = _Draws(self.part, self.plan.seed), count(self.step)
        return iter(DataLoader(draws, batch_size=None, sampler=steps, **(_forked(workers) if workers else {})))

    def _step(self, drawn: Any, progress: float) -> torch.Tensor:
        generator = torch.Generator().manual_seed(self.plan.seed * 1_000_003 + self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.learning_rate * self._rate(progress)
        device = torch.device(self.plan.device).type
        self.part.train()
        with torch.autocast(device, torch.bfloat16, enabled=self._halved(device)), _attention(device):
            loss = self.part.loss(drawn, generator)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters.values(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.samples += self.plan.batch
        self._average()
        return loss.detach()

    def _halved(self, device: str) -> bool:
        return device != "cpu" or (self.plan.cpu_bf16 and multiplies_bf16())

    def _rate(self, progress: float) -> float:
        warm = min(1.0, (self.step - self.first + 1) / self.plan.warmup)
        cool = min(1.0, (1 - progress) / self.plan.cooldown) if self.plan.cooldown else 1.0
        return warm * max(cool, 0.02)

    def _average(self) -> None:
        taken = self.step - self.first
        decay = min(self.plan.ema, (1 + taken) / (10 + taken))
        torch._foreach_lerp_(list(self.ema.values()), [p.detach() for p in self.parameters.values()], 1 - decay)

    def _log(self, loss: float) -> None:
        row = {"step": self.step, "samples": self.samples, "seconds": round(self.seconds), "loss": round(loss, 5)}
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")

    def _sheet(self) -> None:
        """Draw the sheet with the averaged weights, then go on with the others."""
        kept = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.swap_in_ema()
        with torch.no_grad():
            sheet = self.part.eval().sheet()
        if sheet is not None:
            sheet.save(self.folder / f"sheet_{self.step:07d}.png")
        self._load(kept)

    def swap_in_ema(self) -> None:
        self._load(self.ema)
        self.part.eval()

    def _load(self, values: dict[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(values[name])

    def record(self) -> dict:
        return {"steps": self.step, "samples": self.samples, "seconds": round(self.seconds), "plan": asdict(self.plan)}

    def save(self) -> None:
        state = {f"model.{k}": v for k, v in self.part.state_dict().items()}
        state |= {f"ema.{k}": v for k, v in self.ema.items()}
        for name, parameter in self.parameters.items():
            moments = self.optimizer.state[parameter]
            state |= {f"optimizer.{key}.{name}": value for key, value in moments.items()}
        counts = {"step": str(self.step), "seconds": str(self.seconds), "samples": str(self.samples)}
        with whole_file(self.folder / "checkpoint.safetensors") as partial:
            save_file({k: v.detach().contiguous().clone() for k, v in state.items()}, partial, counts)

    def resume(self) -> None:
        path = self.folder / "checkpoint.safetensors"
        if not path.exists():
            return
        state = load_file(path, self.plan.device)
        self.part.load_state_dict(_under(state, "model."), strict=False)  # what joined the part since keeps its start
        for name, parameter in self.parameters.items():
            if f"ema.{name}" in state:
                self.ema[name].copy_(state[f"ema.{name}"])
            if (step := state.get(f"optimizer.step.{name}")) is not None:
                moments = {key: state[f"optimizer.{key}.{name}"] for key in ("exp_avg", "exp_avg_sq")}
                laid = {key: torch.empty_like(parameter).copy_(value) for key, value in moments.items()}
                self.optimizer.state[parameter] = {"step": step, **laid}
        self._count(path)
        self.first = 0  # warmed up already

    def _count(self, path: Path) -> None:
        with safe_open(path, "pt") as file:
            counts = file.metadata()
        self.step, self.samples, self.seconds = int(counts["step"]), int(counts["samples"]), float(counts["seconds"])


class _Draws(Dataset):
    """A part's batches by their step: the seed and the step say what is drawn."""

    def __init__(self, part: Part, seed: int) -> None:
        self.part, self.seed = part, seed

    def __getitem__(self, step: int) -> Any:
        return self.part.draw(np.random.default_rng([self.seed, step]))


def _forked(workers: int) -> dict[str, Any]:
    """A loader's settings for processes that share the pool's memory, and touch no GPU."""
    return dict(num_workers=workers, multiprocessing_context="fork", worker_init_fn=_alone, pin_memory=True)


def _alone(worker: int) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # threads do not survive a fork


def multiplies_bf16() -> bool:
    """Whether this CPU has instructions for bfloat16; without them it takes 60 times as long as float32."""
    known = torch.cpu.get_capabilities()
    return any(known.get(name, False) for name in ("amx_bf16", "avx512_bf16", "bf16"))  # the last is ARM's


def _attention(device: str) -> AbstractContextManager:
    """Attention over 64 places is faster in plain matrix products on a CPU (68 against 61 samples a second)."""
    return sdpa_kernel(SDPBackend.MATH) if device == "cpu" else nullcontext()


def _under(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
