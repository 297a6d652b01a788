"""What a study runs: subjects, arms, prompts and pictures, as one frozen plan that can tell its cost beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sidkit import dreambench
from sidkit.captions import WRITTEN_CASES
from sidkit.config import Profile, Sampling, Training, check_name, load_profile
from sidkit.describe.cases import CASE_NAMES
from sidkit.encoder_methods import ENCODER_NAMES, encoder_of
from sidkit.inflection import counted
from sidkit.stickers.factors import subject_classes
from sidkit.subjects import Subject
from sidkit.worlds import world_of

METHOD = "dreambooth"
BENCHMARK = Path(dreambench.FOLDER)
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
class Arm:
    """One way of treating every subject: what differs between the columns of a figure."""

    name: str  # unique in a plan; said in tables and figures
    captions: int | Callable[[Subject], Sequence[str]] = 1  # a description case, or the captions of a subject's images
    method: str = METHOD  # of `sidkit.personalization.methods.METHODS`, or "encoder:NAME" of `sidkit.encoder_methods`
    training: Mapping[str, Any] = field(default_factory=dict)  # over the profile's settings of the method
    sampling: Mapping[str, Any] = field(default_factory=dict)  # over the profile's
    negative: Callable[[Subject], str] | None = None  # a negative prompt for a subject
    segment: Literal["", "references", "loss"] = ""  # masks cut the references, or the loss, to the subject
    masks: Callable[[Subject], Sequence[np.ndarray]] | None = None  # that cut; None: the given ones
    references: int = 0  # how many of a subject's images are learnt from; 0: all

    @property
    def case(self) -> int | None:
        """The description case, where the captions are of one."""
        return self.captions if isinstance(self.captions, int) else None

    @property
    def encoder(self) -> str:
        """The name of the encoder method, which looks at the first image alone and trains nothing; "" otherwise."""
        return encoder_of(self.method)


def _arms_of(cases: Sequence[int]) -> tuple[Arm, ...]:
    """An arm a description case, all else being equal."""
    return tuple(Arm(CASE_NAMES[case], case) for case in cases)


@dataclass(frozen=True)
class Scale:
    """How large a study is, whoever appears in it (`sidkit.chapters.cast`). `steps` of 0 are the profile's."""

    references: int = 4
    prompts: int = 1  # of each kind
    pictures: int = 2  # for each prompt
    steps: int = 0  # of the optimizer
    sampling_steps: int = 0


SCALES = {
    "smoke": Scale(references=2, pictures=1, steps=2, sampling_steps=2),
    "quick": Scale(),
    "full": Scale(pictures=4),
}

# What a class shares that is named without it: in turn two of the three biases, so that three subjects hold each pair.
PAIRS = (("background", "nearby"), ("nearby", "tied"), ("background", "tied"))


@dataclass(frozen=True)
class Plan:
    """Everything that shapes a study. `prompts` are texts with `[v]` that replace a subject's own."""

    profile: Profile
    subjects: tuple[Stickers | Path, ...]
    arms: tuple[Arm, ...]
    references: int
    prompts_each: int
    pictures: int
    seed: int
    prompts: tuple[str, ...] = ()
    held_out: int = 0  # of a subject's images the last, which are not learnt from; pictures are measured against them
    unrelated: int = 0  # prompts without the subject, by which drift is measured (`sidkit.study.drift`); 0: it is not

    @property
    def training(self) -> Training:
        """How a subject is personalized where an arm does not say otherwise."""
        return self.profile.training[METHOD]

    @property
    def cases(self) -> tuple[int, ...]:
        """The description cases among the arms, in their order."""
        return tuple(dict.fromkeys(arm.case for arm in self.arms if arm.case))

    @property
    def trained(self) -> tuple[Arm, ...]:
        """The arms that train, without those that only draw in another way what an earlier one has trained."""
        arm_by_training: dict[str, Arm] = {}
        for arm in self.arms:
            if arm.encoder:
                continue
            training = (arm.captions, arm.method, self.training_of(arm), arm.segment, arm.masks, arm.references)
            arm_by_training.setdefault(str(training), arm)
        return tuple(arm_by_training.values())

    @property
    def runs(self) -> int:
        """How many times a model is personalized."""
        return len(self.subjects) * len(self.trained)

    def training_of(self, arm: Arm) -> Training:
        """The profile's settings of the arm's method, with the arm's own over them; of an encoder only the precision
        counts, and is the usual method's."""
        return replace(self.profile.training[METHOD if arm.encoder else arm.method], **arm.training)

    def sampling_of(self, arm: Arm, subject: Subject) -> Sampling:
        """The profile's settings, with the arm's own and its negative prompt over them."""
        sampling = replace(self.profile.sampling, **arm.sampling)
        if arm.negative is None:
            return sampling
        return replace(sampling, negative_prompt=arm.negative(subject))

    @property
    def pictures_total(self) -> int:
        """How many pictures are drawn and measured."""
        prompts = sum(len(self.prompts) or self._prompts_for(subject) for subject in self.subjects)
        return len(self.arms) * prompts * self.pictures

    def _prompts_for(self, subject: Stickers | Path) -> int:
        """How many are made for a subject; DreamBench has its own."""
        is_of_benchmark = isinstance(subject, Path) and (subject.parent / dreambench.LIST).is_file()
        return dreambench.PROMPTS if is_of_benchmark else KINDS * self.prompts_each

    @property
    def drawn_total(self) -> int:
        """How many pictures are drawn: those, and for drift those of the trained models and of the base model."""
        return self.pictures_total + (self.runs + len(self.subjects)) * self.unrelated * self.pictures

    def __str__(self) -> str:
        arms_are_cases = len(self.cases) == len(self.arms)
        subjects = counted(len(self.subjects), "subject")
        arms = counted(len(self.arms), "case" if arms_are_cases else "arm")
        trainings = counted(self.runs, "personalization")
        pictures = counted(self.pictures_total, "picture")
        return (
            f"{subjects} x {arms}: {trainings} of {self._length()}, then {pictures}; {self._time()}, "
            "less whatever is in the store already"
        )

    def _length(self) -> str:
        """How many steps a training has."""
        steps = sorted({self.training_of(arm).steps for arm in self.trained} or {0})
        if len(steps) == 1:
            return counted(steps[0], "step")
        return f"{steps[0]} to {steps[-1]} steps"

    def _time(self) -> str:
        if world_of(self.profile).needs_gpu:
            return "how long that takes is known after the first of them"
        steps = len(self.subjects) * sum(self.training_of(arm).steps for arm in self.trained)
        seconds = SECONDS_TO_START + SECONDS_A_STEP * steps + SECONDS_A_PICTURE * self.drawn_total
        minutes = max(1, round(seconds / 60))
        return f"about {counted(minutes, 'minute')} on two CPU cores"


