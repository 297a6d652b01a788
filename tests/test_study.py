"""Studies: what is planned, what is run and kept, and what the numbers are allowed to say."""

import errno
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import results_of, save_looking
from rendered import rendered, words

from sidkit import config, markdown
from sidkit.chapters import biases, description_cases, introduction
from sidkit.generation import generate
from sidkit.mark import without_mark
from sidkit.measure.statistics import Interval
from sidkit.personalization import loop
from sidkit.plot import sheets
from sidkit.runs import Runs
from sidkit.stickers.heads import HEADS
from sidkit.stickers.references import make_subject
from sidkit.study import claims, passport, tables, workshop
from sidkit.study.chapter import run_plans
from sidkit.study.pieces import measured, trained
from sidkit.study.plan import PAIRS, SCALES, Arm, Stickers, make_plan
from sidkit.study.run import run_study
from sidkit.subjects import load_images

ARCHITECTURE, SIZE = "test_vit", 160  # timm's smallest, for tests


@pytest.fixture(scope="module")
def world(tmp_path_factory, _tiny_pipe):
    """A folder of shipped weights, all random and tiny."""
    folder = tmp_path_factory.mktemp("weights")
    _tiny_pipe.save_pretrained(folder / "text_to_image")
    save_looking(folder, ARCHITECTURE, SIZE, HEADS)
    return folder


@pytest.fixture(autouse=True)
def shipped(world, monkeypatch):
    monkeypatch.setattr(config, "WEIGHTS", world)


