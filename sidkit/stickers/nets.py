"""The shipped models that look at pictures: `Reader` (one head a factor) and `IdentityNet` (one vector a picture).

Both take pictures as (n, 3, height, width) floats in [0, 1] of any size and scale them themselves; both are a folder
of `config.json` and `model.safetensors`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import timm
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from sidkit.files import whole_file, write_json

SELDOM = -3.0  # logit of a thing before a reader has learnt anything: most things are not there
FINE, COARSE = 6, 3  # cells a side of the backbone's maps


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
        *_, shapes, fine, coarse = self.net.forward_intermediates(self._scaled(pixels), intermediates_only=True)
        both = [F.adaptive_avg_pool2d(layer, FINE) for layer in (shapes, fine)]
        return torch.cat(both, dim=1), F.adaptive_avg_pool2d(coarse, COARSE)

    def _scaled(self, pixels: torch.Tensor) -> torch.Tensor:
        x = F.interpolate(pixels, (self.size, self.size), mode="bilinear", align_corners=False, antialias=True)
        return (x * 2 - 1).contiguous(memory_format=torch.channels_last)  # 1.7x the speed on a CPU


class Saved(nn.Module):
    """A module that is rebuilt from its keyword arguments."""

    config: dict

    def save(self, folder: Path) -> None:
        """Write `config.json` and the weights in half precision."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "config.json", self.config)
        state = {key: value.half() if value.is_floating_point() else value for key, value in self.state_dict().items()}
        with whole_file(folder / "model.safetensors") as partial:
            save_file({key: value.cpu().contiguous() for key, value in state.items()}, partial)

    @classmethod
    def load(cls, folder: Path):
        """The saved model, in single precision and evaluation mode."""
        model = cls(**json.loads((folder / "config.json").read_text()))
        model.load_state_dict(load_file(folder / "model.safetensors"))
        return model.eval()


class Reader(Saved):
    """Reads the factors of a scene from its picture: `heads` maps each factor to the values it can take.

    A picture shows one value of a factor; of those in `things` any number, or none.
    """

    def __init__(
        self, architecture: str, size: int, heads: Mapping[str, Sequence[str]], things: Sequence[str] = ()
    ) -> None:
        super().__init__()
        known = {name: list(values) for name, values in heads.items()}
        self.config = {"architecture": architecture, "size": size, "heads": known, "things": list(things)}
        self.backbone = Backbone(architecture, size)
        features = self.backbone.net.num_features
        self.heads = nn.ModuleDict({name: nn.Linear(features, len(values)) for name, values in heads.items()})
        for name in things:
            nn.init.constant_(self.heads[name].bias, SELDOM)

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits (n, values) of each factor: of a softmax, or for `things` of a sigmoid each."""
        features = self.backbone(pixels)
        return {name: head(features) for name, head in self.heads.items()}


class IdentityNet(Saved):
    """A picture's subject as a unit vector, whatever surrounds it."""

    def __init__(self, architecture: str, size: int, width: int = 128) -> None:
        super().__init__()
        self.config = {"architecture": architecture, "size": size, "width": width}
        self.backbone = Backbone(architecture, size)
        self.head = Attending(*(layer["num_chs"] for layer in self.backbone.net.feature_info[-3:]), width)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, width), L2-normalised."""
        return self.head(*self.backbone.maps(pixels))


class Attending(nn.Module):
    """Looks for the subject in a backbone's maps and says who it is: a small transformer over their cells."""

    def __init__(self, shapes: int, fine: int, coarse: int, width: int, layers: int = 2) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Linear(shapes + fine, width), nn.Linear(coarse, width)
        self.places = nn.Parameter(torch.randn(1 + FINE**2 + COARSE**2, width) * 0.02)
        block = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(block, layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.project = nn.Linear(width, width)

    def forward(self, fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        """Maps (n, c, 6, 6) and (n, d, 3, 3) to (n, width), L2-normalised."""
        cells = [layer(x.flatten(2).mT) for layer, x in ((self.fine, fine), (self.coarse, coarse))]
        asked = torch.zeros_like(cells[0][:, :1])
        return F.normalize(self.project(self.layers(torch.cat([asked, *cells], dim=1) + self.places)[:, 0]), dim=-1)


@torch.no_grad()
def move_halfway(model: nn.Module, other: nn.Module) -> None:
    """Change the model's weights to the mean of its own and those of `other`, which is built alike."""
    goal = other.state_dict()
    for name, value in model.state_dict().items():  # shares its memory with the model
        if value.is_floating_point():
            value.lerp_(goal[name], 0.5)
