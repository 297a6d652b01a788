"""What autograd keeps of a forward pass, in bytes: counted on a UNet without weights, as CUDA would compute it.

torch has a counter of its own, `torch.distributed._tools.mem_tracker.MemTracker` under `FakeTensorMode`. In fp32 both
agree (Stable Diffusion 1.5 at 512 px: 1.871 and 1.869 GB). In bf16 it cannot stand in for this one: without a GPU there
is only the CPU's autocast, which keeps norms in half precision, so that it counts a quarter less (0.94 and 1.24 GB).
It also takes twenty times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, UntypedStorage, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from sidkit.models import DTYPES

TOKENS = 77  # that a text encoder gives the UNet
RECOMPUTED = ("ResnetBlock2D", "BasicTransformerBlock")  # what gradient checkpointing computes again, one at a time
IN_HALF = (F.linear, F.conv2d, torch.matmul, torch.bmm, torch.baddbmm)  # as CUDA's autocast does
IN_FULL = (F.group_norm, F.layer_norm, F.softmax, F.mse_loss)


def kept_bytes(unet: nn.Module, side: int, precision: str) -> tuple[int, dict[str, int]]:
    """Bytes kept of a pass of one picture, whose latent has `side` cells a side: of all, and of each block by its name.

    `unet` is on the device `meta`. The weights do not count. Blocks are those that gradient checkpointing computes
    again.
    """
    unet.requires_grad_(True)
    bytes_by_block: dict[str, int] = {}
    with _counting(unet, bytes_by_block) as kept, _Autocast(precision), torch.enable_grad():
        output = pass_through(unet, side)
        total = sum(kept.values())
        del output  # until here, so that all of it was alive at once
    return total, bytes_by_block


def pass_through(unet: nn.Module, side: int) -> Tensor:
    """The output of a UNet on `meta` for a latent of `side` cells a side and a text, neither of which has values."""
    config = unet.config
    empty = dict(device="meta", dtype=unet.dtype)
    latents = torch.empty(1, config.in_channels, side, side, **empty)
    text = torch.empty(1, TOKENS, config.cross_attention_dim, **empty)
    time = torch.empty(1, dtype=torch.long, device="meta")
    added = None
    if config.addition_embed_type == "text_time":  # XL: six numbers say the size, the rest is the pooled text
        width = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
        added = {"text_embeds": torch.empty(1, width, **empty), "time_ids": torch.empty(1, 6, **empty)}
    return unet(latents, time, text, added_cond_kwargs=added).sample


@contextmanager
def _counting(unet: nn.Module, bytes_by_block: dict[str, int]) -> Iterator[dict[UntypedStorage, int]]:
    """Storages that autograd keeps, each once, with their bytes; `bytes_by_block` gets what each block adds."""
    weights = {weight.untyped_storage() for weight in unet.parameters()}
    kept: dict[UntypedStorage, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage not in weights:
            kept[storage] = storage.nbytes()
        return tensor

    hooks = []
    for name, module in unet.named_modules():
        if type(module).__name__ in RECOMPUTED:
            hooks += _hooks_of_block(name, module, kept, bytes_by_block)
    try:
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            yield kept
    finally:
        for hook in hooks:
            hook.remove()


def _hooks_of_block(
    name: str, block: nn.Module, kept: dict[UntypedStorage, int], bytes_by_block: dict[str, int]
) -> list[torch.utils.hooks.RemovableHandle]:
    """Hooks that note the difference between what is kept after a block and before it."""

    def before(*_: Any) -> None:
        bytes_by_block[name] = -sum(kept.values())

    def after(*_: Any) -> None:
        bytes_by_block[name] += sum(kept.values())

    return [block.register_forward_pre_hook(before), block.register_forward_hook(after)]


class _Fused(torch.autograd.Function):
    """What a fused attention keeps: its inputs and its output."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        output = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, output)
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> None:
        raise NotImplementedError("models without weights are only counted")


class _Autocast(TorchFunctionMode):
    """CUDA's autocast, on models without weights: torch's own turns itself off where there is no GPU."""

    def __init__(self, precision: str) -> None:
        super().__init__()
        self.half = DTYPES[precision]

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            query, key, value = (tensor.to(self.half) for tensor in args[:3])
            return _Fused.apply(query, key, value)
        if func in IN_HALF:
            return func(*_cast(args, self.half), **_cast(kwargs, self.half))
        if func in IN_FULL:
            return func(*_cast(args, torch.float32), **_cast(kwargs, torch.float32))
        return func(*args, **kwargs)


def _cast(values: Any, dtype: torch.dtype) -> Any:
    """Positional or named arguments with every floating-point tensor of them in `dtype`."""
    if isinstance(values, dict):
        return dict(zip(values, _cast(tuple(values.values()), dtype)))
    return tuple(value.to(dtype) if _is_floating(value) else value for value in values)


def _is_floating(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()
