"""The pictures in the folder of a subject and arm, by the prompt and the turn that drew them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from sidkit.image_files import opened


def file_name(prompt: int, turn: int) -> str:
    """Of a prompt's picture, both counted from 0."""
    return f"prompt-{prompt:02}-{turn:02}.png"


def open_picture(folder: Path, prompt: int, turn: int) -> Image.Image:
    """A prompt's picture, in RGB."""
    return opened(folder / file_name(prompt, turn)).convert("RGB")


def open_pictures(folder: Path, prompts: int, turns: int) -> list[list[Image.Image]]:
    """For each prompt its pictures, in RGB."""
    return [[open_picture(folder, prompt, turn) for turn in range(turns)] for prompt in range(prompts)]
