"""Teaches the text encoder to tell words apart long before the pictures could.

The class of the subject changes few pixels, and most of what a picture's loss says is about places.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from sidkit.pretrain.latent_reader import UNSAID
from sidkit.stickers.factors import ART_SETS
from sidkit.stickers.heads import HEADS


class Understanding(nn.Module):
    """Reads the factors out of a caption's last token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({head: nn.Linear(width, len(values)) for head, values in HEADS.items()})
        self.looks = nn.Linear(width, len(ART_SETS))

    def loss(self, last: torch.Tensor, asked: dict[str, torch.Tensor]) -> torch.Tensor:
        """Mean cross-entropy over the factors that each caption names; `last` is (n, width)."""
        losses = []
        for head, linear in (*self.heads.items(), ("looks", self.looks)):
            logits = linear(last).float()
            total = F.cross_entropy(logits, asked[head], ignore_index=UNSAID, reduction="sum")
            losses.append(total / len(last))
        return torch.stack(losses).sum()
