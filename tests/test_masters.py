"""What is trained is fp32 as the file has it, whatever the pipeline is held in; the autoencoder is fp32 throughout."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import make_pipe, make_xl_pipe

from sidkit.attention import look
from sidkit.config import Memory, Sampling, Training, load_profile
from sidkit.doctor import needs
from sidkit.generation import generate
from sidkit.models import copy_pipeline, load_pipeline, text_parts
from sidkit.personalization.examples import encode_pictures
from sidkit.personalization.loop import personalize
from sidkit.personalization.methods import METHODS, trained_parameters
from sidkit.personalization.saving import load_personalized, save_personalized

FULL = Training(steps=2, learning_rate=1e-3, precision="bf16", text_encoder=True)
SAMPLING = Sampling(steps=2)


def held(folder, weights="bf16", pipe=make_pipe):
    """A pipeline from a folder, as a profile of photos has it."""
    pipe().save_pretrained(folder)
    profile = load_profile("stickers", pipeline=str(folder))
    return load_pipeline(replace(profile, memory=Memory(weights=weights)))


@pytest.fixture
def pipe(tmp_path):
    return held(tmp_path)


@pytest.mark.parametrize("make", [make_pipe, make_xl_pipe])
def test_dreambooth_starts_from_the_file_s_own_numbers(make, tmp_path):
    pipe, exact = held(tmp_path, pipe=make), held(tmp_path, "fp32", pipe=make)
    assert {weight.dtype for weight in pipe.unet.parameters()} == {torch.bfloat16}
    ours, theirs = (trained_parameters(copy_pipeline(one), "dreambooth", FULL) for one in (pipe, exact))
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        assert weight.dtype == torch.float32 and torch.equal(weight, theirs[name]), name


@pytest.mark.parametrize("method", ["custom_diffusion", "svdiff", "textual_inversion"])
def test_every_method_that_trains_a_file_s_weights_has_them_whole(method, tmp_path):
    training = replace(FULL, text_encoder=method == "svdiff", learning_rate_1d=1e-6)
    ours = trained_parameters(held(tmp_path), method, training)
    theirs = trained_parameters(held(tmp_path, "fp32"), method, training)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(weight, theirs[name]) for name, weight in ours.items())


def test_svdiff_takes_apart_the_file_s_weights(tmp_path):
    ours, theirs = held(tmp_path), held(tmp_path, "fp32")
    for pipe in (ours, theirs):
        trained_parameters(pipe, "svdiff", replace(FULL, text_encoder=False))
    for pipe in (ours, theirs):
        assert pipe.unet.conv_in.weight.dtype == torch.float32
    assert torch.equal(ours.unet.conv_in.weight, theirs.unet.conv_in.weight)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("make", [make_pipe, make_xl_pipe])
def test_a_pipeline_in_half_precision_trains_stops_goes_on_and_is_loaded_to_the_same_bits(
    make, method, tmp_path, pictures
):
    base = held(tmp_path / "base", pipe=make)
    text_encoder = METHODS[method].trains_text
    training = replace(FULL, steps=3, text_encoder=text_encoder, learning_rate_1d=1e-4, accumulation=2, unload=True)

    def learn(pipe, **options):
        captions = ["a photo of a sks dog"] * 4
        return personalize(pipe, pictures, captions, method, training, seed=0, class_word="dog", **options)

    def stop(step, loss):
        if step == 1:
            raise KeyboardInterrupt

    at_once, stopped, loaded = (copy_pipeline(base) for _ in range(3))
    losses = learn(at_once).losses
    with pytest.raises(KeyboardInterrupt):
        learn(copy_pipeline(base), watch=stop, checkpoint=tmp_path / "kept", checkpoint_every=1)
    assert learn(stopped, checkpoint=tmp_path / "kept").losses == losses
    save_personalized(stopped, tmp_path / "saved", method, training)
    load_personalized(loaded, tmp_path / "saved")
    drawn = [drawing(pipe) for pipe in (at_once, stopped, loaded, base)]
    assert drawn[0] == drawn[1] == drawn[2] != drawn[3]


def drawing(pipe):
    (picture,) = generate(pipe, ["a sks dog"], [0], SAMPLING, precision="bf16", progress=False)
    return picture.image.tobytes()


def test_what_is_not_trained_stays_half(pipe, pictures):
    personalize(pipe, pictures, ["a photo of a sks dog"] * 4, "lora", replace(FULL, text_encoder=False), seed=0)
    dtypes = {name: weight.dtype for name, weight in pipe.unet.named_parameters()}
    assert {dtype for name, dtype in dtypes.items() if ".lora_" in name} == {torch.float32}
    assert {dtype for name, dtype in dtypes.items() if ".lora_" not in name} == {torch.bfloat16}


def test_training_does_not_touch_the_originals(pipe, pictures):
    """A second subject starts from the same numbers as the first."""
    before = {name: weight.clone() for name, weight in pipe.originals.items()}
    twin = copy_pipeline(pipe)
    personalize(twin, pictures, ["a photo of a sks dog"] * 4, "dreambooth", FULL, seed=0)
    assert all(torch.equal(weight, before[name]) for name, weight in pipe.originals.items())
    assert not torch.equal(twin.unet.conv_in.weight, before["unet.conv_in.weight"])


def test_a_training_goes_on_and_does_not_begin_again(pipe, pictures):
    """Asked for twice, what is trained keeps what it has learnt."""
    training = replace(FULL, text_encoder=False)
    personalize(pipe, pictures, ["a photo of a sks dog"] * 4, "dreambooth", training, seed=0)
    learnt = pipe.unet.conv_in.weight.clone()
    trained_parameters(pipe, "dreambooth", training)
    assert torch.equal(pipe.unet.conv_in.weight, learnt)


def test_a_weight_that_somebody_else_rounded_is_refused():
    pipe = make_pipe()
    pipe.unet.to(torch.bfloat16)
    with pytest.raises(ValueError, match=r"unet\.conv_in\.weight: expected fp32.*load the pipeline by load_pipeline"):
        trained_parameters(pipe, "dreambooth", replace(FULL, text_encoder=False))


def test_in_single_precision_nothing_is_kept_twice(tmp_path):
    assert not hasattr(held(tmp_path, "fp32"), "originals")


def precisions(monkeypatch, module, name):
    """What a method of the autoencoder is given, and whether autocast was on."""
    seen, real = [], getattr(module, name)

    def spy(tensor, *arguments, **options):
        seen.append((tensor.dtype, torch.is_autocast_enabled("cpu")))
        return real(tensor, *arguments, **options)

    monkeypatch.setattr(module, name, spy)
    return seen


@pytest.mark.parametrize("make", [make_pipe, make_xl_pipe])
def test_the_autoencoder_decodes_in_fp32(make, monkeypatch):
    pipe = make()
    seen = precisions(monkeypatch, pipe.vae.decoder, "forward")
    generate(pipe, ["a sks dog"], [0], SAMPLING, precision="bf16", progress=False)
    assert seen == [(torch.float32, False)]
    assert "decode" not in vars(pipe.vae)


def test_the_autoencoder_encodes_in_fp32(monkeypatch, pictures):
    pipe = make_pipe()
    seen = precisions(monkeypatch, pipe.vae.encoder, "forward")
    look(pipe, pictures[:1], ["a sks dog"], ["sks"], seed=0, precision="bf16")
    assert seen == [(torch.float32, False)]
    with torch.autocast("cpu", torch.bfloat16):
        assert encode_pictures(pipe, pictures[:1]).dtype == torch.float32


def test_in_fp32_a_picture_is_the_pipeline_s_own_to_the_bit():
    pipe = make_pipe()
    (ours,) = generate(pipe, ["a sks dog"], [0], SAMPLING, progress=False)
    noise = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    latents = noise.expand(8, -1, -1, -1)  # a CPU always draws eight together
    options = dict(num_inference_steps=2, guidance_scale=SAMPLING.guidance, height=64, width=64)
    theirs = pipe(["a sks dog"] * 8, latents=latents, **options).images[0]
    assert np.array_equal(np.asarray(ours.image), np.asarray(theirs))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_xl_draws_in_every_precision(precision):
    (picture,) = generate(make_xl_pipe(), ["a sks dog"], [0], SAMPLING, precision=precision, progress=False)
    assert picture.image.getextrema() != ((0, 0),) * 3


@pytest.mark.parametrize("method", METHODS)
def test_the_doctor_counts_the_bytes_that_a_training_really_holds(method, pipe, tmp_path):
    """Of the UNet and the text encoders, as the method leaves them: masters, added matrices, singular vectors."""
    training = replace(FULL, text_encoder=METHODS[method].trains_text, learning_rate_1d=1e-6, rank=2)
    profile = replace(load_profile("stickers", pipeline=str(tmp_path)), memory=Memory(weights="bf16"))
    profile = replace(profile, training={method: training})
    parameters = trained_parameters(pipe, method, training)
    parts = [pipe.unet, *(part.encoder for part in text_parts(pipe))]
    tensors = [tensor for part in parts for tensor in (*part.parameters(), *part.buffers())]
    really = sum(tensor.numel() * tensor.element_size() for tensor in tensors if tensor.is_floating_point())
    numbers = sum(weight.numel() for weight in parameters.values())
    assert needs.training_memory(profile, method).copy == really + 2 * numbers
