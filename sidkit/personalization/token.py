"""The identifier's embedding as something to train, by peft's trainable tokens: all other rows stay as they are."""

from __future__ import annotations

import torch
from diffusers import DiffusionPipeline
from peft import TrainableTokensConfig, inject_adapter_in_model
from torch.nn import Parameter

from sidkit.masters import in_full
from sidkit.models import TextPart, identifier, text_parts

TABLE = "token_embedding"  # CLIP's name for it
TABLES = (f"{TABLE}.weight", f"{TABLE}.base_layer.weight")  # without and with peft's layer around it
DELTA = "trainable_tokens_delta"
XL_NAMES = {"text_encoder": "clip_l", "text_encoder_2": "clip_g"}  # how embeddings for XL are published


def identifier_embeddings(pipe: DiffusionPipeline) -> dict[str, Parameter]:
    """The identifier's row (1, width) of each text encoder in fp32, which starts as it is."""
    word = identifier(pipe)
    rows = {}
    for part in text_parts(pipe):
        if not _rows(part):
            _add_row(pipe, part, word)
        rows |= _rows(part)
    return rows


def start_at(pipe: DiffusionPipeline, word: str) -> None:
    """Let the identifier's rows, which are there, start as `word`'s own; of a word of several tokens as their mean.

    Textual Inversion starts from a single word that says coarsely what the subject is (its paper, section 4).
    """
    for part in text_parts(pipe):
        token_ids = part.tokenizer(word, add_special_tokens=False)["input_ids"]
        start = _table(pipe, part)[token_ids].mean(0)
        for row in _rows(part).values():
            row.data[:] = start


def stored_as(pipe: DiffusionPipeline, name: str) -> str:
    """The name under which plain diffusers reads an embedding: the word itself, of XL `clip_l` and `clip_g`."""
    if DELTA not in name:
        return name
    if len(text_parts(pipe)) == 1:
        return identifier(pipe)
    part, _, _ = name.partition(".")
    return XL_NAMES[part]


def _add_row(pipe: DiffusionPipeline, part: TextPart, word: str) -> None:
    tokens = part.tokenizer.tokenize(word)
    token_ids = part.tokenizer.convert_tokens_to_ids(tokens)
    start = _table(pipe, part)[token_ids]
    config = TrainableTokensConfig(token_indices=token_ids, target_modules=[TABLE])
    inject_adapter_in_model(config, part.encoder)
    for row in _rows(part).values():
        row.data = start  # peft's own has the precision that the table is held in


def _table(pipe: DiffusionPipeline, part: TextPart) -> torch.Tensor:
    """A text encoder's embeddings (tokens, width) in fp32."""
    named = part.encoder.named_parameters(prefix=part.name)
    ((name, table),) = ((name, weight) for name, weight in named if name.endswith(TABLES))
    return in_full(pipe, name, table)


def _rows(part: TextPart) -> dict[str, Parameter]:
    """The trainable row of a text encoder by its name, the part first; {} before `_add_row`."""
    named = part.encoder.named_parameters(prefix=part.name)
    return {name: row for name, row in named if DELTA in name}
