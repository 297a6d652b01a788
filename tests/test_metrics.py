"""Measures on embeddings whose answers are known by hand."""

import numpy as np
import pytest

from sidkit.measure.leakage import leakage, leaks, obedience
from sidkit.measure.metrics import identity_similarity, non_subject_disentanglement, subject_alignment, text_alignment

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


VALUES = {"background": ["beach", "snow"], "nearby": ["none", "ball", "drum"]}
READ = {
    "background": np.array([[0.9, 0.1], [0.2, 0.8]]),
    "nearby": np.array([[0.1, 0.8, 0.1], [0.7, 0.2, 0.1]]),
}
UNDESIRED = {"background": "beach", "nearby": "ball"}


def test_leakage_counts_what_nobody_asked_for():
    assert leaks(READ, VALUES, UNDESIRED, {})["nearby"].tolist() == [1, 0]
    assert leakage(READ, VALUES, UNDESIRED, {}).tolist() == [1, 0]
    assert leakage(READ, VALUES, UNDESIRED, {"background": "snow"}).tolist() == [1, 0]


def test_what_was_asked_for_does_not_leak():
    assert list(leaks(READ, VALUES, UNDESIRED, {"nearby": "ball"})) == ["background"]
    assert np.isnan(leakage(READ, VALUES, {"nearby": "ball"}, {"nearby": "ball"})).all()


def test_obedience_is_the_share_of_what_was_asked():
    assert obedience(READ, VALUES, {"background": "snow", "nearby": "ball"}).tolist() == [0.5, 0.5]
    assert np.isnan(obedience(READ, VALUES, {"attribute": "purple"})).all()


def test_an_unknown_value_is_refused():
    with pytest.raises(ValueError, match="no 'bal' of 'nearby'"):
        leakage(READ, VALUES, {"nearby": "bal"}, {})
