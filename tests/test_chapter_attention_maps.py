"""The attention chapter: maps of the same pictures, leakage by known masks, and what the numbers decide."""

import shutil
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sidkit import config
from sidkit.chapters import attention_maps, description_cases
from sidkit.plot import heat
from sidkit.study import claims, map_measures
from sidkit.study import maps as kept_maps
from sidkit.study.chapter import run
from sidkit.study.maps import Seen
from sidkit.study.pieces.picture_files import file_name
from sidkit.worlds import StickerWorld

LEFT = np.zeros((64, 64), bool)
LEFT[:, :32] = True


def find_left(world, pictures, word):
    return [LEFT] * len(pictures)


@pytest.fixture(autouse=True)
def shipped(tiny_weights, monkeypatch):
    monkeypatch.setattr(config, "WEIGHTS", tiny_weights)
    monkeypatch.setattr(StickerWorld, "find", find_left)


@pytest.fixture(scope="module")
def results(tmp_path_factory, tiny_weights):
    """The chapter at scale smoke, run once, and its maps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "WEIGHTS", tiny_weights)
        patch.setattr(StickerWorld, "find", find_left)
        results = run(attention_maps, "smoke", tmp_path_factory.mktemp("runs"), progress=False)
        assert results.findings.maps.keys() == results.studies.keys()
        return results


@pytest.fixture(scope="module")
def studies(results):
    return results.studies


@pytest.fixture(scope="module")
def maps(results):
    return results.findings.maps


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
    plans = attention_maps.plans("quick")
    (four,) = description_cases.plans("quick").values()
    assert plans["things"] == four
    alone = [str(subject) for name in ("pose", "substance") for subject in plans[name].subjects]
    assert alone == ["cat-pose", "penguin-substance"]
    assert list(attention_maps.plans("smoke", subjects=["owl"])) == ["things"]
    with pytest.raises(ValueError, match="scale"):
        attention_maps.plans("smokey")


def test_the_pictures_are_drawn_again_to_the_bit(results, studies, maps):
    assert results.values["same"] == 100
    for name, study in studies.items():
        for (subject, _), looked in maps[name].items():
            pictures = len(study.prompts[subject]) * study.plan.pictures
            assert looked.same == 1.0
            assert looked.steps.shape == (2, pictures, 16, 16) and looked.layers.shape == (4, pictures, 16, 16)
            assert looked.references.shape == (10, len(study.subjects[subject].images), 16, 16)
            np.testing.assert_allclose(looked.layers.mean(0), looked.mean, rtol=2e-3)


def test_maps_are_kept(studies, maps, monkeypatch):
    monkeypatch.setattr(kept_maps, "watch", lambda *_: pytest.fail("drawn again"))
    for name, study in studies.items():
        again = map_measures.seen(study)
        assert again.keys() == maps[name].keys()
        assert all(np.array_equal(again[key].steps, looked.steps) for key, looked in maps[name].items())


def test_a_picture_that_differs_is_counted(studies, tmp_path):
    study = studies["things"]
    (name,) = study.subjects
    arm = study.plan.arms[0].name
    folder = shutil.copytree(study.folders[name, arm], tmp_path / "pictures")
    Image.new("RGB", (64, 64)).save(folder / file_name(0, 0))
    looked = kept_maps.see(replace(study, folders={(name, arm): folder}), name, arm, "daam")
    assert looked.same == pytest.approx(1 - 1 / len(looked.mean)) and looked.mean.shape[1:] == (64, 64)


def test_leakage_and_spread_by_hand():
    even, left = np.ones((1, 16, 16)), np.zeros((1, 16, 16))
    left[..., :8] = 1
    both = np.concatenate([even, left])
    assert map_measures.leakage(both, [LEFT, LEFT]).tolist() == pytest.approx([0.5, 0])
    assert np.isnan(map_measures.leakage(both, [None, LEFT])).tolist() == [True, False]
    assert np.isnan(map_measures.leakage(both, [None, None])).tolist() == [True, True]
    assert map_measures.spread(both).tolist() == pytest.approx([1, 0.5])


def test_what_is_measured_by_hand(studies):
    """After the usual captions the map is even; after SID the subject's half has three times as much."""
    study, maps = studies["things"], flat(studies, {1: 1, 3: 3})
    frame = map_measures.measured(study, maps).set_index("case")
    assert np.allclose(frame.loc[1, "attention"], 0.5) and np.allclose(frame.loc[1, "attention_gain"], 0)
    assert np.allclose(frame.loc[3, "attention"], 0.25) and np.allclose(frame.loc[3, "attention_gain"], -0.25)
    assert frame["attention_truth"].nunique() == 1 and 0.3 < frame["attention_truth"].iloc[0] < 0.95
    steps = map_measures.by_step(study, maps, seed=0)
    assert steps["mean"].to_dict() == pytest.approx({(1, 0.5): 0.5, (1, 1.0): 0.5, (3, 0.5): 0.25, (3, 1.0): 0.25})
    blocks = attention_maps.blocks_table(study, maps, seed=0)
    assert list(blocks["Block"]) == ["middle", "up 1"] and blocks["Case 3 (SID)"].str.startswith("0.250").all()