def make_plan(
    scale: str,
    *,
    subjects: Sequence[str],
    profile: str = "stickers",
    cases: Sequence[int] = WRITTEN_CASES,
    arms: Sequence[Arm] = (),
    prompts: Sequence[str] = (),
    references: int = 0,
    held_out: int = 0,
    steps: int = 0,
    pictures: int = 0,
    unrelated: int = 0,
    seed: int = 0,
) -> Plan:
    """The plan of a scale, in which whatever is given here takes the place of the scale's own.

    A subject is a class of Sticker World ("dog"), a class with what its references share ("dog-nearby+tied"), or a
    folder (`sidkit.subjects`). `arms` take the place of `cases`, each of which is an arm of its own. `steps` holds for
    every method. `held_out` images come beside a sticker subject's `references`; of a folder they are the last.
    Raises ValueError for anything unknown, with the nearest known name.
    """
    size = SCALES[check_name("scale", scale, SCALES)]
    if held_out < 0:
        raise ValueError(f"held_out: expected 0 or more images that are not learned from, got {held_out}")
    world = load_profile(profile)
    _check_settings(world, METHOD)
    if not subjects:
        raise ValueError("subjects: expected at least one class of Sticker World or folder, got none")
    return Plan(
        profile=_adjusted(world, steps or size.steps, size.sampling_steps),
        subjects=tuple(_subject(name, index) for index, name in enumerate(subjects)),
        arms=_checked(arms, world) if arms else _arms_of([_case(case) for case in cases]),
        references=_positive("references", references or size.references),
        prompts_each=size.prompts,
        pictures=_positive("pictures", pictures or size.pictures),
        seed=seed,
        prompts=tuple(prompts),
        held_out=held_out,
        unrelated=unrelated,
    )


def _case(case: int) -> int:
    return int(check_name("case", str(case), map(str, WRITTEN_CASES)))


def _checked(arms: Sequence[Arm], profile: Profile) -> tuple[Arm, ...]:
    """The arms, if their names differ and the profile has settings for their methods."""
    names = [arm.name for arm in arms]
    if len(set(names)) < len(names):
        raise ValueError(f"arms: expected a name for each, got one twice in {names}")
    for arm in arms:
        if arm.encoder:
            check_name("encoder", arm.encoder, ENCODER_NAMES)
        else:
            _check_settings(profile, arm.method)
    return tuple(arms)


def _check_settings(profile: Profile, method: str) -> None:
    """Raise ValueError for a method that the profile does not say how to train."""
    try:
        check_name("method", method, profile.training)
    except ValueError as error:
        settings = f"{method}: {{steps: 400, learning_rate: 1.0e-4}}"
        add = f"for a method of your own, say under training of the profile what suits it, such as {settings}"
        raise ValueError(f"profile {profile.name}: {error}; {add}") from error


def _adjusted(profile: Profile, steps: int, sampling_steps: int) -> Profile:
    training, sampling = profile.training, profile.sampling
    if steps:
        training = {method: replace(settings, steps=_positive("steps", steps)) for method, settings in training.items()}
    if sampling_steps:
        sampling = replace(sampling, steps=sampling_steps)
    return replace(profile, training=training, sampling=sampling)


def _subject(name: str, index: int) -> Stickers | Path:
    """A name means a folder if there is one, otherwise a subject of DreamBench or a class of Sticker World."""
    if name.startswith(f"{BENCHMARK.name}/") and not Path(name).is_dir():
        return BENCHMARK.parent / name
    if Path(name).is_dir() or "/" in name:
        return Path(name)
    subject_class, _, bias = name.partition("-")
    shared = tuple(bias.split("+")) if bias else PAIRS[index % len(PAIRS)]
    return Stickers(check_name("subject", subject_class, subject_classes()), shared)


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{name}: expected at least 1 (or 0 for the scale's own), got {value}")
    return value
