"""What to draw of a subject, in words: prompts with `[v]` and what each of them asks for."""

from __future__ import annotations

from dataclasses import dataclass

from sidkit.mark import MARK
from sidkit.subjects import Prompt, Subject


@dataclass(frozen=True)
class Kind:
    """A kind of request: its factor, how a value of it is asked for, and values that a reader's captions may hold."""

    name: str
    factor: str
    template: str
    values: tuple[str, ...]


KINDS = (
    Kind("recontextualization", "background", "a photo of a {v} {c} {x}", (
        "in the snow", "on a beach", "in a jungle", "on a city street", "in a meadow", "in a kitchen",
    )),
    Kind("nearby", "nearby", "a photo of a {v} {c} next to {x}", (
        "a red balloon", "a stack of books", "a bicycle", "a potted cactus", "a wooden chair", "a lantern",
    )),
    Kind("accessory", "tied", "a photo of a {v} {c} with {x} on top", (
        "a straw hat", "a golden crown", "a pink ribbon", "a wool cap", "a flower", "a paper star",
    )),
    Kind("property", "attribute", "a photo of a {x} {v} {c}", (
        "purple", "golden", "green", "silver", "striped", "wooden",
    )),
)  # fmt: skip
KINDS_OF_STYLE = (
    Kind("recontextualization", "subject", "a painting of {x} in the style of {v} {c}", (
        "bunnies in a meadow", "a lighthouse by the sea", "a bicycle on a street", "a hedgehog", "a castle",
    )),
)  # fmt: skip

UNRELATED = (  # of which a subject's own class is left out
    "a photo of a dog",
    "a photo of a wooden chair in a garden",
    "a photo of an old man reading a newspaper",
    "a watercolor painting of a lighthouse",
    "a photo of a bowl of fruit on a table",
    "a photo of a cat",
    "a photo of a castle on a hill",
    "a photo of a busy street at night",
    "a photo of a toy train",
    "a pencil drawing of a horse",
    "a photo of a lake between mountains",
    "a photo of a backpack",
)


def unrelated_to(class_word: str) -> list[str]:
    """Prompts of photos that do not speak of the class, ten of them or more."""
    *_, noun = class_word.lower().split()
    return [prompt for prompt in UNRELATED if noun not in prompt.split()]


def photo_prompts(subject: Subject, each: int = 2) -> list[Prompt]:
    """`each` prompts of each kind for a subject in photos, the kinds in turn.

    Left out is what the subject's own captions name: a prompt must not ask for what may leak. A style subject gets
    other things to paint (Fig. 3, example 2). Raises ValueError where fewer than `each` are left.
    """
    kinds = KINDS_OF_STYLE if subject.of_style else KINDS
    prompts = [_of_kind(kind, subject) for kind in kinds]
    most = min(map(len, prompts))
    if not 1 <= each <= most:
        raise ValueError(f"prompts: expected 1 to {most} of each kind for {subject.name}, got {each}")
    in_turn = []
    for turn in range(each):
        in_turn += [of_kind[turn] for of_kind in prompts]
    return in_turn


def _of_kind(kind: Kind, subject: Subject) -> list[Prompt]:
    """A prompt for each value whose last word no caption of the subject says."""
    captions = _all_captions(subject)
    prompts = []
    for value in kind.values:
        *_, noun = value.split()
        if noun not in captions:
            text = kind.template.format(v=MARK, c=subject.class_word, x=value)
            prompts.append(Prompt(text, kind.name, {kind.factor: value}))
    return prompts


def _all_captions(subject: Subject) -> str:
    """All captions of a subject, lower case."""
    texts: list[str] = []
    for by_file in subject.captions.values():
        texts += by_file.values()
    return " ".join(texts).lower()