@pytest.fixture(scope="module")
def study(tmp_path_factory, world):
    """The smallest study, run once."""
    runs = Runs(tmp_path_factory.mktemp("runs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "WEIGHTS", world)
        return runs, run_study(make_plan("smoke", **SMALLEST), runs, progress=False)


SMALLEST = dict(subjects=["dog"], cases=[1, 3])


def frame_of(leakage_by_case, subjects=4, prompts=3, **columns):
    """A study's frame in which every picture of a case has the same leakage, but for a subject's own offset."""
    rows = [
        {"subject": f"s{s}", "prompt": f"p{p}", "seed": 0, "case": case, "leakage": leakage + 0.01 * s, **columns}
        for case, leakage in leakage_by_case.items()
        for s in range(subjects)
        for p in range(prompts)
    ]
    return pd.DataFrame(rows)


def test_every_three_subjects_hold_each_pair_of_biases_once():
    subjects = description_cases.plans("full")["cases"].subjects
    assert len(subjects) == 9 and len({one.subject_class for one in subjects}) == 9
    assert all(len(one.bias) == 2 for one in subjects)
    assert [one.bias for one in subjects[:3]] == list(PAIRS)


def test_a_plan_counts_what_it_will_do():
    plan = make_plan("quick", subjects=["dog", "cat-nearby+tied"], cases=[1, 3], steps=7, pictures=5)
    assert plan.subjects == (Stickers("dog", PAIRS[0]), Stickers("cat", ("nearby", "tied")))
    assert (plan.runs, plan.pictures_total, plan.training.steps) == (4, 4 * 4 * 5, 7)
    assert str(plan).startswith("2 subjects x 2 cases: 4 personalizations of 7 steps, then 80 pictures; about 1 minute")


def test_quick_is_within_its_time_by_its_own_estimate():
    minutes = int(re.search(r"about (\d+) minutes", str(description_cases.plans("quick")["cases"]))[1])
    assert minutes <= 6


def test_the_profile_decides_what_the_scale_does_not():
    plan = make_plan("quick", profile="sd15", subjects=["photos/my_cat"])
    assert plan.training.steps == 800 and plan.subjects == (Path("photos/my_cat"),)
    assert "known after the first" in str(plan)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scale": "quik"}, "unknown scale 'quik'; did you mean 'quick'"),
        ({"subjects": ["robbot"]}, "unknown subject 'robbot'; did you mean 'robot'"),
        ({"cases": [5]}, "unknown case '5'"),
        ({"profile": "sticker"}, "did you mean 'stickers'"),
        ({"pictures": -1}, "pictures: expected at least 1"),
        ({"steps": -3}, "steps: expected at least 1"),
    ],
)
def test_a_plan_refuses_what_it_does_not_know(given, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make_plan(**{"scale": "smoke", "subjects": ["dog"], **given})


def test_a_study_has_a_row_a_picture_and_every_measure(study):
    _, found = study
    assert len(found.frame) == found.plan.pictures_total == 2 * 4 * 1
    assert found.frame[["SA", "NSD", "TA", "identity", "leakage"]].notna().all(axis=None)
    assert set(found.frame["case"]) == {1, 3} and found.frame["leakage"].between(0, 1).all()


@pytest.mark.parametrize(("kept", "step"), [(True, "save_trained"), (False, "draw")])
def test_a_training_outlives_what_fails_after_it(tmp_path, monkeypatch, kept, step):
    """A full disk takes no steps away: the checkpoint goes only when what came of the training is safe."""
    plan = make_plan("smoke", subjects=["dog"], cases=[3])
    plan = replace(plan, profile=replace(plan.profile, keep_weights=kept))
    monkeypatch.setattr(trained, "CHECKPOINT_EVERY", plan.training.steps)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(workshop, step, full)
        with pytest.raises(OSError, match="its disk is full"):
            run_study(plan, Runs(tmp_path), progress=False)
    checkpoints = tmp_path / ".checkpoints"
    assert len(list(checkpoints.glob("*/checkpoint.safetensors"))) == 1
    monkeypatch.setattr(loop, "_take_step", lambda *_: pytest.fail("trained again"))
    run_study(plan, Runs(tmp_path), progress=False)
    assert list(checkpoints.iterdir()) == []


def test_the_second_study_is_read_and_not_run(study, monkeypatch):
    runs, first = study
    monkeypatch.setattr(trained, "personalize", lambda *_, **__: pytest.fail("trained again"))
    monkeypatch.setattr(measured, "measure", lambda *_, **__: pytest.fail("measured again"))
    second = run_study(make_plan("smoke", **SMALLEST), runs, progress=False)
    pd.testing.assert_frame_equal(first.frame, second.frame)


def test_another_prompt_draws_anew_and_measures_only_what_is_new(study):
    runs, first = study
    options = dict(subjects=["dog"], cases=[1], prompts=["a photo of a [v] dog in the snow"])
    given = run_study(make_plan("smoke", **options), runs, progress=False)
    assert len(given.frame) == 1 and set(given.frame["kind"]) == {"given"}
    assert given.folders["dog-background+nearby", "1: class only"] not in first.folders.values()


def test_pictures_of_a_row_differ_between_cases_only(study):
    _, found = study
    name = next(iter(found.subjects))
    row = found.grid(name, [0])[0]
    assert [image.size for image in row] == [(64, 64)] * 2
    assert np.any(np.asarray(row[0]) != np.asarray(row[1]))  # trained with other captions


def test_a_subject_without_masks_or_scenes_has_no_alignment_and_no_leakage(tmp_path, study):
    runs, _ = study
    subject = make_subject(tmp_path / "mine", "cat", "background", 1, seed=0)
    (subject.folder / "scenes.json").unlink()
    for mask in (subject.folder / "masks").iterdir():
        mask.unlink()
    options = dict(subjects=[str(subject.folder)], cases=[1], prompts=["a photo of a [v] cat"])
    frame = run_study(make_plan("smoke", **options), runs, progress=False).frame
    assert frame[["SA", "NSD", "leakage"]].isna().all(axis=None) and frame[["TA", "identity"]].notna().all(axis=None)
    assert list(tables.measured(frame, seed=0)) == ["identity", "TA"]
    assert {verdict.word for verdict in claims.check(frame, seed=0)} == {claims.NOT_RUN}


def test_everything_is_checked_before_anything_is_trained(tmp_path, monkeypatch):
    subject = make_subject(tmp_path / "mine", "cat", "background", 1, seed=0)
    path = subject.folder / "captions.json"
    told = json.loads(path.read_text())
    told["captions"]["00.png"]["3"] = "a photo of a [v] cat " + "on a beach " * 30
    path.write_text(json.dumps(told))
    monkeypatch.setattr(trained, "personalize", lambda *_, **__: pytest.fail("training started"))
    plan = make_plan("smoke", subjects=["dog", str(subject.folder)])
    with pytest.raises(ValueError, match="expected at most .* tokens"):
        run_study(plan, Runs(tmp_path / "runs"), progress=False)


def test_a_prompt_needs_its_mark(tmp_path):
    with pytest.raises(ValueError, match=re.escape("prompt: expected [v] once")):
        run_study(make_plan("smoke", **SMALLEST, prompts=["a photo of a dog"]), Runs(tmp_path), progress=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a photo of a [v] owl in the snow", "a photo of an owl in the snow"),
        ("a photo of an orange [v] dog", "a photo of an orange dog"),
        ("a [v] dog", "a dog"),
    ],
)
def test_text_alignment_reads_the_prompt_without_its_identifier(text, expected):
    assert without_mark(text) == expected


