"""The attention chapter: maps of the same pictures, leakage by known masks, and what the numbers decide."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sidkit import config
from sidkit.chapters import attention_maps as attention
from sidkit.plot import heat
from sidkit.runs import Runs
from sidkit.study import claims
from sidkit.study import maps as looking
from sidkit.study.maps import Seen
from sidkit.study.plan import make_plan
from sidkit.worlds import StickerWorld

LEFT = np.zeros((64, 64), bool)
LEFT[:, :32] = True


@pytest.fixture(autouse=True)
def shipped(tiny_weights, monkeypatch):
    monkeypatch.setattr(config, "WEIGHTS", tiny_weights)
    monkeypatch.setattr(StickerWorld, "find", lambda world, pictures, word: [LEFT] * len(pictures))


@pytest.fixture(scope="module")
def studies(tmp_path_factory, tiny_weights):
    """All plans at scale smoke, run once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "WEIGHTS", tiny_weights)
        plans = attention.make_plans("smoke")
        return attention.run_studies(plans, Runs(tmp_path_factory.mktemp("runs")), progress=False)


@pytest.fixture(scope="module")
def maps(studies, tiny_weights):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "WEIGHTS", tiny_weights)
        return attention.seen(studies)


def flat(studies, left):
    """Maps of a study's things in which the left half has `left` times the attention of the right, by case."""
    study = studies["things"]
    (name,) = study.subjects
    found = {}
    for arm in study.plan.arms:
        one = np.ones((len(study.frame.query("arm == @arm.name")), 16, 16))
        one[..., :8] = left[arm.case]
        many = np.stack([one, one])
        found[name, arm.name] = Seen(many, many, np.ones((2, 2, 16, 16)), ("mid_block.a.0", "up_blocks.1.b.0"), 1.0)
    return found


def test_no_model_is_trained_that_other_chapters_do_not_train():
    plans, four = attention.make_plans("quick"), make_plan("quick")
    assert plans["things"] == four or str(plans["things"]) == str(four)
    assert [str(one) for name in ("pose", "substance") for one in plans[name].subjects] == [
        "cat-pose",
        "penguin-substance",
    ]
    assert list(attention.make_plans("smoke", subjects=["owl"])) == ["things"]
    with pytest.raises(ValueError, match="scale"):
        attention.make_plans("smokey")


def test_the_pictures_are_drawn_again_to_the_bit(studies, maps):
    assert {one.same for one in maps.values()} == {1.0}
    for (name, subject, _), one in maps.items():
        study = studies[name]
        pictures = len(study.prompts[subject]) * study.plan.pictures
        assert one.steps.shape == (2, pictures, 16, 16) and one.layers.shape == (4, pictures, 16, 16)
        assert one.references.shape == (10, len(study.subjects[subject].images), 16, 16)
        np.testing.assert_allclose(one.layers.mean(0), one.mean, rtol=2e-3)


def test_maps_are_kept(studies, maps, monkeypatch):
    monkeypatch.setattr(looking, "generate", lambda *_, **__: pytest.fail("drawn again"))
    again = attention.seen(studies)
    assert all(np.array_equal(again[key].steps, one.steps) for key, one in maps.items())


def test_a_picture_that_differs_is_counted(studies, monkeypatch):
    study = studies["things"]
    (name,) = study.subjects
    old = study.picture
    black = Image.new("RGB", (64, 64))
    monkeypatch.setattr(type(study), "picture", lambda self, *at: black if at[2:] == (0, 0) else old(*at))
    seen = attention.see(replace(study), name, study.plan.arms[0].name, "daam")
    assert seen.same == pytest.approx(1 - 1 / len(seen.mean)) and seen.mean.shape[1:] == (64, 64)


def test_leakage_and_spread_by_hand():
    even, left = np.ones((1, 16, 16)), np.zeros((1, 16, 16))
    left[..., :8] = 1
    both = np.concatenate([even, left])
    assert attention.leakage(both, [LEFT, LEFT]).tolist() == pytest.approx([0.5, 0])
    assert np.isnan(attention.leakage(both, [None, LEFT])).tolist() == [True, False]
    assert np.isnan(attention.leakage(both, [None, None])).all()
    assert attention.spread(both).tolist() == pytest.approx([1, 0.5])


