"""What a run will need and what is missing, said before anything starts. Nothing is downloaded, nothing is trained."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidkit.config import Profile
from sidkit.doctor import needs
from sidkit.doctor.architectures import empty_pipeline
from sidkit.doctor.downloads import downloads, pipeline_is_to_come
from sidkit.doctor.machine import Machine, this_machine
from sidkit.doctor.units import duration, gigabytes
from sidkit.models import check_resolution
from sidkit.pipeline_files import check_complete, check_pipeline
from sidkit.study.plan import Plan
from sidkit.worlds import world_of

NO_MONEY = "no money: nothing but `sidkit describe` asks a paid service"
NO_GPU = "a GPU: none is seen by torch; on a CPU this profile takes days"
NO_BF16 = "bf16: this card has none; set precision and memory.weights to fp16"
NO_BITSANDBYTES = "the package bitsandbytes for adamw8bit; pip install bitsandbytes"

Row = tuple[str, str]


@dataclass(frozen=True)
class Report:
    """Rows of (what, how much), and what is missing, each with what to do."""

    rows: tuple[Row, ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        width = max(len(what) for what, _ in self.rows)
        lines = [f"{what:<{width}}  {amount}" for what, amount in self.rows]
        lines += [f"missing: {thing}" for thing in self.missing] or ["ready"]
        return "\n".join(lines)


def examine(profile: Profile, plans: Sequence[Plan] = (), *, store: Path = Path("runs")) -> Report:
    """What a profile needs: downloads, memory and time of each method, and of `plans` altogether; what is missing.

    Raises ValueError, with what to do, where the profile's pipeline is damaged or of another kind than is trained here,
    and where it cannot be counted without its weights.
    """
    check_pipeline(profile)
    empty = empty_pipeline(profile)
    check_complete(empty, profile)
    check_resolution(empty, profile.resolution)
    machine = this_machine(profile)
    memory_by_method = {method: needs.training_memory(profile, method).total for method in profile.training}
    rows = [
        ("device", str(machine)),
        ("download", downloads(profile)),
        ("API", NO_MONEY),
        *(_row_of_method(profile, method, memory, machine) for method, memory in memory_by_method.items()),
        ("picture", duration(needs.picture_seconds(profile, machine.speed))),
    ]
    if plans:
        rows.append(("plan", _work(plans, machine)))
    free = shutil.disk_usage(_existing(store)).free
    rows.append(("disk", f"{gigabytes(free)} free at {store}"))
    short = [
        f"{gigabytes(memory)} of memory for {method}, {gigabytes(machine.free)} free; {_smaller(profile, method)}"
        for method, memory in memory_by_method.items()
        if memory > machine.free
    ]
    return Report(tuple(rows), (*short, *_missing(profile, machine)))


def _row_of_method(profile: Profile, method: str, memory: float, machine: Machine) -> Row:
    """What one personalization needs, the class pictures that it may need included."""
    training = profile.training[method]
    prior = training.prior_images * needs.picture_seconds(profile, machine.speed)
    seconds = training.steps * needs.step_seconds(profile, method, machine.speed) + prior
    return method, f"{gigabytes(memory)} of memory, {duration(seconds)}"


def _work(plans: Sequence[Plan], machine: Machine) -> str:
    """All plans together; those that stand under several names count once."""
    distinct = list({id(plan): plan for plan in plans}.values())
    trainings = sum(plan.runs for plan in distinct)
    pictures = sum(plan.drawn_total for plan in distinct)
    seconds = sum(_plan_seconds(plan, machine.speed) for plan in distinct)
    # A PNG takes about half of its pixels' bytes.
    disk = sum(plan.drawn_total * 1.5 * plan.profile.resolution**2 for plan in distinct)
    return f"{trainings} personalizations and {pictures} pictures: {duration(seconds)}, {gigabytes(disk)} of disk"


def _plan_seconds(plan: Plan, speed: float) -> float:
    """Of a plan's trainings, each by its own method and steps, and of its pictures."""
    seconds = plan.drawn_total * needs.picture_seconds(plan.profile, speed)
    for arm in plan.trained:
        steps = len(plan.subjects) * plan.training_of(arm).steps
        seconds += steps * needs.step_seconds(plan.profile, arm.method, speed)
    return seconds


def _missing(profile: Profile, machine: Machine) -> Iterator[str]:
    """What stands in the way, each with what to do, but for memory."""
    trainings = profile.training.values()
    if machine.device == "cpu" and world_of(profile).needs_gpu:
        yield NO_GPU
    if machine.lacks_bf16 and any(training.precision == "bf16" for training in trainings):
        yield NO_BF16
    in_8_bits = any(training.optimizer == "adamw8bit" for training in trainings)
    if in_8_bits and importlib.util.find_spec("bitsandbytes") is None:
        yield NO_BITSANDBYTES
    if os.environ.get("HF_HUB_OFFLINE") and pipeline_is_to_come(profile):
        yield f"{profile.pipeline}: not in the cache, and HF_HUB_OFFLINE is set"


def _smaller(profile: Profile, method: str) -> str:
    """What in the profile would take less memory."""
    training = profile.training[method]
    is_open = {
        "gradient_checkpointing: true": not training.gradient_checkpointing,
        "optimizer: adamw8bit": training.optimizer == "adamw",
        "unload: true": not training.unload,
        "memory.weights: bf16": profile.memory.weights == "fp32",
    }
    ways = [way for way, still_open in is_open.items() if still_open]
    return f"set {', '.join(ways)}" if ways else "choose a smaller model or a method that trains less"


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return folder if folder.exists() else _existing(folder.resolve().parent)
