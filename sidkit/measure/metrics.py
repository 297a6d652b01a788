"""The paper's measures (section 6, equations 1 to 3) as functions of embeddings; raw cosine, nothing scaled.

Embeddings are rows of length 1. References are masked before they are encoded, generated pictures never are. Name the
encoder and the mask's fill beside each number: without them it can be compared with nothing.
"""

from __future__ import annotations

import numpy as np

TOLERANCE = 1e-3  # how far a row's length may be from 1


def subject_alignment(references: np.ndarray, generated: np.ndarray) -> float:
    """SA, equation 1: mean cosine of references masked to the subject (N, d) and generated pictures (M, d).

    In [-1, 1], higher is better.
    """
    return float(similarities(references, generated).mean())


def non_subject_disentanglement(references: np.ndarray, generated: np.ndarray) -> float:
    """NSD, equation 2: 1 - mean cosine of references without their subject (N, d) and generated pictures (M, d).

    In [0, 2], higher is better. It also rises for pictures that have nothing to do with the references, so it is read
    together with SA and TA.
    """
    return 1 - float(similarities(references, generated).mean())


def text_alignment(prompt: np.ndarray, generated: np.ndarray) -> float:
    """TA, equation 3: mean cosine of the prompt without its identifier (d,) and generated pictures (M, d).

    In [-1, 1], higher is better.
    """
    if prompt.ndim != 1:
        raise ValueError(f"expected the embedding of one prompt (d,), got {prompt.shape}")
    return float(similarities(prompt[None], generated).mean())


def identity_similarity(references: np.ndarray, generated: np.ndarray) -> float:
    """Mean cosine of whole references (N, d) and generated pictures (M, d), by an encoder that looks at the subject.

    DINO's role in DreamBooth's benchmark; not in the paper's main text. In [-1, 1], higher is better.
    """
    return float(similarities(references, generated).mean())


def similarities(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosines (n, m) of embeddings (n, d) and (m, d).

    The mean over the first axis is a picture's own share in SA or, taken from 1, in NSD. Raises ValueError for other
    shapes, for different widths and for rows that are not of length 1.
    """
    for name, rows in (("first", a), ("second", b)):
        if rows.ndim != 2 or not len(rows):
            raise ValueError(f"{name} embeddings: expected (n, d) with n of at least 1, got {rows.shape}")
        lengths = np.linalg.norm(rows, axis=1)
        if not np.allclose(lengths, 1, atol=TOLERANCE):
            found = f"{lengths.min():.3f} to {lengths.max():.3f}"
            raise ValueError(f"{name} embeddings: expected rows of length 1, got {found}; L2-normalise them")
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"expected embeddings of one encoder, got widths {a.shape[1]} and {b.shape[1]}")
    return a @ b.T
