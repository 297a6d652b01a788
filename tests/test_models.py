"""Pipelines: loaded ready for use, copied apart, and refused in words where weights are missing or damaged."""

import json
import shutil

import pytest
import torch
from diffusers import DDIMScheduler, PNDMScheduler

from sidkit.config import load_profile
from sidkit.models import add_identifier, copy_pipeline, load_pipeline, resolution, text_parts, tokenizers


@pytest.fixture(scope="module")
def saved(_tiny_pipe, tmp_path_factory):
    """A pipeline's folder as the shipped one is: half precision, in shards."""
    folder = tmp_path_factory.mktemp("pipe") / "tiny"
    pipe = copy_pipeline(_tiny_pipe)
    pipe.unet.half().save_pretrained(folder / "unet", max_shard_size="200KB")
    for name in ("vae", "text_encoder", "tokenizer", "scheduler"):
        getattr(pipe, name).save_pretrained(folder / name)
    pipe.save_config(folder)
    assert len(list((folder / "unet").glob("*.safetensors"))) > 1
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "tiny")


def profile(folder, **overrides):
    return load_profile("stickers", **{"pipeline": str(folder), **overrides})


def refused(folder, message, **overrides):
    with pytest.raises(ValueError, match=message):
        load_pipeline(profile(folder, **overrides))


def test_a_folder_loads_ready_for_use(folder, _tiny_pipe):
    pipe = load_pipeline(profile(folder), "cpu")
    assert isinstance(pipe.scheduler, DDIMScheduler)
    assert (pipe.scheduler.config.prediction_type, pipe.scheduler.config.timestep_spacing) == (
        "v_prediction",
        "trailing",
    )
    assert (pipe.safety_checker, pipe.unet.dtype, pipe.text_encoder.dtype) == (None, torch.float32, torch.float32)
    assert resolution(pipe) == 64
    ours, theirs = pipe.unet.conv_in.weight, _tiny_pipe.unet.conv_in.weight
    assert torch.equal(ours, theirs.half().float())


def test_the_scheduler_s_own_settings_are_kept(folder):
    PNDMScheduler(beta_schedule="linear", beta_end=0.011, steps_offset=1).save_pretrained(folder / "scheduler")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"scheduler": ["diffusers", "PNDMScheduler"]}))
    config = load_pipeline(profile(folder)).scheduler.config
    told = (config.beta_schedule, config.beta_end, config.prediction_type, config.timestep_spacing)
    assert told == ("linear", 0.011, "epsilon", "leading")


def test_a_resolution_is_for_sampling_and_training_alike(folder):
    assert resolution(load_pipeline(profile(folder, resolution=128))) == 128
    refused(folder, "resolution: expected a multiple of 8 px for this pipeline, got 100", resolution=100)


def shard(folder):
    return sorted((folder / "unet").glob("*.safetensors"))[0]


def test_a_missing_shard_is_named(folder):
    shard(folder).unlink()
    refused(folder, rf"weight file {shard_name(folder)} is missing .*; copy or download the model again")


def shard_name(folder):
    index = json.loads(next((folder / "unet").glob("*.index.json")).read_text())
    return folder / "unet" / sorted(index["weight_map"].values())[0]


@pytest.mark.parametrize("keep", [0, 7, 0.5, 0.999])
def test_a_damaged_file_is_named(folder, keep):
    path = shard(folder)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if 0 < keep < 1 else keep])
    refused(folder, rf"weight file {path} is damaged .*; copy or download the model again")


def test_missing_weights_and_folders_are_named(folder):
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    refused(folder, r"weights of AutoencoderKL are missing: expected .*vae/\*.safetensors")
    (folder / "model_index.json").write_text("{")
    refused(folder, "model_index.json is damaged: expected JSON")
    shutil.rmtree(folder)
    refused(folder, "expected a diffusers pipeline in .*, found no model_index.json")


def test_a_missing_configuration_is_told(folder):
    (folder / "unet" / "config.json").unlink()
    refused(folder, "unet/config.json is missing")


