"""A study is run: what is missing is made, the rest is read.

A piece that is in the store is not made again, whichever notebook asks for it; a study that was stopped goes on with
the first piece that is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from PIL import Image
from tqdm import tqdm

from sidkit import torchvision_ops  # noqa: F401  (before diffusers)
from sidkit.describe.cases import describe
from sidkit.describe.text import check_mark, insert
from sidkit.generate import prompt_list
from sidkit.runs import Runs
from sidkit.study.models import Models
from sidkit.study.pieces import Workshop, file_name, sticker_subject
from sidkit.study.plan import Plan, Stickers
from sidkit.subjects import Prompt, Subject, load_subject


@dataclass(frozen=True)
class Study:
    """What came out. `frame` has a row a picture: subject, case, prompt, kind, seed, and the measures."""

    plan: Plan
    subjects: dict[str, Subject]
    prompts: dict[str, tuple[Prompt, ...]]
    folders: dict[tuple[str, int], Path]  # of the pictures of a subject and case
    frame: pd.DataFrame

    def picture(self, subject: str, case: int, prompt: int, picture: int = 0) -> Image.Image:
        """One picture; prompts and the pictures of a prompt are counted from 0."""
        return Image.open(self.folders[subject, case] / file_name(prompt, picture))

    def grid(self, subject: str, prompts: Sequence[int], picture: int = 0) -> list[list[Image.Image]]:
        """A row a prompt, a column a case; the pictures of a row start from the same noise."""
        return [[self.picture(subject, case, prompt, picture) for case in self.plan.cases] for prompt in prompts]


def run_study(plan: Plan, runs: Runs, *, progress: bool = True) -> Study:
    """Make what is missing of a plan, and read all of it.

    Everything is checked before anything is trained: subjects, captions and prompts before a model is loaded, the
    lengths of texts as soon as it is. ValueError says what is wrong.
    """
    subjects = {subject.name: subject for subject in (_subject(wanted, plan, runs) for wanted in plan.subjects)}
    asked = {name: _prompts(subject, plan) for name, subject in subjects.items()}
    captions = {(name, case): describe(subject, case) for name, subject in subjects.items() for case in plan.cases}
    workshop = Workshop(plan, runs, Models(plan.profile, _read_by_the_model(plan, captions, asked)))
    if progress:
        print(plan, file=sys.stderr)  # where the bars are, so that it is seen before the work and not after it
    folders, frames = {}, []
    for (name, case), texts in tqdm(captions.items(), "subjects and cases", disable=not progress):
        folders[name, case] = workshop.pictures(subjects[name], texts, asked[name])
        frame = workshop.measures(subjects[name], folders[name, case], asked[name])
        frames.append(frame.assign(subject=name, case=case))
    return Study(plan, subjects, asked, folders, pd.concat(frames, ignore_index=True))


def _subject(wanted: Stickers | Path, plan: Plan, runs: Runs) -> Subject:
    if isinstance(wanted, Path):
        return load_subject(wanted, identifier=plan.profile.identifier)
    return sticker_subject(wanted, plan, runs)


def _prompts(subject: Subject, plan: Plan) -> tuple[Prompt, ...]:
    if plan.prompts:
        return tuple(Prompt(check_mark(text, "prompt"), "given", {}) for text in plan.prompts)
    return tuple(prompt_list(subject, plan.prompts_each, seed=plan.seed))


def _read_by_the_model(plan: Plan, captions: dict, asked: dict) -> list[str]:
    """Every caption and prompt, as the model will read it."""
    texts = [text for told in captions.values() for text in told]
    texts += [prompt.text for wanted in asked.values() for prompt in wanted]
    return [insert(text, plan.profile.identifier) for text in texts]
