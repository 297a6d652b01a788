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

# part -> the library that loads it, and what it is
MODELS = {
    "autoencoder": ("diffusers", "Pictures of 64 x 64 px to latents of 8 x 16 x 16 and back."),
    "latent_reader": ("torch", "A picture's latents to the factors of its scene."),
    "text_to_image": ("diffusers", "A small Stable Diffusion: captions to pictures of 64 x 64 px."),
    "reader": (
        "timm",
        "A picture to the factors of its scene, one head a factor. Half of the scenes show drawings of other sets. "
        "Halfway between the weights shipped before and those trained.",
    ),
    "image_text": ("open_clip", "A small CLIP: pictures and captions in one space."),
    "identity": ("timm", "A picture to a unit vector that says which subject it shows."),
    "captioner": (
        "transformers",
        "Describes a scene as an instruction asks: closely or briefly, and leaving the subject or the style out.",
    ),
    "subject_encoder": (
        "torch",
        "A picture's subject, cut out along its mask, to the embedding of one word; with the reader's eyes.",
    ),
    "segmenter": (
        "torch",
        "A picture to its subject's pixels, without what it wears; overlap (IoU) on held-out designs",
    ),
}


def write_card(
    folder: Path,
    part: str,
    scenes: int,
    parameters: int,
    record: dict,
    score: str = "",
) -> None:
    """Write README.md and `training.json` beside the weights; `score` goes on with what the part is said to be."""
    library, what = MODELS[part]
    plan = record["plan"]
    text = CARD.format(
        part=part,
        library=library,
        what=f"{what} {score}".strip(),
        scenes=scenes,
        parameters=parameters,
        steps=record["steps"],
        samples=record["samples"],
        minutes=record["seconds"] / 60,
        seed=plan["seed"],
        hardware=_hardware(plan["device"]),
        plan=", ".join(f"{name} {value}" for name, value in plan.items()),
    )
    write_text(folder / "README.md", text)
    write_json(folder / "training.json", record)


def _hardware(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    plural = "s" if threads > 1 else ""
    return f"{threads} CPU thread{plural}, {platform.machine()}"
