"""Who can describe a picture: one interface, and the ways to get one by name.

stickers               the captioner shipped with Sticker World
stickers-uninstructed  the same without an instruction: stands for the paper's BLIP-2, and is not it
stickers-weakened      the same, hearing half of the instruction and seeing less: stands for LLaVA, and is not it
openai                 a model of OpenAI, or of any server that speaks its protocol
blip2, llava           the public checkpoints nearest to the paper's, through transformers
OWNER/NAME, a folder   any image-text-to-text model of transformers
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from sidkit.config import check_name
from sidkit.describe.description import Description
from sidkit.describe.instructions import Instruction
from sidkit.describe.spend import Cost

STICKERS = ("stickers", "stickers-uninstructed", "stickers-weakened")
LOCAL = {"blip2": "Salesforce/blip2-opt-2.7b", "llava": "llava-hf/llava-1.5-7b-hf"}
DESCRIBERS = (*STICKERS, "openai", *LOCAL)


class Describer(Protocol):
    """Describes pictures, one at a time."""

    @property
    def name(self) -> str:
        """Of the model, as it is kept with its answers."""
        ...

    @property
    def paid(self) -> float:
        """Dollars so far, as far as the server tells."""
        ...

    def fits(self, instruction: Instruction) -> Instruction:
        """The instruction that it takes in the place of this one; most take it as it is."""
        ...

    def describe(self, image: Image.Image, class_word: str, instruction: Instruction) -> Description:
        """One RGB picture, by an instruction that is filled in already. Raises AnswerError for an answer of no use."""
        ...

    def cost(self, sizes: list[tuple[int, int]], instruction: Instruction) -> Cost | None:
        """The most that pictures of these sizes cost; None where nothing is paid."""
        ...


def make_describer(name: str, **options: Any) -> Describer:
    """The describer called `name`; `options` are those of its class (`Remote`, `Local`, `StickerDescriber`).

    Raises ValueError for an unknown name, with the nearest one. Weights are loaded when the first picture comes.
    """
    if name in STICKERS:
        from sidkit.describe.embedded import StickerDescriber

        return StickerDescriber(name, **options)
    if name == "openai":
        from sidkit.describe.remote import Remote

        return Remote(**options)
    if name in LOCAL or "/" in name or Path(name).is_dir():
        from sidkit.describe.local import Local

        return Local(LOCAL.get(name, name), **options)
    check_name("describer", name, DESCRIBERS)
    raise AssertionError(name)
