"""The cells of a study: each subject with each arm, and all that is said to the model, checked before it is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sidkit.config import Sampling
from sidkit.describe.cases import captions_of_case
from sidkit.encoder_methods.registry import check_encoder
from sidkit.mark import check_mark
from sidkit.study.masks import masks_of
from sidkit.study.plan import Arm, Plan
from sidkit.subjects import Prompt, Subject
from sidkit.worlds import world_of_folder


@dataclass(frozen=True)
class Cell:
    """A subject and the arm that treats it: a row and a column of a study."""

    subject: Subject
    arm: Arm
    captions: tuple[str, ...]  # with `[v]`, one for each image that is learnt from
    prompts: tuple[Prompt, ...]
    sampling: Sampling  # with the arm's negative prompt

    def texts(self) -> Iterator[str]:
        """All that the model will read, with `[v]`."""
        yield from self.captions
        yield from (prompt.text for prompt in self.prompts)
        yield self.sampling.negative_prompt


def cells_of(plan: Plan, subjects: Mapping[str, Subject]) -> dict[tuple[str, str], Cell]:
    """The cells by the names of subject and arm. ValueError for whatever cannot be run, with what to do."""
    cells = {}
    for name, subject in subjects.items():
        prompts = prompts_of(plan, subject)
        for arm in plan.arms:
            _check_help(plan, subject, arm)
            captions = captions_of(subject, arm, plan.held_out)
            cells[name, arm.name] = Cell(subject, arm, captions, prompts, _sampling(plan, subject, arm))
    return cells


def captions_of(subject: Subject, arm: Arm, held_out: int = 0) -> tuple[str, ...]:
    """The captions that an arm gives the images it learns from, of which none is among the last `held_out`.

    ValueError where they are not one for each, and where no image is left.
    """
    texts = captions_of_case(subject, arm.captions) if arm.case else arm.captions(subject)
    images = len(subject.images)
    if held_out >= images:
        left = f"held_out: expected fewer than the {images} images of subject {subject.name}, got {held_out}"
        raise ValueError(f"{left}; what is held out is not learned from")
    count = arm.references or images - held_out
    if len(texts) != images or count > images - held_out:
        found = f"{len(texts)} captions and {images} images" + (f", {held_out} held out" if held_out else "")
        raise ValueError(f"arm {arm.name}: expected a caption for each of at least {count} images, got {found}")
    return tuple(check_mark(text, f"arm {arm.name}") for text in texts[:count])


def prompts_of(plan: Plan, subject: Subject) -> tuple[Prompt, ...]:
    """The plan's own prompts, otherwise those of the subject's world. ValueError for one without `[v]`."""
    if plan.prompts:
        return tuple(Prompt(check_mark(text, "prompt"), "given", {}) for text in plan.prompts)
    world = world_of_folder(subject.folder)
    return tuple(world.prompts(subject, plan.prompts_each, seed=plan.seed))


def _check_help(plan: Plan, subject: Subject, arm: Arm) -> None:
    """Raise ValueError where an encoder cannot be used, and where a mask is missing."""
    if arm.encoder:
        check_encoder(arm.encoder, plan.profile)
    masks_of(subject, arm)


def _sampling(plan: Plan, subject: Subject, arm: Arm) -> Sampling:
    sampling = plan.sampling_of(arm, subject)
    if sampling.negative_prompt and sampling.guidance == 1:
        raise ValueError(f"arm {arm.name}: expected guidance above 1, through which a negative prompt works, got 1")
    return sampling
