"""DreamBench's own three scores, beside the paper's: whole pictures, nothing masked (Ruiz et al., CVPR 2023, sec. 4.1).

CLIP-I and DINO are mean cosines of whole references and generated pictures, by CLIP and by DINO (ViT-S/16 there);
CLIP-T is that of prompt and picture. CLIP-I and DINO reward copying the references, surroundings and all, which is why
the paper brings measures of its own (section 6). Raw cosines: other repositories scale CLIP-T by 2.5 or 100.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.measure.metrics import image_alignment, similarities, text_alignment

Encode = Callable[[Sequence[Image.Image]], np.ndarray]  # pictures to rows (n, d) of length 1


def picture_scores(
    references: Sequence[Image.Image],
    generated: Sequence[Image.Image],
    prompt: str,
    *,
    clip: Encode,
    dino: Encode,
    text: Callable[[Sequence[str]], np.ndarray],
) -> pd.DataFrame:
    """A row a generated picture of `prompt` (without its identifier): CLIP-I, DINO and CLIP-T, each in [-1, 1].

    `clip` and `dino` encode pictures, `text` texts in CLIP's space, each as rows (n, d) of length 1. Raises ValueError
    for other rows, and without references or pictures.
    """
    drawn = clip(generated)
    (prompt_row,) = text([prompt])
    return pd.DataFrame(
        {
            "CLIP-I": image_alignment(clip(references), drawn),
            "DINO": image_alignment(dino(references), dino(generated)),
            "CLIP-T": text_alignment(prompt_row, drawn),
        }
    )


def real_score(references: Sequence[Image.Image], encode: Encode) -> float:
    """The ceiling: the mean cosine of different references with each other, of CLIP (CLIP-I) or DINO.

    Raises ValueError for fewer than two references.
    """
    if len(references) < 2:
        raise ValueError(f"expected at least 2 references to compare with each other, got {len(references)}")
    rows = encode(references)
    cosines = similarities(rows, rows)
    return float(cosines[~np.eye(len(rows), dtype=bool)].mean())
