"""The image-text model: open_clip's `CLIP` with its own configuration, saved as open_clip's `local-dir:` folder."""

from __future__ import annotations

from pathlib import Path

import open_clip
import torch
from open_clip import CLIP
from safetensors.torch import save_file
from transformers import CLIPTokenizer

from sidkit.files import whole_file, write_json
from sidkit.pretrain.tokenizer import LENGTH

WIDTH = 192  # of the shared space
SCALING = {
    "mean": [0.5] * 3,
    "std": [0.5] * 3,
    "interpolation": "bilinear",
    "resize_mode": "squash",
}  # of pictures


def configuration(architecture: str, size: int, vocabulary: int) -> dict:
    """open_clip's model configuration: a timm image tower and a small causal text tower."""
    vision = {
        "timm_model_name": architecture,
        "timm_pool": "",
        "timm_proj": "linear",
        "image_size": size,
    }
    text = {
        "context_length": LENGTH,
        "vocab_size": vocabulary,
        "width": 192,
        "heads": 4,
        "layers": 3,
        "hf_tokenizer_name": ".",
        "pool_type": "eos",
        "eos_id": 1,
        "pad_id": 1,
    }
    return {"embed_dim": WIDTH, "vision_cfg": vision, "text_cfg": text}


def make_image_text(architecture: str, size: int, vocabulary: int) -> CLIP:
    """An untrained model."""
    config = configuration(architecture, size, vocabulary)
    model = CLIP(embed_dim=WIDTH, vision_cfg=config["vision_cfg"], text_cfg=config["text_cfg"])
    model.configuration = config
    return model


def load_image_text(folder: Path) -> CLIP:
    """The saved model, in single precision."""
    return open_clip.create_model(f"local-dir:{folder}").float()


def save_image_text(model: CLIP, tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Write what `open_clip.create_model_and_transforms("local-dir:FOLDER")` and `get_tokenizer` read."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    written = {"model_cfg": model.configuration, "preprocess_cfg": SCALING}
    write_json(folder / "open_clip_config.json", written)
    state = {key: _halved(value) for key, value in model.state_dict().items()}
    with whole_file(folder / "open_clip_model.safetensors") as partial:
        save_file(state, partial)


def _halved(value: torch.Tensor) -> torch.Tensor:
    value = value.detach().cpu().contiguous()
    return value.half() if value.is_floating_point() else value
