"""What a profile would have to download: the models that are not on this machine, with their sizes."""

from __future__ import annotations

from pathlib import Path

from sidkit import hub
from sidkit.config import Profile, locate, shipped
from sidkit.doctor.architectures import empty_pipeline
from sidkit.doctor.units import gigabytes
from sidkit.pipeline_files import INDEX, networks

# Parameters of the models that measure and mask, as published; they come in 4 bytes each.
PARAMETERS = {
    "ViT-B-32-quickgelu/openai": 151_277_313,
    "vit_small_patch16_224.dino": 21_665_664,
    "IDEA-Research/grounding-dino-tiny": 172_249_090,
    "facebook/sam-vit-base": 93_735_472,
}


def downloads(profile: Profile) -> str:
    """What is not on this machine yet, as a row of the report says it."""
    size_by_name: dict[str, int | None] = {}
    if pipeline_is_to_come(profile):
        size_by_name[profile.pipeline] = _pipeline_bytes(profile)
    for name in _instruments(profile):
        if not shipped(name) and not Path(name).exists():
            size_by_name[name] = 4 * PARAMETERS[name] if name in PARAMETERS else None
    if not size_by_name:
        return "nothing"
    models = [f"{name} {gigabytes(size) if size else 'of unknown size'}" for name, size in size_by_name.items()]
    return f"{', '.join(models)} (less what is in the cache already)"


def pipeline_is_to_come(profile: Profile) -> bool:
    """Whether the pipeline is neither a folder or file here nor in the hub's cache."""
    is_here = Path(locate(profile.pipeline)).exists()
    return not is_here and hub.cached(profile.pipeline, INDEX, profile.revision) is None


def _pipeline_bytes(profile: Profile) -> int:
    pipe = empty_pipeline(profile)
    models = [getattr(pipe, part) for part in networks(pipe.components)]
    count = sum(weight.numel() for model in models if model is not None for weight in model.parameters())
    return count * (2 if profile.variant == "fp16" else 4)


def _instruments(profile: Profile) -> list[str]:
    """The models beside the pipeline, by their names."""
    names = [profile.encoders.image_text, profile.encoders.identity]
    if profile.masks:
        names += [profile.masks.detector, profile.masks.segmenter]
    return names
