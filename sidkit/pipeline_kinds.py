"""Which kinds of checkpoints there are, and which of them are personalized here: those that paint from a text alone."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import DDIMScheduler
from diffusers.loaders.single_file_utils import infer_diffusers_model_type

from sidkit.shown import reason, shown, shown_names

ONE_READER = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
PARTS = {  # of a pipeline, by its class
    "StableDiffusionPipeline": ONE_READER,
    "StableDiffusionXLPipeline": (*ONE_READER, "text_encoder_2", "tokenizer_2"),
}
CHANNELS = {9: "for Inpainting", 8: "for InstructPix2Pix", 7: "for upscaling", 5: "for depth"}  # a UNet of so many
LATENTS = 4  # channels of a picture's latents in Stable Diffusion
PREDICTIONS = ("epsilon", "v_prediction")
LIBRARIES = {"diffusers": diffusers, "transformers": transformers}  # that a part may be of; others run their own code
COUNT = re.compile("layers|timesteps")  # in the names of settings that say how many there are
MOST_LAYERS, MOST_STEPS = 1000, 100_000
DAMAGED = "its settings are damaged: copy or download them again"
OTHER_NOISE = ("EDM", "FlowMatch", "Karras")  # in the names of samplers whose models are trained otherwise
SINGLE = ("v1", "v2", "xl_base")  # diffusers' names for what is loaded of a single file
XL_ONLY = "conditioner.embedders.1."
UNET, VAE, TEXT = "model.diffusion_model.", "first_stage_model.", "cond_stage_model."  # how names begin, by part
PARTS_OF_FILE = {UNET: "UNet", VAE: "autoencoder", TEXT: "text encoder"}
PARTS_OF_XL_FILE = {
    UNET: "UNet",
    VAE: "autoencoder",
    "conditioner.embedders.0.": "first text encoder",
    XL_ONLY: "second text encoder",
}
FIRST_LAYER = "model.diffusion_model.input_blocks.0.0.weight"
# What a name or a piece of it tells of a file that is not a whole checkpoint.
SIGNS = {
    "a LoRA": ("lora_", ".lora.", ".lora_", "lora.down", ".hada_w1", ".lokr_w", ".dora_scale"),
    "an embedding of Textual Inversion": ("emb_params", "string_to_param", "clip_l", "clip_g"),
    "a ControlNet": ("control_model.", "controlnet_cond_embedding.", "controlnet_"),
    "an IP-Adapter": ("ip_adapter.", "image_proj."),
    "a T2I-Adapter": ("adapter.body.",),
}
ON_TOP = "it goes on top of a model: name that one as the profile's pipeline"
WHOLE = "name a whole text-to-image checkpoint, or a pipeline's folder"


def check_class(index: Mapping[str, Any], where: Path | str) -> Sequence[str]:
    """The parts that a pipeline of this `model_index.json` must have.

    Raises ValueError for a pipeline that is not one of those in PARTS, and for one that says that a part is none.
    """
    name = index.get("_class_name")
    if not isinstance(name, str) or name not in PARTS:
        known = " or ".join(PARTS)
        raise ValueError(f"{where}: expected a text-to-image pipeline ({known}), got {shown(name)}; {WHOLE}")
    for part in PARTS[name]:
        told = index.get(part)
        if not isinstance(told, list) or len(told) != 2 or not all(isinstance(word, str) for word in told):
            raise ValueError(f"{where}: expected {name} to have a {part}, got {shown(told)}; {WHOLE}")
        if told[0] not in LIBRARIES or not hasattr(LIBRARIES[told[0]], told[1]):
            expected = f"expected the {part} to be of {' or '.join(LIBRARIES)}"
            raise ValueError(f"{where}: {expected}, got {shown(told)}, which they do not have; {WHOLE}")
    return PARTS[name]


def check_unet(settings: Mapping[str, Mapping[str, Any]], where: Path | str) -> None:
    """Raise ValueError unless the settings of the parts, by name, fit together: what reads a text, paints, and decodes.

    Only the UNet's must be there.
    """
    channels = settings["unet"].get("in_channels", LATENTS)
    latents = settings.get("vae", {}).get("latent_channels", LATENTS)
    if channels != latents:
        raise ValueError(_other_channels(where, channels, latents))
    widths = [settings[part].get("hidden_size") for part in ("text_encoder", "text_encoder_2") if part in settings]
    reads = settings["unet"].get("cross_attention_dim")
    are_numbers = all(isinstance(width, int) for width in (*widths, reads))
    if widths and are_numbers and sum(widths) != reads:
        told = f"expected text encoders {reads} wide, as the UNet reads them, got {sum(widths)}"
        raise ValueError(f"{where}: {told}; the parts are of different models, copy them from one")
    _check_vae(settings.get("vae", {}), where)
    _check_noise(settings.get("scheduler", {}), where)


def check_buildable(settings: Mapping[str, Mapping[str, Any]], where: Path | str) -> None:
    """Raise ValueError for settings that would take hours or all memory to build, and for quantized weights."""
    for part, values in settings.items():
        if values.get("quantization_config"):
            raise ValueError(f"{where}: {part}: expected weights in 16 or 32 bits, got quantized ones; {WHOLE}")
        for name, value in values.items():
            numbers = value if isinstance(value, list) else [value]
            most = MOST_STEPS if "timesteps" in name else MOST_LAYERS
            if COUNT.search(name) and any(isinstance(number, int) and number > most for number in numbers):
                raise ValueError(f"{where}: {part}: {name}: expected at most {most}, got {shown(value)}; {DAMAGED}")


def _check_vae(settings: Mapping[str, Any], where: Path | str) -> None:
    factor = settings.get("scaling_factor", 1.0)
    if not isinstance(factor, int | float) or not math.isfinite(factor) or factor <= 0:
        raise ValueError(f"{where}: vae: scaling_factor: expected a positive number, got {shown(factor)}; {DAMAGED}")


def _check_noise(settings: Mapping[str, Any], where: Path | str) -> None:
    """Raise ValueError unless a sampler's settings make noise that grows from step to step."""
    sampler = settings.get("_class_name", "")
    if any(word in str(sampler) for word in OTHER_NOISE):
        told = f"expected a model of noise as in DDPM, got one of {shown(sampler)}"
        raise ValueError(f"{where}: {told}, which is not trained here; {WHOLE}")
    kind = settings.get("prediction_type", "epsilon")
    if kind not in PREDICTIONS:
        told = f"expected a prediction_type of {' or '.join(PREDICTIONS)}, got {shown(kind)}"
        raise ValueError(f"{where}: scheduler: {told}; {WHOLE}")
    try:
        schedule = DDIMScheduler.from_config(dict(settings))
        schedule.set_timesteps(1)
        kept = schedule.alphas_cumprod
        told = "" if bool(((kept >= 0) & (kept <= 1)).all()) else "noise outside of 0 to 1"
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        told = reason(error)
    if told:
        raise ValueError(f"{where}: scheduler: expected the settings of a DDIM sampler, got {told}; {DAMAGED}")


