"""A reader's own folder: what is refused before any work, who describes it, and what is said of the outcome."""

import json
from types import SimpleNamespace

import pytest
from PIL import Image
from rendered import words

from sidkit.chapters import your_images as own
from sidkit.check.check import Finding
from sidkit.config import weights_folder
from sidkit.stickers.factors import subject_classes
from sidkit.stickers.references import SCENES, make_subject
from sidkit.study.claims import NOT_RUN
from sidkit.study.plan import Stickers, make_plan
from sidkit.subjects import load_subject

PHOTOS = """pipeline: some/weights
resolution: 64
training: {dreambooth: {steps: 1, learning_rate: 1.0e-5}}
sampling: {steps: 2, guidance: 2.0}
encoders: {image_text: "embedded:image_text", identity: "embedded:identity"}
"""
CAPTIONER = weights_folder("captioner") / "model.safetensors"
shipped = pytest.mark.skipif(not CAPTIONER.exists(), reason="the captioner is not shipped")


@pytest.fixture
def folder(tmp_path):
    """Two pictures that nobody described."""
    path = tmp_path / "meine Fotos" / "Katze ü"
    path.mkdir(parents=True)
    for index, color in enumerate(("teal", "olive")):
        Image.new("RGB", (64, 48), color).save(path / f"Bild {index}.png")
    return path


@pytest.fixture
def photos(tmp_path):
    """A profile whose model is not Sticker World's."""
    path = tmp_path / "mine.yaml"
    path.write_text(PHOTOS)
    return str(path)


def write(folder, captions, class_word="cat"):
    (folder / "captions.json").write_text(
        json.dumps({"class_word": class_word, "bias": ["background"], "captions": captions})
    )


def plan_of(folder, class_word="cat", **options):
    return make_plan("smoke", subjects=[own.place(str(folder), class_word)], arms=own.ARMS, **options)


def test_without_a_folder_a_drawing_is_learnt():
    assert own.place("", "") == "penguin-background+nearby"
    plan = make_plan("smoke", subjects=[own.place(" ", "cat")], arms=own.ARMS)
    assert plan.subjects == (Stickers("cat", ("background", "nearby")),) and "cat" in subject_classes()
    assert own.write_captions(plan, "", "openai") == []  # nobody is asked
    with pytest.raises(ValueError, match="unknown subject 'pengin'; did you mean 'penguin'"):
        make_plan("smoke", subjects=[own.place("", "pengin")])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(folder="nowhere"), "expected a folder of pictures at .*nowhere, found none"),
        (dict(class_word=" "), "class_word: expected what kind of thing .* shows, such as dog"),
        (dict(add={"a.jpg": b"a text"}), "a.jpg: expected a picture, but it cannot be read"),
        (dict(add={"a.heic": b""}), "there is no decoder for .heic here; save it as JPEG or PNG"),
        (dict(remove=True), "expected pictures in .*, found none"),
        (dict(written="dog"), "class_word: expected 'dog' as in .*captions.json, got 'cat'"),
    ],
)
def test_what_will_not_do_is_refused_and_nothing_is_written(folder, change, message):
    for name, data in change.get("add", {}).items():
        (folder / name).write_bytes(data)
    if "written" in change:
        write(folder, {}, change["written"])
    for path in list(folder.glob("*.png")) if change.get("remove") else []:
        path.unlink()
    before = sorted(folder.iterdir())
    with pytest.raises(ValueError, match=message):
        own.place(str(folder.parent / change.get("folder", folder.name)), change.get("class_word", "cat"))
    assert sorted(folder.iterdir()) == before


def test_the_class_word_of_the_file_is_enough(folder):
    write(folder, {}, "cat")
    assert own.place(str(folder), "") == str(folder)


@pytest.mark.parametrize(
    ("describer", "message"),
    [
        ("stickers", "the describer stickers knows drawings only; write them into captions.json"),
        ("openai", "expected openai:MODEL, such as openai:"),
        ("openai:some-model", "expected a key in the environment variable OPENAI_API_KEY"),
        ("lava", "unknown describer 'lava'; did you mean 'llava'"),
    ],
)
def test_a_describer_that_cannot_is_refused_before_the_first_question(folder, photos, monkeypatch, describer, message):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=message):
        own.write_captions(plan_of(folder, profile=photos), "cat", describer)
    assert not (folder / "captions.json").exists()


