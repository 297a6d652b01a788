"""A look at a training while it runs: every step's loss in a table, and now and then pictures of the same noise."""

from __future__ import annotations

import csv
from pathlib import Path

from diffusers import DiffusionPipeline

from sidkit.config import Sampling
from sidkit.generation import generate

LOSSES, PICTURE = "losses.csv", "step-{step:05}-prompt-{prompt:02}-seed-{seed}.png"
HEAD = ["step", "loss"]


class EarlyLook:
    """To be given to `personalize` as `watch`. It changes no bit of what is learnt.

    It writes into `folder`: `losses.csv`, a row (step, loss) for each step from 1 on, and after every `every` steps
    each prompt, with the identifier in the place of `[v]`, drawn from each seed. ValueError for an `every` under 1.
    """

    def __init__(
        self,
        pipe: DiffusionPipeline,
        folder: Path,
        prompts: list[str],
        seeds: list[int],
        sampling: Sampling,
        *,
        every: int,
        precision: str = "fp32",
    ):
        if every < 1:
            raise ValueError(f"every: expected a number of steps of at least 1, got {every}")
        self.pipe, self.folder, self.every = pipe, Path(folder), every
        self.prompts, self.seeds, self.sampling, self.precision = prompts, seeds, sampling, precision
        self.next = 0

    def __call__(self, step: int, loss: float) -> None:
        """After `step`, counted from 0."""
        if step == 0 or step != self.next:
            self._begin(before=step)
        self.next = step + 1
        with (self.folder / LOSSES).open("a", newline="") as file:
            csv.writer(file).writerow([step + 1, loss])
        if self.next % self.every == 0:
            self._draw()

    def _begin(self, before: int) -> None:
        """A new table or, in a run that goes on, the rows of the steps that it does not take again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / LOSSES
        rows = list(csv.reader(path.read_text().splitlines()))[1:] if path.is_file() else []
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([HEAD, *(row for row in rows if int(row[0]) <= before)])

    def _draw(self) -> None:
        vae = self.pipe.vae
        waits = vae.device
        vae.to(self.pipe.unet.device)  # a training with `unload` has put it away
        options = dict(precision=self.precision, progress=False)
        drawn = generate(self.pipe, self.prompts, self.seeds, self.sampling, **options)
        vae.to(waits)
        for index, picture in enumerate(drawn):
            told = dict(step=self.next, prompt=index // len(self.seeds), seed=picture.seed)
            picture.image.save(self.folder / PICTURE.format(**told))
