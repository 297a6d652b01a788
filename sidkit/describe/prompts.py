"""What to draw of a subject, in words: prompts with `[v]` and what each of them asks for."""

from __future__ import annotations

from sidkit.mark import MARK
from sidkit.subjects import Prompt, Subject

# kind -> (factor, how it is said, values); the values are words that a reader's captions may hold too
PHOTO_PROMPTS = {
    "recontextualization": ("background", "a photo of a {v} {c} {x}", (
        "in the snow", "on a beach", "in a jungle", "on a city street", "in a meadow", "in a kitchen",
    )),
    "nearby": ("nearby", "a photo of a {v} {c} next to {x}", (
        "a red balloon", "a stack of books", "a bicycle", "a potted cactus", "a wooden chair", "a lantern",
    )),
    "accessory": ("tied", "a photo of a {v} {c} with {x} on top", (
        "a straw hat", "a golden crown", "a pink ribbon", "a wool cap", "a flower", "a paper star",
    )),
    "property": ("attribute", "a photo of a {x} {v} {c}", ("purple", "golden", "green", "silver", "striped", "wooden")),
}  # fmt: skip
STYLE_PROMPTS = (
    "bunnies in a meadow", "a lighthouse by the sea", "a bicycle on a street", "a hedgehog", "a castle",
)  # fmt: skip


def photo_prompts(subject: Subject, each: int = 2) -> list[Prompt]:
    """`each` prompts of each kind for a subject in photos, the kinds in turn.

    Left out is what the subject's own captions name: a prompt must not ask for what may leak. A style subject gets
    other things to paint (Fig. 3, example 2). Raises ValueError where fewer than `each` are left.
    """
    told = " ".join(text.lower() for texts in subject.captions.values() for text in texts.values())
    if "substance" in subject.bias:
        kinds = {"recontextualization": ("subject", "a painting of {x} in the style of {v} {c}", STYLE_PROMPTS)}
    else:
        kinds = PHOTO_PROMPTS
    new = {kind: [value for value in values if value.split()[-1] not in told] for kind, (_, _, values) in kinds.items()}
    most = min(map(len, new.values()))
    if not 1 <= each <= most:
        raise ValueError(f"prompts: expected 1 to {most} of each kind for {subject.name}, got {each}")
    return [_prompt(subject, kind, *kinds[kind][:2], new[kind][turn]) for turn in range(each) for kind in kinds]


def _prompt(subject: Subject, kind: str, factor: str, template: str, value: str) -> Prompt:
    return Prompt(template.format(v=MARK, c=subject.class_word, x=value), kind, {factor: value})