def test_the_shipped_weights_have_their_own_advice(monkeypatch, tmp_path):
    monkeypatch.setattr("sidkit.config.WEIGHTS", tmp_path)
    with pytest.raises(ValueError, match="git checkout, or train them: sidkit stickers pretrain text_to_image"):
        load_pipeline(load_profile("stickers"))


def test_a_hub_id_without_a_network_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    refused("nobody/no-such-pipeline", "at nobody/no-such-pipeline, which cannot be loaded: .*needs the network")


def test_a_copy_can_be_changed_and_the_original_stays(tiny_pipe):
    before = {name: value.clone() for name, value in tiny_pipe.unet.state_dict().items()}
    twin = copy_pipeline(tiny_pipe)
    with torch.no_grad():
        for part in (twin.unet, twin.text_encoder):
            for weight in part.parameters():
                weight.add_(1)
    add_identifier(twin, "zzyzx")
    assert all(torch.equal(value, before[name]) for name, value in tiny_pipe.unet.state_dict().items())
    assert len(twin.tokenizer) == len(tiny_pipe.tokenizer) + 1
    assert twin.components["unet"] is twin.unet is not tiny_pipe.unet
    assert twin.vae is tiny_pipe.vae


def test_a_known_identifier_changes_nothing(tiny_pipe):
    size = len(tiny_pipe.tokenizer)
    add_identifier(tiny_pipe, "sks")
    assert (len(tiny_pipe.tokenizer), len(tokenizers(tiny_pipe))) == (size, 1)
    assert tiny_pipe.text_encoder.get_input_embeddings().num_embeddings == size


def test_an_unknown_identifier_becomes_one_token(tiny_pipe):
    (part,) = text_parts(tiny_pipe)
    pieces = part.tokenizer("zzyzx", add_special_tokens=False)["input_ids"]
    mean = part.encoder.get_input_embeddings().weight[pieces].mean(0)
    add_identifier(tiny_pipe, "zzyzx")
    (token,) = part.tokenizer("zzyzx", add_special_tokens=False)["input_ids"]
    assert len(pieces) > 1
    assert torch.equal(part.encoder.get_input_embeddings().weight[token], mean)
    assert len(part.tokenizer("a photo of a zzyzx dog")["input_ids"]) == len(
        part.tokenizer("a photo of a sks dog")["input_ids"]
    )


@pytest.mark.parametrize("identifier", ["bea", "ca", "ball", "zzyzx", "<new1>", "v*", "o", "BEA"])
def test_an_added_identifier_cuts_no_other_word(tiny_pipe, identifier):
    (part,) = text_parts(tiny_pipe)
    texts = ["a cat on a beach, cats, a balloon", "beaches and a beanbag: ca. 3 <new12>", "a v*v, photo of zzyzxes"]
    before = [part.tokenizer(text)["input_ids"] for text in texts]
    (sks,) = part.tokenizer("sks", add_special_tokens=False)["input_ids"]
    subject = part.tokenizer("a photo of a sks cat, next to a beach")["input_ids"]
    add_identifier(tiny_pipe, identifier)
    others = [text for text in texts if identifier.lower() not in text.replace(",", " ").replace(".", " ").split()]
    assert others
    after = {text: part.tokenizer(text)["input_ids"] for text in others}
    assert after == {text: tokens for text, tokens in zip(texts, before) if text in others}
    (token,) = part.tokenizer(identifier, add_special_tokens=False)["input_ids"]
    read = part.tokenizer(f"a photo of a {identifier} cat, next to a beach")["input_ids"]
    assert read == [token if word == sks else word for word in subject]


@pytest.mark.parametrize("identifier", ["", "犬"])
def test_an_identifier_that_cannot_be_spelt_is_refused(tiny_pipe, identifier):
    with pytest.raises(ValueError, match="identifier: expected a word"):
        add_identifier(tiny_pipe, identifier)
