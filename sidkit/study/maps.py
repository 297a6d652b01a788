"""What `[v]` looks at in the models of a study: maps of the drawn pictures and of the references, kept in the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from sidkit.attention import capture, look
from sidkit.generation import generate
from sidkit.mark import insert
from sidkit.models import computing_in
from sidkit.stickers.vocabulary import with_article
from sidkit.study.pieces import DRAWING, file_name, seeds
from sidkit.study.run import Study
from sidkit.subjects import Subject, load_images

CODE = [*DRAWING, "sidkit.attention", "sidkit.attention_hooks", "sidkit.study.maps"]  # that shapes the maps
FILE, TOLD = "maps.safetensors", "maps.json"


@dataclass(frozen=True)
class Seen:
    """Of one subject and arm, for its pictures prompt by prompt, and for its references.

    `steps` (steps, pictures, h, w) and `layers` (layers, pictures, h, w) of the drawn pictures, whose mean over the
    first axis is the same; `references` (noise levels, references, h, w), the noisiest first. `names` are the layers'.
    `same` is the share of the pictures that were drawn again to the bit while the attention was watched.
    """

    steps: np.ndarray
    layers: np.ndarray
    references: np.ndarray
    names: tuple[str, ...]
    same: float

    @property
    def mean(self) -> np.ndarray:
        """(pictures, h, w)."""
        return self.steps.mean(axis=0)

    def blocks(self) -> Iterator[tuple[str, np.ndarray]]:
        """For each block of the denoiser, "down 1" or "middle", the mean (pictures, h, w) of its layers."""
        kinds = [_block(name) for name in self.names]
        for kind in dict.fromkeys(kinds):
            yield kind, self.layers[[one == kind for one in kinds]].mean(axis=0)


def see(study: Study, subject: str, arm: str, convention: str = "mean") -> Seen:
    """Draw the pictures of a subject and arm once more, and watch `[v]`; and let the model look at the references.

    The references are looked at with the usual caption "a photo of a [v] dog" in every arm. No model is trained where
    the store has its weights.
    """
    key = {
        "pictures": study.folders[subject, arm].name,
        "references": load_images(study.subjects[subject]),
        "convention": convention,
    }
    make = _Make(study, subject, arm, convention)
    folder = study.workshop.runs.get("attention", key, make, code=CODE)
    told, arrays = json.loads((folder / TOLD).read_text()), load_file(folder / FILE)
    values = {name: array.astype(np.float32) for name, array in arrays.items()}
    return Seen(**values, names=tuple(told["layers"]), same=told["same"])


@dataclass(frozen=True)
class _Make:
    """Fills the folder of a piece."""

    study: Study
    subject: str
    arm: str
    convention: str

    def __call__(self, folder: Path) -> None:
        plan, subject = self.study.plan, self.study.subjects[self.subject]
        arm = next(one for one in plan.arms if one.name == self.arm)
        pipe, word = self.study.pipeline(self.subject, self.arm), plan.profile.identifier
        texts = [insert(prompt.text, word) for prompt in self.study.prompts[self.subject]]
        precision = plan.training_of(arm).precision
        with capture(pipe, [word], convention=self.convention) as maps:
            sampling = plan.sampling_of(arm, subject)
            drawn = generate(pipe, texts, seeds(plan), sampling, precision=precision, progress=False)
        count = len(drawn)  # `generate` fills up its last batch, and drops what is not wanted
        by_layer = {name: one[:count] for name, one in maps.by_layer(word).items()}
        images, said = load_images(subject), [insert(usual(subject), word)] * len(subject.images)
        with computing_in(pipe, precision):
            shown = look(pipe, images, said, [word], seed=plan.seed).by_step(word)
        arrays = {"steps": maps.by_step(word)[:, :count], "layers": np.stack([*by_layer.values()]), "references": shown}
        save_file({name: np.ascontiguousarray(one.astype(np.float16)) for name, one in arrays.items()}, folder / FILE)
        kept = [self._kept(index) for index in range(count)]
        same = float(np.mean([one.image.convert("RGB").tobytes() == old for one, old in zip(drawn, kept)]))
        (folder / TOLD).write_text(json.dumps({"layers": [*by_layer], "same": same}))

    def _kept(self, index: int) -> bytes:
        return self.study.picture(self.subject, self.arm, *divmod(index, self.study.plan.pictures)).tobytes()


def usual(subject: Subject) -> str:
    """What the references are looked at with: a class word, or a style, and nothing else."""
    if "substance" in subject.bias:
        return f"a painting in the style of [v] {subject.class_word}"
    return f"a photo of {with_article(f'[v] {subject.class_word}')}"


def picture_names(study: Study, subject: str) -> list[str]:
    """The files of a subject's pictures, in the order of the maps."""
    prompts, turns = range(len(study.prompts[subject])), range(study.plan.pictures)
    return [file_name(prompt, turn) for prompt in prompts for turn in turns]


def _block(layer: str) -> str:
    """ "down_blocks.1.attentions.0" is in "down 1"."""
    kind, number = layer.split(".")[:2]
    return "middle" if kind == "mid_block" else f"{kind.removesuffix('_blocks')} {number}"
