"""Encoders load what pretraining saves; a batch gives what single pictures give; missing weights are told."""

import shutil

import numpy as np
import pytest
import torch
from conftest import save_looking
from open_clip import SimpleTokenizer
from PIL import Image, ImageOps

from sidkit import config
from sidkit.config import Encoders
from sidkit.measure.instruments import FactorReader, IdentityEncoder, ImageTextEncoder, _scaled
from sidkit.pretrain.tokenizer import LENGTH

HEADS = {"class": ["dog", "cat", "bee"], "nearby": ["none", "ball"]}
ENCODERS = Encoders(image_text="embedded:image_text", identity="embedded:identity", reader="embedded:reader")
ARCHITECTURE, SIZE = "test_efficientnet", 96  # timm's smallest that normalizes over batches, as the shipped nets do


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    save_looking(folder, ARCHITECTURE, SIZE, HEADS)
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


def test_a_picture_is_read_as_its_mirror_image_is(pictures):
    reader, mirrored = FactorReader(ENCODERS), [ImageOps.mirror(picture) for picture in pictures]
    read, again = reader.read(pictures), reader.read(mirrored)
    assert all(np.allclose(read[head], again[head], atol=1e-5) for head in read)
    with torch.inference_mode():
        seen = reader.net(torch.cat([_scaled(part, SIZE) for part in (pictures, mirrored)]))["class"].softmax(1).numpy()
    assert not np.allclose(seen[:3], seen[3:], atol=1e-5)
    expected = np.sqrt(seen[:3] * seen[3:])
    assert np.allclose(read["class"], expected / expected.sum(1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize("encoder", [ImageTextEncoder, IdentityEncoder])
def test_pictures_become_unit_vectors_alone_as_in_a_batch(encoder, pictures):
    encode = encoder(ENCODERS).images
    together = encode(pictures)
    alone = np.concatenate([encode([picture]) for picture in pictures])
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert np.allclose(together, alone, atol=1e-5)


def test_texts_of_different_lengths_alone_as_in_a_batch():
    encode = ImageTextEncoder(ENCODERS).texts
    texts = ["a dog", "a photo of a dog wearing a red scarf on a beach", "dog " * (LENGTH - 2)]
    together = encode(texts)
    assert np.allclose(together, np.concatenate([encode([text]) for text in texts]), atol=1e-5)
    assert not np.allclose(together[0], together[1], atol=1e-3)


def test_a_text_is_read_where_it_ends():
    encoder = ImageTextEncoder(ENCODERS)
    words, longer = encoder.texts(["a photo of a dog", "a photo of a dog on a beach"])
    tokens = encoder.tokenizer("a photo of a dog")
    tokens[0, 7:] = encoder.tokenizer("a photo of a dog on a beach")[0, 5]  # after the first end, anything may follow
    with torch.inference_mode():
        again = encoder.model.encode_text(tokens, normalize=True)[0].numpy()
    assert tokens[0, 6] == encoder.model.text_eos_id
    assert np.allclose(words, again, atol=1e-5) and not np.allclose(words, longer, atol=1e-3)


def test_a_text_that_the_model_would_cut_is_refused():
    with pytest.raises(ValueError, match=f"expected at most {LENGTH} tokens"):
        ImageTextEncoder(ENCODERS).texts(["a dog", "dog " * (LENGTH - 1)])


def test_clips_own_tokenizer_refuses_too_long_a_text_too():
    encoder = object.__new__(ImageTextEncoder)
    encoder.tokenizer = SimpleTokenizer(context_length=77)
    assert encoder._tokens(["dog " * 75]).shape == (1, 77)
    with pytest.raises(ValueError, match="expected at most 77 tokens"):
        encoder._tokens(["a dog", "dog " * 76])


def test_weights_that_are_missing_or_damaged_are_told(weights, monkeypatch, tmp_path):
    monkeypatch.setattr(config, "WEIGHTS", tmp_path)
    parts = {ImageTextEncoder: "image_text", IdentityEncoder: "identity", FactorReader: "reader"}
    for encoder, part in parts.items():
        with pytest.raises(ValueError, match=f"embedded:{part} are missing .*sidkit stickers pretrain {part}"):
            encoder(ENCODERS)
        shutil.copytree(weights / part, tmp_path / part)
        (file,) = (tmp_path / part).glob("*.safetensors")
        file.write_bytes(file.read_bytes()[:-100])
        with pytest.raises(ValueError, match="damaged"):
            encoder(ENCODERS)


@pytest.mark.parametrize(
    ("encoder", "names", "words"),
    [
        (FactorReader, {}, "no factor reader"),
        (FactorReader, {"reader": "resnet18"}, "expected a folder of weights, got 'resnet18'"),
        (ImageTextEncoder, {"image_text": "ViT-B-32"}, "expected MODEL/PRETRAINED"),
        (ImageTextEncoder, {"image_text": "ViT-B32/openai"}, "did you mean 'ViT-B-32'"),
        (ImageTextEncoder, {"image_text": "ViT-B-32/openia"}, "did you mean 'openai'"),
        (IdentityEncoder, {"identity": "vit_small_patch16_224.dinno"}, "'vit_small_patch16_224.dino'"),
    ],
)
def test_unknown_encoders_are_refused_with_the_nearest_name(encoder, names, words):
    with pytest.raises(ValueError, match=words):
        encoder(Encoders(**{"image_text": "ViT-B-32-quickgelu/openai", "identity": "resnet18", **names}))


def test_a_folder_of_weights_is_a_name_too(weights, pictures):
    given = Encoders(**{part: str(weights / part) for part in ("image_text", "identity", "reader")})
    for encoder in (ImageTextEncoder, IdentityEncoder):
        assert np.array_equal(encoder(given).images(pictures), encoder(ENCODERS).images(pictures))


def test_pictures_of_other_sizes_and_modes_are_read_alike(pictures):
    larger = pictures[0].resize((128, 128), Image.NEAREST).convert("RGBA")
    assert _scaled([pictures[0], larger], 32).shape == (2, 3, 32, 32)
    for encoder in (IdentityEncoder, ImageTextEncoder):
        a, b = encoder(ENCODERS).images([pictures[0], larger])
        assert a @ b > 0.9


def test_the_net_sees_the_same_picture_scaled_here_or_there(pictures):
    reader = FactorReader(ENCODERS)
    here = _scaled(pictures, SIZE)
    there = torch.from_numpy(np.stack([np.array(p) for p in pictures])).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        assert torch.allclose(reader.net(here)["class"], reader.net(there)["class"], atol=1e-5)


def test_nothing_to_encode_is_refused():
    with pytest.raises(ValueError, match="nothing to encode"):
        IdentityEncoder(ENCODERS).images([])
