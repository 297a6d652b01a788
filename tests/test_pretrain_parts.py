"""Each part from the command to its weights and card, at the smallest size: a rented GPU must not be lost to a slip."""

import json
import shutil

import pytest

from sidkit.config import WEIGHTS
from sidkit.pretrain.plans import PLANS
from sidkit.pretrain.subject_encoder_part import SubjectEncoderPart
from sidkit.pretrain.text_to_image import TextToImage
from sidkit.pretrain.train import train

pytestmark = pytest.mark.slow
SIZE = dict(minutes=2e-3, batch=4, scenes=40)  # a step or a few


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A work folder that all parts share, as the command's does, and a copy of the shipped weights to go on from."""
    weights = tmp_path_factory.mktemp("pretrained") / "weights"
    shutil.copytree(WEIGHTS, weights)
    return dict(work=weights.parent / "work", weights=weights)


@pytest.mark.parametrize("part", PLANS)  # in the order in which they are to be trained
def test_a_part_goes_on_from_the_shipped_weights(part, folders, monkeypatch):
    for drawing in (TextToImage, SubjectEncoderPart):  # their sheets take most of a minute
        monkeypatch.setattr(drawing, "sheet", lambda self: None)
    inside = part in ("autoencoder", "doubling", "decoder", "latent_reader")
    known = WEIGHTS / part / "training.json"
    before = json.loads(known.read_text())["steps"] if known.exists() else 0
    folder = train(part, **SIZE, **folders)
    assert folder.is_relative_to(folders["work"] if inside else folders["weights"])
    assert f"sidkit stickers pretrain {part}" in (folder / "README.md").read_text() or part == "decoder"
    assert json.loads((folder / "training.json").read_text())["steps"] > before
    assert (folders["work"] / part / "checkpoint.safetensors").is_file()
