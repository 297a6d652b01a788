"""The shipped captioner as a describer, and two worse versions of it.

What it says is Sticker World's grammar, so a sentence also comes apart: into things, their details, place, pose, looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
class StickerDescriber:
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
        (sentence,) = self._captioner.tell([seen], asked, start)
        question = replace(instruction, text=start or asked)
        description = read_answer(sentence, class_word, question, self.name)
        return replace(description, **parts(sentence))

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
    small = image.resize((WEAK_SIDE, WEAK_SIDE), Image.BOX)
    return small.resize(image.size, Image.BILINEAR)


def parts(sentence: str) -> dict[str, Any]:
    """The parts that a sentence of the grammar names, as phrases."""
    factors = grammar.parse(sentence)
    things = [*_tied(factors), *_nearby(factors)]
    background, background_details = _place(factors)
    looks = [factors[name] for name in ("attribute", "looks", "looks_colors") if name in factors]
    return {
        "objects": tuple(plain for plain, _ in things),
        "object_details": tuple(close for _, close in things),
        "background": background,
        "background_details": background_details,
        "pose": vocabulary.POSE_PHRASES[factors["pose"]][0] if "pose" in factors else "",
        "style": vocabulary.style_phrases(factors["style"])[0] if "style" in factors else "",
        "subject": " ".join(looks),
    }


def _tied(factors: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What the subject wears, plain and close."""
    if "tied" in factors:
        name = factors["tied"]
        plain = vocabulary.tied_phrases(name)
        close = vocabulary.tied_phrases(name, factors.get("tied_color"))
        yield plain[0], close[0]


def _nearby(factors: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What stands beside the subject, plain and close."""
    if "nearby" in factors:
        name, color = factors["nearby"], factors.get("nearby_color")
        plain = vocabulary.nearby_phrases(name)
        close = vocabulary.nearby_phrases(name, color, color is not None)
        yield plain[0], close[0]


def _place(factors: Mapping[str, str]) -> tuple[str, str]:
    """Where the subject is, plain and close."""
    if "background" not in factors:
        return "", ""
    name = factors["background"]
    plain = vocabulary.place_phrases(name)
    close = vocabulary.place_phrases(name, factors.get("variant"))
    return plain[0], close[0]
