"""What a piece depends on is in its key: whatever shapes it makes another, and nothing else does."""

from dataclasses import replace

import pytest

from sidkit.config import Memory, load_profile
from sidkit.runs import Runs, fingerprint
from sidkit.study import recipes
from sidkit.study.cells import cells_of
from sidkit.study.pieces.encoded import Encoded
from sidkit.study.pieces.trained import Trained
from sidkit.study.plan import Arm, make_plan
from sidkit.study.run import subjects_of

PRIOR = {"prior_weight": 1.0, "prior_images": 4}
ARMS = (
    Arm("usual", 1),
    Arm("prior", 1, training=PRIOR),
    Arm("cut", 1, segment="references"),
    Arm("encoder", 1, "encoder:stickers"),
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("runs"))


def learnt(runs, arm, profile=None, **options):
    """The recipe of an arm's model of the smallest plan, with other settings of its profile."""
    plan = make_plan("smoke", subjects=["dog"], arms=ARMS, **options)
    plan = replace(plan, profile=replace(plan.profile, **(profile or {})))
    cells = cells_of(plan, subjects_of(plan, runs))
    (cell,) = [cell for cell in cells.values() if cell.arm.name == arm]
    return recipes.learnt(plan, cell)


def test_a_model_is_trained_or_shown_a_reference(runs):
    assert isinstance(learnt(runs, "usual"), Trained)
    assert isinstance(learnt(runs, "encoder"), Encoded)
    assert learnt(runs, "usual").prior is None and learnt(runs, "prior").prior.count == 4


@pytest.mark.parametrize("arm", [arm.name for arm in ARMS])
@pytest.mark.parametrize(
    "profile",
    [
        {"identifier": "xyz"},
        {"memory": Memory(weights="bf16")},
        {"variant": "fp16"},
        {"pipeline": "somewhere/else"},
    ],
)
def test_the_base_model_counts_as_it_is_held(runs, arm, profile):
    assert fingerprint(learnt(runs, arm)) != fingerprint(learnt(runs, arm, profile))


def test_what_shapes_the_class_pictures_shapes_the_model(runs):
    """Their sampling and precision were once no part of a training's key."""
    sampling = load_profile("stickers").sampling
    other = {"sampling": replace(sampling, guidance=sampling.guidance + 1)}
    assert fingerprint(learnt(runs, "prior")) != fingerprint(learnt(runs, "prior", other))
    assert fingerprint(learnt(runs, "usual")) == fingerprint(learnt(runs, "usual", other))


def test_what_does_not_shape_a_model_does_not_count(runs):
    same = {"keep_weights": False, "early_look": 5, "masks": None, "name": "mine"}
    for arm in ARMS:
        assert fingerprint(learnt(runs, arm.name)) == fingerprint(learnt(runs, arm.name, same))
    assert fingerprint(learnt(runs, "usual")) == fingerprint(learnt(runs, "usual", pictures=3))
    assert fingerprint(learnt(runs, "usual")) != fingerprint(learnt(runs, "cut"))
