"""A look at a training while it runs: every step's loss in a table, and now and then pictures of the same noise."""

from __future__ import annotations

import csv
from pathlib import Path

from diffusers import DiffusionPipeline

from sidkit.config import Sampling
from sidkit.files import make_folder, make_way, set_aside, whole_file
from sidkit.generation import generate

LOSSES = "losses.csv"
PICTURE = "step-{step:05}-prompt-{prompt:02}-seed-{seed}.png"
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
        self.pipe = pipe
        self.folder = Path(folder)
        self.prompts = prompts
        self.seeds = seeds
        self.sampling = sampling
        self.every = every
        self.precision = precision
        self.next_step = 0

    def __call__(self, step: int, loss: float) -> None:
        """After `step`, counted from 0."""
        if step == 0 or step != self.next_step:
            self._begin(before=step)
        done = step + 1
        self.next_step = done
        with (self.folder / LOSSES).open("a", newline="") as file:
            csv.writer(file).writerow([done, loss])
        if done % self.every == 0:
            self._draw(done)

    def _begin(self, before: int) -> None:
        """A new table or, in a run that goes on, the rows of the steps that it does not take again."""
        make_folder(self.folder)
        path = self.folder / LOSSES
        make_way(path)
        try:
            rows = [row for row in _losses_in(path) if int(row[0]) <= before]
        except (ValueError, IndexError, csv.Error):
            set_aside(path, "it holds no losses")
            rows = []
        with whole_file(path) as partial, partial.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEAD)
            writer.writerows(rows)

    def _draw(self, done: int) -> None:
        vae = self.pipe.vae
        place = vae.device
        vae.to(self.pipe.unet.device)  # a training with `unload` has put it away
        pictures = generate(
            self.pipe,
            self.prompts,
            self.seeds,
            self.sampling,
            precision=self.precision,
            progress=False,
        )
        vae.to(place)
        for index, picture in enumerate(pictures):
            prompt = index // len(self.seeds)
            name = PICTURE.format(step=done, prompt=prompt, seed=picture.seed)
            with whole_file(self.folder / name) as partial:
                picture.image.save(partial, format="PNG")


def _losses_in(path: Path) -> list[list[str]]:
    """The rows of a table of losses, without its head; none where there is no table."""
    if not path.exists():
        return []
    rows = list(csv.reader(path.read_text().splitlines()))
    if rows[:1] != [HEAD]:
        raise ValueError("it has another head")
    return rows[1:]
