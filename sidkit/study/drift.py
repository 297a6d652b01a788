"""Drift: what a training changes where the prompt says nothing of the subject.

As in the image benchmark of peft (method_comparison/image-gen/run.py at 5d602fd), prompts that have nothing to do with
the subject are drawn before and after the training, from the same noise. peft halves the number.
"""

from __future__ import annotations

import pandas as pd

from sidkit.config import model_key
from sidkit.study import recipes
from sidkit.study.cells import Cell
from sidkit.study.pieces.drawn import Drawn, noise
from sidkit.study.pieces.drifted import Drifted
from sidkit.study.plan import Plan
from sidkit.study.tables import interval_cell, measured
from sidkit.study.workshop import Workshop
from sidkit.worlds import world_of

NAME = "drift"
COLUMNS = ("prompt", "seed", NAME)


def drift_of(plan: Plan, cell: Cell, workshop: Workshop) -> pd.DataFrame:
    """A row a picture of the plan's `unrelated` prompts, by the model that the cell trains: COLUMNS.

    `drift` is that of `metrics.drift`, by the encoder of SA and NSD. No rows where nothing is trained or asked.
    """
    prompts = tuple(world_of(plan.profile).unrelated(cell.subject.class_word)[: plan.unrelated])
    if cell.arm not in plan.trained or not prompts:
        return pd.DataFrame(columns=list(COLUMNS))
    seeds, image_text = noise(plan.seed, plan.pictures), plan.profile.encoders.image_text
    models = recipes.trained(plan, cell), recipes.untrained(plan, cell)
    after, before = (workshop.pictures(Drawn(model, prompts, seeds, plan.profile.sampling)) for model in models)
    wanted = Drifted(before.name, after.name, prompts, seeds, image_text, model_key(image_text))
    return workshop.drift(wanted, before, after)


def with_drift(table: pd.DataFrame, frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A table with a row an `Arm`, and its mean drift beside it; unchanged where none was measured."""
    means = measured(frame, seed=seed, by="arm", names=(NAME,)).get(NAME)
    if means is None:
        return table
    cells = {arm: interval_cell(mean, NAME) for arm, mean in zip(means.index, means.to_numpy())}
    return table.assign(**{NAME: table["Arm"].map(cells).fillna("")})
