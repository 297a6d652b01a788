"""The identifier's embedding as something to train, by peft's trainable tokens: all other rows stay as they are."""

from __future__ import annotations

from diffusers import DiffusionPipeline
from peft import TrainableTokensConfig, inject_adapter_in_model
from torch.nn import Parameter

from sidkit.models import TextPart, identifier, text_parts

TABLE = "token_embedding"  # CLIP's name for it
DELTA = "trainable_tokens_delta"
XL_NAMES = {"text_encoder": "clip_l", "text_encoder_2": "clip_g"}  # how embeddings for XL are published


def identifier_embeddings(pipe: DiffusionPipeline) -> dict[str, Parameter]:
    """The identifier's row (1, width) of each text encoder, which starts as it is."""
    word = identifier(pipe)
    for part in text_parts(pipe):
        if not _rows(part):
            index = part.tokenizer.convert_tokens_to_ids(part.tokenizer.tokenize(word))
            told = TrainableTokensConfig(token_indices=index, target_modules=[TABLE])
            inject_adapter_in_model(told, part.encoder)
    return {name: row for part in text_parts(pipe) for name, row in _rows(part).items()}


def stored_as(pipe: DiffusionPipeline, name: str) -> str:
    """The name under which plain diffusers reads an embedding: the word itself, of XL `clip_l` and `clip_g`."""
    part = name.split(".")[0]
    if DELTA not in name:
        return name
    return XL_NAMES[part] if len(text_parts(pipe)) > 1 else identifier(pipe)


def _rows(part: TextPart) -> dict[str, Parameter]:
    return {f"{part.name}.{name}": row for name, row in part.encoder.named_parameters() if DELTA in name}
