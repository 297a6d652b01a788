"""Negative prompts and segmentation beside SID: the arms, what they share, and what is said of them."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import results_of
from PIL import Image
from rendered import words

from sidkit import config
from sidkit.chapters import negative_prompts as negatives
from sidkit.masks.given import given_mask
from sidkit.plot import charts as plot
from sidkit.runs import Runs
from sidkit.stickers.references import make_subject, outlines
from sidkit.study import claims
from sidkit.study.chapter import run
from sidkit.study.masks import as_segmented, given, masks_of
from sidkit.study.pieces.picture_files import file_name
from sidkit.study.plan import PAIRS, Arm, make_plan
from sidkit.study.run import run_study
from sidkit.subjects import load_images


@pytest.fixture(scope="module")
def studies(tmp_path_factory, tiny_weights):
    """Both plans at scale smoke, run once."""
    store = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "WEIGHTS", tiny_weights)
        return run(negatives, "smoke", store, progress=False, guidances=[1.5, 3.0, 6.0]).studies


@pytest.fixture(scope="module")
def robot(tmp_path_factory):
    return make_subject(tmp_path_factory.mktemp("subject"), "robot", ("nearby", "tied"), 2, seed=0)


def test_what_is_worn_is_within_the_outline_and_not_the_mask(robot):
    for whole, exact, image in zip(outlines(robot), given(robot), load_images(robot), strict=True):
        assert whole.shape == (image.height, image.width) and whole.dtype == bool
        assert (whole | exact == whole).all() and 10 < (whole & ~exact).sum() < whole.sum()
    assert all(np.array_equal(*pair) for pair in zip(as_segmented(robot), outlines(robot)))


def test_a_folder_without_outlines_is_cut_by_its_masks(robot, tmp_path):
    bare = replace(robot, folder=tmp_path)
    assert outlines(bare) == []
    assert all(np.array_equal(mask, given_mask(path)) for mask, path in zip(as_segmented(bare), robot.images))


def test_an_arm_s_own_masks_come_before_the_given_ones(robot):
    own = [np.eye(64, dtype=bool)] * 2
    assert masks_of(robot, Arm("a", segment="loss", masks=lambda subject: own)) is own
    assert np.array_equal(masks_of(robot, Arm("a", segment="loss"))[0], given(robot)[0])


def test_quick_trains_three_models_that_no_other_chapter_does():
    plans = negatives.plans("quick")
    own = [arm.name for plan in plans.values() for arm in plan.trained if arm.segment]
    assert own == ["cut out", "masked loss", "cut out"]
    assert [str(one) for plan in plans.values() for one in plan.subjects] == ["robot-nearby+tied", "cat-pose"]
    assert plans["things"].runs == 4 and len(plans["things"].arms) == 5 + 6
    assert str(plans["things"]).startswith("1 subject x 11 arms: 4 personalizations of 150 steps, then 88 pictures")


def test_full_stays_below_forty_models_and_holds_each_pair_of_biases_twice():
    plans = negatives.plans("full")
    assert sum(len(plan.subjects) for plan in plans.values() for arm in plan.trained if arm.segment) <= 40
    assert sorted(one.bias for one in plans["things"].subjects) == sorted([*PAIRS] * 2)


def test_a_negative_prompt_trains_nothing_and_changes_the_pictures(studies):
    study = studies["things"]
    (subject,) = study.subjects.values()
    folders = {
        name: study.trained(subject.name, name)
        for name in ("usual", "negative prompt", "negative prompt, guidance 6", "cut out", "masked loss")
    }
    assert len({*folders.values()}) == 3
    assert folders["usual"] == folders["negative prompt"] == folders["negative prompt, guidance 6"]
    drawn = [np.asarray(study.picture(subject.name, name, 0)).tobytes() for name in folders]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("name", negatives.MEASURES)
def test_each_study_has_its_table_and_pictures(studies, name):
    study = studies[name]
    names = negatives.plain(study)
    assert names[:3] == ["usual", "negative prompt", "cut out"] and names[-1] == "SID"
    table = negatives.tables(results_of(negatives, studies))[f"table_{name}"]
    assert list(table["Arm"]) == names
    assert list(table.columns)[1:] == [negatives.HEADS.get(one, one) for one in negatives.MEASURES[name]]
    told, images, heads = negatives.rows(study)
    assert len(told) == len(images) == 3 and heads == names and len(images[0]) == len(names)


def test_the_fill_is_counted_in_every_picture(studies, tmp_path):
    """Pictures of which the upper 0, 16, 32 or 48 of 64 lines are nearly black, the rest grey."""
    study = studies["things"]
    name = next(iter(study.subjects))
    for index in range(4):
        pixels = np.full((64, 64, 3), 128, np.uint8)
        pixels[: 16 * index] = (20, 0, 24)
        Image.fromarray(pixels).save(tmp_path / file_name(index, 0))
    one = replace(study, folders={(name, "SID"): tmp_path}, frame=study.frame.query("arm == 'SID'"))
    assert negatives.with_fill(one)["leak_fill"].tolist() == [0, 0.25, 0.5, 0.75]
    grey = replace(study.plan.profile, encoders=replace(study.plan.profile.encoders, fill="grey"))
    one = replace(one, plan=replace(study.plan, profile=grey))
    assert negatives.with_fill(one)["leak_fill"].tolist() == [1, 0.75, 0.5, 0.25]


def test_guidances_rise_from_left_to_right_in_every_row(studies):
    study = studies["things"]
    told, images, heads = negatives.by_guidance(study)
    assert told == ["usual", "negative prompt", "SID"] and heads == ["guidance 1.5", "guidance 3", "guidance 6"]
    name = next(iter(study.subjects))
    for way, row in zip(told, images):
        named = [f"{way}, guidance 1.5", way, f"{way}, guidance 6"]
        assert [np.asarray(image).tobytes() for image in row] == [
            np.asarray(study.picture(name, arm, 0)).tobytes() for arm in named
        ]


def test_curves_have_a_point_a_way_and_guidance(studies):
    rows = negatives.curves(studies["things"], "identity", seed=0)
    assert {*rows.index} == {(way, g) for way in ("usual", "negative prompt", "SID") for g in (1.5, 3.0, 6.0)}
    expected = studies["things"].frame.query("arm == 'SID, guidance 6'").groupby("prompt")["identity"].mean().mean()
    assert rows.loc[("SID", 6.0), "mean"] == pytest.approx(expected)
    figure, ax = plt.subplots()
    plot.curves(rows, ax, "guidance", "identity")
    assert [line.get_label() for line in ax.lines] == ["usual", "negative prompt", "SID"]
    assert all(list(line.get_xdata()) == [1.5, 3.0, 6.0] for line in ax.lines)
    plt.close(figure)


def test_the_cut_reference_keeps_what_is_worn_and_the_exact_one_does_not(studies):
    (image, whole, exact), heads = negatives.cut(studies["things"])
    assert heads == ["reference", "cut out", "cut out exactly"]
    left = [(np.asarray(one) != 0).any(axis=2).sum() for one in (image, whole, exact)]
    assert left[0] > left[1] > left[2] > 0


def test_the_texts_are_those_of_training_and_drawing(studies):
    usual, negative, sid = map(words, negatives.texts(studies["things"])["Text"])
    assert usual == "a photo of a [v] robot" and "[v]" not in negative
    assert sid.endswith(negative)


def test_every_claim_is_decided_and_without_poses_one_is_not(studies):
    said = results_of(negatives, studies).verdicts
    assert len(said) == 7 and claims.NOT_RUN not in {verdict.word for verdict in said}
    some = results_of(negatives, {"things": studies["things"]}).verdicts
    assert [verdict.word == claims.NOT_RUN for verdict in some] == [False] * 6 + [True]


def test_the_numbers_decide(studies):
    """A frame in which every arm but SID wears the references' hat: reproduced; and the other way round."""
    frame = studies["things"].frame
    for others, word in ((1.0, claims.REPRODUCED), (0.0, claims.NOT_REPRODUCED)):
        leaks = (frame["arm"] != "SID").astype(float) if others else (frame["arm"] == "SID").astype(float)
        changed = {**studies, "things": replace(studies["things"], frame=frame.assign(leak_tied=leaks))}
        (verdict,) = (one for one in results_of(negatives, changed).verdicts if one.claim.measure == "leak_tied")
        assert verdict.word == word


