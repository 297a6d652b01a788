"""Settings: frozen dataclasses, and the profiles that fill them.

A profile (`profiles/*.yaml`) is the only thing that tells Sticker World from Stable Diffusion: model ids and
hyper-parameters. Its keys are the fields below; any other key is an error that offers the nearest field.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, NonNegativeFloat, PositiveFloat, ValidationError
from pydantic.dataclasses import dataclass

from sidkit.identifier import check_identifier
from sidkit.shown import shown, shown_names
from sidkit.yaml_files import read_yaml

PROFILES = Path(__file__).parent / "profiles"
WEIGHTS = Path(__file__).parent / "stickers" / "weights"
EMBEDDED = "embedded:"
DEFAULT_PROFILE = "stickers"  # of every command, and of the chapters
YAML_ENDINGS = (".yaml", ".yml")  # of a file, in small letters or capitals
PARTS = (  # the models that are shipped, each in a folder of its name
    "text_to_image",
    "image_text",
    "reader",
    "identity",
    "segmenter",
    "captioner",
    "subject_encoder",
)
CARD = ("README.md", "training.json")  # in a part's folder: what tells of the model and does not shape it

ModelKey = dict[str, Path] | tuple[str, str | None]  # of `model_key`
Count = Annotated[int, Field(strict=True, gt=0)]
Precision = Literal["fp32", "fp16", "bf16"]
_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, config=_STRICT, kw_only=True)
class Training:
    """How one personalization method is trained on one subject."""

    steps: Count  # optimizer steps
    learning_rate: PositiveFloat  # AdamW, constant
    learning_rate_1d: PositiveFloat | None = None  # of the norms' weights, which only SVDiff trains; None leaves them
    batch_size: Count = 1  # reference images a pass
    accumulation: Count = 1  # passes a step, whose gradients are averaged: as a larger batch, in less memory
    text_encoder: bool = False  # also train the text encoder(s); otherwise their embeddings are computed once
    prior_weight: NonNegativeFloat = 0.0  # weight of the class-image loss (DreamBooth's lambda); 0 turns it off
    prior_images: Annotated[int, Field(strict=True, ge=0)] = 0  # class images made before training
    weight_decay: NonNegativeFloat = 0.01  # AdamW
    rank: Count = 8  # of the matrices that `lora` adds
    precision: Precision = "fp32"  # of the forward pass
    gradient_checkpointing: bool = False  # keep few activations and compute the others again: less memory, more time
    optimizer: Literal["adamw", "adamw8bit"] = "adamw"  # the second keeps its moments in 8 bits (bitsandbytes)
    unload: bool = False  # move the frozen models whose outputs are kept off the device while the loop runs


@dataclass(frozen=True, config=_STRICT, kw_only=True)
class Sampling:
    """How pictures are drawn (DDIM, eta 0)."""

    steps: Count = 25  # denoising steps
    guidance: Annotated[float, Field(ge=1)] = 3.0  # classifier-free guidance scale; 1 turns it off
    negative_prompt: str = ""  # what to move away from
    batch_size: Count = 16  # pictures drawn together on a GPU; a CPU has its own size


@dataclass(frozen=True, config=_STRICT, kw_only=True)
class Encoders:
    """What the measures look with: `embedded:PART` for a shipped model, otherwise an id of the named library."""

    image_text: str  # open_clip, "MODEL/PRETRAINED": SA, NSD and TA
    identity: str  # timm model name: identity similarity
    reader: str | None = None  # factor reader: leakage; None where no ground truth exists
    fill: Literal["black", "grey", "white"] = "black"  # what a mask leaves behind


@dataclass(frozen=True, config=_STRICT, kw_only=True)
class Memory:
    """How the pipeline is held on its device."""

    # Of what is not trained; the fp32 originals wait in main memory for what is. The autoencoder is fp32 throughout.
    weights: Precision = "fp32"
    attention_slicing: bool = False  # pays only where torch has no fused attention, such as on older Macs
    vae_slicing: bool = False  # decode one picture of a batch at a time


@dataclass(frozen=True, config=_STRICT, kw_only=True)
class Masks:
    """Grounded-SAM: a detector finds the class word, a segmenter cuts out what it found; both of the hub."""

    detector: str = "IDEA-Research/grounding-dino-tiny"  # hub id or local folder
    detector_revision: str | None = "a2bb814dd30d776dcf7e30523b00659f4f141c71"
    segmenter: str = "facebook/sam-vit-base"
    segmenter_revision: str | None = "70c1a07f894ebb5b307fd9eaaee97b9dfc16068f"
    box_threshold: Annotated[float, Field(ge=0, le=1)] = 0.35  # lowest score of a detection
    text_threshold: Annotated[float, Field(ge=0, le=1)] = 0.25  # lowest score of a word in a detection's label
    several: Literal["best", "all"] = "best"  # of several detections the surest, or all of them together


@dataclass(frozen=True, config=_STRICT, kw_only=True)
class EncoderMethod:
    """Where an encoder method (`sidkit.encoder_methods`) has its weights."""

    weights: str  # `embedded:PART`, a local folder, or a hub id
    revision: str | None = None  # hub commit or branch
    subfolder: str = ""  # of `file`
    file: str = ""  # an adapter's own weights
    image_encoder: str = "image_encoder"  # folder beside `file`; with a slash in it, from the top
    scale: Annotated[float, Field(ge=0, le=1)] = 0.6  # how much an adapter says beside the prompt


@dataclass(frozen=True, config=_STRICT, kw_only=True)
class Profile:
    """One world to work in: the model that is personalized, and the settings that suit it."""

    name: str
    pipeline: str  # `embedded:text_to_image`, a local folder, a single .safetensors file, or a hub id
    revision: str | None = None  # hub commit or branch
    variant: str | None = None  # of the hub's weight files: "fp16" downloads half as much
    config: str | None = None  # of a single file: folder or hub id of the pipeline whose layout and tokenizers it has
    architecture: str | None = None  # one of architectures/, by which `sidkit doctor` counts before a download
    resolution: Annotated[int, Field(strict=True, gt=0, le=8192)]  # pixels, width and height
    threads: Annotated[int, Field(strict=True, ge=0)] = 0  # of a CPU; bits hang on their number; 0: torch's own choice
    identifier: str = "sks"  # stands for [v] in captions and prompts
    training: dict[str, Training] = field(default_factory=dict)  # by method
    keep_weights: bool = True  # of personalized models, in the run store; DreamBooth's take gigabytes of a large model
    early_look: Annotated[int, Field(strict=True, ge=0)] = 0  # steps between pictures of a training that runs; 0: none
    sampling: Sampling
    encoders: Encoders
    memory: Memory = field(default_factory=Memory)
    encoder_methods: dict[str, EncoderMethod] = field(default_factory=dict)  # by name
    masks: Masks | None = None  # how a photo's subject is found; None where masks are given


_SECTIONS = {
    "training": Training,
    "sampling": Sampling,
    "encoders": Encoders,
    "encoder_methods": EncoderMethod,
    "memory": Memory,
    "masks": Masks,
}


def load_profile(name: str, **overrides: Any) -> Profile:
    """Read a shipped profile by name, or one of your own by the path of its YAML file.

    `overrides` go over the file's values; a mapping goes over only the keys that it names:
    `load_profile("stickers", training={"dreambooth": {"steps": 300}})`.

    Raises ValueError for an unknown profile or key (the nearest known one is offered) and for a value of a wrong type.
    """
    path = _profile_file(name)
    where = f"profile {path.stem if path.parent == PROFILES else path}"
    values = {"name": path.stem} | _settings(path)
    try:
        profile = Profile(**_merge(values, overrides))
    except ValidationError as error:
        faults = [_explain(fault) for fault in error.errors()]
        raise ValueError(f"{where}: {'; '.join(faults)}") from error
    check_identifier(profile.identifier, where)
    _check_references(profile, where)
    _check_precisions(profile)
    return profile


def profiles() -> list[str]:
    """Names of the shipped profiles."""
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def _profile_file(name: str) -> Path:
    """The file of a profile: a shipped one by its name, any other by its path."""
    if name in profiles():
        return PROFILES / f"{name}.yaml"
    path = Path(name).expanduser()
    is_path = path.suffix.lower() in YAML_ENDINGS or path.name != name
    if not is_path:
        check_name("profile", name, profiles())
    if not path.exists():
        raise ValueError(f"profile: expected a YAML file at {path}, found none")
    return path


def _settings(path: Path) -> dict[str, Any]:
    """What a profile's file says. ValueError, which names the file, unless it is a mapping of settings."""
    values = read_yaml(path)
    if not isinstance(values, dict) or not values:
        came = "an empty file" if values is None else shown(values)
        raise ValueError(f"{path}: expected settings, such as `resolution: 512` a line, got {came}")
    _check_keys(values, path)
    return values


