"""The shipped captioner as a describer, and two worse versions of it.

What it says is Sticker World's grammar, so a sentence also comes apart: into things, their details, place, pose, looks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from PIL import Image

from sidkit.config import weights_folder
from sidkit.describe.answers import read_answer
from sidkit.describe.description import Description
from sidkit.describe.instructions import Instruction, load_instruction
from sidkit.inflection import with_article
from sidkit.stickers import grammar, vocabulary

INSTEAD = {"structure": "sentence", "structure_style": "sentence_style"}  # it answers in sentences, which we take apart
WEAK_SIDE = 20  # px of the 64 that the weakened captioner sees


@dataclass(frozen=True)
class Stickers:
    """`name` is one of `describers.STICKERS`.

    `stickers-uninstructed` gets no instruction, but the beginning "a [class]", as the paper's BLIP-2 did. It says what
    captions say when nobody asks for completeness. `stickers-weakened` does not hear the instruction's last sentence,
    which spares the subject, and sees the picture in 20 x 20 px. They show what a captioner's faults do; they say
    nothing of how BLIP-2 or LLaVA themselves caption anything.
    """

    name: str = "stickers"
    device: str = "cpu"

    @cached_property
    def _captioner(self) -> Any:
        from sidkit.stickers.captioner import Captioner

        return Captioner(weights_folder("captioner"), self.device)

    def fits(self, instruction: Instruction) -> Instruction:
        """A sentence in the place of a structure; none of it, or its beginning, for the worse versions."""
        if self.name == "stickers-uninstructed":
            return load_instruction("start")
        if instruction.name in INSTEAD:
            instruction = load_instruction(INSTEAD[instruction.name])
        if self.name == "stickers-weakened":
            return replace(instruction, name=f"{instruction.name}, first half", text=first_half(instruction.text))
        return instruction

    def describe(self, image: Image.Image, class_word: str, instruction: Instruction) -> Description:
        """What the captioner says, as a sentence and in parts."""
        if instruction.answer == "start":
            asked, start = "", with_article(class_word)
        else:
            asked, start = instruction.text, ""
        seen = weakened(image) if self.name == "stickers-weakened" else image
        (said,) = self._captioner.tell([seen], asked, start)
        told = read_answer(said, class_word, replace(instruction, text=start or instruction.text), self.name)
        return replace(told, **parts(said))

    @property
    def paid(self) -> float:
        """Nothing is."""
        return 0.0

    def cost(self, sizes: list[tuple[int, int]], instruction: Instruction) -> None:
        """Nothing."""


def first_half(text: str) -> str:
    """An instruction without its last sentence."""
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    return " ".join(sentences[:-1]) or text


def weakened(image: Image.Image) -> Image.Image:
    """The picture as if seen from afar: 20 px a side, then back to its size."""
    return image.resize((WEAK_SIDE, WEAK_SIDE), Image.BOX).resize(image.size, Image.BILINEAR)


def parts(sentence: str) -> dict[str, Any]:
    """The parts that a sentence of the grammar names, as phrases."""
    told = grammar.parse(sentence)
    things, details = [], []
    if "tied" in told:
        things.append(vocabulary.tied_phrases(told["tied"])[0])
        details.append(vocabulary.tied_phrases(told["tied"], told.get("tied_color"))[0])
    if "nearby" in told:
        things.append(vocabulary.nearby_phrases(told["nearby"])[0])
        details.append(vocabulary.nearby_phrases(told["nearby"], told.get("nearby_color"), "nearby_color" in told)[0])
    place = told.get("background")
    return {
        "objects": tuple(things),
        "object_details": tuple(details),
        "background": vocabulary.place_phrases(place)[0] if place else "",
        "background_details": vocabulary.place_phrases(place, told.get("variant"))[0] if place else "",
        "pose": vocabulary.POSE_PHRASES[told["pose"]][0] if "pose" in told else "",
        "style": vocabulary.style_phrases(told["style"])[0] if "style" in told else "",
        "subject": " ".join(told[key] for key in ("attribute", "looks", "looks_colors") if key in told),
    }
