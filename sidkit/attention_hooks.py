"""What `sidkit.attention` puts into a pipeline to see its cross-attention, and takes out again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.models.attention_processor import Attention
from torch.nn import functional as F

from sidkit.models import text_parts

CROSS_ATTENTION = ".attn2"  # how diffusers names a UNet's cross-attentions
PROCESSOR = ".processor"
DAAM_SIDE = 64  # cells of the longer side
DAAM_SMALLEST = 8  # DAAM leaves out maps that are this many times smaller than the latents
LEVELS = 12  # of a UNet, at most

WordPlaces = list[list[int]]  # the positions of a word's tokens in a text, a list for each time it is said


@dataclass
class Batch:
    """The pictures of one call of the pipeline; `places[text][word]` says where a word's tokens stand."""

    places: list[list[WordPlaces]]
    size: tuple[int, int] = (0, 0)  # of the latents: height, width
    steps: list[torch.Tensor] = field(default_factory=list)  # a mean over layers for each step, (n, words, h, w)
    layers: dict[str, torch.Tensor] = field(default_factory=dict)  # sums over steps, (n, words, h, w)
    running: list[torch.Tensor] = field(default_factory=list)  # the layers of the step that runs

    def add(self, layer: str, maps: torch.Tensor) -> None:
        """Keep a layer's maps (n, words, h, w) of the step that runs."""
        self.running.append(maps)
        self.layers[layer] = self.layers.get(layer, 0) + maps


