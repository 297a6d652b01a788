"""Profiles: what is in them, and what is refused."""

import re
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import pytest

import sidkit
from sidkit.chapters.sticker_world import cards_table, megabytes
from sidkit.config import (
    PARTS,
    WEIGHTS,
    Encoders,
    Profile,
    Sampling,
    Training,
    check_name,
    load_profile,
    locate,
    model_key,
    profiles,
    weights_folder,
)
from sidkit.runs import fingerprint


def test_stickers_defaults_are_the_feasibility_study_s():
    profile = load_profile("stickers")
    dreambooth = profile.training["dreambooth"]
    assert (profile.resolution, profile.identifier, profile.pipeline) == (64, "sks", "embedded:text_to_image")
    assert (dreambooth.steps, dreambooth.learning_rate, dreambooth.batch_size) == (150, 3.5e-4, 4)
    assert not dreambooth.text_encoder
    assert (dreambooth.prior_weight, dreambooth.prior_images) == (0, 0)
    assert (profile.sampling.steps, profile.sampling.guidance) == (25, 3)


@pytest.mark.parametrize("name", ["sd15", "sd21", "sdxl"])
def test_stable_diffusion_follows_the_diffusers_example(name):
    dreambooth = load_profile(name).training["dreambooth"]
    assert (dreambooth.steps, dreambooth.learning_rate, dreambooth.batch_size) == (800, 5e-6, 1)
    assert (dreambooth.prior_weight, dreambooth.prior_images) == (1, 200)


def test_every_shipped_profile_loads_under_its_own_name():
    assert profiles() == ["sd15", "sd21", "sdxl", "stickers"]
    assert [load_profile(name).name for name in profiles()] == profiles()


def test_overrides_go_over_only_what_they_name():
    profile = load_profile("stickers", resolution=128, training={"dreambooth": {"steps": 3}})
    assert profile.resolution == 128
    assert profile.training["dreambooth"].steps == 3
    assert profile.training["dreambooth"].learning_rate == 3.5e-4


def test_settings_are_frozen_and_a_replaced_copy_is_checked_again():
    training = load_profile("stickers").training["dreambooth"]
    with pytest.raises(FrozenInstanceError):
        training.steps = 1
    assert replace(training, steps=7).steps == 7
    with pytest.raises(ValueError, match="greater than 0"):
        replace(training, steps=0)


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("stikers", {}, "unknown profile 'stikers'; did you mean 'stickers'"),
        ("stickers", {"resolutoin": 3}, "unknown key 'resolutoin'; did you mean 'resolution'"),
        ("stickers", {"sampling": {"guidence": 3}}, "sampling: unknown key 'guidence'; did you mean 'guidance'"),
        ("stickers", {"training": {"dreambooth": {"step": 3}}}, "dreambooth: unknown key 'step'; did you mean 'steps'"),
        ("stickers", {"training": {"dreambooth": {"steps": "many"}}}, "dreambooth.steps: .*integer, got 'many'"),
        ("stickers", {"training": {"dreambooth": {"steps": True}}}, "dreambooth.steps: .*integer, got true"),
        ("stickers", {"training": {"dreambooth": {"learning_rate": -1}}}, "learning_rate: .*greater than 0, got -1"),
        ("stickers", {"encoders": {"fill": "blue"}}, "encoders.fill: .*'black', 'grey' or 'white', got 'blue'"),
        ("no_such.yaml", {}, "expected a YAML file at no_such.yaml"),
    ],
)
def test_a_wrong_name_or_value_is_refused_in_words(name, overrides, message):
    with pytest.raises(ValueError, match=message):
        load_profile(name, **overrides)


def test_a_profile_of_one_s_own_is_read_from_its_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "pipeline: /models/mine\nresolution: 256\nsampling: {steps: 9}\nencoders: {image_text: a, identity: b}"
    )
    profile = load_profile(str(path))
    assert (profile.name, profile.pipeline, profile.sampling.steps, profile.training) == ("mine", "/models/mine", 9, {})
    assert isinstance(profile, Profile)


MINE = """\
pipeline: "embedded:text_to_image"
resolution: 64
training: {dreambooth: {steps: 1, learning_rate: 1e-5}}
sampling: {steps: 2, guidance: 2.0}
encoders: {image_text: "embedded:image_text", identity: "embedded:identity"}
"""


