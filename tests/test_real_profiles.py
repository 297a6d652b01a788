"""Each real profile's whole path on real photos, with tiny pipelines of the same classes: train, draw, measure."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import make_pipe, make_xl_pipe, save_looking
from PIL import Image

from sidkit.attention import capture, look, off_subject
from sidkit.config import Encoders, Sampling, load_profile
from sidkit.describe.cases import captions_of_case
from sidkit.dreambench import load_dreambench, present
from sidkit.generation import generate
from sidkit.image_files import load_image
from sidkit.mark import insert
from sidkit.masks.given import apply_mask, given_mask, write_mask
from sidkit.measure.instruments import IdentityEncoder, ImageTextEncoder
from sidkit.measure.metrics import non_subject_disentanglement, subject_alignment, text_alignment
from sidkit.measure.pictures import measure
from sidkit.models import _held
from sidkit.notebook import run_notebook
from sidkit.personalization.loop import personalize
from sidkit.personalization.methods import METHODS
from sidkit.subjects import Prompt

PHOTOS = Path(__file__).parents[2] / "shared" / "photos" / "dreambench"
PIPES = {"sd15": lambda: make_pipe("epsilon"), "sd21": lambda: make_pipe("v_prediction"), "sdxl": make_xl_pipe}
needs_photos = pytest.mark.skipif(not PHOTOS.is_dir(), reason=f"no photos at {PHOTOS}")


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("looking")
    save_looking(folder, "test_vit", 160, {"class": ["dog", "cat"]})
    names = Encoders(image_text=str(folder / "image_text"), identity=str(folder / "identity"))
    return ImageTextEncoder(names), IdentityEncoder(names)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two real photos of a dog, small, with a mask each that was written as a person would."""
    bench, folder = load_dreambench(PHOTOS), tmp_path_factory.mktemp("photos") / "dog5"
    folder.mkdir()
    for path in bench.subject("dog5").images[:2]:
        load_image(path).resize((96, 96)).save(folder / f"{path.stem}.png")
        mask = np.zeros((96, 96), bool)
        mask[24:72, 24:72] = True
        write_mask(folder / f"{path.stem}.png", mask)
    return replace(bench.subject("dog5"), folder=folder, images=tuple(sorted(folder.glob("*.png"))), captions={})


@needs_photos
@pytest.mark.parametrize("name", PIPES)
def test_from_photos_to_scores(name, photos, encoders):
    profile, pipe = load_profile(name), PIPES[name]()
    pipe = _held(pipe, profile.memory)
    training = replace(profile.training["dreambooth"], steps=1, prior_weight=0, prior_images=0)
    images = [load_image(path) for path in photos.images]
    captions = [insert(text, profile.identifier) for text in captions_of_case(photos, 1)]
    log = personalize(pipe, images, captions, "dreambooth", training, seed=0, progress=False)
    assert np.isfinite(log.losses).all()

    prompts = ["a sks dog in the snow"]
    with capture(pipe, ["sks"]) as maps:
        drawn = generate(pipe, prompts, [0, 1], Sampling(steps=2), precision=training.precision, progress=False)
    assert len(maps.of("sks")) >= 2 and np.isfinite(maps.of("sks")).all()
    seen = look(pipe, images, captions, ["sks"], seed=0, precision=training.precision).of("sks")
    assert (off_subject(seen, [given_mask(path) for path in photos.images]) > 0).all()
    pictures = [one.image for one in drawn]
    assert all(picture.size == (64, 64) and picture.getextrema() != ((0, 0),) * 3 for picture in pictures)

    clip, dino = encoders
    masks = [given_mask(path) for path in photos.images]
    subject, rest = ([apply_mask(image, m) for image, m in zip(images, side)] for side in (masks, [~m for m in masks]))
    seen = clip.images(pictures)
    assert -1 <= subject_alignment(clip.images(subject), seen).mean() <= 1
    assert 0 <= non_subject_disentanglement(clip.images(rest), seen).mean() <= 2
    assert -1 <= text_alignment(clip.texts(["a dog in the snow"])[0], seen).mean() <= 1
    instruments = SimpleNamespace(image_text=clip, identity=dino, reader=None, fill="black")
    prompt = Prompt("a [v] dog in the snow", "given", {})
    frame = measure(instruments, images, masks, [prompt], [pictures], {})
    assert len(frame) == 2 and frame[["SA", "NSD", "TA"]].notna().all(axis=None)
    for name, encode in {"CLIP-I": clip.images, "identity": dino.images}.items():
        expected = (encode(images) @ encode(pictures).T).mean(0)
        assert frame[name].to_numpy() == pytest.approx(expected, abs=1e-6)


