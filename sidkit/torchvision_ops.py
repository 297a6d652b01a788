"""Lets torchvision be imported beside a CPU build of torch; import this before diffusers, open_clip or timm.

torchvision 0.28 registers fake versions of two compiled operators at import, which fails where the operators cannot
load. Declaring their schemas is enough: none of them is ever called here.
"""

from __future__ import annotations

import torch

SCHEMAS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _declare() -> torch.library.Library | None:
    """Declare the operators; with compiled ones at hand torchvision imports, and there is nothing to do."""
    try:
        import torchvision  # noqa: F401
    except ImportError:
        return None
    except RuntimeError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name, schema in SCHEMAS.items():
            library.define(name + schema)
        return library
    return None


LIBRARY = _declare()  # kept alive: the declarations go with it
