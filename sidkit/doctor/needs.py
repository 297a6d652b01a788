"""What a profile will need, by arithmetic on models without weights: memory, time, disk. Nothing is run or downloaded.

Bytes are counted: of weights, gradients, moments, and of what autograd keeps of a forward pass (as in torch's fused
kernels, no attention matrix). Time is operations divided by the speed of a matrix product on this machine; how much of
that speed a diffusion model reaches differs from card to card, so times are good to a factor of two or so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from diffusers import DiffusionPipeline
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from sidkit.config import Profile, Training
from sidkit.doctor.architectures import empty_pipeline
from sidkit.models import DTYPES, text_parts
from sidkit.personalization.methods import trained_parameters

BYTES = {"fp32": 4, "fp16": 2, "bf16": 2}
TOKENS = 77
REACHED = 0.4  # of a matrix product's speed, by a UNet
CONTEXT = 0.6e9  # bytes that CUDA and its libraries take
FRAGMENTS = 1.1  # what torch's allocator holds, for each byte in use
RECOMPUTED = ("ResnetBlock2D", "BasicTransformerBlock")  # what gradient checkpointing computes again, one at a time
IN_HALF = (F.linear, F.conv2d, torch.matmul, torch.bmm, torch.baddbmm)  # as CUDA's autocast does
IN_FULL = (F.group_norm, F.layer_norm, F.softmax, F.mse_loss)


@dataclass(frozen=True)
class Sizes:
    """Parameters of a pipeline's parts, and how many of them a method trains."""

    unet: int
    vae: int
    text: int
    trained: int


@dataclass(frozen=True)
class TrainingMemory:
    """Bytes on the device while a method trains, by what they are for; `total` also counts CUDA's own and fragments."""

    base: int  # the pipeline that is kept, to draw from and to copy
    copy: int  # the UNet and text encoders that are trained
    gradients: int
    moments: int
    activations: int

    @property
    def total(self) -> float:
        """All of it."""
        return FRAGMENTS * (self.base + self.copy + self.gradients + self.moments + self.activations) + CONTEXT


def sizes(pipe: DiffusionPipeline, method: str, training: Training) -> Sizes:
    """Counted on a pipeline without weights, to which the method adds what it trains."""
    base = [_count(pipe.unet), _count(pipe.vae), sum(_count(part.encoder) for part in text_parts(pipe))]
    return Sizes(*base, sum(weight.numel() for weight in trained_parameters(pipe, method, training).values()))


def training_memory(profile: Profile, method: str) -> TrainingMemory:
    """What training needs at its peak, with the options of the profile. Raises ValueError for an unknown method."""
    training, held = profile.training[method], BYTES[profile.memory.weights]
    count = sizes(empty_pipeline(profile), method, training)
    text_stays = training.text_encoder or not training.unload
    copied = count.unet + (count.text if text_stays else 0)
    moved = 0 if not training.unload else count.vae
    upcast = count.trained * (4 - held)
    graphs = training.batch_size * (2 if training.prior_weight else 1)
    copies = count.trained * BYTES[training.precision] if training.precision != "fp32" else 0  # made by autocast
    return TrainingMemory(
        base=(count.unet + count.text) * held + (count.vae - moved) * 4,
        copy=copied * held + upcast + copies,
        gradients=count.trained * 4,
        moments=count.trained * (2 if training.optimizer == "adamw8bit" else 8),
        activations=graphs * activation_bytes(profile, training),
    )


def activation_bytes(profile: Profile, training: Training) -> int:
    """What autograd keeps of one picture's pass through the UNet; with checkpointing, the largest block's on top."""
    unet = empty_pipeline(profile).unet
    torch.nn.Module.to(unet, DTYPES[profile.memory.weights])  # diffusers' own warns of nothing
    if not training.gradient_checkpointing:
        return _kept(unet, profile, training)[0]
    largest = max(_kept(unet, profile, training)[1].values())
    unet.enable_gradient_checkpointing()
    return _kept(unet, profile, training)[0] + largest


def operations(profile: Profile) -> tuple[int, int]:
    """Floating-point operations of one picture's pass through the UNet, and of its decoding."""
    pipe = empty_pipeline(profile)
    side = profile.resolution // pipe.vae_scale_factor
    latents = torch.empty(1, pipe.vae.config.latent_channels, side, side, device="meta")
    with FlopCounterMode(display=False) as unet, torch.no_grad():
        _forward(pipe.unet, side)
    with FlopCounterMode(display=False) as decoder, torch.no_grad():
        pipe.vae.decode(latents)
    return unet.get_total_flops(), decoder.get_total_flops()