def _check_keys(values: dict, path: Path) -> None:
    """Raise ValueError unless all keys are texts, those of sections too."""
    for key, value in values.items():
        if not isinstance(key, str):
            raise ValueError(f"{path}: expected the name of a setting, got {shown(key)}")
        if isinstance(value, dict):
            _check_keys(value, path)


def weights_folder(part: str) -> Path:
    """Folder of a shipped model; `part` is one of PARTS."""
    return WEIGHTS / check_name("part", part, PARTS)


def model_key(reference: str, revision: str | None = None) -> ModelKey:
    """What stands for a model in a run's key: its local files but for its card, or a hub's name for it."""
    place = Path(locate(reference))
    if not place.exists():
        return reference, revision
    if place.is_file():
        return {place.name: place}
    files = [path for path in sorted(place.rglob("*")) if path.is_file() and path.name not in CARD]
    return {path.relative_to(place).as_posix(): path for path in files}


def locate(reference: str) -> str:
    """What a library's loader takes: the folder behind `embedded:PART` or `~`; any other reference unchanged."""
    part = shipped(reference)
    if part:
        return str(weights_folder(part))
    return str(Path(reference).expanduser()) if reference.startswith("~") else reference


def shipped(reference: str) -> str | None:
    """The part that `embedded:PART` names; None for a reference to anything that is not shipped."""
    return reference.removeprefix(EMBEDDED) if reference.startswith(EMBEDDED) else None