@dataclass
class Watch:
    """Sees where `words` look in all that the pipeline draws, and keeps it in `batches`.

    `convention` is "mean" or "daam", `pieces` "sum" or "mean" (see `attention.capture`). `guided` says whether each
    picture is denoised twice, for guidance; None where the pipeline itself notes it while it draws.
    """

    pipe: DiffusionPipeline
    words: tuple[str, ...]
    convention: str = "mean"
    pieces: str = "sum"
    guided: bool | None = None
    batches: list[Batch] = field(default_factory=list)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within, the pipeline is watched; afterwards it is as it was, also after an exception."""
        unet = self.pipe.unet
        encoder = self._text_part.encoder
        processors = self._cross_attention_processors()
        hooks = []
        try:
            for name, processor in processors.items():
                layer = name.removesuffix(CROSS_ATTENTION)
                unet.get_submodule(name).set_processor(_WatchedProcessor(self, layer, processor))
            hooks.append(encoder.register_forward_pre_hook(self._before_text, with_kwargs=True))
            hooks.append(unet.register_forward_pre_hook(self._before_step))
            hooks.append(unet.register_forward_hook(self._after_step))
            yield
        finally:
            for hook in hooks:
                hook.remove()
            for name, processor in processors.items():
                unet.get_submodule(name).set_processor(processor)

    def see(
        self,
        layer: str,
        attention: Attention,
        pixels: torch.Tensor,
        tokens: torch.Tensor,
    ) -> None:
        """Add one layer's maps; `pixels` (rows, pixels, c) and `tokens` (rows, tokens, c) are what it attends with."""
        batch = self.batches[-1]
        cells = _cells(pixels.shape[1], batch.size)
        if self.convention == "daam" and _daam_leaves_out(layer, cells, batch.size):
            return
        if self._is_guided():  # the second half reads the prompt
            half = len(tokens) // 2
            pixels, tokens = pixels[-half:], tokens[-half:]
        shares = _shares(attention, pixels, tokens)  # (rows, heads, tokens, pixels)
        if self.convention == "mean":
            shares = shares.mean(1, keepdim=True)  # of the heads: enlarging bilinearly would give the same afterwards
        maps = self._maps_of_words(shares, batch.places)
        grid = maps.unflatten(-1, cells).float()
        enlarged = _enlarged(grid, batch.size, self.convention)
        batch.add(layer, enlarged.cpu())

    @property
    def _text_part(self):
        """The first text encoder says where words stand; XL's second reads the same tokens."""
        return text_parts(self.pipe)[0]

    def _cross_attention_processors(self) -> dict[str, Any]:
        """By the name of their attention in the UNet."""
        by_name = {}
        for name, processor in self.pipe.unet.attn_processors.items():
            if name.endswith(CROSS_ATTENTION + PROCESSOR):
                by_name[name.removesuffix(PROCESSOR)] = processor
        return by_name

    def _is_guided(self) -> bool:
        if self.guided is not None:
            return self.guided
        return hasattr(self.pipe, "_guidance_scale") and bool(self.pipe.do_classifier_free_guidance)

    def _maps_of_words(self, shares: torch.Tensor, places: list[list[WordPlaces]]) -> torch.Tensor:
        """Maps (rows, words, heads, pixels) out of all tokens'; pictures of one text follow each other."""
        repeats = len(shares) // len(places)
        places_by_row = [in_text for in_text in places for _ in range(repeats)]
        maps = []
        for row, in_text in zip(shares, places_by_row, strict=True):
            maps.append(self._maps_of_picture(row, in_text))
        return torch.stack(maps)

    def _maps_of_picture(self, shares: torch.Tensor, places: list[WordPlaces]) -> torch.Tensor:
        """Of one picture's attention (heads, tokens, pixels) what goes to each word, (words, heads, pixels)."""
        maps = []
        for word_places in places:
            occurrences = [self._joined(shares[:, positions]) for positions in word_places]
            maps.append(torch.stack(occurrences).mean(0))
        return torch.stack(maps)

    def _joined(self, shares: torch.Tensor) -> torch.Tensor:
        """(heads, pixels) of a word that falls into several tokens (heads, tokens, pixels)."""
        if self.pieces == "sum":
            return shares.sum(1)
        return shares.mean(1)

    def _before_text(self, encoder: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        """The first text that is read for a picture is the prompt; a negative one may follow."""
        if self.batches and not self.batches[-1].steps:
            return
        token_ids = args[0] if args else kwargs["input_ids"]
        places = []
        for text_ids in token_ids.tolist():
            in_text = [self._places_of(word, text_ids) for word in self.words]
            places.append(in_text)
        self.batches.append(Batch(places))

    def _places_of(self, word: str, text_ids: list[int]) -> WordPlaces:
        tokenizer = self._text_part.tokenizer
        word_ids = tokenizer(word, add_special_tokens=False)["input_ids"]
        places = []
        for start in range(len(text_ids)):
            end = start + len(word_ids)
            if text_ids[start:end] == word_ids:
                places.append(list(range(start, end)))
        if not places or not word_ids:
            text = tokenizer.decode(text_ids, skip_special_tokens=True)
            raise ValueError(f"expected the word {word!r} in {text!r}")
        return places

    def _before_step(self, unet: torch.nn.Module, args: tuple) -> None:
        if not self.batches:
            raise ValueError("capture: expected prompts as texts, got embeddings, whose words cannot be known")
        latents = args[0]
        batch = self.batches[-1]
        batch.running = []
        batch.size = tuple(latents.shape[-2:])

    def _after_step(self, unet: torch.nn.Module, args: tuple, output: Any) -> None:
        batch = self.batches[-1]
        if batch.running:
            layers = torch.stack(batch.running)
            batch.steps.append(layers.mean(0))


class _WatchedProcessor:
    """A processor that does what another does, and shows it to the watch."""

    def __init__(self, watch: Watch, layer: str, inner: Any):
        self.watch = watch
        self.layer = layer
        self.inner = inner

    def __call__(
        self,
        attn,
        hidden_states,
        encoder_hidden_states=None,
        attention_mask=None,
        temb=None,
        **options,
    ):
        with torch.no_grad():
            self.watch.see(self.layer, attn, hidden_states, encoder_hidden_states)
        return self.inner(attn, hidden_states, encoder_hidden_states, attention_mask, temb, **options)


def _shares(
    attention: Attention,
    pixels: torch.Tensor,
    tokens: torch.Tensor,
) -> torch.Tensor:
    """Attention of every pixel over the tokens, turned: (rows, heads, tokens, pixels)."""
    if attention.norm_cross:
        tokens = attention.norm_encoder_hidden_states(tokens)
    query = attention.head_to_batch_dim(attention.to_q(pixels))
    key = attention.head_to_batch_dim(attention.to_k(tokens))
    scores = attention.get_attention_scores(query, key)  # (rows x heads, pixels, tokens)
    by_row = scores.unflatten(0, (len(pixels), -1))
    return by_row.transpose(2, 3)


def _cells(pixels: int, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a layer with so many pixels; each level halves the latent's sides, rounding up."""
    for level in range(LEVELS):
        times = 2**level
        height, width = (math.ceil(side / times) for side in size)
        if height * width == pixels:
            return height, width
    raise ValueError(f"expected a layer of {size} halved, got {pixels} pixels")


def _daam_leaves_out(
    layer: str,
    cells: tuple[int, int],
    size: tuple[int, int],
) -> bool:
    """The middle block, and what is 8 times smaller than the latents (more than 7 times: sides are rounded up)."""
    if layer.startswith("mid_block"):
        return True
    largest_kept = cells[0] * (DAAM_SMALLEST - 1)
    return size[0] > largest_kept


def _enlarged(
    maps: torch.Tensor,
    size: tuple[int, int],
    convention: str,
) -> torch.Tensor:
    """Maps (n, words, heads, h, w) enlarged and averaged over heads. Attention sums to one over words, not pixels."""
    flat = maps.flatten(1, 2)
    if convention == "daam":
        longer = max(size)
        size = tuple(round(side * DAAM_SIDE / longer) for side in size)
        large = F.interpolate(flat, size, mode="bicubic").clamp(min=0)
    else:
        large = F.interpolate(flat, size, mode="bilinear")
    by_word = large.unflatten(1, maps.shape[1:3])
    return by_word.mean(2)
