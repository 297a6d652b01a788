"""What lies at a pipeline's place, looked at before anything of it is loaded: is all there, is it whole, is it the kind
of model that is personalized here?

Of weights only the headers are read: names and shapes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from diffusers import DiffusionPipeline
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id
from safetensors import SafetensorError, safe_open

from sidkit import hub
from sidkit.config import Profile, locate, shipped
from sidkit.pipeline_kinds import check_buildable, check_class, check_single, check_unet
from sidkit.shown import shown, shown_names

INDEX = "model_index.json"
ENDING = ".safetensors"
OTHER_ENDINGS = {  # of files that no conversion makes a checkpoint, and what to do
    ".json": "name its folder",
    ".zip": "unpack it, and name the folder or file that comes out",
    ".gguf": "its weights are quantized: take the original in 16 or 32 bits",
    ".crdownload": "the download is not finished: wait, or begin again",
    ".part": "the download is not finished: wait, or begin again",
    ".aria2": "the download is not finished: wait, or begin again",
}
STEMS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model"}  # of weight files; otherwise "model"
TOKENIZER_FILES = (("tokenizer.json",), ("vocab.json", "merges.txt"))  # either of them
CONFIGS = {"scheduler": "scheduler_config.json"}  # of a part; otherwise config.json
NO_WEIGHTS = {  # how a file begins that was saved in the place of weights, and what to do
    b"version https://": "is a pointer of git-lfs; run `git lfs pull` in its folder",
    b"<": "is a web page; download the file itself",
    b"PK\x03\x04": "is a zip or a pickle under this name; convert it to safetensors",
}


def check_pipeline(profile: Profile) -> None:
    """Raise ValueError, with what to do, unless the profile's pipeline can be loaded and personalized.

    Of a pipeline of the hub that is looked at which is on this machine; nothing is downloaded.
    """
    reference = locate(profile.pipeline)
    where = Path(reference)
    if where.is_file():
        _check_file(where)
    elif where.exists() or _is_place(reference):
        _check_folder(where, profile)
    else:
        _check_cached(profile)


def check_complete(pipe: DiffusionPipeline, profile: Profile) -> None:
    """Raise ValueError where a folder's weights are not those that its settings ask for.

    `pipe` is what the settings make, with weights or on `meta`. For tensors that are not there diffusers fills in
    random ones, and only warns.
    """
    folder = Path(locate(profile.pipeline))
    if not folder.is_dir():
        return
    todo = remedy(profile.pipeline)
    for part in networks(pipe.components):
        came = {}
        for path in _weights(folder / part, profile.variant):
            came |= header(path, todo)
        expected = {name: tuple(value.shape) for name, value in getattr(pipe, part).state_dict().items()}
        if told := _misfit(_bare(expected), _bare(came)):
            raise ValueError(f"{folder / part}: {told}; {todo}")


def _misfit(expected: Mapping[str, tuple[int, ...]], came: Mapping[str, tuple[int, ...]]) -> str:
    """What of the tensors' shapes, by name, is not as the settings ask for; "" where nothing is.

    Names alone say little: diffusers and transformers read some under older ones.
    """
    shared = sorted(expected.keys() & came.keys())
    if len(came) < len(expected):
        return f"expected {len(expected)} tensors, as its config.json asks for, got {len(came)}; the others are random"
    if not shared:
        return f"expected tensors such as {shown(next(iter(expected)))}, got {shown(next(iter(came)))} and none known"
    for name in shared:
        if expected[name] != came[name]:
            return f"{name}: expected the shape {expected[name]}, as its config.json asks for, got {came[name]}"
    return ""


def _bare(shape_by_name: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Without what some versions of transformers put before each name."""
    return {name.removeprefix("text_model."): shape for name, shape in shape_by_name.items()}


def networks(parts: Iterable[str]) -> list[str]:
    """Those of a pipeline's parts that are trained here, or could be."""
    return [part for part in parts if part in STEMS or part.startswith("text_encoder")]


def remedy(reference: str) -> str:
    """What to do where a pipeline's files are missing or damaged."""
    if part := shipped(reference):
        return f"restore the shipped weights with git checkout, or train them: sidkit stickers pretrain {part}"
    return "copy or download the model again (a hub id needs the network the first time), or set the profile's pipeline"


def read_settings(path: Path, otherwise: str) -> dict[str, Any]:
    """The mapping in a JSON file of a model. ValueError, which ends in what to do `otherwise`, for anything else."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} is missing ({error.strerror}); {otherwise}") from error
    _check_beginning(path, data)
    try:
        value = json.loads(data.decode())  # only UTF-8 without a mark, as the libraries read it
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: expected JSON ({error}); {otherwise}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} is damaged: expected a mapping, got {shown(value)}; {otherwise}")
    return value


def header(path: Path, otherwise: str) -> dict[str, tuple[int, ...]]:
    """Shape by name of the tensors in a weight file. ValueError, with what to do, for one that is damaged."""
    try:
        with path.open("rb") as file:
            _check_beginning(path, file.read(16))
        with safe_open(path, "pt") as file:
            names = file.keys()
            return {name: tuple(file.get_slice(name).get_shape()) for name in names}
    except (OSError, SafetensorError) as error:
        state = "is damaged" if path.exists() else "is missing"
        raise ValueError(f"the weight file {path} {state} ({error}); {otherwise}") from error


def _is_place(reference: str) -> bool:
    """Whether it can only be a folder or file: a hub's id is a name, or two with a slash between."""
    path = Path(reference)
    return path.is_absolute() or reference.count("/") > 1 or reference[:1] in ".~\\" or path.suffix.lower() == ENDING


