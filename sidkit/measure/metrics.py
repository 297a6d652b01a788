"""The paper's measures (section 6, equations 1 to 3) as functions of embeddings; raw cosine, nothing scaled.

Each takes the embeddings of generated pictures, (M, d), and returns a number a picture, (M,): the summands of the
equation. Their mean is the paper's value. All numbers of the book are made here.

Embeddings are rows of length 1. References are masked before they are encoded, generated pictures never are. Name the
encoder and the mask's fill beside each number: without them it can be compared with nothing. Every function raises
ValueError for other shapes, for different widths and for rows that are not of length 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

TOLERANCE = 1e-3  # how far a row's length may be from 1


def subject_alignment(subjects: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """SA, equation 1: a picture's mean cosine with the references masked to the subject, (N, d).

    (M,) in [-1, 1], higher is better.
    """
    return similarities(subjects, generated).mean(axis=0)


def non_subject_disentanglement(surroundings: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """NSD, equation 2: 1 - a picture's mean cosine with the references without their subject, (N, d).

    (M,) in [0, 2], higher is better. It also rises for pictures that have nothing to do with the references, so it is
    read together with SA and TA.
    """
    return 1 - similarities(surroundings, generated).mean(axis=0)


def text_alignment(prompt: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """TA, equation 3: a picture's cosine with its prompt without the identifier, (d,).

    (M,) in [-1, 1], higher is better.
    """
    if prompt.ndim != 1:
        raise ValueError(f"expected the embedding of one prompt (d,), got {prompt.shape}")
    return similarities(prompt[None], generated)[0]


def image_alignment(references: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """A picture's mean cosine with the whole references, (N, d); not in the paper's main text.

    By an encoder that looks at the subject it is our identity similarity, by DINO and CLIP it is DreamBooth's DINO and
    CLIP-I (arXiv 2208.12242). (M,) in [-1, 1], higher is better, but it rewards copies of the surroundings.
    """
    return similarities(references, generated).mean(axis=0)


def gallery_rank(members: Sequence[np.ndarray], generated: np.ndarray) -> np.ndarray:
    """The place of the subject among its look-alikes, nearest first, for each picture: (M,) from 1, lower is better.

    `members` are embeddings (P, d) of the subject's pictures, then of each look-alike's; nearness is the mean cosine.
    Whoever is as near as the subject is before it.
    """
    nearness = np.stack([similarities(member, generated).mean(axis=0) for member in members])  # (members, M)
    return 1 + (nearness[1:] >= nearness[0]).sum(axis=0)


def drift(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """1 - the cosine of each picture with the one that was drawn before the training, of the same prompt and noise.

    Both (M, d), pair by pair. (M,) in [0, 2], lower is better; 0 where the training changed nothing. Of prompts that
    have nothing to do with the subject.
    """
    if before.shape != after.shape:
        raise ValueError(f"expected pictures in pairs, got embeddings of shapes {before.shape} and {after.shape}")
    return 1 - np.diagonal(similarities(before, after))


def similarities(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosines (n, m) of embeddings (n, d) and (m, d)."""
    _check_rows("first", a)
    _check_rows("second", b)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"expected embeddings of one encoder, got widths {a.shape[1]} and {b.shape[1]}")
    return a @ b.T


def _check_rows(name: str, rows: np.ndarray) -> None:
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"{name} embeddings: expected (n, d) with n of at least 1, got {rows.shape}")
    lengths = np.linalg.norm(rows, axis=1)
    if not np.allclose(lengths, 1, atol=TOLERANCE):
        found = f"{lengths.min():.3f} to {lengths.max():.3f}"
        raise ValueError(f"{name} embeddings: expected rows of length 1, got {found}; L2-normalise them")