def step_seconds(profile: Profile, method: str, speed: float) -> float:
    """Of an optimizer step, at `speed` operations a second: a backward pass costs as much as two forward ones."""
    training, (unet, _) = profile.training[method], operations(profile)
    count = sizes(empty_pipeline(profile), method, training)
    backward = 2 if count.trained > count.unet / 2 else 1  # frozen weights need no gradient of their own
    passes = 1 + backward + training.gradient_checkpointing
    return passes * unet * training.batch_size * (2 if training.prior_weight else 1) / (speed * REACHED)


def picture_seconds(profile: Profile, speed: float) -> float:
    """Of a picture: two passes a step with guidance, then decoding."""
    unet, decoder = operations(profile)
    passes = profile.sampling.steps * (2 if profile.sampling.guidance > 1 else 1)
    return (passes * unet + decoder) / (speed * REACHED)


def matrix_speed(device: str, precision: str, side: int = 0) -> float:
    """Operations a second of a square matrix product here and now, the best of ten: what else runs slows some."""
    side = side or (4096 if device != "cpu" else 768)
    a = torch.randn(side, side, device=device, dtype=DTYPES[precision])
    best = float("inf")
    for _ in range(10):
        started = time.perf_counter()
        torch.matmul(a, a).sum().item()  # item waits for the device
        best = min(best, time.perf_counter() - started)
    return 2 * side**3 / best


def _count(part: nn.Module) -> int:
    return sum(weight.numel() for weight in part.parameters())


def _kept(unet: nn.Module, profile: Profile, training: Training) -> tuple[int, dict[str, int]]:
    """Bytes that a forward pass keeps: altogether, and in each of the blocks that checkpointing computes again."""
    side, blocks = profile.resolution // _scale(profile), {}
    with _counting(unet, blocks) as kept, _Autocast(training.precision), torch.enable_grad():
        output = _forward(unet.requires_grad_(True), side)
        total = sum(kept.values())
        del output
    return total, blocks


@contextmanager
def _counting(unet: nn.Module, blocks: dict[str, int]) -> Iterator[dict[int, int]]:
    """Storages that autograd keeps, each once, the weights' own apart; `blocks` gets each block's share."""
    weights = {weight.untyped_storage()._cdata for weight in unet.parameters()}
    kept: dict[int, int] = {}
    alive = []  # so that no storage's address is used again

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            alive.append(tensor)
            kept[storage._cdata] = storage.nbytes()
        return tensor

    hooks = []
    for name, module in unet.named_modules():
        if type(module).__name__ in RECOMPUTED:
            before = lambda _, __, name=name: blocks.__setitem__(name, -sum(kept.values()))  # noqa: E731
            after = lambda *_, name=name: blocks.__setitem__(name, blocks[name] + sum(kept.values()))  # noqa: E731
            hooks += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
    try:
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            yield kept
    finally:
        for hook in hooks:
            hook.remove()


def _forward(unet: nn.Module, side: int) -> torch.Tensor:
    config, dtype = unet.config, unet.dtype
    empty = dict(device="meta", dtype=dtype)
    added = None
    if config.addition_embed_type == "text_time":  # XL: six numbers say the size, the rest is the pooled text
        width = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
        added = {"text_embeds": torch.empty(1, width, **empty), "time_ids": torch.empty(1, 6, **empty)}
    text = torch.empty(1, TOKENS, config.cross_attention_dim, **empty)
    when = torch.empty(1, dtype=torch.long, device="meta")
    return unet(torch.empty(1, config.in_channels, side, side, **empty), when, text, added_cond_kwargs=added).sample


def _scale(profile: Profile) -> int:
    return empty_pipeline(profile).vae_scale_factor


class _Fused(torch.autograd.Function):
    """What a fused attention keeps: its inputs and its output."""

    @staticmethod
    def forward(ctx, query, key, value):
        output = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, output)
        return output

    @staticmethod
    def backward(ctx, gradient):
        raise NotImplementedError("models without weights are only counted")


class _Autocast(TorchFunctionMode):
    """CUDA's autocast, on models without weights."""

    def __init__(self, precision: str) -> None:
        super().__init__()
        self.half = DTYPES[precision]

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            return _Fused.apply(*(one.to(self.half) for one in args[:3]))
        wanted = self.half if func in IN_HALF else torch.float32 if func in IN_FULL else None
        if wanted is not None:
            args = [_cast(one, wanted) for one in args]
            kwargs = {name: _cast(one, wanted) for name, one in kwargs.items()}
        return func(*args, **kwargs)


def _cast(value, dtype: torch.dtype):
    return value.to(dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value