def _check_file(path: Path) -> None:
    if path.suffix.lower() != ENDING:
        todo = OTHER_ENDINGS.get(path.suffix.lower(), "convert it to safetensors first")
        raise ValueError(f"expected a folder or a {ENDING} file, got {path}; {todo}")
    check_single(header(path, remedy("")), path)


def _check_folder(folder: Path, profile: Profile) -> None:
    todo = remedy(profile.pipeline)
    if not (folder / INDEX).is_file():
        raise ValueError(f"expected a diffusers pipeline in {folder}, found no {INDEX}; {_beside(folder) or todo}")
    index = read_settings(folder / INDEX, todo)
    parts = check_class(index, folder)
    settings = {part: _settings_of(folder / part, part, todo) for part in parts}
    check_buildable(settings, folder)
    check_unet(settings, folder)
    files_by_part = {part: _weights(folder / part, profile.variant) for part in networks(parts)}
    for part, files in files_by_part.items():
        if not files:
            raise ValueError(_lacking(folder / part, index[part][1], profile.variant, todo))
        for path in files:
            header(path, todo)


def _settings_of(folder: Path, part: str, todo: str) -> dict[str, Any]:
    """A part's settings; {} of a tokenizer, whose files need only be there."""
    if not part.startswith("tokenizer"):
        return read_settings(folder / CONFIGS.get(part, "config.json"), todo)
    present = [files for files in TOKENIZER_FILES if all((folder / name).is_file() for name in files)]
    if not present:
        expected = " or ".join(" and ".join(files) for files in TOKENIZER_FILES)
        raise ValueError(f"the {part} is missing: expected {expected} in {folder}; {todo}")
    for name in present[0]:
        with (folder / name).open("rb") as file:
            _check_beginning(folder / name, file.read(16))
    return {}


def _weights(folder: Path, variant: str | None) -> list[Path]:
    """The weight files of a part that would be loaded: the variant's, where it has them, otherwise the plain ones."""
    stem = STEMS.get(folder.name, "model")
    for middle in dict.fromkeys([f".{variant}" if variant else "", ""]):
        whole = folder / f"{stem}{middle}{ENDING}"
        index = folder / f"{stem}{ENDING}.index{middle}.json"
        if whole.exists() or whole.is_symlink():
            return [whole]
        if index.is_file():
            shards = read_settings(index, "").get("weight_map")
            if not isinstance(shards, Mapping) or not shards:
                raise ValueError(f"{index} is damaged: expected a weight_map; copy or download the model again")
            return sorted({folder / str(name) for name in shards.values()})
    return []


def _lacking(folder: Path, kind: str, variant: str | None, todo: str) -> str:
    """Why a part has no weights that would be loaded."""
    told = f"the weights of {kind} are missing: expected {folder}/*{ENDING}"
    there = _variants(folder)
    if there:
        return f"{told} without a variant, found {shown_names(there)} only; set `variant: {there[0]}` in the profile"
    pickles = sorted(path.name for path in folder.glob("*.bin"))
    if pickles:
        return f"{told}, found {shown_names(pickles)} only; convert them to safetensors: loading one can run code"
    return f"{told}; {todo}"


def _variants(folder: Path) -> list[str]:
    """The variants of the weights in a part's folder: `fp16` of model.fp16.safetensors."""
    found = set()
    for path in folder.glob(f"*{ENDING}*"):
        _, *inside = path.name.partition(ENDING)[0].partition("-00")[0].split(".")
        found.update(inside)
    return sorted(found)


def _beside(folder: Path) -> str:
    """What to name in the place of a folder that is no pipeline; "" where nothing is near."""
    if not folder.exists():
        return ""
    if (folder.parent / INDEX).is_file():
        return f"this is a part of the pipeline; name {folder.parent}"
    for pattern in ("*", "snapshots/*"):
        below = sorted(path.parent for path in folder.glob(f"{pattern}/{INDEX}"))
        if below:
            return f"did you mean {below[-1]}?"
    files = sorted(path.name for path in folder.glob(f"*{ENDING}"))
    if files:
        return f"did you mean a file in it, {shown_names(files)}?"
    deeper = [path for pattern in ("*/*", "*/*/*") for path in folder.glob(f"{pattern}{ENDING}") if path.is_file()]
    return f"did you mean {max(deeper, key=_size)}?" if deeper else ""  # ComfyUI's and others' folders of models


def _size(path: Path) -> int:
    return path.stat().st_size


def _check_cached(profile: Profile) -> None:
    """What is known of a hub's pipeline without a download."""
    try:
        validate_repo_id(profile.pipeline)
    except HFValidationError as error:
        expected = f"expected a folder, a {ENDING} file or a hub id such as stabilityai/sdxl-turbo"
        raise ValueError(f"profile {profile.name}: pipeline: {expected}, got {shown(profile.pipeline)}") from error
    index = hub.cached(profile.pipeline, INDEX, profile.revision)
    if index is None:
        return
    check_class(read_settings(index, remedy(profile.pipeline)), profile.pipeline)
    paths = {part: hub.cached(profile.pipeline, f"{part}/config.json", profile.revision) for part in ("unet", "vae")}
    settings = {part: read_settings(path, remedy(profile.pipeline)) for part, path in paths.items() if path is not None}
    if "unet" in settings:
        check_unet(settings, profile.pipeline)


def _check_beginning(path: Path, data: bytes) -> None:
    for beginning, told in NO_WEIGHTS.items():
        if data.lstrip().startswith(beginning):
            raise ValueError(f"{path} {told}")
