"""Drift: what a training changes where a prompt says nothing of the subject, and the column that tells it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sidkit import config
from sidkit.chapters import cast
from sidkit.measure.metrics import drift as drift_of
from sidkit.runs import Runs
from sidkit.stickers.factors import subject_classes
from sidkit.stickers.grammar import parse
from sidkit.study.drift import COLUMNS, with_drift
from sidkit.study.pieces import drawn, trained
from sidkit.study.plan import Arm, make_plan
from sidkit.study.run import run_study
from sidkit.worlds import Photos, StickerWorld

ARMS = (Arm("DreamBooth", 1), Arm("Textual Inversion", 1, "textual_inversion"), Arm("Encoder", 1, "encoder:stickers"))
SMALL = dict(subjects=["dog"], unrelated=3, pictures=2)


def unit(rows):
    rows = np.asarray(rows, float)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_drift_is_one_minus_the_cosine_of_each_pair():
    before = unit([[1, 0], [1, 0], [1, 0], [3, 4]])
    after = unit([[1, 0], [0, 1], [-1, 0], [4, 3]])
    assert drift_of(before, after) == pytest.approx([0, 1, 2, 1 - 24 / 25])


def test_pictures_without_a_twin_are_refused():
    with pytest.raises(ValueError, match=r"in pairs, got embeddings of shapes \(2, 2\) and \(1, 2\)"):
        drift_of(unit([[1, 0], [0, 1]]), unit([[1, 0]]))


@pytest.fixture(scope="module")
def study(tmp_path_factory, tiny_weights):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "WEIGHTS", tiny_weights)
        arms = ARMS[:2]
        yield run_study(make_plan("smoke", arms=arms, **SMALL), Runs(tmp_path_factory.mktemp("runs")), progress=False)


def test_a_model_that_was_trained_drifts_and_a_word_does_not(study):
    """Textual Inversion leaves the model as it is: a prompt without its word draws the same picture."""
    frame = study.drift
    assert {*COLUMNS, "subject", "arm"} <= {*frame} and len(frame) == 2 * 3 * 2
    by_arm = frame.groupby("arm")["drift"]
    assert by_arm.get_group("Textual Inversion").to_numpy() == pytest.approx(0, abs=1e-6)
    assert (by_arm.get_group("DreamBooth") > 1e-5).all()


def test_it_is_kept_and_the_base_model_is_drawn_once(study, monkeypatch):
    monkeypatch.setattr(trained, "personalize", lambda *_, **__: pytest.fail("trained again"))
    monkeypatch.setattr(drawn, "generate", lambda *_, **__: pytest.fail("drawn again"))
    runs = study.workshop.runs
    pd.testing.assert_frame_equal(run_study(study.plan, runs, progress=False).drift, study.drift)
    kinds = [folder.parent.name for folder in runs.root.glob("*/*") if folder.is_dir()]
    assert kinds.count("pictures") == 2 * 2 + 1


def test_where_no_weights_are_kept_a_model_is_trained_once_for_all_its_pictures(tmp_path, monkeypatch, study):
    trainings, real = [], trained.personalize

    def counted(*arguments, **options):
        trainings.append(1)
        return real(*arguments, **options)

    monkeypatch.setattr(trained, "personalize", counted)
    plan = make_plan("smoke", arms=ARMS[:2], **SMALL)
    plan = replace(plan, profile=replace(plan.profile, keep_weights=False))
    found = run_study(plan, Runs(tmp_path), progress=False)
    assert len(trainings) == 2
    pd.testing.assert_frame_equal(found.drift, study.drift)


def test_a_table_has_it_beside_each_arm_that_trains(study):
    rows = [
        {"subject": "s", "prompt": p, "seed": 0, "arm": "A", "case": 1, "drift": d} for p, d in (("x", 0.1), ("y", 0.3))
    ]
    table = pd.DataFrame({"Arm": ["A", "Encoder"], "TA": ["1", "2"]})
    found = with_drift(table, pd.DataFrame(rows), seed=0)
    assert list(found["drift"])[1] == "" and found["drift"][0].startswith("0.200\n[")
    assert list(with_drift(table, pd.DataFrame(columns=[*COLUMNS, "arm"]), seed=0)) == ["Arm", "TA"]


def test_without_prompts_there_is_none(study):
    plan = make_plan("smoke", arms=ARMS[:1], subjects=["dog"])
    assert plan.unrelated == 0
    found = run_study(plan, study.workshop.runs, progress=False)
    assert found.drift.empty and list(with_drift(pd.DataFrame({"Arm": ["A"]}), found.drift, seed=0)) == ["Arm"]


@pytest.mark.parametrize("class_word", [*subject_classes(), "art"])
def test_prompts_of_stickers_name_another_class(class_word):
    prompts = StickerWorld().unrelated(class_word)
    named = [parse(prompt)["subject"] for prompt in prompts]
    assert class_word not in named and len(set(named)) == len(named) >= 35
    assert not any("[v]" in prompt for prompt in prompts)
    assert {"background" in parse(prompt) for prompt in prompts[:4]} == {True, False}


@pytest.mark.parametrize(
    "class_word", ["dog", "cat", "teddy bear", "alarm clock", "Backpack", "toy train", "street", "horse"]
)
def test_prompts_of_photos_do_not_name_the_class(class_word):
    prompts = Photos().unrelated(class_word)
    noun = class_word.lower().split()[-1]
    assert len(prompts) >= 10 and not any(noun in prompt for prompt in prompts)
    assert not any("[v]" in prompt for prompt in prompts)


def test_every_scale_finds_as_many_prompts_as_it_wants():
    for chapter in ("methods", "single_reference"):
        for scale in cast.SCALES:
            assert cast.of(chapter, "unrelated prompts", scale) <= 10


def test_an_estimate_counts_them():
    plain = make_plan("smoke", arms=ARMS, subjects=["dog"])
    plan = make_plan("smoke", arms=ARMS, **SMALL | {"pictures": 1})
    assert plan.drawn_total - plain.drawn_total == (2 + 1) * 3  # of the two that train, and of the base model
    assert plan.pictures_total == plain.pictures_total == plain.drawn_total
