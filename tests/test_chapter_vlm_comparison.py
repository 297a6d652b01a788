"""Chapter 3: what its plans hold, captions thinned out, what the shipped captioner says, the curve of doses."""

import numpy as np
import pytest
from conftest import dosed_frame

from sidkit import config
from sidkit.chapters import vlm_comparison
from sidkit.describe.cases import captions_of_case
from sidkit.measure import caption_truth
from sidkit.stickers.references import make_subject
from sidkit.study.chapter import run
from sidkit.study.plan import Stickers


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    return make_subject(tmp_path_factory.mktemp("subject"), "dog", ("background", "nearby"), 2, seed=0)


def test_a_plan_asks_nobody(monkeypatch):
    monkeypatch.setattr(vlm_comparison, "make_describer", lambda name: pytest.fail("a describer was loaded"))
    plans = vlm_comparison.plans("quick", seed=3)
    assert [arm.name for arm in plans["compared"].arms] == ["bare", "instructed", "unprompted", "weakened", "the truth"]
    assert [arm.name for arm in plans["dosed"].arms] == ["0 %", "33%", "67%", "100 %"]
    assert [len(plan.subjects) for plan in plans.values()] == [2, 1] and plans["dosed"].seed == 3
    own = vlm_comparison.plans("smoke", subjects=["owl-tied"])
    assert all(plan.subjects == (Stickers("owl", ("tied",)),) for plan in own.values())


def test_fewer_phrases_are_among_those_of_more(subject):
    full = vlm_comparison.thinned(subject, 1)
    some, few, none = (vlm_comparison.thinned(subject, share) for share in (0.6, 0.3, 0))
    for less, more in zip(few, some, strict=True):
        assert set(caption_truth.undesired(less)) <= set(caption_truth.undesired(more))
    assert full == list(captions_of_case(subject, 3))
    doses = [vlm_comparison.dose(subject, texts) for texts in (none, few, some, full)]
    assert doses[0] == 0 and doses[-1] == 1 and doses == sorted(doses)
    assert vlm_comparison.thinned(subject, 0.3) == few


def test_the_curve_stands_at_the_mean_dose_of_an_arm():
    frame = dosed_frame()
    curve = vlm_comparison.curve(frame, seed=0)
    assert curve.loc[("leakage", 37.5), "mean"] == pytest.approx(57.5)
    assert list(curve.index.unique(1)) == [0, 37.5, 100]


def test_the_shipped_captioner_keeps_to_the_instruction_and_a_worse_one_does_not():
    readings = vlm_comparison.read(vlm_comparison.held_out(8, seed=1))
    means = readings.groupby("arm").mean()
    assert means.loc["instructed", "named"] > 0.8 and means.loc["instructed", "own looks"] == 0
    assert means.loc["instructed", "named"] > means.loc["unprompted", "named"]
    assert means.loc["unprompted", "details"] < 0.1 < means.loc["instructed", "details"]
    assert means.loc["weakened", "own looks"] > 0.5
    table = vlm_comparison.counts_table(readings, seed=0)
    assert list(table["Describer"]) == ["instructed", "unprompted", "weakened"]
    assert table["named (higher)"].str.fullmatch(r"\d+ % \[\d+, \d+\]").all()


def test_every_image_gets_a_caption_with_the_identifier(subject):
    for describer in vlm_comparison.ARM_BY_DESCRIBER:
        texts = vlm_comparison.captions_by(subject, describer)
        assert len(texts) == len(subject.images) and all(text.count("[v] dog") == 1 for text in texts)


def test_the_page_gets_what_came_out(tiny_weights, tmp_path, monkeypatch):
    monkeypatch.setattr(config, "WEIGHTS", tiny_weights)
    results = run(vlm_comparison, "smoke", tmp_path, scenes=2, progress=False)
    assert results.values["scenes"] == 2 and results.values["dosed"] == 1
    doses = results.findings.dosed.groupby("arm")["dose"].first()
    assert doses["0 %"] == 0 < doses["50%"] < 1 == doses["100 %"]
    assert results.values["slope"].count("points") == 1
    said = results.tables["said"]
    assert list(said["Describer"]) == ["instructed", "unprompted", "weakened", "the truth"]
    assert "said-wrong" not in str(said["What it says"].iloc[-1])
    assert list(results.tables["measures"]["Arm"]) == [arm.name for arm in results.plans["compared"].arms]
    assert len(results.verdicts) == len(vlm_comparison.CLAIMS)
    titles, images, heads = vlm_comparison.rows(results.main)
    assert len(titles) == len(images) == 3 and all(len(row) == len(heads) == 5 for row in images)
    curve = vlm_comparison.curve(results.findings.dosed, seed=0)
    assert np.isfinite(curve["mean"]).all() and len(curve) == 3
