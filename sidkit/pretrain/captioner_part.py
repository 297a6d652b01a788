"""The captioner learns to answer the questions of `instructions`.

The eyes' backbone is the factor reader's and stays as it is, so its maps of the pool are computed once, to disk.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F
from tqdm import tqdm

from sidkit.pretrain.augmentation import jitter
from sidkit.pretrain.fit import Part
from sidkit.pretrain.instructions import example
from sidkit.pretrain.pool import Pool, batch_of, save_whole, weights_name
from sidkit.stickers.captioner import Eyes, question_tokens

ALIKE = 6  # times as many questions are drawn as a step takes
LOOKED_AT_ONCE = 200  # pictures
NOT_WANTED = -1  # in the place of a token that is not asked for

Tokens = list[int]
PicturesAndTexts = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class CaptionerPart(Part):
    """Cross-entropy of the caption's words, given the picture's maps and the instruction."""

    def __init__(
        self,
        model: torch.nn.Module,
        tokenizer,
        pool: Pool,
        maps: tuple,
        batch: int,
    ) -> None:
        super().__init__()
        self.model = model
        self.pool = pool
        self.maps = maps
        self.batch = batch
        self.tokenizer = [tokenizer]  # in a list: a tokenizer is no module
        model.encoder.backbone.requires_grad_(False)

    def loss(self, drawn: PicturesAndTexts, generator: torch.Generator) -> torch.Tensor:
        order, read, wanted = drawn
        device = next(self.parameters()).device
        fine, coarse = (self._taken(maps, order).to(device) for maps in self.maps)
        cells = self.model.encoder.look(fine, coarse)
        decoder = self.model.decoder
        states = decoder.transformer(read.to(device), encoder_hidden_states=cells).last_hidden_state
        is_wanted = wanted != NOT_WANTED
        logits = decoder.lm_head(states[is_wanted]).float()
        return F.cross_entropy(logits, wanted[is_wanted].to(device))

    def sheet(self) -> Image.Image | None:
        """No picture: what it says is told by its scores."""
        return None

    def draw(self, rng: np.random.Generator) -> PicturesAndTexts:
        """Which pictures (n,), what is read (n, t), and the next token at each place (n, t).

        Of ALIKE times as many questions that are drawn, some of like length are taken, which need no filling.
        """
        order = rng.integers(0, len(self.maps[0]), ALIKE * self.batch)
        pairs = [self._question_and_answer(index, rng) for index in order]
        lengths = [len(question) + len(answer) for question, answer in pairs]
        by_length = sorted(range(len(pairs)), key=lengths.__getitem__)
        start = self.batch * int(rng.integers(ALIKE))
        taken = by_length[start : start + self.batch]
        read, wanted = self._rows([pairs[index] for index in taken])
        return torch.from_numpy(order[taken]), read, wanted

    def _question_and_answer(self, index: int, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
        tokenizer = self.tokenizer[0]
        drawn = example(self.pool.scenes[index], rng)
        answer = tokenizer(drawn.answer, add_special_tokens=False).input_ids
        return question_tokens(tokenizer, drawn.instruction), [*answer, tokenizer.eos_token_id]

    def _rows(self, pairs: list[tuple[Tokens, Tokens]]) -> tuple[torch.Tensor, torch.Tensor]:
        """What is read (n, t), and the next token at each place (n, t), or NOT_WANTED."""
        length = max(len(question) + len(answer) for question, answer in pairs) - 1
        read = torch.full((len(pairs), length), self.tokenizer[0].eos_token_id)
        wanted = torch.full((len(pairs), length), NOT_WANTED)
        for row, (question, answer) in enumerate(pairs):
            line = [*question, *answer]
            end = len(line) - 1
            read[row, :end] = torch.tensor(line[:-1])
            wanted[row, len(question) - 1 : end] = torch.tensor(answer)
        return read, wanted

    def _taken(self, maps: np.ndarray, order: torch.Tensor) -> torch.Tensor:
        taken = np.asarray(maps[order.numpy()])
        return torch.from_numpy(taken).float()


def maps_on_disk(
    eyes: Eyes,
    pool: Pool,
    count: int,
    folder: Path,
    device: str,
) -> tuple[np.ndarray, np.ndarray]:
    """The eyes' maps of the pool's first `count` pictures, each a little jittered, in half precision.

    Made once for each backbone.
    """
    count = min(count, len(pool))
    name = f"{count}-{weights_name(eyes.backbone)}.npy"
    paths = (folder / f"fine-{name}", folder / f"coarse-{name}")
    if not all(path.exists() for path in paths):
        folder.mkdir(parents=True, exist_ok=True)
        for path, maps in zip(paths, _maps(eyes, pool, count, device), strict=True):
            save_whole(path, maps)
    fine, coarse = map(np.load, paths)
    return fine, coarse


@torch.no_grad()
def _maps(eyes: Eyes, pool: Pool, count: int, device: str) -> tuple[np.ndarray, np.ndarray]:
    eyes.to(device).eval()
    generator = torch.Generator().manual_seed(0)
    fine_maps, coarse_maps = [], []
    for start in tqdm(range(0, count, LOOKED_AT_ONCE), "maps"):
        index = np.arange(start, min(start + LOOKED_AT_ONCE, count))
        x = batch_of(pool, index, torch.device(device))
        fine, coarse = eyes.maps(jitter(x, generator))
        fine_maps.append(fine.half().cpu().numpy())
        coarse_maps.append(coarse.half().cpu().numpy())
    return np.concatenate(fine_maps), np.concatenate(coarse_maps)
