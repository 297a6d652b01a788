"""The shipped models that look at pictures: `Reader` (one head a factor) and `IdentityNet` (one vector a picture).

Both take pictures as (n, 3, height, width) floats in [0, 1] of any size and scale them themselves; both are a folder
of `config.json` and `model.safetensors`.
"""

from __future__ import annotations

import json
from pathlib import Path

import timm
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from sidkit.files import whole_file, write_json

FINE, COARSE = 6, 3  # cells a side of the backbone's maps
SHADES = 4  # a fine cell's own colours, as a grid of this many a side


class Backbone(nn.Module):
    """A timm model without its classifier, behind the scaling that it expects."""

    def __init__(self, architecture: str, size: int) -> None:
        super().__init__()
        self.size = size
        self.net = timm.create_model(architecture, pretrained=False, num_classes=0)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, h, w) in [0, 1] to (n, num_features)."""
        return self.net(self._scaled(pixels))

    def maps(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What lies where: a fine map (n, c, 6, 6) of two layers, and a coarse one (n, d, 3, 3).

        These are a convolutional net's own sizes for pictures scaled to 96 px.
        """
        layers = self.net.forward_intermediates(self._scaled(pixels), intermediates_only=True)
        shapes, fine, coarse = layers[-3:]
        shapes = F.adaptive_avg_pool2d(shapes, FINE)
        fine = F.adaptive_avg_pool2d(fine, FINE)
        return torch.cat([shapes, fine], dim=1), F.adaptive_avg_pool2d(coarse, COARSE)

    def channels(self) -> tuple[int, int, int]:
        """How many channels the last three layers have, which `maps` looks at: shapes, fine, coarse."""
        shapes, fine, coarse = (layer["num_chs"] for layer in self.net.feature_info[-3:])
        return shapes, fine, coarse

    def _scaled(self, pixels: torch.Tensor) -> torch.Tensor:
        size = (self.size, self.size)
        x = F.interpolate(pixels, size, mode="bilinear", align_corners=False, antialias=True)
        return (x * 2 - 1).contiguous(memory_format=torch.channels_last)  # 1.7x the speed on a CPU


def with_colors(fine: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """A fine map (n, c, 6, 6), each cell with its own colours in `pixels` (n, 3, h, w) as further channels."""
    shades = F.adaptive_avg_pool2d(pixels, FINE * SHADES)
    return torch.cat([fine, F.pixel_unshuffle(shades, SHADES)], dim=1)


def as_cells(maps: torch.Tensor) -> torch.Tensor:
    """Maps (n, channels, h, w) as (n, h w, channels)."""
    return maps.flatten(2).mT


class Saved(nn.Module):
    """A module that is rebuilt from its keyword arguments."""

    config: dict

    def save(self, folder: Path) -> None:
        """Write `config.json` and the weights in half precision."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "config.json", self.config)
        state = {name: _halved(value) for name, value in self.state_dict().items()}
        with whole_file(folder / "model.safetensors") as partial:
            save_file(state, partial)

    @classmethod
    def load(cls, folder: Path):
        """The saved model, in single precision and evaluation mode."""
        model = cls(**json.loads((folder / "config.json").read_text()))
        model.load_state_dict(load_file(folder / "model.safetensors"))
        return model.eval()


def _halved(value: torch.Tensor) -> torch.Tensor:
    if value.is_floating_point():
        value = value.half()
    return value.cpu().contiguous()


class Reader(Saved):
    """Reads the factors of a scene from its picture: `heads` maps each factor to the values it can take."""

    def __init__(self, architecture: str, size: int, heads: dict[str, list[str]]) -> None:
        super().__init__()
        values = {head: list(names) for head, names in heads.items()}
        self.config = {"architecture": architecture, "size": size, "heads": values}
        self.backbone = Backbone(architecture, size)
        features = self.backbone.net.num_features
        self.heads = nn.ModuleDict({head: nn.Linear(features, len(names)) for head, names in heads.items()})

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits (n, values) of each factor."""
        features = self.backbone(pixels)
        return {name: head(features) for name, head in self.heads.items()}


class IdentityNet(Saved):
    """A picture's subject as a unit vector, whatever surrounds it."""

    def __init__(self, architecture: str, size: int, width: int = 128) -> None:
        super().__init__()
        self.config = {"architecture": architecture, "size": size, "width": width}
        self.backbone = Backbone(architecture, size)
        self.head = Attending(*self.backbone.channels(), width)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, width), L2-normalised."""
        return self.head(*self.backbone.maps(pixels))


class Attending(nn.Module):
    """Looks for the subject in a backbone's maps and says who it is: a small transformer over their cells."""

    def __init__(
        self,
        shapes: int,
        fine: int,
        coarse: int,
        width: int,
        layers: int = 2,
    ) -> None:
        super().__init__()
        self.fine = nn.Linear(shapes + fine, width)
        self.coarse = nn.Linear(coarse, width)
        cells = 1 + FINE**2 + COARSE**2  # the first one is for what is asked
        self.places = nn.Parameter(torch.randn(cells, width) * 0.02)
        block = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(block, layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.project = nn.Linear(width, width)

    def forward(self, fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        """Maps (n, c, 6, 6) and (n, d, 3, 3) to (n, width), L2-normalised."""
        fine = self.fine(as_cells(fine))
        coarse = self.coarse(as_cells(coarse))
        asked = torch.zeros_like(fine[:, :1])
        cells = torch.cat([asked, fine, coarse], dim=1) + self.places
        answer = self.layers(cells)[:, 0]
        return F.normalize(self.project(answer), dim=-1)


@torch.no_grad()
def move_halfway(model: nn.Module, other: nn.Module) -> None:
    """Change the model's weights to the mean of its own and those of `other`, which is built alike."""
    goal = other.state_dict()
    for name, value in model.state_dict().items():  # shares its memory with the model
        if value.is_floating_point():
            value.lerp_(goal[name], 0.5)
