"""Held-out references: what nothing is learned from, and pictures are measured against."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import ImageChops

from sidkit import config
from sidkit.chapters import description_cases, methods
from sidkit.masks.given import apply_mask, given_mask
from sidkit.measure.instruments import Instruments
from sidkit.measure.metrics import image_alignment, subject_alignment
from sidkit.runs import Runs, fingerprint
from sidkit.stickers.references import make_subject
from sidkit.study import recipes
from sidkit.study.cells import cells_of
from sidkit.study.pieces.picture_files import open_pictures
from sidkit.study.plan import Arm, make_plan
from sidkit.study.run import run_study, subjects_of
from sidkit.subjects import load_images

ARMS = (Arm("usual", 1), Arm("one", 1, references=1), Arm("encoder", 1, "encoder:stickers"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("runs"))


def cells(runs, subject="dog", arms=ARMS[:2], **options):
    plan = make_plan("smoke", subjects=[str(subject)], arms=arms, **options)
    return plan, {arm: cell for (_, arm), cell in cells_of(plan, subjects_of(plan, runs)).items()}


def same(pictures, others):
    return len(pictures) == len(others) and all(
        ImageChops.difference(one, other).getbbox() is None for one, other in zip(pictures, others)
    )


@pytest.mark.parametrize("subject", ["dog", "robot-nearby+tied", "cat-pose", "owl-substance"])
@pytest.mark.parametrize("arm", [arm.name for arm in ARMS[:2]])
def test_a_sticker_subject_has_further_ones_and_is_learned_as_before(runs, subject, arm):
    """So that the store's models serve both."""
    plan, plain = cells(runs, subject, references=3)
    other, held = cells(runs, subject, references=3, held_out=2)
    assert fingerprint(recipes.trained(plan, plain[arm])) == fingerprint(recipes.trained(other, held[arm]))
    learned, everything = recipes.trained(other, held[arm]).images, load_images(held[arm].subject)
    compared = recipes.measured(other, held[arm], runs.root).references
    assert len(everything) == 5 and same(compared, everything[3:])
    assert not any(same([one], [another]) for one in learned for another in compared)


def test_an_encoder_is_shown_the_first_and_compared_with_the_last(runs):
    plan, held = cells(runs, arms=ARMS, references=1, held_out=1)
    (first, last) = load_images(held["encoder"].subject)
    assert same([recipes.encoded(plan, held["encoder"]).image], [first])
    assert same(recipes.measured(plan, held["encoder"], runs.root).references, [last])


def test_of_a_folder_the_last_are_held_out(runs, tmp_path):
    subject = make_subject(tmp_path / "mine", "cat", "background", 3, seed=0)
    plan, held = cells(runs, subject.folder, held_out=1)
    pictures = load_images(held["usual"].subject)
    assert same(recipes.trained(plan, held["usual"]).images, pictures[:2])
    found = recipes.measured(plan, held["usual"], runs.root)
    assert same(found.references, pictures[2:]) and len(found.masks) == 1
    assert np.array_equal(found.masks[0], given_mask(held["usual"].subject.images[2]))


@pytest.mark.parametrize(("held_out", "arms"), [(2, ARMS[:1]), (3, ARMS[:1]), (1, (Arm("two", 1, references=2),))])
def test_something_must_be_left_to_learn_from(runs, tmp_path, held_out, arms):
    subject = make_subject(tmp_path / "mine", "cat", "background", 2, seed=0)
    plan = make_plan("smoke", subjects=[str(subject.folder)], arms=arms, held_out=held_out)
    with pytest.raises(ValueError, match="held_out: expected fewer than the 2 images of subject|2 images, 1 held out"):
        cells_of(plan, subjects_of(plan, runs))


def test_less_than_none_is_refused():
    with pytest.raises(ValueError, match="held_out: expected 0 or more"):
        make_plan("smoke", subjects=["dog"], held_out=-1)


@pytest.mark.parametrize("chapter", [description_cases, methods])
def test_notebooks_pass_it_on(chapter):
    (plan,) = chapter.plans("smoke", held_out=2).values()
    assert plan.held_out == 2


def test_every_measure_of_references_is_of_those(tiny_weights, tmp_path, monkeypatch):
    monkeypatch.setattr(config, "WEIGHTS", tiny_weights)
    plan = make_plan("smoke", subjects=["dog"], arms=ARMS[:1], held_out=1)
    study = run_study(plan, Runs(tmp_path), progress=False)
    ((names, cell),) = study.cells.items()
    drawn = [picture for (picture,) in open_pictures(study.folders[names], len(cell.prompts), 1)]
    instruments = Instruments(plan.profile.encoders)
    last, mask = load_images(cell.subject)[-1], given_mask(cell.subject.images[-1])
    cut = apply_mask(last, mask, instruments.fill)
    clip, identity = instruments.image_text.images, instruments.identity.images
    assert study.frame["SA"].to_numpy() == pytest.approx(subject_alignment(clip([cut]), clip(drawn)), abs=1e-6)
    expected = image_alignment(identity([last]), identity(drawn))
    assert study.frame["identity"].to_numpy() == pytest.approx(expected, abs=1e-6)
    plain = run_study(replace(plan, held_out=0), Runs(tmp_path), progress=False)
    assert not np.allclose(plain.frame["SA"], study.frame["SA"], atol=1e-6)
    pd.testing.assert_series_equal(plain.frame["TA"], study.frame["TA"])
