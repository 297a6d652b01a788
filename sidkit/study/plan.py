"""What a study runs: subjects, cases, prompts and pictures, as one frozen plan that can tell its cost beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sidkit.config import Profile, Training, check_name, load_profile
from sidkit.stickers.factors import subject_classes
from sidkit.subjects import WRITTEN_CASES

METHOD = "dreambooth"
KINDS = 4  # of prompts that a sticker subject has: a new place, nearby thing, worn thing, property

# Seconds on two CPU cores in Sticker World, of the first run; measured, for the estimate only.
SECONDS_A_STEP, SECONDS_A_PICTURE, SECONDS_TO_START = 0.12, 0.25, 30


@dataclass(frozen=True)
class Stickers:
    """A sticker subject to be made: a class, whose held-out drawing it is, and what its references share."""

    subject_class: str
    bias: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.subject_class}-{'+'.join(self.bias)}"


@dataclass(frozen=True)
class Scale:
    """How much is run. `steps` of 0 are the profile's."""

    subjects: int
    cases: tuple[int, ...] = WRITTEN_CASES
    references: int = 4
    prompts: int = 1  # of each kind
    pictures: int = 2  # for each prompt
    steps: int = 0  # of the optimizer
    sampling_steps: int = 0


SCALES = {
    "smoke": Scale(subjects=1, cases=(1, 3), references=2, pictures=1, steps=2, sampling_steps=2),
    "quick": Scale(subjects=3),
    "full": Scale(subjects=12, prompts=2, pictures=4),
}

# Each class with two of the three biases, so that every three subjects hold each pair of them once.
PAIRS = (("background", "nearby"), ("nearby", "tied"), ("background", "tied"))
CLASSES = (
    *("dog", "robot", "guitar", "cat", "penguin", "car"),
    *("elephant", "backpack", "owl", "rocket", "pig", "camera"),
)


@dataclass(frozen=True)
class Plan:
    """Everything that shapes a study. `prompts` are texts with `[v]` that replace a subject's own."""

    profile: Profile
    subjects: tuple[Stickers | Path, ...]
    cases: tuple[int, ...]
    references: int
    prompts_each: int
    pictures: int
    seed: int
    prompts: tuple[str, ...] = ()

    @property
    def training(self) -> Training:
        """How each subject is personalized."""
        return self.profile.training[METHOD]

    @property
    def runs(self) -> int:
        """How many times a model is personalized."""
        return len(self.subjects) * len(self.cases)

    @property
    def pictures_total(self) -> int:
        """How many pictures are drawn and measured."""
        prompts = len(self.prompts) or KINDS * self.prompts_each
        return self.runs * prompts * self.pictures

    def __str__(self) -> str:
        parts = f"{_many(len(self.subjects), 'subject')} x {_many(len(self.cases), 'case')}"
        work = f"{_many(self.runs, 'personalization')} of {_many(self.training.steps, 'step')}"
        drawn = _many(self.pictures_total, "picture")
        return f"{parts}: {work}, then {drawn}; {self._time()}, less whatever is in the store already"

    def _time(self) -> str:
        if not self.profile.pipeline.startswith("embedded:"):
            return "how long that takes is known after the first of them"
        seconds = SECONDS_A_STEP * self.training.steps * self.runs + SECONDS_A_PICTURE * self.pictures_total
        return f"about {_many(max(1, round((seconds + SECONDS_TO_START) / 60)), 'minute')} on two CPU cores"


def make_plan(
    scale: str,
    *,
    profile: str = "stickers",
    subjects: Sequence[str] = (),
    cases: Sequence[int] = (),
    prompts: Sequence[str] = (),
    references: int = 0,
    steps: int = 0,
    pictures: int = 0,
    seed: int = 0,
) -> Plan:
    """The plan of a scale, in which whatever is given here takes the place of the scale's own.

    A subject is a class of Sticker World ("dog"), a class with what its references share ("dog-nearby+tied"), or a
    folder (`sidkit.subjects`). Raises ValueError for anything unknown, with the nearest known name.
    """
    size = SCALES[check_name("scale", scale, SCALES)]
    world = load_profile(profile)
    if METHOD not in world.training:
        raise ValueError(f"profile {world.name}: expected settings for training {METHOD}, found {list(world.training)}")
    return Plan(
        _adjusted(world, steps or size.steps, size.sampling_steps),
        tuple(_subject(name, index) for index, name in enumerate(subjects or CLASSES[: size.subjects])),
        tuple(int(check_name("case", str(case), map(str, WRITTEN_CASES))) for case in cases or size.cases),
        _positive("references", references or size.references),
        size.prompts,
        _positive("pictures", pictures or size.pictures),
        seed,
        tuple(prompts),
    )


def _adjusted(profile: Profile, steps: int, sampling_steps: int) -> Profile:
    training, sampling = profile.training[METHOD], profile.sampling
    if steps:
        training = replace(training, steps=_positive("steps", steps))
    if sampling_steps:
        sampling = replace(sampling, steps=sampling_steps)
    return replace(profile, training={**profile.training, METHOD: training}, sampling=sampling)


def _subject(name: str, index: int) -> Stickers | Path:
    """A name means a folder if there is one, otherwise a class of Sticker World."""
    if Path(name).is_dir() or "/" in name:
        return Path(name)
    subject_class, _, bias = name.partition("-")
    shared = tuple(bias.split("+")) if bias else PAIRS[index % len(PAIRS)]
    return Stickers(check_name("subject", subject_class, subject_classes()), shared)


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{name}: expected at least 1 (or 0 for the scale's own), got {value}")
    return value


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
