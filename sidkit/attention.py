"""Where a word looks: cross-attention maps of any Stable Diffusion pipeline (1.x, 2.x, XL), while it draws.

with capture(pipe, ["sks"]) as maps:
    pictures = generate(pipe, ["a sks dog on a beach"], [0, 1], sampling)
heat = maps.of("sks")  # (2, h, w)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline
from diffusers.models.attention_processor import Attention
from PIL import Image
from torch.nn import functional as F

from sidkit.config import check_name
from sidkit.models import computing_in, text_parts
from sidkit.personalization.examples import denoise, encode_pictures, encode_texts

CROSS = "attn2.processor"  # how diffusers names a UNet's cross-attentions
CONVENTIONS = ("mean", "daam")
PIECES = ("sum", "mean")  # of the tokens that a word falls into
DAAM_SIDE, DAAM_WITHOUT = 64, 8  # cells of the longer side; how many times smaller maps it leaves out
TIMES = 10  # noise levels at which a model looks at given pictures


@dataclass
class Maps:
    """What was seen, a map a picture: shares of attention, summed over a word's pieces, averaged over heads.

    `convention` "mean" (the paper's: all steps, layers and heads, section 6) enlarges each layer's map bilinearly to
    the latent's size. "daam" (Tang et al., ACL 2023, as its code does by default) leaves out the middle block and maps
    8 times smaller than the latents, enlarges each head's map bicubically to 64 cells of the longer side, and takes no
    value below zero; it adds up over steps where this takes the mean. Pictures come in the
    order in which they were drawn, with those that `generate` draws to fill a batch and drops.
    Kept are (steps + layers) x pictures x words x h x w numbers of 4 bytes: for 50 steps and 16 layers of Stable
    Diffusion at 512 px, one MB a picture and word; a layer's full attention lives only until its words are taken.
    """

    words: tuple[str, ...]
    convention: str = "mean"
    batches: list[_Batch] = field(default_factory=list)

    def of(self, word: str) -> np.ndarray:
        """(pictures, h, w), averaged over all steps and layers."""
        return self.by_step(word).mean(0)

    def by_step(self, word: str) -> np.ndarray:
        """(steps, pictures, h, w), averaged over layers; step 0 is the noisiest."""
        index = self._index(word)
        lengths = {len(batch.steps) for batch in self.batches}
        if len(lengths) > 1:
            raise ValueError(f"expected the same number of steps for all pictures, got {sorted(lengths)}")
        return np.concatenate([torch.stack(batch.steps)[:, :, index].numpy() for batch in self.batches], axis=1)

    def by_layer(self, word: str) -> dict[str, np.ndarray]:
        """(pictures, h, w) of each cross-attention, by its name in the UNet, averaged over steps."""
        index = self._index(word)
        return {
            name: np.concatenate([(b.layers[name] / len(b.steps))[:, index].numpy() for b in self.batches])
            for name in self.batches[0].layers
        }

    def _index(self, word: str) -> int:
        return self.words.index(check_name("word that was captured:", word, self.words))


@dataclass
class _Batch:
    """The pictures of one call of the pipeline; `pieces` (prompts, words, times) say where a word's tokens stand."""

    pieces: list[list[list[list[int]]]]
    steps: list[torch.Tensor] = field(default_factory=list)  # each (n, words, h, w)
    layers: dict[str, torch.Tensor] = field(default_factory=dict)  # sums over steps
    now: list[torch.Tensor] = field(default_factory=list)  # the layers of the step that runs
    size: tuple[int, int] = (0, 0)


@contextmanager
def capture(
    pipe: DiffusionPipeline, words: Sequence[str], *, convention: str = "mean", pieces: str = "sum"
) -> Iterator[Maps]:
    """Watch the cross-attention of `words` in everything that `pipe` draws inside; no pixel changes.

    Afterwards the pipeline is as it was, also after an exception. With guidance, only the half that reads the prompt
    is taken. Of a word that falls into several tokens, `pieces` takes the "sum" or the "mean"; of one that is said
    several times, the mean of these. Raises ValueError for no words, unknown names, a prompt in which a word does not
    occur, and where nothing was drawn inside, or from embeddings whose words cannot be known.
    """
    if not words or isinstance(words, str):
        raise ValueError(f"words: expected a list of words of the prompts, got {words!r}")
    maps = Maps(tuple(words), check_name("convention", convention, CONVENTIONS))
    watch = _Watch(pipe, maps, check_name("pieces", pieces, PIECES))
    try:
        watch.begin()
        yield watch.maps
    finally:
        watch.end()
    if not any(batch.steps for batch in watch.maps.batches):
        raise ValueError("capture: expected the pipeline to draw something inside, got nothing; call it there")


def look(
    pipe: DiffusionPipeline,
    images: Sequence[Image.Image],
    texts: Sequence[str],
    words: Sequence[str],
    *,
    seed: int,
    precision: str = "fp32",
) -> Maps:
    """The maps while the model looks at given pictures under a text each, at 10 even noise levels instead of steps.

    Step 0 is the noisiest. Unlike for drawn pictures, where things are is known here. ValueErrors are `capture`'s.
    """
    generator = torch.Generator().manual_seed(seed)
    last = pipe.scheduler.config.num_train_timesteps - 1
    pipe._guidance_scale = 1.0  # as the pipeline itself notes it: one text a picture
    with torch.no_grad(), computing_in(pipe, precision), capture(pipe, words) as maps:
        latents, meaning = encode_pictures(pipe, list(images)), encode_texts(pipe, list(texts))
        noise = torch.randn(latents.shape, generator=generator).to(latents)
        for share in range(TIMES - 1, -1, -1):
            times = torch.full((len(latents),), round((share + 0.5) / TIMES * last), device=latents.device)
            denoise(pipe, pipe.scheduler.add_noise(latents, noise, times), times, meaning)
    return maps


def off_subject(maps: np.ndarray, masks: Sequence[np.ndarray]) -> np.ndarray:
    """Attention leakage: the share in [0, 1] of each map (..., n, h, w) that lies outside its picture's mask.

    `masks` are boolean, one a picture, True on the subject, and square as the pictures that were looked at are; a cell
    that a mask covers in part counts in part. NaN for a map of zeros: some layers leave a word out altogether.
    Raises ValueError where there is not one mask for each picture.
    """
    if len(masks) != maps.shape[-3]:
        raise ValueError(f"masks: expected {maps.shape[-3]}, one a picture, got {len(masks)}")
    size = maps.shape[:-3:-1]
    cells = [np.asarray(Image.fromarray(mask).convert("L").resize(size, Image.BOX)) / 255 for mask in masks]
    outside, whole = (maps * (1 - np.stack(cells))).sum((-2, -1)), maps.sum((-2, -1), dtype=float)
    return np.divide(outside, whole, where=whole > 0, out=np.full_like(whole, np.nan))


class _Watch:
    """Hooks and processors on a pipeline, and taking them off again."""

    def __init__(self, pipe: DiffusionPipeline, maps: Maps, pieces: str):
        self.pipe, self.maps, self.pieces = pipe, maps, pieces
        self.processors: dict[str, Any] = {}
        self.hooks: list = []

    def begin(self) -> None:
        unet, part = self.pipe.unet, text_parts(self.pipe)[0]
        self.tokenizer = part.tokenizer
        for name, processor in unet.attn_processors.items():
            if name.endswith(CROSS):
                self.processors[name] = processor
                layer = unet.get_submodule(name.removesuffix(".processor"))
                layer.set_processor(_Watching(self, name.removesuffix(f".{CROSS}"), processor))
        self.hooks = [
            part.encoder.register_forward_pre_hook(self._reads, with_kwargs=True),
            unet.register_forward_pre_hook(self._steps),
            unet.register_forward_hook(self._stepped),
        ]

    def end(self) -> None:
        for hook in self.hooks:
            hook.remove()
        for name, processor in self.processors.items():
            self.pipe.unet.get_submodule(name.removesuffix(".processor")).set_processor(processor)

    def saw(self, layer: str, attention: Attention, hidden: torch.Tensor, said: torch.Tensor) -> None:
        """Add one layer's maps; `hidden` (rows, pixels, c) and `said` (rows, tokens, c) are what it attends with."""
        batch = self.maps.batches[-1]
        rows = len(said) // 2 if self._guided() else len(said)
        cells, daam = _grid(hidden.shape[1], batch.size), self.maps.convention == "daam"
        if daam and (layer.startswith("mid_block") or batch.size[0] > cells[0] * (DAAM_WITHOUT - 1)):
            return
        heat = _heat(attention, hidden[-rows:], said[-rows:])  # (rows, heads, tokens, pixels)
        heat = heat if daam else heat.mean(1, keepdim=True)  # a bilinear mean is the mean's
        repeats = rows // len(batch.pieces)
        pieces = [places for places in batch.pieces for _ in range(repeats)]
        words = torch.stack([self._words(row, places) for row, places in zip(heat, pieces, strict=True)])
        enlarged = _enlarged(words.unflatten(-1, cells).float(), batch.size, self.maps.convention).cpu()
        batch.now.append(enlarged)
        batch.layers[layer] = batch.layers.get(layer, 0) + enlarged

    def _words(self, heat: torch.Tensor, places: list[list[list[int]]]) -> torch.Tensor:
        """Of one picture's attention (heads, tokens, pixels) what goes to the words, (words, heads, pixels)."""
        join = torch.Tensor.sum if self.pieces == "sum" else torch.Tensor.mean
        said = [torch.stack([join(heat[:, at], 1) for at in times]).mean(0) for times in places]
        return torch.stack(said)

    def _guided(self) -> bool:
        return hasattr(self.pipe, "_guidance_scale") and bool(self.pipe.do_classifier_free_guidance)

    def _reads(self, encoder: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        """The first text that is read for a picture is the prompt; a negative one may follow."""
        batches = self.maps.batches
        if not batches or batches[-1].steps:
            ids = args[0] if args else kwargs["input_ids"]
            batches.append(_Batch([[self._places(row, word) for word in self.maps.words] for row in ids.tolist()]))

    def _places(self, ids: list[int], word: str) -> list[list[int]]:
        """Where the tokens of a word stand in a text: its pieces, each time it occurs."""
        pieces = self.tokenizer(word, add_special_tokens=False)["input_ids"]
        starts = [at for at in range(len(ids)) if ids[at : at + len(pieces)] == pieces]
        if not starts or not pieces:
            raise ValueError(f"expected the word {word!r} in {self.tokenizer.decode(ids, skip_special_tokens=True)!r}")
        return [[at + index for index in range(len(pieces))] for at in starts]

    def _steps(self, unet: torch.nn.Module, args: tuple) -> None:
        if not self.maps.batches:
            raise ValueError("capture: expected prompts as texts, got embeddings, whose words cannot be known")
        self.maps.batches[-1].now = []
        self.maps.batches[-1].size = tuple(args[0].shape[-2:])

    def _stepped(self, unet: torch.nn.Module, args: tuple, output: Any) -> None:
        batch = self.maps.batches[-1]
        if batch.now:
            batch.steps.append(torch.stack(batch.now).mean(0))


class _Watching:
    """A processor that does what another does, and shows it to the watch."""

    def __init__(self, watch: _Watch, layer: str, inner: Any):
        self.watch, self.layer, self.inner = watch, layer, inner

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None, **options):
        with torch.no_grad():
            self.watch.saw(self.layer, attn, hidden_states, encoder_hidden_states)
        return self.inner(attn, hidden_states, encoder_hidden_states, attention_mask, temb, **options)


def _heat(attention: Attention, hidden: torch.Tensor, said: torch.Tensor) -> torch.Tensor:
    """Attention of every token over the pixels, (rows, heads, tokens, pixels)."""
    said = attention.norm_encoder_hidden_states(said) if attention.norm_cross else said
    query = attention.head_to_batch_dim(attention.to_q(hidden))
    key = attention.head_to_batch_dim(attention.to_k(said))
    scores = attention.get_attention_scores(query, key)  # (rows x heads, pixels, tokens)
    return scores.unflatten(0, (len(hidden), -1)).transpose(2, 3)


def _grid(pixels: int, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a layer with so many pixels; each level halves the latent's sides, rounding up."""
    for level in range(12):
        found = tuple(math.ceil(side / 2**level) for side in size)
        if math.prod(found) == pixels:
            return found
    raise ValueError(f"expected a layer of {size} halved, got {pixels} pixels")


def _enlarged(grid: torch.Tensor, size: tuple[int, int], convention: str) -> torch.Tensor:
    """Maps (n, words, heads, h, w) enlarged and averaged over heads. Attention sums to one over words, not pixels."""
    flat = grid.flatten(1, 2)
    if convention == "daam":
        size = tuple(round(side * DAAM_SIDE / max(size)) for side in size)
        large = F.interpolate(flat, size, mode="bicubic").clamp(min=0)
    else:
        large = F.interpolate(flat, size, mode="bilinear")
    return large.unflatten(1, grid.shape[1:3]).mean(2)
