"""A study is run: what is missing is made, the rest is read.

A piece that is in the store is not made again, whichever notebook asks for it; a study that was stopped goes on with
the first piece that is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from diffusers import DiffusionPipeline
from PIL import Image
from tqdm import tqdm

from sidkit.captions import CAPTIONS
from sidkit.check.subject import check_lengths
from sidkit.dreambench import benchmark_of
from sidkit.identifier import check_free
from sidkit.mark import insert
from sidkit.measure.instruments import check_encoders
from sidkit.model_cache import Models
from sidkit.runs import Runs
from sidkit.study import recipes
from sidkit.study.cells import Cell, cells_of
from sidkit.study.drift import drift_of
from sidkit.study.pieces.drawn import Drawn
from sidkit.study.pieces.picture_files import open_picture
from sidkit.study.plan import Plan, Stickers
from sidkit.study.workshop import Workshop, sticker_subject
from sidkit.subjects import Prompt, Subject, load_subject


@dataclass(frozen=True)
class Study:
    """What came out. `frame` has a row a picture: subject, arm, method, case, prompt, kind, seed, and the measures.

    `drift` has one of each picture without the subject: what the training of its arm changed there.
    """

    plan: Plan
    cells: dict[tuple[str, str], Cell]  # by the names of subject and arm
    folders: dict[tuple[str, str], Path]  # of their pictures
    frame: pd.DataFrame
    drift: pd.DataFrame
    workshop: Workshop

    @property
    def subjects(self) -> dict[str, Subject]:
        """By name, in the plan's order."""
        return {name: cell.subject for (name, _), cell in self.cells.items()}

    @property
    def prompts(self) -> dict[str, tuple[Prompt, ...]]:
        """Of each subject, by its name."""
        return {name: cell.prompts for (name, _), cell in self.cells.items()}

    def picture(self, subject: str, arm: str, prompt: int, picture: int = 0) -> Image.Image:
        """One picture; prompts and the pictures of a prompt are counted from 0."""
        return open_picture(self.folders[subject, arm], prompt, picture)

    def grid(self, subject: str, prompts: Sequence[int], picture: int = 0) -> list[list[Image.Image]]:
        """A row a prompt, a column an arm; the pictures of a row start from the same noise."""
        arms = [arm.name for arm in self.plan.arms]
        return [[self.picture(subject, arm, prompt, picture) for arm in arms] for prompt in prompts]

    def drawn(self, subject: str, arm: str) -> Drawn:
        """All that the pictures of a subject and arm depend on."""
        return recipes.drawn(self.plan, self.cells[subject, arm])

    def pipeline(self, subject: str, arm: str) -> DiffusionPipeline:
        """The personalized model of a subject and arm, from the store or, where it is not kept, trained again."""
        wanted = recipes.learnt(self.plan, self.cells[subject, arm])
        pipe = self.workshop.pipeline(wanted)
        self.workshop.forget(wanted)
        return pipe

    def trained(self, subject: str, arm: str) -> Path:
        """The folder of the weights that a subject's and arm's method trained, with its `TrainingLog`."""
        wanted = recipes.trained(self.plan, self.cells[subject, arm])
        return self.workshop.trained(wanted)


def run_study(plan: Plan, runs: Runs, *, progress: bool = True) -> Study:
    """Make what is missing of a plan, and read all of it.

    Everything is checked before anything is trained: encoders, subjects, captions and prompts before a model is loaded,
    the lengths of texts as soon as it is. ValueError says what is wrong.
    """
    check_encoders(plan.profile.encoders)
    cells = cells_of(plan, subjects_of(plan, runs))
    workshop = Workshop(runs, Models(plan.profile, _texts(plan, cells)))
    if progress:
        print(plan, file=sys.stderr)  # where the bars are, so that it is seen before the work and not after it
    folders, frames, drifts = {}, [], []
    for names, cell in tqdm(cells.items(), "subjects and arms", disable=not progress):
        pictures = workshop.pictures(recipes.drawn(plan, cell))
        measures = workshop.measures(recipes.measured(plan, cell, pictures), pictures)
        folders[names] = pictures
        frames.append(_labelled(measures, cell))
        drifts.append(_labelled(drift_of(plan, cell, workshop), cell))  # while its model is there
    return Study(plan, cells, folders, _joined(frames), _joined(drifts), workshop)


def _texts(plan: Plan, cells: Mapping[tuple[str, str], Cell]) -> list[str]:
    """All that the model will read, with the identifier. ValueError where that has another meaning in it."""
    texts = []
    for cell in cells.values():
        where = f"profile {plan.profile.name}"
        check_free(plan.profile.identifier, cell.subject.class_word, cell.texts(), where)
        texts += [insert(text, plan.profile.identifier) for text in cell.texts()]
    return texts


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All rows of the frames that have any."""
    return pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True)


def _labelled(measures: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    arm = cell.arm
    return measures.assign(subject=cell.subject.name, arm=arm.name, method=arm.method, case=arm.case)


def subjects_of(plan: Plan, runs: Runs) -> dict[str, Subject]:
    """The subjects of a plan by name: read from their folders, or rendered into the store."""
    subjects = [_subject(plan, wanted, runs) for wanted in plan.subjects]
    return {subject.name: subject for subject in subjects}


def _subject(plan: Plan, wanted: Stickers | Path, runs: Runs) -> Subject:
    if isinstance(wanted, Path):
        benchmark = benchmark_of(wanted)
        if benchmark and not (wanted / CAPTIONS).is_file():
            return benchmark.subject(wanted.name)  # with the usual captions, which every model has room for
        subject = load_subject(wanted)
        check_lengths(wanted, plan.profile)
        return subject
    return sticker_subject(recipes.rendered(plan, wanted), runs)
