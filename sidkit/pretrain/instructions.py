"""What the captioner learns to be asked for: how closely to tell, and what to leave unsaid; and the right answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene, subject_classes
from sidkit.stickers.vocabulary import with_article

CLOSELY = (
    "Describe the image in one sentence in detail.",  # the paper's own words (Fig. 4)
    "Describe the picture in detail.",
    "Describe in one detailed sentence what the image shows.",
    "Tell in detail what is in the picture.",
    "Write a detailed caption for this image.",
)
BRIEFLY = (
    "Describe the image in one short sentence.",
    "Name briefly what is in the picture.",
    "Write a short caption for this image, without details.",
    "Describe the image in one sentence without any detail.",
)
START = ('Please start with "A {c}".', 'Begin with "A {c}".', "The picture shows a {c}.", "The subject is a {c}.")
SPARE = {
    "subject": (
        "You should not describe the distinct features of the {c} itself.",  # the paper's
        "Do not describe the {c} itself.",
        "Say nothing about the looks of the {c}.",
        "Leave out the colors and the features of the {c}.",
        "Describe everything but the {c}.",
    ),
    "style": (
        "You should not describe the distinct features of the style itself.",
        "Do not describe the style of the picture.",
        "Say nothing about the style.",
        "Leave out how the picture is painted.",
    ),
    "": ("",),
}
NEVER_GIVEN = "Describe this picture in detail, and do not say anything about the features of the {c}."  # in training
CLASS = "{c}"  # where the class word goes

# (closely, spared) -> how often it is asked; the rest of the time no instruction is given
ASKED = {
    (True, "subject"): 0.4,
    (True, ""): 0.2,
    (True, "style"): 0.1,
    (False, "subject"): 0.1,
    (False, ""): 0.06,
}
OTHER_WORD = 0.2  # of the class words are replaced, so that the instruction's word is taken and not only what is seen

# Without an instruction, how often a caption says each thing, as captions do that nobody asked to be complete.
SALIENCE = {"looks": 0.15, "attribute": 0.3, "pose": 0.8, "background": 0.9, "tied": 0.6, "nearby": 0.4, "style": 0.5}
LEFT_OUT = {"subject": {"looks", "attribute"}, "style": {"style"}, "": set()}  # by what is spared


@dataclass(frozen=True)
class Example:
    """An instruction, "" for none, and what is to be answered."""

    instruction: str
    answer: str


def example(scene: Scene, rng: np.random.Generator) -> Example:
    """One question about a scene, drawn at random, with the right answer."""
    word = scene.subject
    if rng.random() < OTHER_WORD:
        word = str(rng.choice(list(subject_classes())))
    closely, spared = _drawn_question(rng)
    text = answer(scene, closely, spared, rng)
    if spared in (None, "subject"):  # the subject is named by its class alone
        text = text.replace(with_article(scene.subject), with_article(word), 1)
    else:
        word = scene.subject
    if spared is None:
        return Example("", text)
    return Example(_instruction(closely, spared, word, rng), text)


def answer(scene: Scene, closely: bool, spared: str | None, rng: np.random.Generator) -> str:
    """The right answer; `spared` of None is what is said without an instruction."""
    if spared is None:
        mention = {factor for factor, share in SALIENCE.items() if rng.random() < share}
        return grammar.plainest(scene, mention, False)
    return grammar.plainest(scene, set(grammar.FACTORS) - LEFT_OUT[spared], closely)


def instruction_words() -> set[str]:
    """Every word of the instructions, for the tokenizer."""
    sentences = [*CLOSELY, *BRIEFLY, *START, NEVER_GIVEN]
    for texts in SPARE.values():
        sentences += texts
    text = " ".join(sentences).replace(CLASS, "")
    return set(re.findall(r"[a-z]+", text.lower()))


def _drawn_question(rng: np.random.Generator) -> tuple[bool, str | None]:
    """Whether to tell closely, and what to spare; None for no instruction."""
    left = rng.random()
    for (closely, spared), share in ASKED.items():
        left -= share
        if left < 0:
            return closely, spared
    return False, None


def _instruction(closely: bool, spared: str, word: str, rng: np.random.Generator) -> str:
    """How closely, maybe how to start, what to leave out; a spared subject is named by its class word."""
    how = str(rng.choice(CLOSELY if closely else BRIEFLY))
    start = str(rng.choice((*START, "")))
    leave_out = str(rng.choice(SPARE[spared]))
    if spared == "subject" and CLASS not in how + start + leave_out:
        start = START[0]
    sentences = filter(None, (how, start, leave_out))
    return " ".join(sentences).replace(CLASS, word)