@pytest.mark.parametrize("name", ["mine.yaml", "MINE.YAML", "mine.Yml", "./mine", "my profile.yaml", "föhn.yaml"])
@pytest.mark.parametrize("change", [lambda data: data, lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")])
def test_a_profile_s_file_is_read_whatever_its_ending_and_line_ends(tmp_path, monkeypatch, name, change):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(change(MINE.encode()))
    assert load_profile(name).training["dreambooth"].learning_rate == 1e-5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected settings, .*got an empty file"),
        ("# nothing\n", "expected settings, .*got an empty file"),
        ("{}", "expected settings"),
        ("- a\n- b\n", r"expected settings, .*got \['a', 'b'\]"),
        ("stickers", "expected settings, .*got 'stickers'"),
        ("3", "expected settings, .*got 3"),
        (MINE + "resolution: 32\n", "expected each key once, got 'resolution' 2 times"),
        (MINE.replace("steps: 1", "steps: 1, steps: 2"), "expected each key once, got 'steps' 2 times"),
        ("pipeline: x\n\tresolution: 64\n", r"line 2, column 1\); indent with spaces"),
        (MINE.replace("embedded:text", r"C:\models\sd"), "line 1, column .*write the path with /, or in single quotes"),
        (MINE + "identifier: my dog\n", "identifier: expected one word, got 'my dog'"),
        (MINE + "identifier: the\n", "identifier: expected a word of the subject's own"),
        (MINE + "identifier: 12\n", "identifier: .*got 12; a text that looks like something else needs quotes"),
        (MINE + "identifier:\n", "identifier: .*got null"),
        (MINE + "1: 2\n", "expected the name of a setting, got 1"),
        (MINE.replace("steps: 2", "1: 2"), "expected the name of a setting, got 1"),
        (MINE + "null: 2\n", "expected the name of a setting, got null"),
        (MINE + "sampling2: {}\n", "unknown key 'sampling2'; did you mean 'sampling'"),
        (MINE.replace("{steps: 2, guidance: 2.0}", "ddim"), "sampling: .*got 'ddim'"),
        (MINE.replace("{dreambooth: {steps: 1, learning_rate: 1e-5}}", "[1]"), "training: .*got"),
        (MINE.replace("{steps: 1, learning_rate: 1e-5}", "null"), "training.dreambooth: .*got null"),
        ("resolution: 64\n", "pipeline: expected a value, found none; sampling: expected a value, found none"),
        (MINE.replace("1e-5", ".inf"), "learning_rate: .*got inf"),
        (MINE.replace("2.0", ".nan"), "guidance: .*got nan"),
        (MINE.replace("64", "99999999999"), "resolution: .*less than or equal to 8192, got 99999999999"),
        (MINE.replace("text_to_image", "text_to_imag"), "unknown shipped model in .*did you mean 'text_to_image'"),
        (MINE.replace("embedded:text_to_image", "embedded:../../x"), "unknown shipped model in"),
        (MINE.replace("embedded:identity", " "), "expected a hub id, folder or file, got ' '"),
        (MINE.replace("embedded:text_to_image", ""), "expected a hub id, folder or file, got ''"),
        (MINE + "---\n" + MINE, "expected YAML, but found another document"),
        (MINE.replace("embedded:text_to_image", "https://huggingface.co/a/b"), "expected a hub id, .*try 'a/b'"),
        (MINE + "x: &a {y: *a}\n", "something that it is in itself"),
        (MINE + "name: !!python/object/apply:os.getcwd []\n", "tag .* is none that is read here"),
        ("a: " + "[" * 9999, "nested too deep"),
    ],
)
def test_a_profile_s_file_of_another_shape_is_one_line_that_names_it(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as refusal:
        load_profile(str(path))
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value) and len(str(refusal.value)) < 1000


def test_a_profile_that_is_no_file_is_told(tmp_path):
    for place in (tmp_path, tmp_path / "none.yaml", tmp_path / "none"):
        with pytest.raises(ValueError, match=f"{place}"):
            load_profile(str(place))
    with pytest.raises(ValueError, match="unknown profile ''"):
        load_profile("")