def check_single(shape_by_name: Mapping[str, Sequence[int]], path: Path) -> None:
    """Raise ValueError unless a single file, of whose tensors these are the shapes, is a whole checkpoint."""
    for kind, signs in SIGNS.items():
        if any(sign in name for name in shape_by_name for sign in signs):
            raise ValueError(f"{path}: expected a checkpoint, this is {kind}, not a checkpoint; {ON_TOP}")
    kind = _kind(shape_by_name)
    lacking = _lacking(shape_by_name)
    if lacking or kind not in SINGLE:
        came = f"this is one of {kind}" if kind not in SINGLE else f"this has no {shown_names(lacking)}"
        raise ValueError(f"{path}: expected a whole checkpoint of Stable Diffusion, {came}; {WHOLE}")
    first = shape_by_name.get(FIRST_LAYER, ())
    if len(first) > 1 and first[1] != LATENTS:
        raise ValueError(_other_channels(path, first[1], LATENTS))


def _kind(shape_by_name: Mapping[str, Sequence[int]]) -> str:
    """diffusers' name for a kind of checkpoint; "v1" where it knows no better."""
    tensors = {name: torch.empty(*shape, device="meta") for name, shape in shape_by_name.items()}
    try:
        return infer_diffusers_model_type(tensors)
    except (LookupError, TypeError, ValueError):  # a name that it knows, with another shape
        return "a kind that nobody knows"


def is_xl(names: Iterable[str]) -> bool:
    """Whether a single file with tensors of these names is of XL."""
    return any(name.startswith(XL_ONLY) for name in names)


def _lacking(names: Collection[str]) -> list[str]:
    """The parts of which a single file has nothing."""
    parts = PARTS_OF_XL_FILE if is_xl(names) else PARTS_OF_FILE
    return [part for beginning, part in parts.items() if not any(name.startswith(beginning) for name in names)]


def _other_channels(where: Path | str, channels: Any, latents: Any) -> str:
    kind = CHANNELS.get(channels, "another kind") if isinstance(channels, int) else "another kind"
    expected = f"expected a text-to-image pipeline, whose UNet takes {shown(latents)} channels"
    return f"{where}: {expected}, got one of {shown(channels)}, {kind}; {WHOLE}"
