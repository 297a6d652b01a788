"""Chapter 9: the made pictures are what they are said to be, and the statistics say what can be known by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sidkit import config
from sidkit.chapters import measures
from sidkit.measure.correlation import rank_correlation, rank_difference
from sidkit.stickers import mixtures
from sidkit.stickers.references import make_subject
from sidkit.study.chapter import run


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    return make_subject(tmp_path_factory.mktemp("subject"), "dog", ("background", "nearby"), 2, seed=0)


def test_every_mixture_is_made_equally_often_and_the_same_every_time(subject):
    pictures = mixtures.mixed(subject, 2, seed=0)
    assert len(pictures) == 2 * 4 * 2
    kinds = [(one.is_subject, one.kept) for one in pictures]
    assert all(kinds.count(kind) == 2 for kind in kinds)
    assert {len(one.kept) for one in pictures} == {0, 1, 2}
    again = mixtures.mixed(subject, 2, seed=0)
    assert all(np.array_equal(a.image, b.image) for a, b in zip(pictures, again))
    assert len({one.image.tobytes() for one in pictures}) == len(pictures)


def test_examples_are_of_the_four_corners(subject):
    findings = measures.Findings({subject.name: mixtures.mixed(subject, 1, seed=0)}, pd.DataFrame())
    main = SimpleNamespace(subjects={subject.name: subject})
    images, names = measures.examples(SimpleNamespace(main=main, findings=findings))
    assert names == list(mixtures.KIND_OF_CORNER.values()) and len(images) == 4


def test_a_study_s_pictures_get_plain_alignment(tmp_path, tiny_weights, monkeypatch):
    monkeypatch.setattr(config, "WEIGHTS", tiny_weights)
    results = run(measures, "smoke", tmp_path, progress=False, each=1)
    study = results.main
    frame = measures.drawn(study)
    assert frame[measures.PLAIN].between(-1, 1).all() and np.allclose(frame[measures.KEPT], 1 - frame["NSD"])
    copies = measures.copies(study)
    assert copies[measures.PLAIN].min() > frame[measures.PLAIN].max() - 0.5
    known = results.findings.frame
    assert set(known[measures.IDENTITY]) == {0, 1} and set(known[measures.LEAKAGE]) == {0, 0.5, 1}
    assert known.groupby(measures.IDENTITY)[measures.LEAKAGE].mean().nunique() == 1
    assert len(measures.correlations_table(known, [measures.IDENTITY], seed=0)) == len(measures.MEASURES)
    assert [verdict.claim for verdict in results.verdicts] == list(measures.CLAIMS)


def test_a_measure_that_is_the_same_on_every_picture_is_told_in_words():
    frame = pd.DataFrame({name: [0.1, 0.2, 0.4, 0.3] for name in measures.MEASURES} | {measures.IDENTITY: range(4)})
    frame = frame.assign(leakage=0.0, subject="dog", prompt="on a beach", seed=range(4))
    told = measures.correlations_table(frame, [measures.IDENTITY], seed=0).set_index("Measure")[measures.IDENTITY]
    assert told["leakage"] == "does not vary" and told["SA"].startswith("0.800\n[")


def test_the_difference_of_correlations_by_hand():
    rows = [
        {"subject": s, "prompt": p, "seed": 0, "truth": p, "good": p, "bad": -p} for s in range(3) for p in range(6)
    ]
    frame = pd.DataFrame(rows)
    assert rank_correlation(frame, "good", "truth", seed=0).mean == pytest.approx(1)
    gap = rank_difference(frame, "good", "bad", "truth", seed=0)
    assert (gap.mean, gap.low, gap.high) == pytest.approx((2, 2, 2))
    assert rank_difference(frame, "good", "good", "truth", seed=0).mean == 0
    assert not rank_difference(frame.assign(bad=1.0), "good", "bad", "truth", seed=0).known