LOWER = claims.Claim("less leaks", "leakage", 3, 1, "lower", "Fig. 3")
HIGHER = claims.Claim("more is kept", "identity", 3, 1, "higher", "Fig. 8")


@pytest.mark.parametrize(
    ("claim", "interval", "word", "reason"),
    [
        (LOWER, (-0.3, -0.4, -0.2), "reproduced", "claimed side"),
        (LOWER, (0.3, 0.2, 0.4), "not reproduced", "other side"),
        (LOWER, (-0.1, -0.3, 0.1), "not reproduced", "includes zero"),
        (LOWER, (0, 0, 0), "not reproduced", "includes zero"),
        (HIGHER, (0.02, 0.01, 0.03), "reproduced", "claimed side"),
        (HIGHER, (-0.02, -0.03, -0.01), "not reproduced", "other side"),
        (HIGHER, (0.02, -np.inf, np.inf), "not run", "no interval"),
    ],
)
def test_the_interval_decides(claim, interval, word, reason):
    verdict = claims.judge(claim, Interval(*interval))
    assert verdict.word == word and reason in verdict.reason


def test_beside_the_paper_s_own_number_an_open_result_can_be_within_tolerance():
    known = replace(HIGHER, paper=0.0161)
    verdict = claims.judge(known, Interval(0.01, -0.005, 0.02))
    assert verdict.word == claims.WITHIN and "+0.0161" in verdict.reason
    assert claims.judge(known, Interval(0.001, -0.005, 0.01)).word == claims.NOT_REPRODUCED  # the paper's is outside
    assert claims.judge(known, Interval(0.02, 0.01, 0.03)).word == claims.REPRODUCED
    assert claims.judge(HIGHER, Interval(0.01, -0.005, 0.02)).word == claims.NOT_REPRODUCED


def test_claims_are_held_against_paired_differences():
    found = claims.check(frame_of({1: 0.6, 3: 0.2}), [LOWER, HIGHER], seed=0)
    assert [verdict.word for verdict in found] == ["reproduced", "not run"]
    assert found[0].difference.mean == pytest.approx(-0.4) and found[0].difference.high == pytest.approx(-0.4)
    assert "identity" in found[1].reason


def test_a_case_that_was_not_run_is_said_by_name():
    (verdict,) = claims.check(frame_of({1: 0.6}), [LOWER], seed=0)
    assert (verdict.word, verdict.reason, verdict.difference) == ("not run", "case 3 was not run", None)


@pytest.mark.parametrize(
    ("subjects", "says"), [(1, "that subject only"), (3, "With 3 subjects"), (8, "over 8 subjects")]
)
def test_few_subjects_are_called_few(subjects, says):
    assert says in claims.reach(frame_of({1: 0.6}, subjects=subjects))


def test_the_headline_follows_the_numbers():
    rest = dict(SA=1.0, NSD=1.0, TA=1.0, identity=1.0)
    lower = rendered(introduction.headline(frame_of({1: 0.6, 3: 0.2}, **rest), seed=0))
    assert lower.strong.get_text() == "reproduced"
    assert re.search(r"shows 6[12] % .* and 2[12] % .* −40 points \[−40, −40\]", lower.get_text())
    higher = words(introduction.headline(frame_of({1: 0.2, 3: 0.6}, **rest), seed=0))
    assert "not reproduced: the whole interval lies on the other side" in higher
    assert "cannot say: case 3 was not run" in words(introduction.headline(frame_of({1: 0.6}), seed=0))


def test_tables_become_markdown_with_their_intervals(study):
    _, found = study
    page = rendered(markdown.table(tables.measures_table(found.frame, seed=0)))
    assert [head.get_text() for head in page.select("th")] == ["Measure", "Case 1", "Case 3 (SID)"]
    rows = [[cell.get_text("|") for cell in row.select("td")] for row in page.select("tbody tr")]
    assert [row[0].split(" ")[0] for row in rows] == [name for name in tables.MEASURES if name != "CLIP-I"]
    assert re.fullmatch(r"\d+ %\|\[\d+, \d+\]", rows[0][1]) and re.match(r"0\.\d{3}\|\[", rows[1][1])


def test_leaks_are_told_by_factor_and_case(study):
    _, found = study
    assert set(tables.leaks(found.frame, seed=0).index) == {(f, c) for f in ("background", "nearby") for c in (1, 3)}