def test_what_is_measured_by_hand(studies):
    """After the usual captions the map is even; after SID the subject's half has three times as much."""
    study = studies["things"]
    frame = attention.measured(study, flat(studies, {1: 1, 3: 3})).set_index("case")
    assert np.allclose(frame.loc[1, "attention"], 0.5) and np.allclose(frame.loc[1, "attention_gain"], 0)
    assert np.allclose(frame.loc[3, "attention"], 0.25) and np.allclose(frame.loc[3, "attention_gain"], -0.25)
    assert frame["attention_truth"].nunique() == 1 and 0.3 < frame["attention_truth"].iloc[0] < 0.95
    steps = attention.by_step(study, flat(studies, {1: 1, 3: 3}), seed=0)
    assert steps["mean"].to_dict() == pytest.approx({(1, 0.5): 0.5, (1, 1.0): 0.5, (3, 0.5): 0.25, (3, 1.0): 0.25})
    blocks = attention.by_block(study, flat(studies, {1: 1, 3: 3}), seed=0)
    assert list(blocks["Block"]) == ["middle", "up 1"] and blocks["Case 3 (SID)"].str.startswith("0.250").all()


def test_layers_of_a_block_are_averaged():
    layers = np.arange(3.0).reshape(3, 1, 1, 1)
    names = ("down_blocks.1.attentions.0", "down_blocks.1.attentions.1", "mid_block.attentions.0")
    found = dict(Seen(layers, layers, layers, names, 1.0).blocks())
    assert list(found) == ["down 1", "middle"] and found["down 1"] == 0.5 and found["middle"] == 2


def test_a_style_has_spread_and_no_leakage(studies, maps):
    frame = attention.measured(studies["substance"], attention.of_study(maps, "substance"))
    assert frame["attention"].isna().all() and frame["attention_truth"].isna().all() and (frame["spread"] > 0).all()
    assert looking.usual(next(iter(studies["substance"].subjects.values()))) == "a painting in the style of [v] art"
    assert looking.usual(next(iter(studies["things"].subjects.values()))) == "a photo of a [v] dog"


def test_every_figure_and_table_of_a_run(studies, maps):
    titles, images, heads = attention.by_bias(studies, maps)
    assert [title.partition(":")[0] for title in titles] == list(attention.shown(studies)) and len(heads) == 4
    assert {"background", "nearby", "pose", "substance"} <= set(attention.shown(studies))
    assert all(len(row) == 4 for row in images)
    things = attention.of_study(maps, "things")
    titles, images, heads = attention.by_case(studies["things"], things, next(iter(studies["things"].subjects)))
    assert len(titles) == len(images) == 4 and heads == ["case 1", "case 3"] and all(len(row) == 2 for row in images)
    frame = attention.measured(studies["things"], things)
    assert len(attention.table(frame, seed=0)) == 4 and len(attention.correlations(frame, seed=0)) == 8
    frames = {name: attention.measured(study, attention.of_study(maps, name)) for name, study in studies.items()}
    table = attention.bias_table(studies, frames, seed=0)
    assert [row.partition(":")[0] for row in table["Bias"]] == list(attention.shown(studies))
    assert table["Bias"].str.contains("spread").tolist() == [False] * (len(table) - 1) + [True]
    assert len(attention.verdicts(frames, seed=0)) == 2
    figure, axes = plt.subplots(1, 2)
    heat.along(attention.by_step(studies["things"], things, seed=0), axes[0])
    heat.against(frame.reset_index(drop=True), "attention", "attention", axes[1], seed=0)
    assert len(axes[0].lines) == 2
    plt.close(figure)


def test_where_no_subject_is_found_nothing_is_said(studies, maps, monkeypatch):
    monkeypatch.setattr(attention, "drawn_masks", lambda study, *_: [[None] * study.plan.pictures] * 4)
    study, things = studies["things"], attention.of_study(maps, "things")
    frame = attention.measured(study, things)
    assert frame["attention"].isna().all() and attention.by_step(study, things, seed=0).empty
    assert list(attention.by_block(study, things, seed=0)["Block"]) == ["no subject was found"]
    (verdict,) = attention.verdicts({"things": frame}, seed=0)
    assert verdict.word == claims.NOT_RUN
    assert "does not vary" in set(attention.correlations(frame, seed=0)["With leakage"])


def test_the_numbers_decide():
    """Ten subjects after whose SID the subject is looked from, or after whose SID the rest is."""
    for sid, word in ((0.2, claims.REPRODUCED), (0.9, claims.NOT_REPRODUCED)):
        rows = [
            {"subject": f"s{s}", "prompt": "p", "seed": 0, "case": case, "attention": value + 0.001 * s}
            for s in range(10)
            for case, value in ((1, 0.6), (3, sid))
        ]
        (verdict,) = attention.verdicts({"things": pd.DataFrame(rows)}, seed=0)
        assert verdict.word == word


def test_an_overlay_is_light_where_the_map_is_high():
    map_ = np.zeros((16, 16))
    map_[:, 8:] = 1
    shown = np.asarray(heat.overlay(Image.new("RGB", (64, 64), "gray"), map_).convert("L"), int)
    assert shown.shape == (256, 256) and shown[:, 200:].min() > shown[:, :60].max() + 30
    assert np.asarray(heat.overlay(Image.new("RGB", (64, 64)), np.ones((16, 16)))).std(axis=(0, 1)).max() == 0
