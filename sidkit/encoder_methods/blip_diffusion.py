"""BLIP-Diffusion (arXiv 2305.14720) through diffusers' pipeline, which is deprecated: used only where it still works.

Its classes were written for an older transformers. Under transformers 5 the Q-Former fails and, worse, the text encoder
draws without its causal mask and says nothing, so a small one of random weights is tried before anything is loaded.
"""

from __future__ import annotations

import re
from typing import Any

import diffusers
import torch
import transformers
from diffusers import DiffusionPipeline
from transformers import CLIPTextConfig

from sidkit import hub
from sidkit.config import EncoderMethod, Profile, locate
from sidkit.encoder_methods.reference import Reference, ReferencePipeline
from sidkit.models import identifier

PIPELINE = "BlipDiffusionPipeline"
INSTEAD = "use the method encoder:ip_adapter, which diffusers maintains"
SMALL = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2)


def check(settings: EncoderMethod | None, profile: Profile) -> None:
    """ValueError where diffusers has no BLIP-Diffusion any more, where it does not work, and without settings."""
    version = f"diffusers {diffusers.__version__} with transformers {transformers.__version__}"
    try:
        kind = getattr(diffusers, PIPELINE)
    except (AttributeError, ImportError, RuntimeError) as error:  # the last is what its lazy imports raise
        raise ValueError(f"blip_diffusion: {version} has no {PIPELINE} any more ({error}); {INSTEAD}") from error
    if fault := _fault(kind):
        raise ValueError(f"blip_diffusion: its classes do not work in {version}: {fault}; {INSTEAD}")
    if settings is None:
        told = "expected settings encoder_methods.blip_diffusion (weights), found none"
        raise ValueError(f"profile {profile.name}: {told}; they go with Stable Diffusion 1.5")


def encode(
    pipe: DiffusionPipeline, settings: EncoderMethod, profile: Profile, reference: Reference
) -> ReferencePipeline:
    """BLIP-Diffusion's own pipeline in the place of `pipe`, with the reference to look at; `pipe` says the identifier.

    ValueError where its weights are not to be had.
    """
    where, name = locate(settings.weights), identifier(pipe)
    try:
        options = dict(revision=settings.revision, use_safetensors=True)
        other = getattr(diffusers, PIPELINE).from_pretrained(where, **options).to(pipe.device)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        told = f"blip_diffusion: expected its pipeline at {where}, which cannot be loaded"
        raise ValueError(f"{told}: {error}; {hub.advice(error, settings.weights, INSTEAD)}") from error
    other.set_progress_bar_config(disable=True)

    def draw(prompts: list[str], negative_prompt: list[str] | None = None, **options: Any) -> Any:
        wanted, said = zip(*(asked(prompt, name, reference.class_word) for prompt in prompts))
        subjects = dict(source_subject_category=[reference.class_word] * len(prompts), target_subject_category=wanted)
        avoided = negative_prompt[0] if negative_prompt else ""
        return other(list(said), reference.image.convert("RGB"), **subjects, neg_prompt=avoided, **options)

    return ReferencePipeline(
        other, draw, identifier=name, vae_scale_factor=2 ** (len(other.vae.config.block_out_channels) - 1)
    )


def asked(prompt: str, identifier: str, class_word: str) -> tuple[str, str]:
    """The subject to draw and what to say of it: "a photo of a red sks dog in snow" is "red dog", "in snow".

    ValueError for a prompt that does not name the subject.
    """
    found = re.search(rf"(?:\ban? )?((?:[\w-]+ )?){re.escape(identifier)} {re.escape(class_word)}\b(.*)", prompt)
    if not found:
        raise ValueError(f"prompt {prompt!r}: expected '{identifier} {class_word}' in it, which is what is drawn")
    before = found[1] if found[1] not in ("a ", "an ") else ""
    return f"{before}{class_word}", found[2].strip(" ,.")


def _fault(kind: type) -> str:
    """What is wrong with the installed classes; "" if a later word does not change what an earlier one means."""
    package = kind.__module__.rpartition(".")[0]
    try:
        encoder = __import__(f"{package}.modeling_ctx_clip", fromlist=["x"]).ContextCLIPTextModel
        former = __import__(f"{package}.modeling_blip2", fromlist=["x"]).Blip2QFormerModel
    except (ImportError, AttributeError, RuntimeError) as error:
        return f"they cannot be imported ({error})"
    if not hasattr(former, "invert_attention_mask"):
        return "the Q-Former needs invert_attention_mask, which transformers has removed"
    ids = torch.tensor([[1, 2, 3, 4], [1, 2, 3, 5]])
    config = CLIPTextConfig(vocab_size=8, max_position_embeddings=8, bos_token_id=0, eos_token_id=6, **SMALL)
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            hidden = encoder(config).eval()(input_ids=ids)[0]
    except (TypeError, AttributeError, RuntimeError) as error:
        return f"the text encoder fails ({error})"
    causal = torch.allclose(hidden[0, :3], hidden[1, :3], atol=1e-5)
    return "" if causal else "the text encoder has lost its causal mask"
