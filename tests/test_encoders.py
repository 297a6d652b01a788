"""Encoders load what pretraining saves; a batch gives what single pictures give; missing weights are told."""

import numpy as np
import pytest
import torch
from PIL import Image

from sidkit import config
from sidkit.config import Encoders
from sidkit.measure.encoders import FactorReader, IdentityEncoder, ImageTextEncoder, to_tensor
from sidkit.stickers.nets import IdentityNet, Reader
from sidkit.stickers.pretrain.image_text import make_image_text, save_image_text
from sidkit.stickers.pretrain.tokenizer import make_tokenizer

HEADS = {"class": ["dog", "cat", "bee"], "nearby": ["none", "ball"]}
ENCODERS = Encoders(image_text="embedded:image_text", identity="embedded:identity", reader="embedded:reader")
ARCHITECTURE, SIZE = "test_vit", 160  # timm's smallest, for tests


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    Reader(ARCHITECTURE, SIZE, HEADS).save(folder / "reader")
    IdentityNet(ARCHITECTURE, SIZE, 16).save(folder / "identity")
    tokenizer = make_tokenizer()
    save_image_text(make_image_text(ARCHITECTURE, SIZE, len(tokenizer)), tokenizer, folder / "image_text")
    return folder


@pytest.fixture(autouse=True)
def shipped(weights, monkeypatch):
    monkeypatch.setattr(config, "WEIGHTS", weights)


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(3)]


def test_reader_gives_probabilities_of_every_factor(pictures):
    read = FactorReader(ENCODERS).read(pictures)
    assert {head: values.shape for head, values in read.items()} == {"class": (3, 3), "nearby": (3, 2)}
    assert np.allclose(read["class"].sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("encoder", [ImageTextEncoder, IdentityEncoder])
def test_pictures_become_unit_vectors_alone_as_in_a_batch(encoder, pictures):
    encode = encoder(ENCODERS).images
    together = encode(pictures)
    alone = np.concatenate([encode([picture]) for picture in pictures])
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(together, alone, atol=1e-5)


def test_texts_of_any_length_alone_as_in_a_batch():
    encode = ImageTextEncoder(ENCODERS).texts
    texts = ["a dog", "a photo of a dog wearing a red scarf on a beach", "zebra " * 60]
    together = encode(texts)
    assert np.allclose(together, np.concatenate([encode([text]) for text in texts]), atol=1e-5)
    assert not np.allclose(together[0], together[1], atol=1e-3)


def test_missing_weights_and_a_missing_reader_are_told(weights, monkeypatch, tmp_path):
    monkeypatch.setattr(config, "WEIGHTS", tmp_path)
    with pytest.raises(FileNotFoundError, match="found no config.json; restore"):
        FactorReader(ENCODERS)
    with pytest.raises(ValueError, match="profile has no factor reader"):
        FactorReader(Encoders(image_text="ViT-B-32/openai", identity="x"))
    with pytest.raises(ValueError, match="expected MODEL/PRETRAINED"):
        ImageTextEncoder(Encoders(image_text="ViT-B-32", identity="x"))


def test_pictures_must_share_a_size():
    with pytest.raises(ValueError, match="one size"):
        to_tensor([Image.new("RGB", (8, 8)), Image.new("RGB", (9, 8))])
    with pytest.raises(ValueError, match="nothing to encode"):
        IdentityEncoder(ENCODERS).images([])
