"""How much memory each way of saving it saves, for several profiles: a table of the book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sidkit.config import Profile
from sidkit.doctor.needs import training_memory
from sidkit.doctor.units import GB

# Each column has what the ones before it have, and one thing more.
STEPS: dict[str, dict[str, Any]] = {
    "everything fp32": {"precision": "fp32", "unload": False, "gradient_checkpointing": False},
    "half precision": {"precision": "bf16"},
    "+ unload": {"unload": True},
    "+ gradient checkpointing": {"gradient_checkpointing": True},
    "+ 8-bit moments": {"optimizer": "adamw8bit"},
}


def memory_table(profiles: Sequence[Profile], method: str = "dreambooth") -> list[dict[str, str]]:
    """A row a profile, a column a way; the memory that training takes at its peak, in GB."""
    return [_row(profile, method) for profile in profiles]


def _row(profile: Profile, method: str) -> dict[str, str]:
    row, settings = {"profile": profile.name}, {}
    for column, change in STEPS.items():
        settings |= change
        training = replace(profile.training[method], **settings)
        held = replace(profile.memory, weights=settings["precision"])
        changed = replace(profile, memory=held, training={method: training})
        row[column] = f"{training_memory(changed, method).total / GB:.0f}"
    return row
