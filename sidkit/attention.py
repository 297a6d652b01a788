"""Where a word looks: cross-attention maps of any Stable Diffusion pipeline (1.x, 2.x, XL), while it draws.

with capture(pipe, ["sks"]) as maps:
    pictures = generate(pipe, ["a sks dog on a beach"], [0, 1], sampling)
heat = maps.of("sks")  # (2, h, w)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from diffusers import DiffusionPipeline
from PIL import Image

from sidkit.attention_hooks import Batch, Watch
from sidkit.config import check_name
from sidkit.models import computing_in
from sidkit.personalization.examples import denoise, encode_pictures, encode_texts

CONVENTIONS = ("mean", "daam")
PIECES = ("sum", "mean")  # of the tokens that a word falls into
NOISE_LEVELS = 10  # at which a model looks at given pictures


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
    batches: list[Batch] = field(default_factory=list)

    def of(self, word: str) -> np.ndarray:
        """(pictures, h, w), averaged over all steps and layers. ValueError for a word that was not captured."""
        return self.by_step(word).mean(0)

    def by_step(self, word: str) -> np.ndarray:
        """(steps, pictures, h, w), averaged over layers; step 0 is the noisiest.

        ValueError for a word that was not captured, and for pictures of different numbers of steps.
        """
        index = self._index(word)
        lengths = {len(batch.steps) for batch in self.batches}
        if len(lengths) > 1:
            raise ValueError(f"expected the same number of steps for all pictures, got {sorted(lengths)}")
        by_batch = []
        for batch in self.batches:
            steps = torch.stack(batch.steps)
            by_batch.append(steps[:, :, index].numpy())
        return np.concatenate(by_batch, axis=1)

    def by_layer(self, word: str) -> dict[str, np.ndarray]:
        """(pictures, h, w) of each cross-attention, by its name in the UNet, averaged over steps.

        ValueError for a word that was not captured.
        """
        index = self._index(word)
        return {layer: self._of_layer(layer, index) for layer in self.batches[0].layers}

    def _of_layer(self, layer: str, index: int) -> np.ndarray:
        by_batch = []
        for batch in self.batches:
            mean = batch.layers[layer] / len(batch.steps)
            by_batch.append(mean[:, index].numpy())
        return np.concatenate(by_batch)

    def _index(self, word: str) -> int:
        check_name("word that was captured:", word, self.words)
        return self.words.index(word)


@contextmanager
def capture(
    pipe: DiffusionPipeline,
    words: Sequence[str],
    *,
    convention: str = "mean",
    pieces: str = "sum",
) -> Iterator[Maps]:
    """Watch the cross-attention of `words` in everything that `pipe` draws inside; no pixel changes.

    Afterwards the pipeline is as it was, also after an exception. With guidance, only the half that reads the prompt
    is taken. Of a word that falls into several tokens, `pieces` takes the "sum" or the "mean"; of one that is said
    several times, the mean of these. Raises ValueError for no words, unknown names, a prompt in which a word does not
    occur, and where nothing was drawn inside, or from embeddings whose words cannot be known.
    """
    if not words or isinstance(words, str):
        raise ValueError(f"words: expected a list of words of the prompts, got {words!r}")
    check_name("convention", convention, CONVENTIONS)
    check_name("pieces", pieces, PIECES)
    watch = Watch(pipe, tuple(words), convention, pieces)
    with watch.watching():
        yield Maps(watch.words, convention, watch.batches)
    if not any(batch.steps for batch in watch.batches):
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

    Step 0 is the noisiest. Unlike for drawn pictures, where things are is known here. Raises ValueError for a text in
    which a word does not occur. Afterwards the pipeline is as it was.
    """
    watch = Watch(pipe, tuple(words), guided=False)  # one text a picture
    with torch.no_grad(), computing_in(pipe, precision), watch.watching():
        latents = encode_pictures(pipe, list(images))
        meaning = encode_texts(pipe, list(texts))
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(latents.shape, generator=generator).to(latents)
        for timestep in _even_timesteps(pipe):
            timesteps = torch.full((len(latents),), timestep, device=latents.device)
            noisy = pipe.scheduler.add_noise(latents, noise, timesteps)
            denoise(pipe, noisy, timesteps, meaning)
    return Maps(watch.words, watch.convention, watch.batches)


def _even_timesteps(pipe: DiffusionPipeline) -> list[int]:
    """The middles of 10 equal parts of the schedule, the noisiest first."""
    last = pipe.scheduler.config.num_train_timesteps - 1
    middles = [(part + 0.5) / NOISE_LEVELS for part in range(NOISE_LEVELS)]
    return [round(middle * last) for middle in reversed(middles)]


def off_subject(maps: np.ndarray, masks: Sequence[np.ndarray]) -> np.ndarray:
    """Attention leakage: the share in [0, 1] of each map (..., n, h, w) that lies outside its picture's mask.

    `masks` are boolean, one a picture, True on the subject, and square as the pictures that were looked at are; a cell
    that a mask covers in part counts in part. NaN for a map of zeros: some layers leave a word out altogether.
    Raises ValueError where there is not one mask for each picture.
    """
    if len(masks) != maps.shape[-3]:
        raise ValueError(f"masks: expected {maps.shape[-3]}, one a picture, got {len(masks)}")
    height, width = maps.shape[-2:]
    covered = np.stack([_shrunk(mask, height, width) for mask in masks])
    outside = (maps * (1 - covered)).sum((-2, -1))
    whole = maps.sum((-2, -1), dtype=float)
    unknown = np.full_like(whole, np.nan)
    return np.divide(outside, whole, where=whole > 0, out=unknown)


def _shrunk(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """The share in [0, 1] of each cell that the mask covers, (height, width)."""
    picture = Image.fromarray(mask).convert("L")
    shrunk = picture.resize((width, height), Image.BOX)
    return np.asarray(shrunk) / 255
