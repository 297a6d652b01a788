"""The true sizes of Stable Diffusion 1.5, 2.1 and XL: models without weights, to count with and to test with.

The JSON files are the configurations of the published pipelines, as far as they shape a model. On torch's `meta` device
a model has shapes and no numbers, and takes no memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DiffusionPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from sidkit.config import Profile, check_name, locate, weights_folder
from sidkit.models import UNLOADABLE
from sidkit.pipeline_files import read_settings, remedy
from sidkit.shown import reason

FOLDER = Path(__file__).parent
SCHEDULE = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False, steps_offset=1)
IDENTIFIER = "sks"  # one token of the tokenizer that stands in, whatever the profile's is
NETWORKS = ("unet", "vae", "text_encoder", "text_encoder_2")


def architectures() -> list[str]:
    """Names of the architectures that can be counted without their weights."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def configuration(profile: Profile) -> dict[str, dict]:
    """The configuration of each part of a profile's pipeline: from its own folder, or from its named architecture.

    Raises ValueError where the profile has neither, with what to do.
    """
    folder = Path(locate(profile.pipeline))
    if folder.is_dir():
        return {
            part: read_settings(folder / part / "config.json", remedy(profile.pipeline))
            for part in NETWORKS
            if (folder / part).is_dir()
        }
    if profile.architecture is None:
        known = ", ".join(architectures())
        told = f"profile {profile.name}: expected a folder (none is there), or an architecture ({known})"
        raise ValueError(f"{told}; name one to have {profile.pipeline} counted without its weights")
    known = check_name("architecture", profile.architecture, architectures())
    return json.loads((FOLDER / f"{known}.json").read_text())


def empty_pipeline(profile: Profile, device: str = "meta") -> DiffusionPipeline:
    """The profile's pipeline at its true size, of no weights on `meta` and of random ones elsewhere.

    Its tokenizers stand in for the true ones: they count, and say nothing. ValueError where the settings make no model.
    """
    told = configuration(profile)
    with no_model(profile):
        return _built(told, device)


@contextmanager
def no_model(profile: Profile) -> Iterator[None]:
    """Whatever the libraries raise inside, where a model is built or passed through, is a fault of its settings."""
    try:
        yield
    except UNLOADABLE as error:
        fault = f"profile {profile.name}: the settings of {profile.pipeline} make no model of Stable Diffusion"
        raise ValueError(f"{fault}: {reason(error)}; {remedy(profile.pipeline)}") from error


def _built(told: dict[str, dict], device: str) -> DiffusionPipeline:
    double = "text_encoder_2" in told
    with torch.device(device):
        parts = {"unet": UNet2DConditionModel.from_config(told["unet"]), "vae": AutoencoderKL.from_config(told["vae"])}
        parts["text_encoder"] = CLIPTextModel(_text(told["text_encoder"]))
        if double:
            parts["text_encoder_2"] = CLIPTextModelWithProjection(_text(told["text_encoder_2"]))
    words = CLIPTokenizer.from_pretrained(weights_folder("text_to_image") / "tokenizer")
    scheduler = DDIMScheduler(prediction_type=told.get("prediction_type", "epsilon"), **SCHEDULE)
    parts |= dict(tokenizer=words, scheduler=scheduler)
    if double:
        pipe = StableDiffusionXLPipeline(**parts, tokenizer_2=words, add_watermarker=False)
    else:
        nothing = dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
        pipe = StableDiffusionPipeline(**parts, **nothing)
    pipe.identifier = IDENTIFIER
    return pipe


def _text(told: dict) -> CLIPTextConfig:
    return CLIPTextConfig(**{key: value for key, value in told.items() if key not in ("model_type", "architectures")})
