"""Captions of Sticker World held against the scene: what is said rightly, missed, wrong, or told of the subject."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from sidkit.markdown import Markdown, markdown
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene

DETAILS = ("variant", "nearby_color", "tied_color")  # of the undesired things
LOOKS = ("attribute", "looks", "looks_colors")  # of the subject itself
SAID_RIGHT = Markdown('<span class="said-right">{}</span>')
SAID_WRONG = Markdown('<span class="said-wrong">{}</span>')
SAID_OWN = Markdown('<span class="said-own">{}</span>')
SAID_MISSED = Markdown('<span class="said-missed">(missed: {})</span>')
BETTER = {"named": "higher", "details": "higher", "wrong": "lower", "own looks": "lower", "off the point": "lower"}


def counts(scene: Scene, text: str) -> dict[str, float]:
    """What a caption does with a scene, as shares of the undesired factors that are there, or as yes (1) and no (0).

    named: they are said rightly; details: so are their colours or variants, NaN where there are none; wrong: a value is
    said that is not there; own looks: the subject's colour or drawing is told; off the point: the answer does not speak
    of the class.
    """
    there = truth(scene)
    mentioned = grammar.parse(text)
    wrong = [factor for factor in undesired(text) if mentioned[factor] != there.get(factor)]
    return {
        "named": _share_right(mentioned, there, grammar.UNDESIRED),
        "details": _share_right(mentioned, there, DETAILS),
        "wrong": float(bool(wrong)),
        "own looks": float(any(factor in mentioned for factor in LOOKS)),
        "off the point": float(not text),
    }


def coloured(text: str, scene: Scene) -> Markdown:
    """A caption whose phrases are of class said-right, said-wrong or said-own, and last what is missed."""
    if not text:
        return SAID_WRONG.format("does not speak of the subject")
    there = truth(scene)
    mentioned = grammar.parse(text)
    parts = []
    for words, meaning in grammar.phrases(text):
        if set(meaning) & set(grammar.UNDESIRED):
            right = meaning.items() <= there.items()
            parts.append((SAID_RIGHT if right else SAID_WRONG).format(words))
        else:
            parts.append(_around_the_subject(words, mentioned))
    missed = [factor for factor in grammar.UNDESIRED if factor in there and factor not in mentioned]
    if missed:
        parts.append(SAID_MISSED.format(", ".join(missed)))
    return Markdown(" ").join(parts)


def undesired(text: str) -> list[str]:
    """The undesired factors that a caption names, in the order of `grammar.UNDESIRED`."""
    mentioned = grammar.parse(text)
    return [factor for factor in grammar.UNDESIRED if factor in mentioned]


def truth(scene: Scene) -> dict[str, str]:
    """What a caption of everything would name: the value of each factor."""
    return grammar.parse(grammar.plainest(scene, grammar.FACTORS, True))


def _share_right(
    mentioned: Mapping[str, str],
    there: Mapping[str, str],
    factors: Sequence[str],
) -> float:
    """Share of those factors that are there whose value is said; NaN where none is there."""
    right = []
    for factor in factors:
        if factor in there:
            right.append(mentioned.get(factor) == there[factor])
    return float(np.mean(right)) if right else np.nan


def _around_the_subject(words: str, mentioned: Mapping[str, str]) -> Markdown:
    """Words in which the subject's own looks stand out."""
    values = [mentioned[factor] for factor in LOOKS if mentioned.get(factor)]
    if not values:
        return markdown(words)
    any_value = "|".join(map(re.escape, values))
    pieces = re.split(f"({any_value})", words)
    return Markdown("").join(SAID_OWN.format(piece) if index % 2 else piece for index, piece in enumerate(pieces))
