"""Captions for the text-to-image model, drawn afresh for each picture of each batch, and what they ask for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import torch
from transformers import CLIPTokenizer

from sidkit.pretrain.latent_reader import UNSAID
from sidkit.stickers import grammar
from sidkit.stickers.factors import ART_SETS, Scene
from sidkit.stickers.heads import HEADS, labels

EMPTY_SHARE = 0.1  # of captions, as guidance needs it
DETAIL_SHARE = 0.75  # how often a factor that is named is told in detail
LOOKS_DROP = 0.3  # at least: how often the looks stay unsaid


class Captions(NamedTuple):
    """Tokens (n, length), and the labels (n,) that they ask for: of each factor one, or UNSAID."""

    tokens: torch.Tensor
    asked: dict[str, torch.Tensor]


def random_caption(scene: Scene, rng: np.random.Generator, drop: float) -> tuple[str, list[str]]:
    """A caption and the factors that it names: each is left out with probability `drop`, the looks more often.

    One caption in ten is empty.
    """
    if rng.random() < EMPTY_SHARE:
        return "", []
    drops = dict.fromkeys(grammar.FACTORS, drop) | {"looks": max(LOOKS_DROP, drop)}
    kept = [factor for factor in grammar.FACTORS if rng.random() >= drops[factor]]
    mention = list(dict.fromkeys(("subject", *kept)))  # the grammar always names the subject
    detail = [factor for factor in mention if rng.random() < DETAIL_SHARE]
    return grammar.caption(scene, mention, detail, rng), mention


def tell(
    scenes: Sequence[Scene],
    tokenizer: CLIPTokenizer,
    rng: np.random.Generator,
    drop: float,
) -> Captions:
    """A random caption for each scene."""
    texts, mentions = [], []
    for scene in scenes:
        text, mention = random_caption(scene, rng, drop)
        texts.append(text)
        mentions.append(mention)
    encoded = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
    return Captions(encoded.input_ids, asked_of(scenes, mentions))


def asked_of(scenes: Sequence[Scene], mentions: Sequence[Collection[str]]) -> dict[str, torch.Tensor]:
    """For each factor the label (n,) of its value in each scene, or UNSAID where the caption does not name it."""
    asked = {}
    for head in (*HEADS, "looks"):
        wanted = [_label(scene, head, mention) for scene, mention in zip(scenes, mentions, strict=True)]
        asked[head] = torch.tensor(wanted)
    return asked


def _label(scene: Scene, head: str, mention: Collection[str]) -> int:
    factor = "subject" if head == "class" else head
    if factor not in mention:
        return UNSAID
    if head == "looks":
        return list(ART_SETS).index(scene.design)
    return labels(scene)[head]
