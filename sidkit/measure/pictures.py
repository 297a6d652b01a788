"""One subject's pictures, measured: a row a picture, whose means are the paper's equations and our two additions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.mark import without_mark
from sidkit.masks.given import apply_mask
from sidkit.measure.instruments import Instruments
from sidkit.measure.leakage import leakage, leaks, obedience
from sidkit.measure.metrics import (
    gallery_rank,
    image_alignment,
    non_subject_disentanglement,
    subject_alignment,
    text_alignment,
)
from sidkit.subjects import Prompt


def measure(
    instruments: Instruments,
    references: Sequence[Image.Image],
    masks: Sequence[np.ndarray] | None,
    prompts: Sequence[Prompt],
    pictures: Sequence[Sequence[Image.Image]],
    undesired: Mapping[str, str],
    line_up: Sequence[Sequence[Image.Image]] = (),
) -> pd.DataFrame:
    """A row a picture, prompt by prompt: prompt, kind, SA, NSD, TA, identity, CLIP-I, rank, recognized, leakage,
    obedience, and leak_FACTOR.

    `pictures` are those of each prompt, `masks` boolean (height, width) and one a reference. SA, NSD and TA are the
    summands of the paper's equations 1 to 3: their mean over a prompt's rows is the paper's value for that prompt.
    Of photos there are also DreamBench's own three (Ruiz et al., CVPR 2023, section 4.1): CLIP-I, with whole
    references; DINO, which is `identity`; CLIP-T, which is TA. The first two reward a copy, surroundings and all.
    `line_up` holds the subject's pictures, then those of each look-alike: `rank` is the subject's place among them, and
    `recognized` is 1 where that is the first. Without `masks` SA and NSD are NaN; without a factor reader or
    `undesired` factors the leaks, and without a `line_up` rank and recognized.
    """
    of_prompts = [
        _of_prompt(instruments, prompt, drawn, undesired) for prompt, drawn in zip(prompts, pictures, strict=True)
    ]
    everything_drawn = [image for drawn in pictures for image in drawn]
    frame = pd.concat(of_prompts, ignore_index=True)
    frame = frame.assign(**_against_references(instruments, references, masks, everything_drawn))
    return frame.assign(**_in_line_up(instruments, line_up, everything_drawn))


def _in_line_up(
    instruments: Instruments,
    line_up: Sequence[Sequence[Image.Image]],
    drawn: Sequence[Image.Image],
) -> dict[str, np.ndarray | float]:
    """Whether each picture is nearer to the subject than to any look-alike."""
    if not line_up:
        return {"rank": np.nan, "recognized": np.nan}
    identity = instruments.identity.images
    rank = gallery_rank([identity(member) for member in line_up], identity(drawn))
    return {"rank": rank, "recognized": (rank == 1).astype(float)}


def _against_references(
    instruments: Instruments,
    references: Sequence[Image.Image],
    masks: Sequence[np.ndarray] | None,
    drawn: Sequence[Image.Image],
) -> dict[str, np.ndarray | float]:
    """What each picture has in common with the references, which alone are masked."""
    clip, identity = instruments.image_text.images, instruments.identity.images
    generated = clip(drawn)
    columns = {"SA": np.nan, "NSD": np.nan, "identity": image_alignment(identity(references), identity(drawn))}
    is_of_photos = instruments.reader is None
    columns["CLIP-I"] = image_alignment(clip(references), generated) if is_of_photos else np.nan
    if masks is None:
        return columns
    pairs = list(zip(references, masks, strict=True))
    subjects = [apply_mask(image, mask, instruments.fill) for image, mask in pairs]
    surroundings = [apply_mask(image, ~mask, instruments.fill) for image, mask in pairs]
    columns["SA"] = subject_alignment(clip(subjects), generated)
    columns["NSD"] = non_subject_disentanglement(clip(surroundings), generated)
    return columns


def _of_prompt(
    instruments: Instruments, prompt: Prompt, drawn: Sequence[Image.Image], undesired: Mapping[str, str]
) -> pd.DataFrame:
    """What depends on the prompt: how well it is followed, and what is there though it does not ask for it."""
    clip = instruments.image_text
    (said,) = clip.texts([without_mark(prompt.text)])  # as TA compares it (section 6)
    frame = pd.DataFrame({"TA": text_alignment(said, clip.images(drawn))})
    frame = frame.assign(prompt=prompt.text, kind=prompt.kind, leakage=np.nan, obedience=np.nan)
    reader = instruments.reader
    if reader is None or not undesired:
        return frame
    read = reader.read(drawn)
    frame["leakage"] = leakage(read, reader.values, undesired, prompt.asked)
    frame["obedience"] = obedience(read, reader.values, prompt.asked)
    for factor, shown in leaks(read, reader.values, undesired, prompt.asked).items():
        frame[f"leak_{factor}"] = shown
    return frame
