"""The text-to-image model: a diffusers Stable Diffusion pipeline (or XL), loaded ready to be personalized."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers import DDIMScheduler, DiffusionPipeline, StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors import SafetensorError, safe_open

from sidkit import hub
from sidkit.config import Memory, Profile, locate, shipped
from sidkit.mark import MARK, insert

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
INDEX = "model_index.json"
TEXT_PARTS = (("tokenizer", "text_encoder"), ("tokenizer_2", "text_encoder_2"))  # the second pair is XL's
SECOND_TEXT_ENCODER = "conditioner.embedders.1."  # names in a single file of XL
WEIGHTLESS = ("tokenizer", "scheduler", "feature_extractor", "safety_checker")


def load_pipeline(profile: Profile, device: str = "cpu") -> DiffusionPipeline:
    """The profile's pipeline with a DDIM sampler and the identifier as one token, held as `profile.memory` says.

    It comes from a folder, a single file or the hub (`sidkit.hub` says how a mirror or another cache is used). The
    sampler keeps the scheduler's own settings (noise schedule, prediction type, timestep spacing); the safety checker
    and progress bars are off. Raises ValueError where weights are missing, damaged or not to be had, with what to do.
    """
    where, remedy = locate(profile.pipeline), _remedy(profile.pipeline)
    if Path(where).exists() or Path(where).is_absolute():  # not a hub id
        check_weights(Path(where), remedy)
    try:
        with _quietly():
            pipe = _from_single_file(where, profile) if Path(where).is_file() else _from_pretrained(where, profile)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        told = f"profile {profile.name}: expected a diffusers pipeline at {where}, which cannot be loaded"
        raise ValueError(f"{told}: {error}; {hub.advice(error, profile.pipeline, remedy)}") from error
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    _set_resolution(pipe, profile.resolution)
    add_identifier(pipe, profile.identifier)
    return _held(pipe, profile.memory).to(device)


def copy_pipeline(pipe: DiffusionPipeline) -> DiffusionPipeline:
    """A pipeline with its own UNet, text encoders and tokenizers to change; autoencoder and sampler are shared."""
    twin = copy.copy(pipe)
    for name, part in pipe.components.items():
        if name not in ("vae", "scheduler") and part is not None:
            setattr(twin, name, copy.deepcopy(part))
    return twin


def resolution(pipe: DiffusionPipeline) -> int:
    """Side of the pipeline's pictures in px."""
    return pipe.unet.config.sample_size * pipe.vae_scale_factor


@dataclass(frozen=True)
class TextPart:
    """A tokenizer and the text encoder that reads its tokens."""

    name: str
    tokenizer: transformers.PreTrainedTokenizerBase
    encoder: torch.nn.Module


def text_parts(pipe: DiffusionPipeline) -> list[TextPart]:
    """The text encoders of a pipeline with their tokenizers: one, or XL's two."""
    found = (
        (encoder, getattr(pipe, tokenizer, None), getattr(pipe, encoder, None)) for tokenizer, encoder in TEXT_PARTS
    )
    return [TextPart(*part) for part in found if None not in part]


def tokenizers(pipe: DiffusionPipeline) -> list[transformers.PreTrainedTokenizerBase]:
    """The tokenizers that read a caption, for `subjects.load_subject` and others that check its length."""
    return [part.tokenizer for part in text_parts(pipe)]


def add_identifier(pipe: DiffusionPipeline, identifier: str) -> None:
    """Make `identifier` one token; where it is not one yet, it starts as the mean of the tokens that it fell into.

    Raises ValueError for a word that the tokenizer cannot spell, and for XL, which finds a text's end by the largest
    token: there the identifier has to be known.
    """
    parts = text_parts(pipe)
    for part in parts:
        pieces = part.tokenizer(identifier, add_special_tokens=False)["input_ids"]
        if not pieces or part.tokenizer.unk_token_id in pieces:
            raise ValueError(
                f"identifier: expected a word in letters that the model knows, got {identifier!r}; try 'sks'"
            )
        if len(pieces) == 1:
            continue
        if len(parts) > 1:
            raise ValueError(f"identifier: expected one token, got {identifier!r}, which is {len(pieces)}; try 'sks'")
        start = part.encoder.get_input_embeddings().weight[pieces].mean(0)
        part.tokenizer.add_tokens([identifier])
        table = part.encoder.resize_token_embeddings(len(part.tokenizer), mean_resizing=False).weight
        with torch.no_grad():
            table[part.tokenizer.convert_tokens_to_ids(identifier)] = start
    pipe.identifier = identifier


def identifier(pipe: DiffusionPipeline) -> str:
    """The word that stands for `[v]` in this pipeline. ValueError where `add_identifier` has not made it one token."""
    word = getattr(pipe, "identifier", None)
    if word is None:
        raise ValueError("expected a pipeline whose identifier is one token, got one without; call add_identifier")
    return word


