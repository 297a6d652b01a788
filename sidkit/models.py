"""The text-to-image model: a diffusers Stable Diffusion pipeline (or XL), loaded ready to be personalized."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DiffusionPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.loaders.single_file_utils import SingleFileComponentError
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

from sidkit import hub
from sidkit.config import Memory, Profile, locate
from sidkit.mark import MARK, insert
from sidkit.masters import hold
from sidkit.pipeline_files import check_complete, check_pipeline, header, remedy
from sidkit.pipeline_kinds import check_class, check_unet, is_xl
from sidkit.shown import reason

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
TEXT_PARTS = (("tokenizer", "text_encoder"), ("tokenizer_2", "text_encoder_2"))  # the second pair is XL's
WITHOUT_SAFETY_CHECKER = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
# What the libraries raise for files that do not fit together.
UNLOADABLE = (OSError, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
UNLOADABLE += (SafetensorError, SingleFileComponentError, StrictDataclassError)


def load_pipeline(profile: Profile, device: str = "cpu") -> DiffusionPipeline:
    """The profile's pipeline with a DDIM sampler and the identifier as one token, held as `profile.memory` says.

    It comes from a folder, a single file or the hub (`sidkit.hub` says how a mirror or another cache is used). The
    sampler keeps the scheduler's own settings (noise schedule, prediction type, timestep spacing); the safety checker
    and progress bars are off. Raises ValueError, with what to do, where weights are missing, damaged or not to be had,
    and for a model of another kind.
    """
    check_pipeline(profile)
    where = locate(profile.pipeline)
    load = _from_single_file if Path(where).is_file() else _from_pretrained
    try:
        with _quietly():
            pipe = load(where, profile)
    except UNLOADABLE as error:
        fault = f"profile {profile.name}: expected a diffusers pipeline at {where}, which cannot be loaded"
        todo = hub.advice(error, profile.pipeline, remedy(profile.pipeline))
        raise ValueError(f"{fault}: {reason(error)}; {todo}") from error
    check_complete(pipe, profile)
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
    """A tokenizer and the text encoder that reads its tokens; `name` is the encoder's in the pipeline."""

    name: str
    tokenizer: transformers.PreTrainedTokenizerBase
    encoder: torch.nn.Module


def text_parts(pipe: DiffusionPipeline) -> list[TextPart]:
    """The text encoders of a pipeline with their tokenizers: one, or XL's two."""
    parts = []
    for tokenizer_name, encoder_name in TEXT_PARTS:
        tokenizer = getattr(pipe, tokenizer_name, None)
        encoder = getattr(pipe, encoder_name, None)
        if tokenizer is not None and encoder is not None:
            parts.append(TextPart(encoder_name, tokenizer, encoder))
    return parts


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
        if not pieces or set(pieces) & set(part.tokenizer.all_special_ids):  # unknown, or a text's end
            raise ValueError(
                f"identifier: expected a word in letters that the model knows, got {identifier!r}; try 'sks'"
            )
        if len(pieces) == 1:
            continue
        if len(parts) > 1:
            raise ValueError(f"identifier: expected one token, got {identifier!r}, which is {len(pieces)}; try 'sks'")
        _add_token(part, identifier, pieces)
    pipe.identifier = identifier


def _add_token(part: TextPart, word: str, pieces: list[int]) -> None:
    """Make the word one token, which starts as the mean of its pieces, and cuts no other word that holds it."""
    start = part.encoder.get_input_embeddings().weight[pieces].mean(0)
    part.tokenizer.add_tokens([transformers.AddedToken(word, single_word=True)])
    size = len(part.tokenizer)
    table = part.encoder.resize_token_embeddings(size, mean_resizing=False).weight
    row = part.tokenizer.convert_tokens_to_ids(word)
    with torch.no_grad():
        table[row] = start


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

    The autoencoder is left out wherever it is asked (`generation.generate`, `examples.encode_pictures`): XL's overflows
    in fp16 to black pictures.
    """
    return torch.autocast(pipe.unet.device.type, DTYPES[precision], enabled=precision != "fp32")


def _from_pretrained(where: str, profile: Profile) -> DiffusionPipeline:
    config = DiffusionPipeline.load_config(where, revision=profile.revision)
    check_class(config, where)
    kinds = {"unet": UNet2DConditionModel, "vae": AutoencoderKL}
    options = {"revision": profile.revision}
    settings = {part: kind.load_config(where, subfolder=part, **options) for part, kind in kinds.items()}
    check_unet(settings, where)  # before gigabytes are downloaded
    if "safety_checker" in config:
        options |= WITHOUT_SAFETY_CHECKER
    return DiffusionPipeline.from_pretrained(
        where,
        variant=profile.variant,
        dtype=torch.float32,
        use_safetensors=True,
        **options,
    )


def _from_single_file(path: str, profile: Profile) -> DiffusionPipeline:
    """The class by the names of the file's weights, as diffusers tells XL from the others."""
    options = {"config": profile.config, "dtype": torch.float32}
    with _small_ending(Path(path)) as file:
        if is_xl(header(file, "")):
            return StableDiffusionXLPipeline.from_single_file(str(file), **options)
        return StableDiffusionPipeline.from_single_file(str(file), **options, **WITHOUT_SAFETY_CHECKER)


@contextmanager
def _small_ending(path: Path) -> Iterator[Path]:
    """The file under a name that ends in small letters: diffusers takes .SAFETENSORS for a pickle."""
    if path.suffix == path.suffix.lower():
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / f"{path.stem}{path.suffix.lower()}"
        link.symlink_to(path.resolve())
        yield link


def _held(pipe: DiffusionPipeline, memory: Memory) -> DiffusionPipeline:
    """The pipeline with `memory`'s options on; the autoencoder stays fp32, in which it encodes and decodes."""
    parts = {part.name: part.encoder for part in text_parts(pipe)}
    hold(pipe, parts | {"unet": pipe.unet}, DTYPES[memory.weights])
    if memory.attention_slicing:
        pipe.enable_attention_slicing()
    if memory.vae_slicing:
        pipe.vae.enable_slicing()
    return pipe


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the libraries' bars for every file that they read; downloads keep theirs."""
    logs = (diffusers.utils.logging, transformers.utils.logging)
    were_shown = [log.is_progress_bar_enabled() for log in logs]
    try:
        for log in logs:
            log.disable_progress_bar()
        yield
    finally:
        for log, was_shown in zip(logs, were_shown):
            if was_shown:
                log.enable_progress_bar()


def _set_resolution(pipe: DiffusionPipeline, side: int) -> None:
    """From here on the UNet's own config says the resolution, for sampling and training alike."""
    check_resolution(pipe, side)
    pipe.unet.register_to_config(sample_size=side // pipe.vae_scale_factor)


def check_resolution(pipe: DiffusionPipeline, side: int) -> None:
    """Raise ValueError for a side in px that the pipeline's steps down and up do not give back."""
    step = pipe.vae_scale_factor * 2 ** (len(pipe.unet.config.block_out_channels) - 1)
    if side % step:
        raise ValueError(f"resolution: expected a multiple of {step} px for this pipeline, got {side}")