def test_what_is_paid_needs_a_limit(folder, photos, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-sent")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(ValueError, match="expected a limit, got none"):
        own.write_captions(plan_of(folder, profile=photos), "cat", "openai:gpt-4.1-mini")
    with pytest.raises(ValueError, match="expected at most \\$0.0000"):
        own.write_captions(plan_of(folder, profile=photos), "cat", "openai:gpt-4.1-mini", spend_at_most=1e-9)


def test_prompts_are_checked_before_anybody_is_asked(folder):
    with pytest.raises(ValueError, match=r"prompt: expected \[v\]"):
        own.write_captions(plan_of(folder, prompts=["a cat on the moon"]), "cat", "stickers")
    assert not (folder / "captions.json").exists()


@shipped
def test_drawings_are_described_and_what_is_written_by_hand_stays(tmp_path):
    made = tmp_path / "owl"
    make_subject(made, "owl", ["background", "nearby"], 2, seed=0)
    for name in ("captions.json", SCENES):
        (made / name).unlink()
    hand = "a photo of a [v] owl on a windowsill"
    (made / "captions.json").write_text(json.dumps({"captions": {"00.png": hand}}))
    assert own.write_captions(plan_of(made, "owl"), "owl", "stickers") == ["01.png"]
    table = own.captions_table(load_subject(made))
    assert table["Written by"].tolist() == ["hand", "stickers"]
    assert words(table.iloc[0, 1]) == hand and "[v] owl" in words(table.iloc[1, 1])
    assert own.write_captions(plan_of(made, ""), "", "stickers") == []


@shipped
def test_what_a_captioner_of_drawings_said_of_photos_is_not_kept_for_a_model_of_photos(folder, photos):
    own.write_captions(plan_of(folder), "cat", "stickers")
    subject = load_subject(folder)
    told = words(own.world_sentences(plan_of(folder), subject))
    assert "not of Sticker World" in told and "not to be believed" in told
    with pytest.raises(ValueError, match="knows drawings only"):
        own.write_captions(plan_of(folder, profile=photos), "cat", "stickers")
    write(folder, {name: f"a [v] cat on a rug, {text}" for name, text in zip(subject.captions[3], ("near", "far"))})
    assert own.write_captions(plan_of(folder, profile=photos), "cat", "stickers") == []  # a person's now
    assert "not to be believed" not in words(own.world_sentences(plan_of(folder), load_subject(folder)))
    assert "profile mine" in words(own.world_sentences(plan_of(folder, profile=photos), load_subject(folder)))


def test_nothing_is_judged_of_pictures_that_the_model_cannot_know(folder):
    write(folder, {"Bild 0.png": "a [v] cat on a rug", "Bild 1.png": "a [v] cat on a bed"})
    plan, subject = plan_of(folder), load_subject(folder)

    class Study:
        pass

    study = Study()
    study.plan, study.subjects = plan, {subject.name: subject}
    results = SimpleNamespace(main=study, findings=own.Findings(subject, []))
    found = [trial.verdict(seed=0) for trial in own.claims(results)]
    assert len(found) == 4 and {one.word for one in found} == {NOT_RUN}
    assert {one.claim.measure for one in found} == {"leakage", "NSD", "TA", "SA"}


def test_findings_are_counted_and_told():
    looks = Finding("0.png", "looks", "fault", "identity", "brown", "leave out 'brown'")
    gap = Finding("1.png", "unsaid", "note", "nearby", "", "x" * 500)
    assert own.findings_summary([]) == "The checker finds nothing to change."
    assert own.findings_summary([looks, gap]).startswith("The checker finds 1 fault, and 1 thing to look at")
    table = own.findings_table([looks, gap])
    assert words(table["Finding"][0]) == "fault: the subject's own looks, brown"
    assert len(table["What to do"][1]) < 210
    assert own.findings_table([])["Finding"].tolist() == ["none"]


def test_spoilt_captions_are_found(tmp_path):
    table = own.spoilt_table(make_subject(tmp_path / "owl", "owl", ["nearby"], 2, seed=0))
    assert table["What is wrong"].tolist() == [
        *("no [v]", "the subject's own looks", "the subject's own looks", "nothing but the subject"),
        "contradicted where training mirrors or crops",
    ]
    assert [words(fix) != "-" for fix in table["What `--fix` writes"]] == [True, True, False, False, False]
