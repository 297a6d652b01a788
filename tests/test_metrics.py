"""Measures on embeddings whose answers are known by hand."""

import numpy as np
import pytest

from sidkit.measure.metrics import (
    identity_similarity,
    non_subject_disentanglement,
    similarities,
    subject_alignment,
    text_alignment,
)

X, Y = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
BOTH = np.concatenate([X, Y])


def test_identical_and_unrelated_pictures():
    assert subject_alignment(X, X) == 1.0
    assert subject_alignment(X, Y) == 0.0
    assert subject_alignment(X, -X) == -1.0
    assert non_subject_disentanglement(X, X) == 0.0
    assert non_subject_disentanglement(X, Y) == 1.0


def test_means_run_over_all_pairs():
    # references x, y against generated x, y: cosines 1, 0, 0, 1
    assert subject_alignment(BOTH, BOTH) == 0.5
    assert identity_similarity(BOTH, X) == 0.5
    third = np.array([[0.6, 0.8]])
    assert subject_alignment(BOTH, third) == pytest.approx(0.7)
    assert non_subject_disentanglement(BOTH, third) == pytest.approx(0.3)


def test_text_alignment_takes_one_prompt():
    assert text_alignment(X[0], BOTH) == 0.5


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (2 * X, X, "length 1, got 2.000"),
        (X[0], X, "expected \\(n, d\\)"),
        (X[:0], X, "n of at least 1"),
        (X, np.eye(3)[:1], "one encoder, got widths 2 and 3"),
    ],
)
def test_what_is_no_embedding_is_refused(a, b, words):
    with pytest.raises(ValueError, match=words):
        subject_alignment(a, b)


def test_a_picture_at_a_time_has_the_same_mean():
    rng = np.random.default_rng(0)
    references, generated = (rows / np.linalg.norm(rows, axis=1)[:, None] for rows in rng.normal(size=(2, 5, 8)))
    each = similarities(references, generated).mean(axis=0)
    assert each.shape == (5,)
    assert each[2] == pytest.approx(subject_alignment(references, generated[2:3]))
    assert each.mean() == pytest.approx(subject_alignment(references, generated))


def test_cosines_are_raw():
    half = np.array([[0.5, np.sqrt(0.75)]])
    assert text_alignment(X[0], half) == pytest.approx(0.5)  # not times 2.5, not times 100
    assert text_alignment(X[0], -half) == pytest.approx(-0.5)  # not clipped


def test_several_prompts_at_once_are_refused():
    with pytest.raises(ValueError, match=r"one prompt \(d,\), got \(2, 2\)"):
        text_alignment(BOTH, X)
