"""Leakage: what is there though nobody asked for it, on readings known by hand."""

import numpy as np
import pytest

from sidkit.measure.leakage import leakage, leaks, obedience

VALUES = {"background": ["beach", "snow", "moon"], "nearby": ["none", "ball", "drum"]}
# Three pictures: on the beach with the ball, in the snow without anything, in the snow with the ball.
READ = {
    "background": np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.4, 0.6, 0.0]]),
    "nearby": np.array([[0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0.3, 0.5, 0.2]]),
}
UNDESIRED = {"background": "beach", "nearby": "ball"}


def test_what_nobody_asked_for_leaks():
    shown = leaks(READ, VALUES, UNDESIRED, {})
    assert {factor: list(one) for factor, one in shown.items()} == {"background": [1, 0, 0], "nearby": [1, 0, 1]}
    assert leakage(READ, VALUES, UNDESIRED, {}).tolist() == [1, 0, 0.5]


@pytest.mark.parametrize("asked", [{"background": "snow"}, {"background": "moon", "nearby": "drum"}, {"tied": "bow"}])
def test_asking_for_something_else_makes_it_no_less_a_leak(asked):
    assert leakage(READ, VALUES, UNDESIRED, asked).tolist() == [1, 0, 0.5]


def test_what_was_asked_for_does_not_leak():
    assert list(leaks(READ, VALUES, UNDESIRED, {"nearby": "ball"})) == ["background"]
    assert leakage(READ, VALUES, UNDESIRED, {"nearby": "ball"}).tolist() == [1, 0, 0]
    assert np.isnan(leakage(READ, VALUES, {"nearby": "ball"}, {"nearby": "ball"})).all()
    assert leakage(READ, VALUES, {}, {}).shape == (3,)


def test_obedience_is_the_share_of_what_was_asked():
    assert obedience(READ, VALUES, {"background": "snow", "nearby": "ball"}).tolist() == [0.5, 0.5, 1]
    assert obedience(READ, VALUES, {"background": "snow", "attribute": "purple"}).tolist() == [0, 1, 1]
    assert np.isnan(obedience(READ, VALUES, {"attribute": "purple"})).all()


def test_what_the_reader_does_not_know_is_refused():
    with pytest.raises(ValueError, match="unknown value of nearby 'bal'; did you mean 'ball'"):
        leakage(READ, VALUES, {"nearby": "bal"}, {})
    with pytest.raises(ValueError, match="unknown undesired factor 'nearbye'; did you mean 'nearby'"):
        leakage(READ, VALUES, {"nearbye": "ball"}, {})
