"""IP-Adapter (arXiv 2308.06721) through diffusers: extra cross-attention reads the reference, the prompt says the rest.

It is not in the paper, but is what is maintained today. The prompt goes without the identifier, which it does not know.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diffusers import DiffusionPipeline
from transformers import CLIPVisionModelWithProjection

from sidkit import hub
from sidkit.config import EncoderMethod, Profile, locate
from sidkit.encoder_methods.reference import Reference, ReferencePipeline
from sidkit.mark import without_mark
from sidkit.models import identifier

REMEDY = "copy or download it again (a hub id needs the network the first time), or change the profile"


def check(settings: EncoderMethod | None, profile: Profile) -> None:
    """ValueError for a profile without settings for it, and for weights that are not there or no safetensors."""
    if settings is None:
        expected = "expected settings encoder_methods.ip_adapter (weights, subfolder, file), found none"
        raise ValueError(f"profile {profile.name}: {expected}; sd15 and sdxl have them")
    if not settings.file.endswith(".safetensors"):
        raise ValueError(f"ip_adapter: expected a .safetensors file, got {settings.file!r}: others can run code")
    path = Path(locate(settings.weights)) / settings.subfolder / settings.file
    is_local = Path(settings.weights).is_absolute()
    if is_local and not path.is_file():
        raise ValueError(f"ip_adapter: expected weights at {path}, found none; {REMEDY}")


def encode(
    pipe: DiffusionPipeline,
    settings: EncoderMethod,
    profile: Profile,
    reference: Reference,
) -> ReferencePipeline:
    """Put the adapter into the pipeline; what is returned shows the reference with every prompt.

    ValueError where the adapter is not to be had, or is another model's.
    """
    where = locate(settings.weights)
    try:
        image_encoder = _image_encoder(where, settings)
        pipe.register_modules(image_encoder=image_encoder.to(pipe.device, pipe.unet.dtype))
        pipe.load_ip_adapter(
            where,
            subfolder=settings.subfolder,
            weight_name=settings.file,
            revision=settings.revision,
            image_encoder_folder=None,
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        fault = f"ip_adapter: expected an adapter for this model in {where}, which cannot be loaded"
        raise ValueError(f"{fault}: {error}; {hub.advice(error, settings.weights, REMEDY)}") from error
    pipe.set_ip_adapter_scale(settings.scale)
    word = identifier(pipe)
    picture = reference.image.convert("RGB")

    def draw(prompts: list[str], **options: Any) -> Any:
        without_word = [without_mark(prompt, word) for prompt in prompts]
        return pipe(without_word, ip_adapter_image=picture, **options)

    return ReferencePipeline(pipe, draw)


def _image_encoder(where: str, settings: EncoderMethod) -> CLIPVisionModelWithProjection:
    """Loaded here, since diffusers would take it from the newest revision instead of the pinned one."""
    folder = settings.image_encoder
    if "/" not in folder:
        folder = (Path(settings.subfolder) / folder).as_posix()
    encoder = CLIPVisionModelWithProjection.from_pretrained(
        where,
        subfolder=folder,
        revision=settings.revision,
        use_safetensors=True,
    )
    return encoder.eval()
