"""The captioner learns what an instruction asks for: how closely to tell, and what to leave unsaid.

The eyes' backbone is the factor reader's and stays as it is, so its maps of the pool are computed once, to disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F
from tqdm import tqdm

from sidkit.pretrain.augmentation import jitter
from sidkit.pretrain.fit import Part
from sidkit.pretrain.pool import Pool, batch_of, save_whole, weights_name
from sidkit.stickers import grammar
from sidkit.stickers.captioner import Eyes, asked
from sidkit.stickers.factors import Scene, subject_classes
from sidkit.stickers.vocabulary import with_article

CLOSELY = (
    "Describe the image in one sentence in detail.",  # the paper's own words (Fig. 4)
    "Describe the picture in detail.",
    "Describe in one detailed sentence what the image shows.",
    "Tell in detail what is in the picture.",
    "Write a detailed caption for this image.",
)
BRIEFLY = (
    "Describe the image in one short sentence.",
    "Name briefly what is in the picture.",
    "Write a short caption for this image, without details.",
    "Describe the image in one sentence without any detail.",
)
START = ('Please start with "A {c}".', 'Begin with "A {c}".', "The picture shows a {c}.", "The subject is a {c}.")
SPARE = {
    "subject": (
        "You should not describe the distinct features of the {c} itself.",  # the paper's
        "Do not describe the {c} itself.",
        "Say nothing about the looks of the {c}.",
        "Leave out the colors and the features of the {c}.",
        "Describe everything but the {c}.",
    ),
    "style": (
        "You should not describe the distinct features of the style itself.",
        "Do not describe the style of the picture.",
        "Say nothing about the style.",
        "Leave out how the picture is painted.",
    ),
    "": ("",),
}
HELD_OUT = "Describe this picture in detail, and do not say anything about the features of the {c}."

# (closely, spared) -> how often it is asked; the rest of the time no instruction is given
ASKED = {
    (True, "subject"): 0.4,
    (True, ""): 0.2,
    (True, "style"): 0.1,
    (False, "subject"): 0.1,
    (False, ""): 0.06,
}
OTHER_WORD = 0.2  # of the class words are replaced, so that the instruction's word is taken and not only what is seen

# Without an instruction, how often a caption says each thing, as captions do that nobody asked to be complete.
SALIENCE = {"looks": 0.15, "attribute": 0.3, "pose": 0.8, "background": 0.9, "tied": 0.6, "nearby": 0.4, "style": 0.5}
ALIKE = 6  # times as many questions are drawn as a step takes


@dataclass(frozen=True)
class Example:
    """An instruction, "" for none, and what is to be answered."""

    instruction: str
    answer: str


def example(scene: Scene, rng: np.random.Generator) -> Example:
    """One question about a scene, drawn at random, with the right answer."""
    word = str(rng.choice(list(subject_classes()))) if rng.random() < OTHER_WORD else scene.subject
    closely, spared = _asked(rng)
    told = answer(scene, closely, spared, rng)
    if spared is None or spared == "subject":  # the subject is named by its class alone
        told = told.replace(with_article(scene.subject), with_article(word), 1)
    else:
        word = scene.subject
    if spared is None:
        return Example("", told)
    parts = [CLOSELY if closely else BRIEFLY, (*START, ""), SPARE[spared]]
    drawn = [str(rng.choice(choices)) for choices in parts]
    if spared == "subject" and "{c}" not in drawn[0] + drawn[1] + drawn[2]:
        drawn[1] = START[0]
    return Example(" ".join(filter(None, drawn)).replace("{c}", word), told)


def answer(scene: Scene, closely: bool, spared: str | None, rng: np.random.Generator) -> str:
    """The right answer; `spared` of None is what is said without an instruction."""
    if spared is None:
        mention = {factor for factor, share in SALIENCE.items() if rng.random() < share}
        return grammar.plainest(scene, mention, False)
    left_out = {"subject": {"looks", "attribute"}, "style": {"style"}, "": set()}[spared]
    return grammar.plainest(scene, set(grammar.FACTORS) - left_out, closely)


def _asked(rng: np.random.Generator) -> tuple[bool, str | None]:
    drawn = rng.random()
    for (closely, spared), share in ASKED.items():
        if (drawn := drawn - share) < 0:
            return closely, spared
    return False, None


def instruction_words() -> set[str]:
    """Every word of the instructions, for the tokenizer."""
    sentences = [*CLOSELY, *BRIEFLY, *START, HELD_OUT, *(text for texts in SPARE.values() for text in texts)]
    return {word for text in sentences for word in re.findall(r"[a-z]+", text.replace("{c}", "").lower())}


class CaptionerPart(Part):
    """Cross-entropy of the caption's words, given the picture's maps and the instruction."""

    def __init__(self, model: torch.nn.Module, tokenizer, pool: Pool, maps: tuple, batch: int) -> None:
        super().__init__()
        self.model, self.pool, self.maps, self.batch = model, pool, maps, batch
        self.tokenizer = [tokenizer]  # in a list: a tokenizer is no module
        model.encoder.backbone.requires_grad_(False)

    def loss(self, drawn: tuple[torch.Tensor, torch.Tensor, torch.Tensor], generator: torch.Generator) -> torch.Tensor:
        (order, read, wanted), device = drawn, next(self.parameters()).device
        maps = (torch.from_numpy(np.asarray(part[order.numpy()])) for part in self.maps)
        cells = self.model.encoder.look(*(part.to(device).float() for part in maps))
        decoder = self.model.decoder
        hidden = decoder.transformer(read.to(device), encoder_hidden_states=cells).last_hidden_state
        told = wanted >= 0
        return F.cross_entropy(decoder.lm_head(hidden[told]).float(), wanted[told].to(device))

    def sheet(self) -> Image.Image | None:
        """No picture: what it says is told by its scores."""
        return None

    def draw(self, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Which pictures (n,), what is read (n, t), and the next token at each place (n, t).

        Of ALIKE times as many questions that are drawn, some of like length are taken, which need no filling.
        """
        tokenizer = self.tokenizer[0]
        order = rng.integers(0, len(self.maps[0]), ALIKE * self.batch)
        examples = [example(self.pool.scenes[i], rng) for i in order]
        pairs = [(asked(tokenizer, one.instruction), _ids(tokenizer, one.answer)) for one in examples]
        by_length = sorted(range(len(pairs)), key=lambda i: sum(map(len, pairs[i])))
        start = self.batch * int(rng.integers(ALIKE))
        taken = by_length[start : start + self.batch]
        return torch.from_numpy(order[taken]), *self._tokens([pairs[i] for i in taken])

    def _tokens(self, pairs: list[tuple[list[int], list[int]]]) -> tuple[torch.Tensor, torch.Tensor]:
        """What is read (n, t), and the next token at each place (n, t), -1 where it is not asked for."""
        tokenizer = self.tokenizer[0]
        length = max(len(prefix) + len(told) for prefix, told in pairs) - 1
        read = torch.full((len(pairs), length), tokenizer.eos_token_id)
        wanted = torch.full((len(pairs), length), -1)
        for row, (prefix, told) in enumerate(pairs):
            line = [*prefix, *told]
            read[row, : len(line) - 1] = torch.tensor(line[:-1])
            wanted[row, len(prefix) - 1 : len(line) - 1] = torch.tensor(told)
        return read, wanted


