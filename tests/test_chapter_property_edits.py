"""Property edits: what is asked for, what counts as painted, and what the numbers decide."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sidkit import config
from sidkit.chapters import description_cases
from sidkit.chapters import property_edits as edits
from sidkit.stickers.drawing_words import colors
from sidkit.stickers.references import make_subject
from sidkit.study import claims, painted
from sidkit.study import drawn_masks as finding
from sidkit.study.chapter import run
from sidkit.study.pieces.picture_files import file_name
from sidkit.worlds import StickerWorld, world_of

PURPLE, GRAY = (136, 56, 192), (128, 128, 128)
LEFT = np.zeros((64, 64), bool)
LEFT[:, :32] = True


@pytest.fixture(scope="module")
def studies(tmp_path_factory, tiny_weights):
    """Scale smoke, run once; the subject is always on the left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "WEIGHTS", tiny_weights)
        patch.setattr(StickerWorld, "find", lambda world, pictures, word: [LEFT] * len(pictures))
        done = list(run(edits, "smoke", tmp_path_factory.mktemp("runs"), progress=False).studies.values())
        for study in done:
            for arm in study.plan.arms:
                finding.drawn_masks(study, *study.subjects, arm.name)  # kept
    return done


@pytest.fixture(autouse=True)
def shipped(tiny_weights, monkeypatch):
    monkeypatch.setattr(config, "WEIGHTS", tiny_weights)


def words_of(frame):
    """The verdicts on the rows of a frame."""
    trials = edits.claims(SimpleNamespace(findings=frame))
    return {trial.verdict(seed=0).word for trial in trials}


def paint(studies, folder, shares):
    """The studies with pictures of our own: for each (arm, prompt) how much of the left and right half is purple."""
    (study,) = studies
    (name,) = study.subjects
    folders = {}
    for arm in study.plan.arms:
        folders[name, arm.name] = folder / str(arm.case)
        folders[name, arm.name].mkdir()
        for prompt in (0, 1):
            pixels = np.full((64, 64, 3), GRAY, np.uint8)
            left, right = shares[arm.case, prompt]
            pixels[: int(64 * left), :32] = PURPLE
            pixels[: int(64 * right), 32:] = PURPLE
            Image.fromarray(pixels).save(folders[name, arm.name] / file_name(prompt, 0))
    return [replace(study, folders=folders)]


def test_the_first_prompt_asks_for_no_colour_and_no_other_for_the_subject_s_own():
    for plan in edits.plans("full").values():
        (subject,) = plan.subjects
        plain, *asked = plan.prompts
        assert plain == f"a photo of a [v] {subject.subject_class}" and len(asked) == 4 == len(set(asked))
        assert plan.cases == (1, 3)
        (design,) = edits.known_designs(subject.subject_class, held_out=True)
        said = {text.split("[v]")[0].split()[-1] for text in asked}
        assert said <= set(edits.ORDER) and not said & set(colors(subject.subject_class, design))


def test_it_trains_what_the_four_cases_train():
    """The subjects, references, captions and settings are those of the other chapter's plan, so the store has them."""
    (four,) = description_cases.plans("quick").values()
    plans = edits.plans("quick").values()
    assert [one for plan in plans for one in plan.subjects] == list(four.subjects)
    for plan in plans:
        same = ("profile", "references", "pictures", "seed")
        assert [getattr(plan, name) for name in same] == [getattr(four, name) for name in same]
        assert all(arm in four.arms for arm in plan.arms)


def test_an_own_folder_is_asked_by_its_class_word(tmp_path):
    subject = make_subject(tmp_path / "mine", "owl", "tied", 1, seed=0)
    (plan,) = edits.plans("smoke", subjects=[str(subject.folder)], colors=["orange", "blue"]).values()
    said = ("a photo of a [v] owl", "a photo of an orange [v] owl", "a photo of a blue [v] owl")
    assert plan.prompts == said and plan.subjects == (subject.folder,)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="color.*did you mean 'purple'"):
        edits.plans("smoke", colors=["purpel"])
    with pytest.raises(ValueError, match="scale"):
        edits.plans("smokey")