def test_the_description_s_table_and_the_shared_things_are_the_subject_s(study):
    subject = next(iter(study[1].subjects.values()))
    told = [words(cell) for cell in tables.captions_table(subject)["Description"]]
    assert told[0] == "a photo of a [v] dog" and len(told) == 4
    for thing in tables.company(subject).split(" and "):
        assert thing.split()[-1] in told[2] or thing == "city"  # which is also called a street


@pytest.mark.parametrize("columns", [1, 4])
def test_sheets_hold_every_picture(study, columns):
    images = list(load_images(next(iter(study[1].subjects.values())))) * 3
    drawn = [ax for ax in sheets.sheet(images, columns=columns).axes if ax.images]
    assert len(drawn) == len(images)


def test_rows_stand_below_each_other_with_their_titles(study):
    images = load_images(next(iter(study[1].subjects.values())))
    figure = sheets.rows(["one", "a title " * 20], [images, images[:1]], ["left", "right"])
    assert [text.get_text().split()[0] for text in figure.texts] == ["one", "a", "left", "right"]
    boxes = [ax.get_position() for ax in figure.axes]
    assert len(boxes) == 3 and boxes[0].y0 == boxes[1].y0 > boxes[2].y1
    assert all(box.x0 >= 0 and box.x1 <= 1 and box.y0 >= 0 for box in boxes)


def test_the_scales_grow():
    sizes = [description_cases.plans(scale)["cases"] for scale in SCALES]
    assert [plan.runs for plan in sizes] == [2, 12, 36]
    assert sizes[-1].pictures == 4 and len(sizes[-1].subjects) >= 8


def test_arms_differ_in_what_they_say_and_share_their_trainings(study):
    runs, _ = study
    arms = [
        Arm("LoRA", method="lora"),
        Arm("LoRA, more guidance", method="lora", sampling={"guidance": 7.0}),
        Arm("away from a beach", 3, negative=lambda subject: "a beach"),
        Arm("cut out", segment="references"),
        Arm("masked", segment="loss", references=1),
        Arm("by hand", lambda subject: ["a [v] dog"] * len(subject.images), training={"steps": 1}),
    ]
    found = run_study(make_plan("smoke", subjects=["dog"], arms=arms), runs, progress=False)
    name = next(iter(found.subjects))
    assert list(dict.fromkeys(found.frame["arm"])) == [arm.name for arm in arms]
    assert set(found.frame["method"]) == {"dreambooth", "lora"}
    pictures = [np.asarray(found.picture(name, arm.name, 0)) for arm in arms]
    assert len({image.tobytes() for image in pictures}) == len(arms)
    weights = [found.trained(name, arm.name) for arm in arms]
    assert weights[0] == weights[1] and len(set(weights)) == 5
    assert list(tables.arms_table(found.frame, seed=0)["Arm"]) == [arm.name for arm in arms]


def test_a_kept_model_draws_the_pictures_of_its_study(study):
    _, found = study
    name, arm = next(iter(found.subjects)), found.plan.arms[0].name
    text = found.prompts[name][0].text.replace("[v]", "sks")
    drawn = generate(found.pipeline(name, arm), [text], [0], found.plan.profile.sampling, progress=False)[0].image
    assert np.array_equal(np.asarray(drawn), np.asarray(found.picture(name, arm, 0)))


def test_a_profile_that_keeps_no_weights_draws_the_same(study, tmp_path):
    _, found = study
    plan = replace(found.plan, profile=replace(found.plan.profile, keep_weights=False, early_look=1))
    again = run_study(plan, Runs(tmp_path), progress=False)
    assert not (tmp_path / "trained").exists()
    pd.testing.assert_frame_equal(again.frame, found.frame)
    steps = found.plan.training.steps
    for folder in (tmp_path / "looks").iterdir():
        assert len((folder / "losses.csv").read_text().splitlines()) == steps + 1
        assert {path.name.split("-prompt")[0] for path in folder.glob("*.png")} == {
            f"step-{step:05}" for step in range(1, steps + 1)
        }


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ([Arm("one"), Arm("one", 3)], "expected a name for each, got one twice"),
        ([Arm("one", method="lorra")], "unknown method 'lorra'; did you mean 'lora'"),
    ],
)
def test_arms_that_cannot_be_told_apart_or_run_are_refused(arms, message):
    with pytest.raises(ValueError, match=message):
        make_plan("smoke", subjects=["dog"], arms=arms)