def _ids(tokenizer, text: str) -> list[int]:
    return [*tokenizer(text, add_special_tokens=False).input_ids, tokenizer.eos_token_id]


def maps_on_disk(eyes: Eyes, pool: Pool, count: int, folder: Path, device: str) -> tuple[np.ndarray, np.ndarray]:
    """The eyes' maps of the pool's first `count` pictures, each a little jittered, in half precision.

    Made once for each backbone.
    """
    count, seen_by = min(count, len(pool)), weights_name(eyes.backbone)
    paths = [folder / f"{name}-{count}-{seen_by}.npy" for name in ("fine", "coarse")]
    if not all(path.exists() for path in paths):
        folder.mkdir(parents=True, exist_ok=True)
        fine, coarse = zip(*_maps(eyes, pool, count, device))
        for path, parts in zip(paths, (fine, coarse)):
            save_whole(path, np.concatenate(parts))
    return tuple(np.load(path) for path in paths)


@torch.no_grad()
def _maps(eyes: Eyes, pool: Pool, count: int, device: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    eyes.to(device).eval()
    generator = torch.Generator().manual_seed(0)
    for start in tqdm(range(0, count, 200), "maps"):
        index = np.arange(start, min(start + 200, count))
        found = eyes.maps(jitter(batch_of(pool, index, torch.device(device)), generator))
        yield tuple(part.half().cpu().numpy() for part in found)
