"""One subject's pictures, measured: a row a picture, whose means are the paper's equations and our two additions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.mark import MARK
from sidkit.masks.files import apply_mask
from sidkit.measure.leakage import leakage, leaks, obedience
from sidkit.measure.metrics import similarities
from sidkit.model_cache import Models
from sidkit.subjects import Prompt


def measure(
    models: Models,
    references: Sequence[Image.Image],
    masks: Sequence[np.ndarray] | None,
    prompts: Sequence[Prompt],
    pictures: Sequence[Sequence[Image.Image]],
    undesired: Mapping[str, str],
) -> pd.DataFrame:
    """A row a picture, prompt by prompt: prompt, kind, SA, NSD, TA, identity, leakage, obedience, and leak_FACTOR.

    SA, NSD and TA are the summands of the paper's equations 1 to 3: their mean over a prompt's rows is the paper's
    value for that prompt. Without `masks` SA and NSD are NaN; without a factor reader or `undesired` factors the leaks.
    """
    frames = [_of_prompt(models, prompt, drawn, undesired) for prompt, drawn in zip(prompts, pictures, strict=True)]
    frame = pd.concat(frames, ignore_index=True)
    drawn = [image for images in pictures for image in images]
    return frame.assign(**_against_references(models, references, masks, drawn))


def without_identifier(text: str) -> str:
    """The prompt as TA compares it, `[v]` taken out (section 6): "a [v] owl" becomes "an owl"."""
    return re.sub(rf"\ba {re.escape(MARK)} (?=[aeiou])", "an ", text).replace(f"{MARK} ", "")


def _against_references(
    models: Models, references: Sequence[Image.Image], masks: Sequence[np.ndarray] | None, drawn: Sequence[Image.Image]
) -> dict[str, np.ndarray | float]:
    """Each picture's mean over the references, which alone are masked."""
    seen, fill = models.image_text.images(drawn), models.profile.encoders.fill
    found = {"SA": np.nan, "NSD": np.nan}
    if masks is not None:
        subject = [apply_mask(image, mask, fill) for image, mask in zip(references, masks, strict=True)]
        rest = [apply_mask(image, ~mask, fill) for image, mask in zip(references, masks, strict=True)]
        found["SA"] = similarities(models.image_text.images(subject), seen).mean(axis=0)
        found["NSD"] = 1 - similarities(models.image_text.images(rest), seen).mean(axis=0)
    who = models.identity.images
    return found | {"identity": similarities(who(references), who(drawn)).mean(axis=0)}


def _of_prompt(
    models: Models, prompt: Prompt, drawn: Sequence[Image.Image], undesired: Mapping[str, str]
) -> pd.DataFrame:
    """What depends on the prompt: how well it is followed, and what is there though it does not ask for it."""
    text = models.image_text.texts([without_identifier(prompt.text)])
    frame = pd.DataFrame({"TA": similarities(text, models.image_text.images(drawn))[0]})
    frame = frame.assign(prompt=prompt.text, kind=prompt.kind, leakage=np.nan, obedience=np.nan)
    if models.reader is None or not undesired:
        return frame
    read, values = models.reader.read(drawn), models.reader.values
    frame["leakage"] = leakage(read, values, undesired, prompt.asked)
    frame["obedience"] = obedience(read, values, prompt.asked)
    shown = leaks(read, values, undesired, prompt.asked)
    return frame.assign(**{f"leak_{factor}": shares for factor, shares in shown.items()})
