"""What a run will need and what is missing, said before anything starts. Nothing is downloaded, nothing is trained."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from sidkit import hub
from sidkit.config import Profile, Training, locate, shipped
from sidkit.doctor import needs
from sidkit.doctor.architectures import empty_pipeline
from sidkit.study.plan import Plan
from sidkit.worlds import world_of

GB = 1e9
# Bytes of the models that look, as published: their number of parameters times 4.
LOOKERS = {
    "ViT-B-32/openai": 4 * 151_277_313,
    "vit_small_patch16_224.dino": 4 * 21_665_664,
    "IDEA-Research/grounding-dino-tiny": 4 * 172_249_090,
    "facebook/sam-vit-base": 4 * 93_735_472,
}


@dataclass(frozen=True)
class Report:
    """Rows of (what, how much), and what is missing, each with what to do."""

    rows: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]

    def __str__(self) -> str:
        width = max(len(what) for what, _ in self.rows)
        lines = [f"{what:<{width}}  {told}" for what, told in self.rows]
        return "\n".join([*lines, *(f"missing: {one}" for one in self.missing)] if self.missing else [*lines, "ready"])


def examine(profile: Profile, plans: Sequence[Plan] = (), *, store: Path = Path("runs")) -> Report:
    """What a profile needs: downloads, memory and time of each method, and of `plans` altogether; what is missing.

    Raises ValueError where the profile's pipeline cannot be counted without its weights, with what to do.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    precision = _precision(profile, device)
    speed = needs.matrix_speed(device, precision)
    free = torch.cuda.mem_get_info()[0] if device == "cuda" else _main_memory()
    rows = [("device", f"{_device_name(device)}, {speed / 1e12:.3g} TFLOP/s in {precision}, {_gb(free)} free")]
    rows += [("download", _downloads(profile)), ("API", "no money: nothing but `sidkit describe` asks a paid service")]
    short = []
    for method in profile.training:
        memory = needs.training_memory(profile, method)
        rows.append((method, f"{_gb(memory.total)} of memory, {_duration(_training_seconds(profile, method, speed))}"))
        if memory.total > free:
            short.append(f"{_gb(memory.total)} of memory for {method}, {_gb(free)} free; {_smaller(profile, method)}")
    rows.append(("picture", _duration(needs.picture_seconds(profile, speed))))
    rows += _of_plans(plans, speed) if plans else []
    rows.append(("disk", f"{_gb(shutil.disk_usage(_existing(store)).free)} free at {store}"))
    return Report(tuple(rows), (*short, *_missing(profile, device)))


def memory_table(profiles: Sequence[Profile], method: str = "dreambooth") -> list[dict[str, str]]:
    """Memory of a method in each profile: as it is, and with what saves it. Rows of a table, GB."""
    options = {
        "everything fp32": {"precision": "fp32", "unload": False, "gradient_checkpointing": False},
        "half precision": {"precision": "bf16", "unload": False, "gradient_checkpointing": False},
        "+ unload": {"unload": True, "precision": "bf16", "gradient_checkpointing": False},
        "+ gradient checkpointing": {"unload": True, "precision": "bf16", "gradient_checkpointing": True},
        "+ 8-bit moments": {
            "unload": True, "precision": "bf16", "gradient_checkpointing": True, "optimizer": "adamw8bit",
        },
    }  # fmt: skip
    rows = []
    for profile in profiles:
        row = {"profile": profile.name}
        for told, changes in options.items():
            held = replace(profile.memory, weights=changes["precision"])
            changed = {method: replace(profile.training[method], **changes)}
            memory = needs.training_memory(replace(profile, memory=held, training=changed), method)
            row[told] = f"{memory.total / GB:.0f}"
        rows.append(row)
    return rows


def _training_seconds(profile: Profile, method: str, speed: float) -> float:
    training = profile.training[method]
    prior = training.prior_images * needs.picture_seconds(profile, speed)  # once for a class
    return training.steps * needs.step_seconds(profile, method, speed) + prior


