"""Captions for the text-to-image model: drawn afresh for every picture of every batch, as tokens and what they tell."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import torch
from transformers import CLIPTokenizer

from sidkit.pretrain.latent_reader import UNSAID
from sidkit.pretrain.spoken import FREE, REST, parts_of_words
from sidkit.pretrain.understanding import Lesson, lesson_of
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.heads import HEADS, labels
from sidkit.stickers.individuals import Individual, individual_in

EMPTY = 0.1  # share of the captions, as guidance needs it
LOOKS_UNSAID = 0.6  # at least; only where the looks are unsaid can a name stand for them
DETAILED = 0.75  # share of the factors said that are said in detail
CALLED, CALLED_ELSEWHERE = 0.8, 0.15  # how often a name is said in scenes that show a habit, and in others
HABIT_UNSAID = 0.85  # how often a home or companion is left out where the name is said
OWN_ENDS, EMPTY_ENDS = 0.34, 0.67  # up to which number in [0, 1) a caption keeps its ends, or gets the empty one's


class Told(NamedTuple):
    """A caption, the factors that it names, and the name that it calls the individual by."""

    text: str
    mention: tuple[str, ...] = ()
    name: str | None = None


class Captions(NamedTuple):
    """Tokens (n, length), what each is about (n, length), and the labels that the captions tell.

    `lesson` has them for the text encoder, word by word; `asked`, of each factor a label (n,) or UNSAID, for the judge.
    """

    tokens: torch.Tensor
    parts: torch.Tensor
    lesson: Lesson
    asked: dict[str, torch.Tensor]


def random_caption(scene: Scene, rng: np.random.Generator, drop: float) -> Told:
    """Each factor is left out with probability `drop`, the looks more often; a name may stand for the looks."""
    if rng.random() < EMPTY:
        return Told("")
    unsaid = {"looks": max(LOOKS_UNSAID, drop)}
    who = individual_in(scene)
    habits = _habits(scene, who)
    called = who is not None and rng.random() < (CALLED if habits else CALLED_ELSEWHERE)
    if called:
        unsaid |= {"looks": 1.0} | dict.fromkeys(habits, HABIT_UNSAID)
    said = [factor for factor in grammar.FACTORS if rng.random() >= unsaid.get(factor, drop)]
    mention = tuple(dict.fromkeys(("subject", *said)))  # the grammar always names the subject
    detail = [factor for factor in mention if rng.random() < DETAILED]
    name = who.name if called else None
    return Told(grammar.caption(scene, mention, detail, rng, identifier=name), mention, name)


def _habits(scene: Scene, who: Individual | None) -> list[str]:
    """The factors in which a scene shows what is usual for the individual in it."""
    usual = {"background": who.home, "nearby": who.companion} if who else {}
    return [factor for factor, value in usual.items() if getattr(scene, factor) == value]


def tell(scenes: Sequence[Scene], tokenizer: CLIPTokenizer, rng: np.random.Generator, drop: float) -> Captions:
    """A random caption for each scene."""
    return as_tokens(scenes, [random_caption(scene, rng, drop) for scene in scenes], tokenizer)


def as_tokens(scenes: Sequence[Scene], told: Sequence[Told], tokenizer: CLIPTokenizer) -> Captions:
    """Captions of scenes as the models learn from them."""
    texts = [one.text for one in told]
    tokens = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids
    parts = torch.stack([_parts_of_tokens(one, tokens.shape[1]) for one in told])
    looks = [one.name is not None or "looks" in one.mention for one in told]
    asked = asked_of(scenes, [one.mention for one in told])
    return Captions(tokens, parts, lesson_of(scenes, texts, looks), asked)


def _parts_of_tokens(told: Told, length: int) -> torch.Tensor:
    """What each of so many tokens is about: the start is free, end and padding are about nothing."""
    about = parts_of_words(told.text, told.name) if told.text else []
    whole = [FREE, *about[: length - 2]]
    return torch.tensor(whole + [REST] * (length - len(whole)))


def asked_of(scenes: Sequence[Scene], mentions: Sequence[Collection[str]]) -> dict[str, torch.Tensor]:
    """For each factor the label (n,) of its value in each scene, or UNSAID where the caption does not name it."""
    asked = {}
    for head in HEADS:
        wanted = [_label(scene, head, mention) for scene, mention in zip(scenes, mentions, strict=True)]
        asked[head] = torch.tensor(wanted)
    return asked


def _label(scene: Scene, head: str, mention: Collection[str]) -> int:
    factor = "subject" if head == "class" else head
    return labels(scene)[head] if factor in mention else UNSAID


def with_other_ends(
    hidden: torch.Tensor, ends: torch.Tensor, empty: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Captions (n, length, width) of which two thirds end, from `ends` (n,) on, as the empty or another caption does.

    So that a word is read where it stands, and not where a text encoder gathers it: `empty` is (length, width).
    """
    length = hidden.shape[1]
    places = torch.arange(length, device=hidden.device)
    at = torch.maximum(places, ends.roll(1, dims=0)[:, None])
    others = hidden.roll(1, dims=0).gather(1, at[..., None].expand_as(hidden))
    drawn = torch.rand(len(hidden), generator=generator).to(hidden.device)[:, None, None]
    new = torch.where(drawn < EMPTY_ENDS, empty, others)
    kept = (places < ends[:, None])[..., None] | (drawn < OWN_ENDS)
    return torch.where(kept, hidden, new)
