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
from diffusers import DiffusionPipeline
from PIL import Image
from tqdm import tqdm

from sidkit.describe.cases import captions_of_case
from sidkit.encoder_methods.encoders import ENCODERS, check_encoder
from sidkit.mark import check_mark, insert
from sidkit.model_cache import Models
from sidkit.runs import Runs
from sidkit.study.masks import masks_of
from sidkit.study.pieces import Workshop, file_name, sticker_subject
from sidkit.study.plan import Arm, Plan, Stickers
from sidkit.subjects import Prompt, Subject, load_subject
from sidkit.worlds import world_of_folder


@dataclass(frozen=True)
class Study:
    """What came out. `frame` has a row a picture: subject, arm, method, case, prompt, kind, seed, and the measures."""

    plan: Plan
    subjects: dict[str, Subject]
    prompts: dict[str, tuple[Prompt, ...]]
    folders: dict[tuple[str, str], Path]  # of the pictures of a subject and arm
    frame: pd.DataFrame
    workshop: Workshop

    def picture(self, subject: str, arm: str, prompt: int, picture: int = 0) -> Image.Image:
        """One picture; prompts and the pictures of a prompt are counted from 0."""
        return Image.open(self.folders[subject, arm] / file_name(prompt, picture)).convert("RGB")

    def grid(self, subject: str, prompts: Sequence[int], picture: int = 0) -> list[list[Image.Image]]:
        """A row a prompt, a column an arm; the pictures of a row start from the same noise."""
        return [[self.picture(subject, arm.name, prompt, picture) for arm in self.plan.arms] for prompt in prompts]

    def pipeline(self, subject: str, arm: str) -> DiffusionPipeline:
        """The personalized model of a subject and arm, from the store or, where it is not kept, trained again."""
        wanted = next(one for one in self.plan.arms if one.name == arm)
        return self.workshop.pipeline(self.subjects[subject], wanted, captions_of(self.subjects[subject], wanted))


def run_study(plan: Plan, runs: Runs, *, progress: bool = True) -> Study:
    """Make what is missing of a plan, and read all of it.

    Everything is checked before anything is trained: subjects, captions and prompts before a model is loaded, the
    lengths of texts as soon as it is. ValueError says what is wrong.
    """
    subjects = {subject.name: subject for subject in (_subject(wanted, plan, runs) for wanted in plan.subjects)}
    asked = {name: _prompts(subject, plan) for name, subject in subjects.items()}
    wanted = {(name, arm.name): (subject, arm) for name, subject in subjects.items() for arm in plan.arms}
    captions = {key: captions_of(*one) for key, one in wanted.items()}
    negatives = [_negative(plan, *one) for one in wanted.values()]
    texts = [text for told in captions.values() for text in told] + negatives
    texts += [prompt.text for told in asked.values() for prompt in told]
    read = [insert(text, plan.profile.identifier) for text in texts]  # by the model
    workshop = Workshop(plan, runs, Models(plan.profile, read))
    if progress:
        print(plan, file=sys.stderr)  # where the bars are, so that it is seen before the work and not after it
    folders, frames = {}, []
    for (name, arm_name), texts in tqdm(captions.items(), "subjects and arms", disable=not progress):
        subject, arm = wanted[name, arm_name]
        folders[name, arm_name] = workshop.pictures(subject, arm, texts, asked[name])
        frame = workshop.measures(subject, folders[name, arm_name], asked[name])
        frames.append(frame.assign(subject=name, arm=arm_name, method=arm.method, case=arm.case))
    return Study(plan, subjects, asked, folders, pd.concat(frames, ignore_index=True), workshop)


def captions_of(subject: Subject, arm: Arm) -> tuple[str, ...]:
    """The captions that an arm gives the images it learns from. ValueError where they are not one for each."""
    count = arm.references or len(subject.images)
    texts = tuple(captions_of_case(subject, arm.captions) if arm.case else arm.captions(subject))
    if len(texts) != len(subject.images) or count > len(texts):
        found = f"{len(texts)} captions and {len(subject.images)} images"
        raise ValueError(f"arm {arm.name}: expected a caption for each of at least {count} images, got {found}")
    return tuple(check_mark(text, f"arm {arm.name}") for text in texts[:count])


def _subject(wanted: Stickers | Path, plan: Plan, runs: Runs) -> Subject:
    if isinstance(wanted, Path):
        return load_subject(wanted, identifier=plan.profile.identifier)
    return sticker_subject(wanted, plan, runs)


def _prompts(subject: Subject, plan: Plan) -> tuple[Prompt, ...]:
    if plan.prompts:
        return tuple(Prompt(check_mark(text, "prompt"), "given", {}) for text in plan.prompts)
    return tuple(world_of_folder(subject.folder).prompts(subject, plan.prompts_each, seed=plan.seed))


def _negative(plan: Plan, subject: Subject, arm: Arm) -> str:
    """The arm's negative prompt, if it can be used; a missing mask or encoder is said here, too."""
    if arm.encoder:
        check_encoder(arm.encoder, plan.profile)
    if arm.segment or (arm.encoder and ENCODERS[arm.encoder].needs_mask):
        masks_of(subject, arm)
    sampling = plan.sampling_of(arm, subject)
    if sampling.negative_prompt and sampling.guidance == 1:
        raise ValueError(f"arm {arm.name}: expected guidance above 1, through which a negative prompt works, got 1")
    return sampling.negative_prompt