def test_own_subjects_need_no_poses():
    plans = negatives.plans("smoke", subjects=["guitar", "cat-tied"])
    assert list(plans) == ["things"] and [str(one) for one in plans["things"].subjects] == [
        "guitar-nearby+tied",
        "cat-tied",
    ]
    both = negatives.plans("smoke", subjects=["guitar"], posed=["dog"])
    assert [str(one) for one in both["pose"].subjects] == ["dog-pose"]


def test_what_cannot_work_is_refused_before_any_training(tmp_path, tiny_weights, monkeypatch):
    monkeypatch.setattr(config, "WEIGHTS", tiny_weights)
    with pytest.raises(ValueError, match="guidances: expected numbers above 1, .* got 1"):
        negatives.plans("smoke", guidances=[1.0])
    subject = make_subject(tmp_path / "mine", "cat", "tied", 1, seed=0)
    for folder in ("masks", "outlines"):
        for mask in (subject.folder / folder).iterdir():
            mask.unlink()
    options = dict(subjects=[str(subject.folder)], prompts=["a photo of a [v] cat"])
    with pytest.raises(ValueError, match="subject cat-tied: expected a mask for each image"):
        run_study(make_plan("smoke", arms=[negatives.USUAL_ARM, negatives.CUT], **options), Runs(tmp_path / "runs"))
    assert not list((tmp_path / "runs").rglob("training.json"))
    off = replace(negatives.NEGATIVE, sampling={"guidance": 1.0})
    with pytest.raises(ValueError, match="arm negative prompt: expected guidance above 1"):
        run_study(make_plan("smoke", arms=[off], **options), Runs(tmp_path / "runs"), progress=False)
    long = Arm("long", negative=lambda subject: "on a beach " * 60)
    with pytest.raises(ValueError, match="expected at most .* tokens"):
        run_study(make_plan("smoke", arms=[long], **options), Runs(tmp_path / "runs"), progress=False)


def test_masks_are_black_and_white_pictures(robot):
    for path in (robot.folder / "outlines").iterdir():
        assert set(np.unique(np.asarray(Image.open(path).convert("L")))) == {0, 255}