def test_an_arm_gives_every_image_a_caption(study):
    runs, _ = study
    plan = make_plan("smoke", subjects=["dog"], arms=[Arm("too few", lambda subject: ["a [v] dog"])])
    with pytest.raises(ValueError, match="arm too few: expected a caption for each of at least 2 images, got 1"):
        run_study(plan, runs, progress=False)


def test_claims_can_compare_arms(study):
    frame = frame_of({1: 0.8, 3: 0.2}).assign(arm=lambda f: f["case"].map({1: "usual", 3: "SID"}))
    claim = claims.Claim("SID leaks less", "leakage", "SID", "usual", "lower", "Fig. 5", by="arm")
    (verdict,) = claims.check(frame, [claim], seed=0)
    assert verdict.word == claims.REPRODUCED and verdict.difference.mean == pytest.approx(-0.6)
    assert "leakage, SID − usual" in tables.claims_table([verdict])["Here"][0]


def test_the_biases_of_a_thing_share_the_subjects_of_the_four_cases():
    plans = biases.plans("full")
    assert list(plans) == ["background", "nearby", "tied", "pose", "substance"]
    assert plans["background"] is plans["nearby"] is plans["tied"]
    assert plans["tied"].subjects == description_cases.plans("full")["cases"].subjects and plans["tied"].cases == (1, 3)
    for bias in ("pose", "substance"):
        assert {one.bias for one in plans[bias].subjects} == {(bias,)}
    assert plans["pose"].references == 1 < plans["nearby"].references
    own = biases.plans("smoke", biases=["tied", "pose"], classes=["owl"])
    assert [str(one) for plan in own.values() for one in plan.subjects] == ["owl-tied", "owl-pose"]
    assert [str(one) for one in biases.plans("smoke", biases=["tied"])["tied"].subjects] == ["robot-nearby+tied"]
    with pytest.raises(ValueError, match="unknown bias 'poses'; did you mean 'pose'"):
        biases.plans("smoke", biases=["poses"])


def test_biases_are_told_one_by_one(study):
    runs, _ = study
    studies = run_plans(biases.plans("smoke"), runs, progress=False)
    assert studies["background"] is studies["nearby"]
    style = studies["substance"].frame
    assert {name for name in style if name.startswith("leak_")} == {"leak_class", "leak_background"}
    assert style[["SA", "NSD"]].isna().all(axis=None) and style["leakage"].notna().all()
    found = biases.tables(results_of(biases, studies))["biases"]
    told = ["background, 1 subject", "nearby, 2 subjects", "tied, 1 subject", "pose, 1 subject", "substance, 1 subject"]
    assert found["Bias"].tolist() == told and found["SID"].str.contains("%").all()
    assert set(biases.leaks(studies, seed=0).index) == {(bias, case) for bias in studies for case in (1, 3)}
    assert len({subject.name for subject in biases.shown(studies).values()}) == 4  # two things have three biases
    titles, images, heads = biases.rows(studies)
    assert titles[0].startswith("background: a photo of a [v] dog") and [len(row) for row in images] == [3] * 5
    assert heads == ["reference", "usual", "SID"]
    told = biases.captions(studies).set_index("Bias")
    assert words(told["Usual caption"]["substance"]) == "a painting in the style of [v] art"
    assert words(told["SID"]["substance"]).endswith("in the style of [v] art")


def test_a_bias_is_told_of_the_subjects_that_have_it():
    frame = frame_of({1: 0.5, 3: 0.1}).assign(leak_nearby=lambda rows: rows["leakage"].where(rows["subject"] != "s3"))
    (verdict,) = claims.check(frame, [biases.claim("nearby")], seed=0)
    assert verdict.word == claims.REPRODUCED and verdict.difference.counts["subject"] == 3


def test_a_passport_names_the_runs_and_the_command(study):
    runs, found = study
    told = words(passport.of({"one": found, "two": found}, "02_description_cases", scale="smoke", seed=0))
    for folder in found.folders.values():
        assert told.count(folder.name) == 1 and (runs.root / "pictures" / folder.name / "run.json").is_file()
    assert "sidkit notebook 02_description_cases -p scale=smoke -p seed=0" in told
    assert "torch 2." in told and "a photo of a [v]" in told


def test_pictures_are_looked_for_in_a_line_up(study):
    _, found = study
    assert found.frame["rank"].between(1, 13).all()
    assert (found.frame["recognized"] == (found.frame["rank"] == 1)).all()
