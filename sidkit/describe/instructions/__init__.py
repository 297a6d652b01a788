"""What a describer is asked: the paper's instructions, word for word, and ours where the paper's are not known.

`{class}` stands for the class word. Sources: `sentence` is what the paper asked GPT-4 and LLaVA, `start` what it gave
BLIP-2 (Fig. 4 and section 3.2; the last sentence of the first is printed in italics there). For styles the paper's
instruction is in an appendix that we did not have: `sentence_style` is ours, after the model of `sentence`. The two
that ask for a structure are ours, too; one answer to them makes all four cases of Table 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sidkit.config import check_name

TEXTS = Path(__file__).parent
CLASS = "{class}"
PAPER, OURS = "the paper, Fig. 4", "this book"


@dataclass(frozen=True)
class Instruction:
    """One question. `answer` is what comes back: a sentence, a JSON object, or a text that goes on from `start`."""

    name: str
    text: str
    answer: Literal["sentence", "structure", "start"]
    style: bool = False  # whether a style is what is learnt, so that all the content is undesired
    source: str = OURS

    def filled(self, class_word: str) -> Instruction:
        """The instruction for one class."""
        return replace(self, text=self.text.replace(CLASS, class_word))


SHIPPED = {
    "sentence": ("sentence", False, PAPER),
    "start": ("start", False, PAPER),
    "sentence_style": ("sentence", True, OURS),
    "structure": ("structure", False, OURS),
    "structure_style": ("structure", True, OURS),
}


def load_instruction(name: str) -> Instruction:
    """A shipped instruction by name, or one sentence's worth of your own from a .txt file.

    Raises ValueError for an unknown name, and for a file that is missing, empty or does not say the class.
    """
    if name.endswith(".txt"):
        path = Path(name)
        return Instruction(path.stem, _read(path), "sentence", source=name)
    check_name("instruction", name, SHIPPED)
    answer, style, source = SHIPPED[name]
    text = (TEXTS / f"{name}.txt").read_text(encoding="utf-8")
    return Instruction(name, text.strip(), answer, style, source)


def _read(path: Path) -> str:
    if not path.is_file():
        raise ValueError(f"instruction: expected a text file at {path}, found none")
    text = path.read_text(encoding="utf-8").strip()
    if CLASS not in text:
        raise ValueError(
            f"{path}: expected an instruction that says {CLASS} where the class word goes, got {text[:80]!r}"
        )
    return text
