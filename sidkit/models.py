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
from sidkit.masters import hold

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
INDEX = "model_index.json"
TEXT_PARTS = (("tokenizer", "text_encoder"), ("tokenizer_2", "text_encoder_2"))  # the second pair is XL's
SECOND_TEXT_ENCODER = "conditioner.embedders.1."  # names in a single file of XL
WITHOUT_SAFETY_CHECKER = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
WEIGHTLESS = ("tokenizer", "scheduler", "feature_extractor", "safety_checker")


def load_pipeline(profile: Profile, device: str = "cpu") -> DiffusionPipeline:
    """The profile's pipeline with a DDIM sampler and the identifier as one token, held as `profile.memory` says.

    It comes from a folder, a single file or the hub (`sidkit.hub` says how a mirror or another cache is used). The
    sampler keeps the scheduler's own settings (noise schedule, prediction type, timestep spacing); the safety checker
    and progress bars are off. Raises ValueError where weights are missing, damaged or not to be had, with what to do.
    """
    where = locate(profile.pipeline)
    remedy = _remedy(profile.pipeline)
    if Path(where).exists() or Path(where).is_absolute():  # not a hub id
        _check_weights(Path(where), remedy)
    load = _from_single_file if Path(where).is_file() else _from_pretrained
    try:
        with _quietly():
            pipe = load(where, profile)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        fault = f"profile {profile.name}: expected a diffusers pipeline at {where}, which cannot be loaded"
        raise ValueError(f"{fault}: {error}; {hub.advice(error, profile.pipeline, remedy)}") from error
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
        if not pieces or part.tokenizer.unk_token_id in pieces:
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
    """Make the word one token, which starts as the mean of its pieces."""
    start = part.encoder.get_input_embeddings().weight[pieces].mean(0)
    part.tokenizer.add_tokens([word])
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


def _check_weights(where: Path, remedy: str) -> None:
    """Raise ValueError, which ends in `remedy`, unless every weight file of the pipeline at `where` is whole.

    That is a folder, or a single .safetensors file; other single files (.ckpt) are refused: loading one can run code.
    """
    is_single = where.is_file()
    if is_single and where.suffix != ".safetensors":
        raise ValueError(f"expected a folder or a .safetensors file, got {where}; convert it to safetensors first")
    if not is_single and not (where / INDEX).is_file():
        raise ValueError(f"expected a diffusers pipeline in {where}, found no {INDEX}; {remedy}")
    paths = [where] if is_single else _weight_files(where, remedy)
    for path in paths:
        try:
            with safe_open(path, "pt") as file:
                file.keys()
        except (OSError, SafetensorError) as error:
            state = "is damaged" if path.exists() else "is missing"
            raise ValueError(f"the weight file {path} {state} ({error}); {remedy}") from error


def _weight_files(folder: Path, remedy: str) -> Iterator[Path]:
    """The files that the pipeline's models must have, whether they are there or not."""
    for name, part in _read_json(folder / INDEX, remedy).items():
        if not isinstance(part, list) or None in part or name.startswith(WEIGHTLESS):
            continue
        inside = folder / name
        files = set(inside.glob("*.safetensors"))
        for index in sorted(inside.glob("*.safetensors.index.json")):
            shards = _read_json(index, remedy)["weight_map"].values()
            files.update(inside / shard for shard in shards)
        if not files:
            raise ValueError(f"the weights of {part[1]} are missing: expected {inside}/*.safetensors; {remedy}")
        yield from sorted(files)


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
    config = DiffusionPipeline.load_config(where, revision=profile.revision)
    options = WITHOUT_SAFETY_CHECKER if "safety_checker" in config else {}
    return DiffusionPipeline.from_pretrained(
        where,
        revision=profile.revision,
        variant=profile.variant,
        dtype=torch.float32,
        use_safetensors=True,
        **options,
    )


def _from_single_file(path: str, profile: Profile) -> DiffusionPipeline:
    """diffusers tells XL from the others by the names of the file's weights; so do we, to choose the class."""
    with safe_open(path, "pt") as file:
        names = file.keys()
    options = {"config": profile.config, "dtype": torch.float32}
    is_xl = any(name.startswith(SECOND_TEXT_ENCODER) for name in names)
    if is_xl:
        return StableDiffusionXLPipeline.from_single_file(path, **options)
    return StableDiffusionPipeline.from_single_file(path, **options, **WITHOUT_SAFETY_CHECKER)


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
    step = pipe.vae_scale_factor * 2 ** (len(pipe.unet.config.block_out_channels) - 1)
    if side % step:
        raise ValueError(f"resolution: expected a multiple of {step} px for this pipeline, got {side}")
    pipe.unet.register_to_config(sample_size=side // pipe.vae_scale_factor)