def with_identifier(pipe: DiffusionPipeline, texts: Iterable[str]) -> list[str]:
    """Texts as the pipeline reads them, its identifier in the place of `[v]`. ValueError as `identifier`."""
    return [insert(text, identifier(pipe)) if MARK in text else text for text in texts]


def computing_in(pipe: DiffusionPipeline, precision: str) -> torch.autocast:
    """A context that computes in `precision` (fp32, fp16 or bf16); weights stay as they are.

    Raises ValueError for XL in fp16, in which its autoencoder overflows to black pictures.
    """
    if precision == "fp16" and len(text_parts(pipe)) > 1:
        raise ValueError("precision: expected bf16 or fp32 for XL, whose autoencoder overflows in fp16; got fp16")
    return torch.autocast(pipe.unet.device.type, DTYPES[precision], enabled=precision != "fp32")


def check_weights(where: Path, remedy: str) -> None:
    """Raise ValueError, which ends in `remedy`, unless every weight file of the pipeline at `where` is whole.

    That is a folder, or a single .safetensors file; other single files (.ckpt) are refused: loading one can run code.
    """
    if where.is_file() and where.suffix != ".safetensors":
        raise ValueError(f"expected a folder or a .safetensors file, got {where}; convert it to safetensors first")
    if not where.is_file() and not (where / INDEX).is_file():
        raise ValueError(f"expected a diffusers pipeline in {where}, found no {INDEX}; {remedy}")
    for path in [where] if where.is_file() else _weight_files(where, remedy):
        try:
            with safe_open(path, "pt") as file:
                file.keys()
        except (OSError, SafetensorError) as error:
            found = "is damaged" if path.exists() else "is missing"
            raise ValueError(f"the weight file {path} {found} ({error}); {remedy}") from error


def _weight_files(folder: Path, remedy: str) -> Iterator[Path]:
    """The files that the pipeline's models must have, whether they are there or not."""
    for name, part in _read_json(folder / INDEX, remedy).items():
        if not isinstance(part, list) or None in part or name.startswith(WEIGHTLESS):
            continue
        indexes, files = (sorted((folder / name).glob(f"*.safetensors{end}")) for end in (".index.json", ""))
        if not indexes and not files:
            raise ValueError(f"the weights of {part[1]} are missing: expected {folder / name}/*.safetensors; {remedy}")
        shards = [_read_json(index, remedy)["weight_map"].values() for index in indexes]
        yield from sorted({*files, *(folder / name / shard for group in shards for shard in group)})


def _read_json(path: Path, remedy: str) -> dict:
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is damaged: expected JSON ({error}); {remedy}") from error


def _remedy(reference: str) -> str:
    if part := shipped(reference):
        return f"restore the shipped weights with git checkout, or train them: sidkit stickers pretrain {part}"
    return "copy or download the model again (a hub id needs the network the first time), or set the profile's pipeline"


def _from_pretrained(where: str, profile: Profile) -> DiffusionPipeline:
    options = dict(revision=profile.revision, variant=profile.variant, dtype=torch.float32, use_safetensors=True)
    if "safety_checker" in DiffusionPipeline.load_config(where, revision=profile.revision):
        options |= dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    return DiffusionPipeline.from_pretrained(where, **options)


def _from_single_file(path: str, profile: Profile) -> DiffusionPipeline:
    """diffusers tells XL from the others by the names of the file's weights; so do we, to choose the class."""
    with safe_open(path, "pt") as file:
        names = file.keys()
    double = any(name.startswith(SECOND_TEXT_ENCODER) for name in names)
    kind = StableDiffusionXLPipeline if double else StableDiffusionPipeline
    options = {} if double else dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    return kind.from_single_file(path, config=profile.config, dtype=torch.float32, **options)


def _held(pipe: DiffusionPipeline, memory: Memory) -> DiffusionPipeline:
    """The pipeline with `memory`'s options on; the autoencoder stays fp32, in which the latents are made once."""
    for part in (pipe.unet, *(text.encoder for text in text_parts(pipe))):
        if part.dtype != DTYPES[memory.weights]:
            part.to(DTYPES[memory.weights])
    if memory.attention_slicing:
        pipe.enable_attention_slicing()
    if memory.vae_slicing:
        pipe.vae.enable_slicing()
    return pipe


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the libraries' bars for every file that they read; downloads keep theirs."""
    logs = (diffusers.utils.logging, transformers.utils.logging)
    shown = [log.is_progress_bar_enabled() for log in logs]
    try:
        for log in logs:
            log.disable_progress_bar()
        yield
    finally:
        for log, was_shown in zip(logs, shown):
            if was_shown:
                log.enable_progress_bar()


def _set_resolution(pipe: DiffusionPipeline, side: int) -> None:
    """From here on the UNet's own config says the resolution, for sampling and training alike."""
    step = pipe.vae_scale_factor * 2 ** (len(pipe.unet.config.block_out_channels) - 1)
    if side % step:
        raise ValueError(f"resolution: expected a multiple of {step} px for this pipeline, got {side}")
    pipe.unet.register_to_config(sample_size=side // pipe.vae_scale_factor)
