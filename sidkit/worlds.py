"""Photos and Sticker World: what differs between them, asked of an object, so that nobody else asks which one it is.

`world_of` says it of a profile, by the model that paints; `world_of_folder` says it of a subject, by its pictures. A
model of Sticker World can be shown photos, and then knows nothing of them: `knows` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from sidkit.config import Profile, model_key, shipped, weights_folder
from sidkit.describe.describers import STICKERS
from sidkit.describe.prompts import photo_prompts
from sidkit.describe.prompts import unrelated_to as photos_unrelated_to
from sidkit.dreambench import benchmark_of
from sidkit.stickers import references
from sidkit.stickers.line_up import LineUp, line_up
from sidkit.stickers.sticker_prompts import sticker_prompts
from sidkit.stickers.sticker_prompts import unrelated_to as stickers_unrelated_to
from sidkit.subjects import Prompt, Subject


class World(Protocol):
    """Where pictures are from."""

    needs_gpu: bool  # to train and to draw in it
    encoder: str  # the encoder method (`sidkit.encoder_methods`) that knows its pictures
    author: str  # of captions that no describer is known to have written

    def prompts(self, subject: Subject, each: int = 2, *, seed: int = 0) -> list[Prompt]:
        """Prompts with `[v]` and what each asks for, `each` of every kind, the kinds in turn.

        None asks for what the references show. Kinds: recontextualization, nearby, accessory and property; a style has
        other ones. Raises ValueError where there are fewer than `each`.
        """
        ...

    def unrelated(self, class_word: str) -> list[str]:
        """At least ten prompts that have nothing to do with subjects of the class, without `[v]`."""
        ...

    def undesired(self, subject: Subject) -> dict[str, str]:
        """What all references show and `[v]` should not learn, by factor; nothing is known of photos."""
        ...

    def line_up(self, subject: Subject) -> LineUp:
        """Pictures of the subject, then of each look-alike; () where none are known."""
        ...

    def seen(self, folder: Path) -> dict[str, dict[str, str]]:
        """What is known to be in each picture of a folder: {file: {factor: value}}."""
        ...

    def find(self, pictures: Sequence[Image.Image], class_word: str) -> list[np.ndarray | None]:
        """A boolean (height, width) a picture, True on the subject; None where none is found.

        Raises ValueError for a profile of photos without `masks`, by which Grounded-SAM is chosen.
        """
        ...

    def finder(self) -> Any:
        """What finds subjects, as it stands in a run's key."""
        ...

    def finds_with(self) -> type:
        """The class that finds subjects, whose code is part of a run's key."""
        ...

    def knows(self, other: World) -> bool:
        """Whether its model has seen pictures like the other world's."""
        ...

    def believes(self, describer: str) -> bool:
        """Whether the describer of that name knows pictures of this world."""
        ...


@dataclass(frozen=True)
class Photos:
    """Photos, and whatever else is not of Sticker World; of a `profile`, if its model is what is asked about."""

    profile: Profile | None = None
    needs_gpu = True
    encoder = "ip_adapter"
    author = "hand"

    def prompts(self, subject: Subject, each: int = 2, *, seed: int = 0) -> list[Prompt]:
        """The same few values for every subject, in order; `seed` changes nothing."""
        return photo_prompts(subject, each)

    def unrelated(self, class_word: str) -> list[str]:
        """Of a list."""
        return photos_unrelated_to(class_word)

    def undesired(self, subject: Subject) -> dict[str, str]:
        """Nothing is known."""
        return {}

    def line_up(self, subject: Subject) -> LineUp:
        """None are known."""
        return ()

    def seen(self, folder: Path) -> dict[str, dict[str, str]]:
        """Nothing is known."""
        return {}

    def find(self, pictures: Sequence[Image.Image], class_word: str) -> list[np.ndarray | None]:
        """By Grounded-SAM, which the profile's `masks` set."""
        import torch
        from tqdm import tqdm

        grounded_sam = self.finds_with()(self.finder(), "cuda" if torch.cuda.is_available() else "cpu")
        progress = tqdm(pictures, "find subjects", unit="picture", delay=5)
        return [grounded_sam.find(picture, class_word).mask for picture in progress]

    def finder(self) -> Any:
        """The profile's `masks`."""
        if self.profile is None or self.profile.masks is None:
            name = self.profile.name if self.profile else "of these photos"
            raise ValueError(f"profile {name}: expected `masks`, which say how subjects are found, got none")
        return self.profile.masks

    def finds_with(self) -> type:
        """Grounded-SAM."""
        from sidkit.masks.grounded_sam import GroundedSam

        return GroundedSam

    def knows(self, other: World) -> bool:
        """A model of photos has seen drawings, too."""
        return True

    def believes(self, describer: str) -> bool:
        """All but the shipped captioners, which have seen nothing but drawings."""
        return describer not in STICKERS


@dataclass(frozen=True)
class DreamBench(Photos):
    """Photos of DreamBench, which has prompts of its own (`sidkit.dreambench`)."""

    def prompts(self, subject: Subject, each: int = 2, *, seed: int = 0) -> list[Prompt]:
        """Always all 25, in the benchmark's order."""
        return benchmark_of(subject.folder).prompts(subject.folder.name)


@dataclass(frozen=True)
class StickerWorld:
    """The drawn world, of whose pictures everything is known (`sidkit.stickers`)."""

    needs_gpu = False
    encoder = "stickers"
    author = "Sticker World"

    def prompts(self, subject: Subject, each: int = 2, *, seed: int = 0) -> list[Prompt]:
        """Drawn from the world's factors by `seed`."""
        return sticker_prompts(subject, each, seed=seed)

    def unrelated(self, class_word: str) -> list[str]:
        """Of the other classes."""
        return stickers_unrelated_to(class_word)

    def undesired(self, subject: Subject) -> dict[str, str]:
        """What the scenes share."""
        return references.read_truth(subject).shared

    def line_up(self, subject: Subject) -> LineUp:
        """Other colours of the drawing, and other drawings of the class."""
        return line_up(subject)

    def seen(self, folder: Path) -> dict[str, dict[str, str]]:
        """What the scenes hold."""
        return references.things_by_picture(folder)

    def find(self, pictures: Sequence[Image.Image], class_word: str) -> list[np.ndarray | None]:
        """By the shipped segmenter, which finds any subject."""
        return self.finds_with().load(weights_folder("segmenter")).masks(pictures)

    def finder(self) -> Any:
        """The segmenter's weights."""
        return model_key(str(weights_folder("segmenter")))

    def finds_with(self) -> type:
        """The shipped segmenter."""
        from sidkit.stickers.segmenter import Segmenter

        return Segmenter

    def knows(self, other: World) -> bool:
        """Only its own drawings."""
        return isinstance(other, StickerWorld)

    def believes(self, describer: str) -> bool:
        """All of them."""
        return True


def world_of(profile: Profile) -> World:
    """The world that a profile's model paints."""
    return StickerWorld() if shipped(profile.pipeline) else Photos(profile)


def world_of_folder(folder: Path | str) -> World:
    """The world that a subject's pictures are of: Sticker World's lie beside their true scenes, DreamBench's in it."""
    folder = Path(folder)
    if (folder / references.SCENES).is_file():
        return StickerWorld()
    return DreamBench() if benchmark_of(folder) else Photos()
