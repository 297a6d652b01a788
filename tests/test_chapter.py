"""What a notebook's parameters reach when its chapter is run."""

import pytest

from sidkit.chapters import attention_maps, biases, description_cases, methods, single_reference, vlm_comparison
from sidkit.study.chapter import accepted

GIVEN = dict(profile="sd15", steps=7, pictures=3, seed=5)  # that every one of these notebooks has


@pytest.mark.parametrize(
    "chapter", [attention_maps, biases, description_cases, methods, single_reference, vlm_comparison]
)
def test_options_of_a_plan_reach_it(chapter):
    plans = chapter.plans("smoke", **accepted(chapter.plans, GIVEN | {"convention": "daam"}))
    for plan in plans.values():
        assert (plan.profile.name, plan.pictures, plan.seed) == ("sd15", 3, 5)
        assert {plan.training_of(arm).steps for arm in plan.trained} == {7}


def test_what_a_function_does_not_take_is_left_out():
    assert accepted(lambda plans, subjects=(): None, GIVEN | {"subjects": ["dog"]}) == {"subjects": ["dog"]}
