"""Lets torchvision be imported beside a CPU build of torch: before its first import, what it lacks is declared.

torchvision 0.28 registers fake versions of two compiled operators at import, which fails where the operators cannot
load. Declaring their schemas is enough: none of them is ever called here. `import sidkit` calls `install`, so nobody
else needs to think of it.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from pathlib import Path

SCHEMAS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_LIBRARIES = []  # kept alive: the declarations go with them


class _BeforeTorchvision(MetaPathFinder):
    """Finds nothing; being asked for torchvision is the sign that it is about to be imported."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            _declare_missing_operators()
        return None


def install() -> None:
    """Watch for the first import of torchvision. Imports nothing itself; a second call changes nothing."""
    watched = any(isinstance(finder, _BeforeTorchvision) for finder in sys.meta_path)
    if "torchvision" not in sys.modules and not watched:
        sys.meta_path.insert(0, _BeforeTorchvision())


def _declare_missing_operators() -> None:
    import torch

    spec = PathFinder.find_spec("torchvision")
    if spec is None or _has_compiled_operators(Path(spec.origin).parent):
        return
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name, schema in SCHEMAS.items():
        library.define(name + schema)
    _LIBRARIES.append(library)


def _has_compiled_operators(folder: Path) -> bool:
    import torch

    compiled = next(folder.glob("_C*.*"), None)
    if compiled is None:
        return False
    try:
        torch.ops.load_library(compiled)
    except OSError:  # a build for another torch, or for CUDA where there is none
        return False
    return True
