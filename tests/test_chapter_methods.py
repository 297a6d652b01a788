"""Chapter 4: every method with and without SID, what it costs, who is beaten by nobody, and the paper's own points."""

import re

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import yaml
from conftest import without_masks

from sidkit import config
from sidkit.chapters import methods
from sidkit.personalization.methods import METHODS, Method
from sidkit.study import claims
from sidkit.study.chapter import run


def test_every_method_runs_with_and_without_sid(tiny_weights, tmp_path, monkeypatch):
    monkeypatch.setattr(config, "WEIGHTS", tiny_weights)
    results = run(methods, "smoke", tmp_path, methods=["svdiff", "textual_inversion"], progress=False)
    table = results.tables["methods"]
    assert list(table["Arm"]) == ["SVDiff", "SVDiff + SID", "Textual Inversion", "Textual Inversion + SID"]
    assert all(float(value) >= 0 for value in table["Seconds"])
    assert all(float(value) > 0 for value in table["Peak GB"]) and table["MB"].astype(float).between(0, 1).all()
    cases = [verdict.claim.case for verdict in results.verdicts]
    assert cases[::4] == ["SVDiff + SID", "Textual Inversion + SID"]
    assert {verdict.word for verdict in results.verdicts} != {claims.NOT_RUN}
    points = methods.points(results.main.frame, seed=0)
    assert results.values["front_sa"] == methods.front_sentence(points, "TA", "SA")
    figure = methods.draw_planes(points, "a title")
    assert all(len(ax.collections) >= 4 for ax in figure.axes)
    images, rows, columns = methods.grid(results.main, prompts=3)
    assert rows == list(table["Arm"]) and len(images) == 4 and all(len(row) == len(columns) == 3 for row in images)
    plt.close(figure)


def test_of_photos_without_masks_there_are_tables_without_their_columns(tiny_weights, tmp_path, monkeypatch):
    """Neither SA nor NSD can be measured: everything else is said, and of these that they were not measured."""
    monkeypatch.setattr(config, "WEIGHTS", tiny_weights)
    folder = without_masks(tmp_path / "mine")
    results = run(
        methods, "smoke", tmp_path / "runs", subjects=[str(folder)], methods=["textual_inversion"], progress=False
    )
    assert list(results.tables["methods"])[:3] == ["Arm", "identity", "TA"]
    assert results.values["front_sa"] == "Who is ahead in the plane of TA and SA is not known: SA was not measured."
    points = methods.points(results.main.frame, seed=0)
    figure = methods.draw_planes(points)
    assert [ax.texts[0].get_text() for ax in figure.axes] == ["SA was not measured", "NSD was not measured"]
    plt.close(figure)


def test_the_registry_says_what_methods_are_called():
    arms = methods.arms()
    assert [arm.name for arm in arms[::2]] == [method.title for method in METHODS.values()]
    assert [arm.name for arm in arms[1::2]] == [f"{method.title} + SID" for method in METHODS.values()]
    assert [(arm.method, arm.captions) for arm in arms[:2]] == [("dreambooth", 1), ("dreambooth", 3)]
    with pytest.raises(ValueError, match="unknown method 'svdif'; did you mean 'svdiff'"):
        methods.plans("smoke", methods=["svdif"])


def test_a_new_method_is_an_entry_of_the_registry_and_settings_of_a_profile(tmp_path, monkeypatch):
    monkeypatch.setitem(METHODS, "bias_only", Method("Bias only", lambda pipe, training: {}))
    assert [arm.name for arm in methods.arms()[-2:]] == ["Bias only", "Bias only + SID"]
    told = "profile stickers: unknown method 'bias_only' .*say under training of the profile .*bias_only: {steps: "
    with pytest.raises(ValueError, match=told):
        methods.plans("smoke", methods=["bias_only"])
    profile = yaml.safe_load((config.PROFILES / "stickers.yaml").read_text())
    profile["training"] |= yaml.safe_load(re.search(r"bias_only: {.*}", _fault_of("bias_only"))[0])
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(profile))
    plan = methods.plans("smoke", methods=["bias_only"], profile=str(tmp_path / "mine.yaml"))["methods"]
    assert [arm.method for arm in plan.arms] == ["bias_only"] * 2 and plan.training_of(plan.arms[0]).steps > 0


def _fault_of(method):
    with pytest.raises(ValueError) as caught:
        methods.plans("smoke", methods=[method])
    return str(caught.value)


def test_the_front_is_who_nobody_beats():
    points = pd.DataFrame(
        {"TA": [1.0, 2.0, 3.0, 1.5], "SA": [3.0, 2.0, 1.0, 1.5]}, index=["a", "b + SID", "c + SID", "d"]
    )
    assert methods.pareto(points, "TA", "SA") == ["a", "b + SID", "c + SID"]
    assert methods.front_sentence(points, "TA", "SA").endswith("of these, a without SID.")


def test_the_paper_s_own_points_hold_what_was_found_in_them():
    """In NSD-TA all the best use SID; in SA-TA one does not (facts on the paper, section 8)."""
    for figure, exception in ((8, "Custom Diffusion"), (9, "SVDiff")):
        points = methods.paper_points(figure)
        assert all(arm.endswith("SID") for arm in methods.pareto(points, "TA", "NSD"))
        assert exception in methods.pareto(points, "TA", "SA")
    means = methods.paper_points(8).groupby(lambda arm: arm.endswith("SID")).mean()
    assert means.loc[True, "NSD"] - means.loc[False, "NSD"] == pytest.approx(0.0206, abs=1e-4)


def test_the_paper_s_numbers_stand_beside_ours_only_where_the_measure_is_the_same():
    paper = methods.paper_points(9)
    assert methods.gain(paper, "NSD", "DreamBooth") == pytest.approx(0.0345)
    assert methods.gain(paper, "SA", "SVDiff", "ELITE") == pytest.approx(-0.0064)
    assert methods.gain(paper, "leakage", "DreamBooth") is methods.gain(paper, "SA", "LoRA") is None
    for profile, known in (("stickers", [None] * 4), ("sd15", [0.0161, 0.0053, 0.0117, None])):
        plans = methods.plans("smoke", profile=profile, subjects=["dog"], methods=["dreambooth"])
        claims_of_plan = methods.claims_of(plans["methods"])
        assert [claim.paper for claim in claims_of_plan] == pytest.approx(known)
