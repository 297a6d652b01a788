"""The shipped models that look at pictures: `Reader` (one head a factor) and `IdentityNet` (one vector a picture).

Both take pictures as (n, 3, height, width) floats in [0, 1] of any size and scale them themselves; both are a folder
of `config.json` and `model.safetensors`.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from sidkit import torchvision_ops  # noqa: F401  (before timm)

import timm  # isort: skip


class Backbone(nn.Module):
    """A timm model without its classifier, behind the scaling that it expects."""

    def __init__(self, architecture: str, size: int) -> None:
        super().__init__()
        self.size = size
        self.net = timm.create_model(architecture, pretrained=False, num_classes=0)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, h, w) in [0, 1] to (n, num_features)."""
        x = F.interpolate(pixels, (self.size, self.size), mode="bilinear", align_corners=False, antialias=True)
        return self.net((x * 2 - 1).contiguous(memory_format=torch.channels_last))  # 1.7x the speed on a CPU


class _Saved(nn.Module):
    """A module that is rebuilt from its keyword arguments."""

    config: dict

    def save(self, folder: Path) -> None:
        """Write `config.json` and the weights in half precision."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(self.config, indent=1) + "\n")
        state = {key: value.half() if value.is_floating_point() else value for key, value in self.state_dict().items()}
        partial = folder / "model.partial"
        save_file({key: value.cpu().contiguous() for key, value in state.items()}, partial)
        partial.rename(folder / "model.safetensors")

    @classmethod
    def load(cls, folder: Path):
        """The saved model, in single precision and evaluation mode."""
        model = cls(**json.loads((folder / "config.json").read_text()))
        model.load_state_dict(load_file(folder / "model.safetensors"))
        return model.eval()


class Reader(_Saved):
    """Reads the factors of a scene from its picture: `heads` maps each factor to the values it can take."""

    def __init__(self, architecture: str, size: int, heads: dict[str, list[str]]) -> None:
        super().__init__()
        self.config = {"architecture": architecture, "size": size, "heads": {k: list(v) for k, v in heads.items()}}
        self.backbone = Backbone(architecture, size)
        features = self.backbone.net.num_features
        self.heads = nn.ModuleDict({name: nn.Linear(features, len(values)) for name, values in heads.items()})

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits (n, values) of each factor."""
        features = self.backbone(pixels)
        return {name: head(features) for name, head in self.heads.items()}


class IdentityNet(_Saved):
    """A picture's subject as a unit vector, whatever surrounds it."""

    def __init__(self, architecture: str, size: int, width: int = 128) -> None:
        super().__init__()
        self.config = {"architecture": architecture, "size": size, "width": width}
        self.backbone = Backbone(architecture, size)
        self.project = nn.Linear(self.backbone.net.num_features, width)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, width), L2-normalised."""
        return F.normalize(self.project(self.backbone(pixels)), dim=-1)
