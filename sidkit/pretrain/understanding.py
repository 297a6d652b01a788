"""Teaches the text encoder to tell words apart where they stand, long before the pictures could.

What a class word changes is few pixels, and most of what a picture's loss says is about places. Nothing is read from a
caption's last token: what the text encoder puts there, the UNet reads there, and no longer at the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from sidkit.pretrain.spoken import where_named
from sidkit.stickers.factors import ART_SETS, HUES, Scene
from sidkit.stickers.heads import HEADS, labels

READS = {factor: HEADS[factor] for factor in ("class", "nearby", "tied", "background")}
READS |= {"design": tuple(ART_SETS), "hue": tuple(map(str, HUES))}  # at the class word, where the caption tells them
NOWHERE = 0  # the first token, at which nothing is read


class Lesson(NamedTuple):
    """For each of READS the number (n,) of the token where a caption names it, or NOWHERE, and its label (n,)."""

    places: dict[str, torch.Tensor]
    labels: dict[str, torch.Tensor]


class Understanding(nn.Module):
    """Reads a factor out of the state of the word that names it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({factor: nn.Linear(width, len(values)) for factor, values in READS.items()})

    def loss(self, hidden: torch.Tensor, lesson: Lesson) -> torch.Tensor:
        """Mean cross-entropy over the captions, of the factors that each names; `hidden` is (n, tokens, width)."""
        losses = [self._of_factor(factor, hidden, lesson) for factor in READS]
        return torch.stack(losses).sum() / len(hidden)

    def _of_factor(self, factor: str, hidden: torch.Tensor, lesson: Lesson) -> torch.Tensor:
        place, label = lesson.places[factor], lesson.labels[factor]
        named = place != NOWHERE
        logits = self.heads[factor](hidden[named, place[named]]).float()
        return F.cross_entropy(logits, label[named], reduction="sum")


def lesson_of(scenes: Sequence[Scene], texts: Sequence[str], tells_looks: Sequence[bool]) -> Lesson:
    """Where the captions name what; with looks or a name, `tells_looks`, the class word tells design and hue, too."""
    named = [
        _named(scene, text, looks) if text else {}
        for scene, text, looks in zip(scenes, texts, tells_looks, strict=True)
    ]
    known = [_labels(scene) for scene in scenes]
    places = {factor: torch.tensor([one.get(factor, NOWHERE) for one in named]) for factor in READS}
    return Lesson(places, {factor: torch.tensor([one[factor] for one in known]) for factor in READS})


def _named(scene: Scene, text: str, looks: bool) -> dict[str, int]:
    places = {factor: 1 + word for factor, word in where_named(text, scene.subject).items()}
    return places | ({"design": places["class"], "hue": places["class"]} if looks else {})


def _labels(scene: Scene) -> dict[str, int]:
    own = {"design": list(ART_SETS).index(scene.design), "hue": HUES.index(scene.hue)}
    return labels(scene) | own