def check_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return `name` if it is one of `known`; otherwise raise ValueError that offers the nearest one."""
    known = sorted(known)
    if name not in known:
        raise ValueError(_unknown(kind, name, known))
    return name


def _check_references(profile: Profile, where: str) -> None:
    """Raise ValueError for a model named by nothing, by the address of its page, or as a part that is not shipped."""
    encoders, weights = profile.encoders, [method.weights for method in profile.encoder_methods.values()]
    optional = [name for name in (profile.config, encoders.reader) if name is not None]
    for reference in (profile.pipeline, encoders.image_text, encoders.identity, *optional, *weights):
        told = f"{where}: expected a hub id, folder or file, got {shown(reference)}"
        if not reference.strip():
            raise ValueError(told)
        if part := shipped(reference):
            check_name(f"shipped model in {where}", part, PARTS)
        if "://" in reference:
            _, of_hub, name = reference.partition("://huggingface.co/")
            raise ValueError(f"{told}; {f'try {shown(name)}' if of_hub else 'download it, and name the file'}")


def _check_precisions(profile: Profile) -> None:
    """Raise ValueError unless they go together: with half-precision weights nothing is computed in another one."""
    held = profile.memory.weights
    for method, training in profile.training.items():
        if held not in ("fp32", training.precision):
            raise ValueError(
                f"{profile.name}: memory.weights is {held}: expected training.{method}.precision {held}, "
                f"got {training.precision}; change one of the two"
            )


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    offer = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {shown(name)}{offer} (known: {shown_names(known)})"


def _merge(base: Mapping, over: Mapping) -> dict:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        are_sections = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = _merge(below, value) if are_sections else value
    return merged


def _explain(error: dict) -> str:
    """One pydantic error in our words: where, what was expected, what came."""
    *parents, key = map(str, error["loc"])
    if error["type"] == "unexpected_keyword_argument":
        section = _SECTIONS[parents[0]] if parents else Profile
        known = sorted(field.name for field in fields(section))
        return ": ".join([*parents, _unknown("key", key, known)])
    where = ".".join([*parents, key])
    message = error["msg"][0].lower() + error["msg"][1:]
    hint = "; a text that looks like something else needs quotes" if error["type"] == "string_type" else ""
    came = "expected a value, found none" if error["type"] == "missing" else f"{message}, got {shown(error['input'])}"
    return f"{where}: {came}{hint}"