@needs_photos
@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("name", PIPES)
def test_every_method_takes_a_step_on_photos(name, method, photos):
    pipe = PIPES[name]()
    training = replace(load_profile(name).training[method], steps=1, prior_weight=0, prior_images=0)
    images = [load_image(path) for path in photos.images]
    captions = ["a photo of a sks dog on a sofa"] * 2
    log = personalize(
        pipe,
        images,
        captions,
        method,
        replace(training, precision="fp32"),
        seed=0,
        class_word="dog",
        progress=False,
    )
    assert np.isfinite(log.losses).all()


@needs_photos
def test_masks_do_what_the_measures_promise(photos, encoders):
    """Identical pictures, inverted masks and fills, with a model that looks."""
    clip, _ = encoders
    image, mask = load_image(photos.images[0]), given_mask(photos.images[0])
    kept, rest = apply_mask(image, mask), apply_mask(image, ~mask)
    one = clip.images([kept])
    assert subject_alignment(one, one) == pytest.approx(1, abs=1e-5)
    assert non_subject_disentanglement(one, one) == pytest.approx(0, abs=1e-5)
    seen = clip.images([image])
    inverted = 1 - non_subject_disentanglement(clip.images([apply_mask(image, ~~mask)]), seen)
    assert inverted == pytest.approx(subject_alignment(clip.images([kept]), seen), abs=1e-6)
    assert subject_alignment(clip.images([rest]), seen) != pytest.approx(inverted, abs=1e-4)
    black, grey = (clip.images([apply_mask(image, mask, fill)]) for fill in ("black", "grey"))
    assert subject_alignment(black, seen) != pytest.approx(subject_alignment(grey, seen), abs=1e-5)  # name the fill
    assert np.array_equal(np.asarray(kept) + np.asarray(rest), np.asarray(image))  # nothing lost, nothing twice


@needs_photos
def test_every_dreambench_folder_is_read(photos):
    bench = load_dreambench(PHOTOS)
    for name in present(bench):
        subject = bench.subject(name)
        assert isinstance(load_image(subject.images[0]), Image.Image)
        assert len(bench.prompts(name)) == 25


PROFILE = """pipeline: {pipe}
resolution: 64
training: {{dreambooth: {{steps: 1, learning_rate: 1.0e-5}}}}
sampling: {{steps: 2, guidance: 2.0}}
encoders: {{image_text: "embedded:image_text", identity: "embedded:identity"}}
"""


@needs_photos
@pytest.mark.slow
@pytest.mark.parametrize("name", ["sd15", "sdxl"])
def test_the_chapter_for_one_s_own_images_runs_on_photos(name, photos, tmp_path):
    """The notebook itself, with a pipeline of the true class and captions by hand."""
    folder = shutil.copytree(photos.folder, tmp_path / "my dog")
    captions = {path.name: f"a photo of a [v] dog on a sofa beside cushion {path.stem}" for path in photos.images}
    (folder / "captions.json").write_text(
        json.dumps({"class_word": "dog", "bias": ["background"], "captions": captions})
    )
    PIPES[name]().save_pretrained(tmp_path / "pipe")
    (tmp_path / "mine.yaml").write_text(PROFILE.format(pipe=tmp_path / "pipe"))
    told = dict(folder=str(folder), class_word="dog", profile=str(tmp_path / "mine.yaml"), scale="smoke")
    output = run_notebook("11_your_images", told | {"store": str(tmp_path / "runs")}, tmp_path / "out.ipynb")
    assert "image/png" in output.read_text() and "a sofa beside cushion" in output.read_text()
    assert len(list((tmp_path / "runs" / "pictures").iterdir())) == 2  # without SID, and with it