def test_layers_of_a_block_are_averaged():
    layers = np.arange(3.0).reshape(3, 1, 1, 1)
    names = ("down_blocks.1.attentions.0", "down_blocks.1.attentions.1", "mid_block.attentions.0")
    found = dict(Seen(layers, layers, layers, names, 1.0).blocks())
    assert list(found) == ["down 1", "middle"] and found["down 1"] == 0.5 and found["middle"] == 2


def test_a_style_has_spread_and_no_leakage(results, studies):
    frame = results.findings.frames["substance"]
    assert frame["attention"].isna().all() and frame["attention_truth"].isna().all() and (frame["spread"] > 0).all()
    of_style = {name: {subject.of_style for subject in study.subjects.values()} for name, study in studies.items()}
    assert of_style["substance"] == {True} and of_style["things"] == {False}


def test_every_table_and_value_of_a_run(results, studies):
    shown = attention_maps.shown(studies)
    tables = results.tables
    assert len(tables["table"]) == 4 and len(tables["correlations"]) == 8
    assert [row.partition(":")[0] for row in tables["biases"]["Bias"]] == list(shown)
    assert tables["biases"]["Bias"].str.contains("spread").tolist() == [False] * (len(shown) - 1) + [True]
    assert len(results.verdicts) == len(tables["claims"]) == 2
    assert (results.values["layers"], results.values["levels"]) == (4, 10)
    assert 0 < results.values["overlap"] < 1 and results.values["convention"] == "mean"


def test_every_figure_of_a_run(results, studies, maps):
    shown = attention_maps.shown(studies)
    titles, images, heads = attention_maps.by_bias(studies, maps)
    assert [title.partition(":")[0] for title in titles] == list(shown) and len(heads) == 4
    assert {"background", "nearby", "pose", "substance"} <= set(shown)
    assert all(len(row) == 4 for row in images)
    titles, images, heads = attention_maps.by_case(studies["things"], maps["things"])
    assert len(titles) == len(images) == 4 and heads == ["case 1", "case 3"] and all(len(row) == 2 for row in images)
    figure, axes = plt.subplots(1, 2)
    heat.along(map_measures.by_step(studies["things"], maps["things"], seed=0), axes[0])
    heat.against(results.findings.frames["things"], "attention", "attention", axes[1], seed=0)
    assert len(axes[0].lines) == 2
    plt.close(figure)


def test_where_no_subject_is_found_nothing_is_said(studies, maps, monkeypatch):
    monkeypatch.setattr(map_measures, "drawn_masks", lambda study, *_: [[None] * study.plan.pictures] * 4)
    study, things = studies["things"], maps["things"]
    frame = map_measures.measured(study, things)
    assert frame["attention"].isna().all() and map_measures.by_step(study, things, seed=0).empty
    assert list(attention_maps.blocks_table(study, things, seed=0)["Block"]) == ["no subject was found"]
    table = attention_maps.biases_table({"things": study}, {"things": frame}, seed=0)
    assert list(table["Bias"]) == ["no subject was found in both cases"]
    (trial,) = attention_maps.trials_of({"things": frame})
    assert trial.verdict(seed=0).word == claims.NOT_RUN
    assert "does not vary" in set(attention_maps.correlations(frame, seed=0)["With leakage"])


def test_the_numbers_decide():
    """Ten subjects after whose SID the subject is looked from, or after whose SID the rest is."""
    for sid, word in ((0.2, claims.REPRODUCED), (0.9, claims.NOT_REPRODUCED)):
        rows = [
            {"subject": f"s{s}", "prompt": "p", "seed": 0, "case": case, "attention": value + 0.001 * s}
            for s in range(10)
            for case, value in ((1, 0.6), (3, sid))
        ]
        (trial,) = attention_maps.trials_of({"things": pd.DataFrame(rows)})
        assert trial.verdict(seed=0).word == word


def test_an_overlay_is_light_where_the_map_is_high():
    map_ = np.zeros((16, 16))
    map_[:, 8:] = 1
    shown = np.asarray(heat.overlay(Image.new("RGB", (64, 64), "gray"), map_).convert("L"), int)
    assert shown.shape == (256, 256) and shown[:, 200:].min() > shown[:, :60].max() + 30
    assert np.asarray(heat.overlay(Image.new("RGB", (64, 64)), np.ones((16, 16)))).std(axis=(0, 1)).max() == 0