def _of_plans(plans: Sequence[Plan], speed: float) -> list[tuple[str, str]]:
    """All plans together; those that stand under several names count once."""
    distinct = list({id(plan): plan for plan in plans}.values())
    seconds = sum(_plan_seconds(plan, speed) for plan in distinct)
    pictures = sum(plan.pictures_total for plan in distinct)
    trainings = sum(plan.runs for plan in distinct)
    # A PNG takes about half of its pixels' bytes.
    disk = sum(plan.pictures_total * 1.5 * plan.profile.resolution**2 for plan in distinct)
    work = f"{trainings} personalizations and {pictures} pictures"
    return [("plan", f"{work}: {_duration(seconds)}, {_gb(disk)} of disk")]


def _plan_seconds(plan: Plan, speed: float) -> float:
    """Of a plan's trainings, each by its own method and steps, and of its pictures."""
    per_picture = needs.picture_seconds(plan.profile, speed)
    seconds = plan.pictures_total * per_picture
    for arm in plan.trained:
        per_step = needs.step_seconds(plan.profile, arm.method, speed)
        seconds += len(plan.subjects) * plan.training_of(arm).steps * per_step
    return seconds


def _downloads(profile: Profile) -> str:
    """What is not on this machine yet."""
    wanted = {}
    if _is_to_be_downloaded(profile):
        count = needs.sizes(empty_pipeline(profile), *next(iter(profile.training.items())))
        wanted[profile.pipeline] = (count.unet + count.vae + count.text) * (2 if profile.variant == "fp16" else 4)
    lookers = [profile.encoders.image_text, profile.encoders.identity]
    lookers += [profile.masks.detector, profile.masks.segmenter] if profile.masks else []
    wanted |= {name: LOOKERS.get(name) for name in lookers if not shipped(name) and not Path(name).exists()}
    told = ", ".join(f"{name} {_gb(size) if size else 'of unknown size'}" for name, size in wanted.items())
    return f"{told} (less what is in the cache already)" if told else "nothing"


def _missing(profile: Profile, device: str) -> list[str]:
    trainings = profile.training.values()
    half = any(one.precision == "bf16" for one in trainings)
    eight = any(one.optimizer == "adamw8bit" for one in trainings)
    lacks = {
        "a GPU: none is seen by torch; on a CPU this profile takes days": device == "cpu"
        and world_of(profile).needs_gpu,
        "bf16: this card has none; set precision and memory.weights to fp16 (not for XL)": (
            half and device == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
        ),
        "the package bitsandbytes for adamw8bit; pip install bitsandbytes": (
            eight and importlib.util.find_spec("bitsandbytes") is None
        ),
        f"{profile.pipeline}: not in the cache, and HF_HUB_OFFLINE is set": (
            bool(os.environ.get("HF_HUB_OFFLINE")) and _is_to_be_downloaded(profile)
        ),
    }
    return [told for told, lacking in lacks.items() if lacking]


def _is_to_be_downloaded(profile: Profile) -> bool:
    here = Path(locate(profile.pipeline)).exists()
    return not here and hub.cached(profile.pipeline, "model_index.json", profile.revision) is None


def _smaller(profile: Profile, method: str) -> str:
    training: Training = profile.training[method]
    ways = {
        "gradient_checkpointing: true": not training.gradient_checkpointing,
        "optimizer: adamw8bit": training.optimizer == "adamw",
        "unload: true": not training.unload,
        "memory.weights: bf16": profile.memory.weights == "fp32",
    }
    open_ways = [way for way, is_open in ways.items() if is_open]
    return f"set {', '.join(open_ways)}" if open_ways else "choose a smaller model or a method that trains less"


def _precision(profile: Profile, device: str) -> str:
    first = next(iter(profile.training.values()), None)
    return first.precision if first and device == "cuda" else "fp32"


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"


def _main_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.resolve().parent)


def _gb(size: float) -> str:
    return f"{size / GB:.1f} GB"


def _duration(seconds: float) -> str:
    """A rough time in words, as rough as the estimate is."""
    if seconds < 90:
        return f"about {seconds:.2g} s"
    return f"about {seconds / 60:.2g} min" if seconds < 5400 else f"about {seconds / 3600:.2g} h"
