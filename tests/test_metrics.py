"""Measures on embeddings whose answers are known by hand."""

import numpy as np
import pytest

from sidkit.measure.metrics import (
    image_alignment,
    non_subject_disentanglement,
    similarities,
    subject_alignment,
    text_alignment,
)

X, Y = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
BOTH = np.concatenate([X, Y])
BETWEEN = np.array([[0.6, 0.8]])
AGAINST_REFERENCES = (subject_alignment, non_subject_disentanglement, image_alignment)


def test_identical_and_unrelated_pictures():
    assert subject_alignment(X, np.concatenate([X, Y, -X])).tolist() == [1.0, 0.0, -1.0]
    assert non_subject_disentanglement(X, np.concatenate([X, Y, -X])).tolist() == [0.0, 1.0, 2.0]
    assert image_alignment(X, BOTH).tolist() == [1.0, 0.0]


def test_a_picture_is_compared_with_every_reference():
    assert subject_alignment(BOTH, BOTH).tolist() == [0.5, 0.5]
    assert subject_alignment(BOTH, BETWEEN) == pytest.approx([0.7])
    assert non_subject_disentanglement(BOTH, BETWEEN) == pytest.approx([0.3])
    assert image_alignment(BOTH, X).tolist() == [0.5]


@pytest.mark.parametrize("measure", AGAINST_REFERENCES)
def test_the_mean_over_pictures_is_the_equation_over_all_pairs(measure):
    rng = np.random.default_rng(0)
    references, generated = (rows / np.linalg.norm(rows, axis=1)[:, None] for rows in rng.normal(size=(2, 5, 8)))
    summands = measure(references, generated)
    assert summands.shape == (5,)
    assert summands[2] == pytest.approx(measure(references, generated[2:3])[0])
    mean_cosine = np.mean([reference @ picture for reference in references for picture in generated])
    paper = 1 - mean_cosine if measure is non_subject_disentanglement else mean_cosine
    assert summands.mean() == pytest.approx(paper)


def test_text_alignment_takes_one_prompt():
    assert text_alignment(X[0], BOTH).tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match=r"one prompt \(d,\), got \(2, 2\)"):
        text_alignment(BOTH, X)


def test_cosines_are_raw():
    half = np.array([[0.5, np.sqrt(0.75)]])
    assert text_alignment(X[0], half) == pytest.approx([0.5])  # not times 2.5, not times 100
    assert text_alignment(X[0], -half) == pytest.approx([-0.5])  # not clipped


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (2 * X, X, "first embeddings: .* length 1, got 2.000"),
        (X, 2 * X, "second embeddings: .* length 1, got 2.000"),
        (X[0], X, "expected \\(n, d\\)"),
        (X[:0], X, "n of at least 1"),
        (X, np.eye(3)[:1], "one encoder, got widths 2 and 3"),
    ],
)
@pytest.mark.parametrize("measure", [*AGAINST_REFERENCES, similarities])
def test_what_is_no_embedding_is_refused(measure, a, b, words):
    with pytest.raises(ValueError, match=words):
        measure(a, b)
