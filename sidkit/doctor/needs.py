"""What a profile will need, by arithmetic on models without weights: memory, time, disk. Nothing is run or downloaded.

Bytes are counted: of weights, gradients, moments, and of what autograd keeps of a forward pass (as in torch's fused
kernels, no attention matrix). Time is operations divided by the speed of a matrix product on this machine; how much of
that speed a diffusion model reaches differs from card to card, so times are good to a factor of two or so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from diffusers import DiffusionPipeline
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sidkit.config import Profile, Training
from sidkit.doctor.activations import kept_bytes, pass_through
from sidkit.doctor.architectures import empty_pipeline, no_model
from sidkit.masters import hold
from sidkit.models import DTYPES, text_parts
from sidkit.personalization.methods import trained_parameters

BYTES = {"fp32": 4, "fp16": 2, "bf16": 2}
MOMENTS = {"adamw": 8, "adamw8bit": 2}  # bytes that an optimizer keeps of each trained number
REACHED = 0.4  # of a matrix product's speed, by a UNet
CONTEXT = 0.6e9  # bytes that CUDA and its libraries take
FRAGMENTS = 1.1  # what torch's allocator holds, for each byte in use


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
    copy: int  # the UNet and text encoders while one of them is trained, with what the method adds
    gradients: int
    moments: int
    activations: int

    @property
    def total(self) -> float:
        """All of it."""
        return FRAGMENTS * (self.base + self.copy + self.gradients + self.moments + self.activations) + CONTEXT


def sizes(pipe: DiffusionPipeline, method: str, training: Training) -> Sizes:
    """Counted on a pipeline without weights, to which the method adds what it trains."""
    unet, vae = _count(pipe.unet), _count(pipe.vae)
    text = sum(_count(part.encoder) for part in text_parts(pipe))
    trained = trained_parameters(pipe, method, training)
    return Sizes(unet, vae, text, sum(weight.numel() for weight in trained.values()))


def training_memory(profile: Profile, method: str) -> TrainingMemory:
    """What training needs at its peak, with the options of the profile. Raises ValueError for an unknown method."""
    training = profile.training[method]
    held = BYTES[profile.memory.weights]
    pipe = held_pipeline(profile)
    count = sizes(pipe, method, training)  # from here on the pipeline is as it is while it trains
    vae_on_device = 0 if training.unload else count.vae
    cast_by_autocast = 0 if training.precision == "fp32" else count.trained * BYTES[training.precision]
    return TrainingMemory(
        base=(count.unet + count.text) * held + vae_on_device * 4,
        copy=_copy_bytes(pipe, training) + cast_by_autocast,
        gradients=count.trained * 4,
        moments=count.trained * MOMENTS[training.optimizer],
        activations=_pictures_a_pass(training) * activation_bytes(profile, training),
    )


def activation_bytes(profile: Profile, training: Training) -> int:
    """What autograd keeps of one picture's pass through the UNet; with checkpointing, the largest block's on top."""
    pipe = empty_pipeline(profile)
    side = _latent_side(profile, pipe)
    torch.nn.Module.to(pipe.unet, DTYPES[profile.memory.weights])  # diffusers' own warns of nothing
    with no_model(profile):
        whole, bytes_by_block = kept_bytes(pipe.unet, side, training.precision)
    if not training.gradient_checkpointing:
        return whole
    pipe.unet.enable_gradient_checkpointing()
    between_blocks, _ = kept_bytes(pipe.unet, side, training.precision)
    return between_blocks + max(bytes_by_block.values())


def operations(profile: Profile) -> tuple[int, int]:
    """Floating-point operations of one picture's pass through the UNet, and of its decoding."""
    pipe = empty_pipeline(profile)
    side = _latent_side(profile, pipe)
    latents = torch.empty(1, pipe.vae.config.latent_channels, side, side, device="meta")
    with no_model(profile), FlopCounterMode(display=False) as unet, torch.no_grad():
        pass_through(pipe.unet, side)
    with no_model(profile), FlopCounterMode(display=False) as decoder, torch.no_grad():
        pipe.vae.decode(latents)
    return unet.get_total_flops(), decoder.get_total_flops()


def step_seconds(profile: Profile, method: str, speed: float) -> float:
    """Of an optimizer step, at `speed` operations a second: a backward pass costs as much as two forward ones."""
    training = profile.training[method]
    unet, _ = operations(profile)
    count = sizes(empty_pipeline(profile), method, training)
    backward = 2 if count.trained > count.unet / 2 else 1  # frozen weights need no gradient of their own
    passes = 1 + backward + training.gradient_checkpointing
    pictures = training.accumulation * _pictures_a_pass(training)
    return passes * unet * pictures / (speed * REACHED)


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


def held_pipeline(profile: Profile) -> DiffusionPipeline:
    """The profile's pipeline without weights, each in the precision that `memory.weights` says."""
    pipe = empty_pipeline(profile)
    parts = {part.name: part.encoder for part in text_parts(pipe)}
    hold(pipe, parts | {"unet": pipe.unet}, DTYPES[profile.memory.weights])
    return pipe


def _copy_bytes(pipe: DiffusionPipeline, training: Training) -> int:
    """Of the UNet and the text encoders as they are while they train; encoders whose outputs are kept may be away."""
    encoders = [part.encoder for part in text_parts(pipe)]
    texts_are_trained = any(weight.requires_grad for encoder in encoders for weight in encoder.parameters())
    parts = [pipe.unet, *(encoders if texts_are_trained or not training.unload else [])]
    tensors = [tensor for part in parts for tensor in (*part.parameters(), *part.buffers())]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors if tensor.is_floating_point())


def _count(part: nn.Module) -> int:
    return sum(weight.numel() for weight in part.parameters())


def _pictures_a_pass(training: Training) -> int:
    """References, and as many pictures of the class where they are trained on beside them."""
    return training.batch_size * (2 if training.prior_weight else 1)


def _latent_side(profile: Profile, pipe: DiffusionPipeline) -> int:
    return profile.resolution // pipe.vae_scale_factor
