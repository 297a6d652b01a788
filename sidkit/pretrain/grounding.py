"""Teaches cross-attention to look with a word at what the word is about, for the renderer knows where that is.

After TokenCompose (CVPR 2024, arXiv 2312.03626): its token loss asks a word's attention to lie in its thing's mask, its
pixel loss each place's attention to go to the words of what lies there. Ours asks the same of parts of a scene.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import nn
from torch.nn import functional as F

from sidkit.pretrain.spoken import FREE, REGIONS

MOST, LEAST = 0.1, 0.01  # weight of the loss before the words look at their things, and once they do
GOALS = {"class": 2.3, "nearby": 3.2, "tied": 3.2}  # the lifts from which on the weight is the least
LIFTED = tuple(GOALS)  # the words whose lift is followed, in the order of REGIONS
MEMORY = 0.98  # of the running lift
SMALLEST = 0.2  # cells; a region that covers less of a layer's map is not asked for
TINY = 1e-3


class _Looks(NamedTuple):
    """What one layer's attention says of each region's words, all (n, regions) but for `by_place`, a loss.

    `on` is what their attention lays on the region, `all` what it lays anywhere, each a mean over places; `area` is the
    region's share of the places, and `asked` whether it is there and said.
    """

    on: torch.Tensor
    all: torch.Tensor
    area: torch.Tensor
    asked: torch.Tensor
    by_place: torch.Tensor


class Grounding(nn.Module):
    """The loss, and the lift that it has reached: a word's attention on its region, by the region's share of the area.

    The less the words look at their things, the more it weighs; a loss that stays heavy costs pictures.
    """

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.register_buffer("lift", torch.ones(len(LIFTED)))
        self.maps: list[torch.Tensor] | None = None
        for name, module in unet.named_modules():
            if name.endswith("attn2"):
                module.set_processor(_Watched(self))

    @contextmanager
    def watching(self) -> Iterator[list[torch.Tensor]]:
        """The attention (n, places, tokens) of every layer that runs inside, averaged over heads, with gradients."""
        self.maps = []
        try:
            yield self.maps
        finally:
            self.maps = None

    def weight(self) -> float:
        """What the loss weighs now."""
        reached = min((lift - 1) / (goal - 1) for lift, goal in zip(self.lift.tolist(), GOALS.values()))
        return MOST + (LEAST - MOST) * min(1.0, max(0.0, reached))

    def loss(
        self, maps: list[torch.Tensor], parts: torch.Tensor, cover: torch.Tensor, signal: torch.Tensor
    ) -> torch.Tensor:
        """How far the words look from their things; 0 or more.

        `parts` (n, tokens) tells of each token its part in REGIONS, REST or FREE; `cover` (n, 3, h, w) in 0 to 1 how
        much of a cell subject, nearby and tied thing take; `signal` (n,) in 0 to 1 how much a noised picture shows.
        """
        regions = torch.cat([cover, (1 - cover.sum(1, keepdim=True)).clamp(0, 1)], dim=1)
        spoken = torch.stack([parts == index for index in range(len(REGIONS))], dim=1).float()  # (n, regions, tokens)
        layers = [_of_layer(one, spoken, parts == FREE, regions, signal) for one in maps]
        together = _Looks(*(torch.stack(values).float().mean(0) for values in zip(*layers)))
        self._follow(together)
        by_layer = torch.stack([_missed(layer, signal) for layer in layers]).mean()
        return together.by_place + by_layer + _missed(together, signal)

    @torch.no_grad()
    def _follow(self, looks: _Looks) -> None:
        """The lift as `sidkit.attention` averages: over all layers, however much of their attention a word has."""
        seen = looks.asked == 1
        shares = torch.where(seen, looks.on / (looks.all + TINY**2), 0.0).sum(0)
        lift = (shares / torch.where(seen, looks.area, 0.0).sum(0))[: len(LIFTED)]
        known = lift.isfinite()
        self.lift[known] = torch.lerp(lift[known], self.lift[known], MEMORY)


def _of_layer(
    attention: torch.Tensor, spoken: torch.Tensor, free: torch.Tensor, regions: torch.Tensor, signal: torch.Tensor
) -> _Looks:
    """`attention` is one layer's, (n, places, tokens); `spoken` tells which tokens are about a region, `free` which may
    look anywhere."""
    side = round(attention.shape[1] ** 0.5)
    lies = F.adaptive_avg_pool2d(regions, side).flatten(2)  # (n, regions, places)
    looks = torch.einsum("npt,nrt->nrp", attention, spoken)
    asked = (spoken.sum(2) > 0) & (lies.sum(2) > SMALLEST)
    counted = (attention * ~free[:, None]).sum(2)  # (n, places)
    here = lies * asked[:, :, None]
    right = (looks * here).sum(1) / (counted + TINY)
    by_place = (-(right + TINY).log() * here.sum(1) * signal[:, None]).mean()
    return _Looks((looks * lies).mean(2), looks.mean(2), lies.mean(2), asked, by_place)


def _missed(looks: _Looks, signal: torch.Tensor) -> torch.Tensor:
    """How little of the words' attention lies on their regions: minus the logarithm of its share, a mean."""
    inside = looks.on / (looks.all + TINY**2)
    weight = (looks.asked == 1) * signal[:, None]
    return (-(inside + TINY).log() * weight).sum() / (weight.sum() + TINY)


class _Watched:
    """Cross-attention as diffusers computes it, which shows its maps while someone watches."""

    def __init__(self, grounding: Grounding) -> None:
        self.grounding, self.plain = grounding, AttnProcessor2_0()

    def __call__(self, attention: Attention, hidden_states, encoder_hidden_states, *others: Any, **options: Any):
        if self.grounding.maps is None:
            return self.plain(attention, hidden_states, encoder_hidden_states, *others, **options)
        query = _by_head(attention.to_q(hidden_states), attention.heads)
        key = _by_head(attention.to_k(encoder_hidden_states), attention.heads)
        value = _by_head(attention.to_v(encoder_hidden_states), attention.heads)
        shares = (query @ key.mT * attention.scale).float().softmax(-1)  # (n, heads, places, tokens)
        self.grounding.maps.append(shares.mean(1))
        seen = (shares.to(value.dtype) @ value).transpose(1, 2).flatten(2)
        return attention.to_out[1](attention.to_out[0](seen))


def _by_head(states: torch.Tensor, heads: int) -> torch.Tensor:
    return states.unflatten(2, (heads, -1)).transpose(1, 2)
