"""The limits' studies: what each arm is told, what is counted of it, and who said what should come out."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from conftest import results_of

from sidkit import config, markdown
from sidkit.chapters import limits
from sidkit.describe.cases import captions_of_case
from sidkit.plot import sheets
from sidkit.stickers import grammar
from sidkit.stickers.references import make_subject
from sidkit.study import claims, tables
from sidkit.study.chapter import run
from sidkit.subjects import load_images


@pytest.fixture(scope="module")
def studies(tmp_path_factory, tiny_weights):
    """Every limit at scale smoke, run once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "WEIGHTS", tiny_weights)
        return run(limits, "smoke", tmp_path_factory.mktemp("runs"), progress=False).studies


@pytest.fixture(scope="module")
def dog(tmp_path_factory):
    return make_subject(tmp_path_factory.mktemp("subject"), "dog", ("background", "nearby"), 2, seed=0)


def test_a_missed_thing_is_all_that_the_captions_miss(dog):
    assert limits.missed(dog) == "nearby"
    for sid, less in zip(captions_of_case(dog, 3), limits.without(limits.missed)(dog), strict=True):
        left = {factor: value for factor, value in grammar.parse(sid).items() if not factor.startswith("nearby")}
        assert grammar.parse(less) == left and "nearby" in grammar.parse(sid)


def test_half_of_the_captions_miss_it(dog):
    said = ["nearby" in grammar.parse(text) for text in limits.every_other(dog)]
    assert said == [False, True]


def test_nothing_to_leave_out_is_an_error(dog):
    with pytest.raises(ValueError, match="with words for the tied, got"):
        limits.without(lambda subject: "tied")(dog)


def test_quick_trains_few_models_that_no_other_chapter_does():
    plans = limits.plans("quick")
    own = [arm.name for plan in plans.values() for arm in plan.arms if not _shared(plan, arm)]
    assert own == ["thing missed", "pose left out", "SID, 30 steps", "SID, 300 steps", "usual + prior", "SID, 1 ref."]
    assert [str(subject) for subject in plans["pose"].subjects] == ["cat-pose"] and plans["pose"].references == 1


def test_full_stays_below_forty_models():
    plans = limits.plans("full")
    own = sum(len(plan.subjects) for plan in plans.values() for arm in plan.arms if not _shared(plan, arm))
    assert own <= 40
    assert all(len(arm.name) <= 16 for plan in plans.values() for arm in plan.arms)


def _shared(plan, arm):
    """Whether the arm is one of the four cases as they are, of all of a subject's references."""
    same = plan.training_of(arm) == plan.training and arm.references in (0, plan.references)
    return bool(arm.case) and same


@pytest.mark.parametrize("limit", limits.MEASURES)
def test_each_limit_has_its_table_pictures_and_captions(studies, limit):
    names = [arm.name for arm in studies[limit].plan.arms]
    table = limits.tables(results_of(limits, studies))[f"table_{limit}"]
    measures = [limits.HEADS.get(name, name) for name in limits.MEASURES[limit]]
    assert list(table.columns) == ["Arm", *measures] and list(table["Arm"]) == names
    told, images, heads = limits.rows(studies[limit])
    assert len(told) == len(images) == 2 and heads == names and len(images[0]) == len(names)
    assert list(limits.captions(studies[limit])["Captions"]) == names
    assert all(list(rows.index) == names for rows in limits.panels(studies[limit], limit, seed=0).values())


def test_the_missed_thing_is_counted_by_its_own_leak(studies):
    study = studies["captions"]
    found = limits.with_missed(study)
    pd.testing.assert_series_equal(found[limits.MISSED], study.frame["leak_nearby"], check_names=False)


def test_more_steps_and_fewer_references_are_other_models(studies):
    for limit in ("steps", "references", "prior", "pose"):
        study = studies[limit]
        drawn = study.grid(next(iter(study.subjects)), [0])[0]
        assert len({np.asarray(image).tobytes() for image in drawn}) == len(drawn), limit


def test_the_paper_s_words_and_ours_are_kept_apart(studies):
    said = results_of(limits, studies).verdicts
    assert [verdict.claim.source for verdict in said] == ["Fig. 3", "sec. 7.3"]
    ours = limits.expectations(studies, seed=0)
    assert {verdict.claim.source for verdict in ours} == {"our expectation"} and len(ours) == 5
    assert claims.NOT_RUN not in {verdict.word for verdict in [*said, *ours]}
    table = str(markdown.table(tables.claims_table(ours, "One would expect", tables.EXPECTED)))
    assert table.startswith("| One would expect ") and "as expected" in table and "reproduced<" not in table


def test_an_expectation_follows_the_numbers(studies):
    """A frame in which only the captions that miss the thing leak it: as expected; and the other way round."""
    study = studies["captions"]
    for leaking, word in (("thing missed", claims.REPRODUCED), ("SID", claims.NOT_REPRODUCED)):
        leaks = (study.frame["arm"] == leaking).astype(float)
        changed = {"captions": _with_frame(study, study.frame.assign(leak_nearby=leaks))}
        verdict = next(one for one in limits.expectations({**studies, **changed}, seed=0))
        assert verdict.word == word and verdict.claim.measure == limits.MISSED


def _with_frame(study, frame):
    return replace(study, frame=frame)


def test_an_unknown_scale_or_class_is_refused():
    with pytest.raises(ValueError, match="unknown scale 'ful'; did you mean 'full'"):
        limits.plans("ful")
    with pytest.raises(ValueError, match="unknown subject 'dgo'; did you mean 'dog'"):
        limits.plans("smoke", classes=["dgo"])


def test_heads_of_many_columns_take_several_lines_and_do_not_touch(dog):
    images = list(load_images(dog)) * 3
    names = ["usual captions, 150 steps"] * 6
    figure = sheets.rows(["one prompt"], [images], names)
    renderer = figure.canvas.get_renderer()
    heads = [text.get_window_extent(renderer) for text in figure.texts if text.get_weight() == "bold"]
    assert all(left.x1 < right.x0 for left, right in zip(heads, heads[1:]))
    assert max(box.y1 for box in heads) <= figure.bbox.y1
    title = next(text for text in figure.texts if text.get_weight() != "bold").get_window_extent(renderer)
    assert title.y1 <= min(box.y0 for box in heads)
    plt.close(figure)
