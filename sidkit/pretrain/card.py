"""Model cards: what a shipped model is, how it was trained, and where its scores stand."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from sidkit.files import write_json, write_text

CARD = """---
license: mit
library_name: {library}
tags: [sidkit, sticker-world]
---

# Sticker World: {part}

{what}

| | |
| --- | --- |
| training data | {scenes:,} rendered scenes of Sticker World, without the held-out designs |
| steps, samples | {steps:,}, {samples:,} |
| time in the training loop | {minutes:.0f} minutes |
| hardware | {hardware} |
| seed | {seed} |
| parameters | {parameters:,} |
| last plan | {plan} |

Written by `sidkit stickers pretrain {part}`. Scores: `sidkit stickers evaluate`.
Not for anything but teaching and testing: it knows nothing but stickers.
"""


def write_card(folder: Path, part: str, library: str, what: str, scenes: int, parameters: int, record: dict) -> None:
    """Write README.md and `training.json` beside the weights."""
    numbers = {
        "steps": record["steps"],
        "samples": record["samples"],
        "minutes": record["seconds"] / 60,
        "seed": record["plan"]["seed"],
    }
    plan = ", ".join(f"{key} {value}" for key, value in record["plan"].items())
    text = CARD.format(
        part=part,
        library=library,
        what=what,
        scenes=scenes,
        parameters=parameters,
        plan=plan,
        hardware=_hardware(record),
        **numbers,
    )
    write_text(folder / "README.md", text)
    write_json(folder / "training.json", record)


def _hardware(record: dict) -> str:
    if record["plan"]["device"].startswith("cuda"):
        return torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"{threads} CPU thread{'s' if threads > 1 else ''}, {platform.machine()}"