def test_what_is_painted_by_hand(studies, tmp_path, monkeypatch):
    """After the usual captions half of the rest turns purple, of which a quarter had been; after SID the subject."""
    shares = {(1, 0): (0, 0.25), (1, 1): (0, 0.5), (3, 0): (0.25, 0), (3, 1): (1, 0)}
    monkeypatch.setattr(painted, "asked", lambda study: ["purple"])
    monkeypatch.setattr(painted, "drawn_masks", lambda *_: [[LEFT], [LEFT]])
    frame = painted.measured(paint(studies, tmp_path, shares)).set_index("case")
    assert frame.loc[1, ["painted_subject", "painted_rest", "painted_gap"]].tolist() == [0, 0.25, -0.25]
    assert frame.loc[3, ["painted_subject", "painted_rest", "painted_gap"]].tolist() == [0.75, 0, 0.75]
    assert set(frame["color"]) == {"purple"} and frame["identity"].notna().all()


def test_where_no_subject_is_found_nothing_counts(studies, monkeypatch):
    monkeypatch.setattr(painted, "drawn_masks", lambda study, name, arm: [[None], [LEFT]])
    frame = painted.measured(studies)
    assert frame["painted_gap"].isna().all() and set(edits.not_found(frame).values()) == {1.0}
    assert list(edits.by_color(frame, seed=0)["Arm"]) == ["no subject was found"]
    assert words_of(frame) == {claims.NOT_RUN}


def test_masks_are_kept(studies, monkeypatch):
    (study,) = studies
    monkeypatch.setattr(StickerWorld, "find", lambda *_: pytest.fail("looked again"))
    masks = finding.drawn_masks(study, *study.subjects, study.plan.arms[0].name)
    assert len(masks) == 2 and all(np.array_equal(one, LEFT) for row in masks for one in row)


def test_how_well_subjects_are_found(studies, monkeypatch):
    (study,) = studies
    (subject,) = study.subjects.values()
    true = [finding.given_mask(path) for path in subject.images]
    monkeypatch.setattr(StickerWorld, "find", lambda *_: [true[0], *[None] * (len(true) - 1)])
    assert edits.quality(studies) == pytest.approx(1 / len(true))


def test_photos_need_to_be_told_how(studies):
    profile = replace(studies[0].plan.profile, pipeline="runwayml/somewhere", masks=None)
    with pytest.raises(ValueError, match="expected `masks`, which say how subjects are found"):
        world_of(profile).find([], "dog")


def test_figures_and_tables_of_a_run(studies, monkeypatch):
    monkeypatch.setattr(StickerWorld, "find", lambda world, pictures, word: [LEFT] * len(pictures))
    frame = painted.measured(studies)
    assert len(frame) == 2 and list(edits.painted_table(frame, seed=0)["Arm"]) == list(frame["arm"].unique())
    titles, images, heads = edits.rows(studies)
    assert titles == ["a photo of a purple [v] dog"] and len(images[0]) == len(heads) == 5
    titles, images, heads = edits.where(studies)
    assert len(images[0]) == len(heads) == 4 and images[0][0].size == images[0][1].size
    assert len(edits.by_color(frame, seed=0)) == 2


def test_only_the_colour_keeps_its_colour_and_the_outline_is_drawn():
    pixels = np.full((64, 64, 3), GRAY, np.uint8)
    pixels[:8] = PURPLE
    shown = np.asarray(edits.with_color_shown(Image.fromarray(pixels), "purple", LEFT))
    assert tuple(shown[2, 40]) == PURPLE and len(set(shown[20, 40])) == 1 and shown[20, 40, 0] > 200
    assert tuple(shown[20, 31]) == (0, 0, 0) and tuple(shown[20, 32]) != (0, 0, 0)


def test_the_numbers_decide():
    """Ten subjects that SID paints and the usual captions do not; and the other way round."""
    for sid, word in ((0.8, claims.REPRODUCED), (-0.8, claims.NOT_REPRODUCED)):
        rows = [
            {
                "subject": f"s{s}",
                "prompt": "p",
                "seed": 0,
                "case": case,
                "arm": str(case),
                "painted_subject": value + 0.01 * s,
            }
            | {"painted_rest": -value, "painted_gap": 2 * value}
            for s in range(10)
            for case, value in ((1, 0.0), (3, sid))
        ]
        assert words_of(pd.DataFrame(rows)) == {word}