@pytest.mark.parametrize(
    ("address", "todo"),
    [
        ("https://huggingface.co/stabilityai/sdxl-turbo", "try 'stabilityai/sdxl-turbo'"),
        ("https://civitai.com/models/4201", "download it, and name the file"),
    ],
)
def test_the_address_of_a_page_is_no_model(address, todo):
    with pytest.raises(ValueError, match=f"expected a hub id, folder or file, got .*; {todo}"):
        load_profile("sd15", pipeline=address)


def test_a_pipeline_at_home_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert locate("~/models/sd") == str(tmp_path / "models" / "sd")


def test_numbers_that_yaml_reads_as_text_are_numbers(tmp_path):
    assert (
        load_profile("sd15", training={"dreambooth": {"learning_rate": "1e-6"}}).training["dreambooth"].learning_rate
        == 1e-6
    )


def test_embedded_references_lead_to_the_shipped_weights():
    for part in PARTS:
        assert locate(f"embedded:{part}") == str(weights_folder(part))
    assert locate("ViT-B-32/openai") == "ViT-B-32/openai"
    with pytest.raises(ValueError, match="did you mean 'reader'"):
        weights_folder("raeder")


def test_every_shipped_model_is_known_and_told_and_weighed():
    folders = {path.name for path in WEIGHTS.iterdir() if path.is_dir()}
    assert folders == set(PARTS)
    assert {name.replace(" ", "_") for name in cards_table()["Model"]} == folders
    on_disk = sum(path.stat().st_size for path in WEIGHTS.rglob("*.safetensors"))
    assert megabytes() == on_disk / 1e6


def test_a_model_s_card_is_no_part_of_a_run_s_key():
    names = set(model_key("embedded:text_to_image"))
    assert "model_index.json" in names and not {"README.md", "training.json"} & names
    assert model_key("ViT-B-32/openai") == ("ViT-B-32/openai", None)


def test_a_model_in_a_single_file_counts_by_its_bytes(tmp_path):
    file = tmp_path / "model.safetensors"
    keys = []
    for data in (b"one", b"another"):
        file.write_bytes(data)
        keys.append(fingerprint(model_key(str(file))))
    assert keys[0] != keys[1]


def test_check_name_offers_nothing_where_nothing_is_near():
    with pytest.raises(ValueError, match=r"unknown method 'x' \(known: a, b\)"):
        check_name("method", "x", ["b", "a"])


@pytest.mark.parametrize("settings", [Profile, Training, Sampling, Encoders])
def test_every_setting_is_read_by_code(settings):
    """A profile is honest: no key is accepted that nothing looks at."""
    package = Path(sidkit.__file__).parent
    code = "".join(path.read_text() for path in package.rglob("*.py") if path.name != "config.py")
    unread = [field.name for field in fields(settings) if not re.search(rf"\.{field.name}\b", code)]
    assert not unread, f"{settings.__name__}: nothing reads {unread}"


@pytest.mark.parametrize("name", ["sd15", "sd21", "sdxl"])
def test_what_is_downloaded_is_pinned_to_a_commit(name):
    profile = load_profile(name)
    pins = (profile.revision, profile.masks.detector_revision, profile.masks.segmenter_revision)
    assert all(re.fullmatch("[0-9a-f]{40}", pin) for pin in pins)


@pytest.mark.parametrize(("held", "computed"), [("bf16", "fp32"), ("fp16", "fp32"), ("bf16", "fp16"), ("fp16", "bf16")])
def test_half_precision_weights_ask_for_their_own_computing(held, computed):
    """Any other ends in the middle of a training, in torch's words."""
    every = {method: {"precision": computed} for method in load_profile("stickers").training}
    told = f"memory.weights is {held}: expected training.dreambooth.precision {held}, got {computed}"
    with pytest.raises(ValueError, match=told):
        load_profile("stickers", memory={"weights": held}, training=every)


@pytest.mark.parametrize(("held", "computed"), [("bf16", "bf16"), ("fp16", "fp16"), ("fp32", "bf16"), ("fp32", "fp16")])
def test_whole_weights_take_any_computing_and_half_their_own(held, computed):
    every = {method: {"precision": computed} for method in load_profile("stickers").training}
    mixed = load_profile("stickers", memory={"weights": held}, training=every)
    assert mixed.memory.weights == held
