"""Sticker World's subject encoder at use: the identifier's embedding becomes what the encoder says of the reference.

The result is a pipeline like any other, as if Textual Inversion had found the word, but without a step of training.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import DiffusionPipeline

from sidkit.config import EncoderMethod, Profile, locate
from sidkit.encoder_methods.reference import Reference
from sidkit.models import identifier, text_parts
from sidkit.stickers.subject_encoder import SubjectEncoder, token_of


def check(settings: EncoderMethod | None, profile: Profile) -> None:
    """ValueError for a profile without this encoder, or without the reader that is its eyes."""
    if settings is None or profile.encoders.reader is None:
        expected = "expected Sticker World's, whose pictures are all that its subject encoder knows"
        raise ValueError(f"profile {profile.name}: {expected}; for photos use the method encoder:ip_adapter")


def encode(
    pipe: DiffusionPipeline,
    settings: EncoderMethod,
    profile: Profile,
    reference: Reference,
) -> DiffusionPipeline:
    """Write the reference's word into the pipeline's text encoder; returns the pipeline.

    ValueError for an encoder that speaks to a text encoder of another width, and what `SubjectEncoder` raises.
    """
    encoder = SubjectEncoder(
        Path(locate(settings.weights)),
        Path(locate(profile.encoders.reader)),
        str(pipe.device),
    )
    word = encoder.word(reference.image, reference.mask)
    (part,) = text_parts(pipe)
    table = part.encoder.get_input_embeddings().weight
    width = table.shape[1]
    if len(word) != width:
        raise ValueError(
            f"{settings.weights}: expected words of {width} numbers as in the text encoder, "
            f"got {len(word)}; train it on this model: sidkit stickers pretrain subject_encoder"
        )
    row = token_of(part.tokenizer, identifier(pipe))
    with torch.no_grad():
        table[row] = word.to(table)
    return pipe
