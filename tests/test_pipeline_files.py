"""Checkpoints as people bring them: each wrong one is told by its kind before anything of it is loaded."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from conftest import make_pipe, make_xl_pipe
from diffusers import (
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionXLImg2ImgPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import load_file, save_file

from sidkit.config import load_profile, locate
from sidkit.doctor.report import examine
from sidkit.models import load_pipeline
from sidkit.pipeline_files import check_pipeline

UNET, VAE = "unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors"
SAMPLER = "scheduler/scheduler_config.json"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
FIRST = "model.diffusion_model.input_blocks.0.0.weight"
TEXT = "cond_stage_model.transformer.text_model.final_layer_norm.weight"
REFINER_READER = "conditioner.embedders.0.model.transformer.resblocks.9.mlp.c_proj.bias"
FIRST_READER = "conditioner.embedders.0.transformer.text_model.final_layer_norm.weight"
SECOND_READER = "conditioner.embedders.1.model.transformer.resblocks.9.mlp.c_proj.bias"


def profile(place, **overrides):
    return load_profile("stickers", pipeline=str(place), **overrides)


def refused(place, message, **overrides):
    """By loading and by `sidkit doctor` alike, in one bounded line."""
    for ask in (load_pipeline, examine):
        with pytest.raises(ValueError, match=message) as refusal:
            ask(profile(place, **overrides))
        told = str(refusal.value)
        assert "\n" not in told and len(told) < 1000 and Path(place).name in told


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    make_pipe("epsilon").save_pretrained(folder / "sd")
    make_xl_pipe().save_pretrained(folder / "xl")
    return folder


@pytest.fixture
def sd(saved, tmp_path):
    return shutil.copytree(saved / "sd", tmp_path / "sd")


@pytest.fixture
def xl(saved, tmp_path):
    return shutil.copytree(saved / "xl", tmp_path / "xl")


def edit(path, **values):
    """Change a JSON file; a value of ... takes its key out."""
    settings = json.loads(path.read_text()) | values
    path.write_text(json.dumps({key: value for key, value in settings.items() if value is not ...}))


@pytest.mark.parametrize("kind", ["sd", "xl"])
def test_a_pipeline_to_personalize_may(saved, kind):
    check_pipeline(profile(saved / kind))
    load_pipeline(profile(saved / kind))


def test_a_unet_takes_what_its_own_autoencoder_gives(monkeypatch):
    shipped = load_profile("stickers")
    assert load_pipeline(shipped).vae.config.latent_channels == 8  # not 4, as Stable Diffusion's
    monkeypatch.setattr("sidkit.hub.cached", lambda _, file, revision: Path(locate(shipped.pipeline)) / file)
    check_pipeline(profile("some/pipeline"))


@pytest.mark.parametrize(
    ("kind", "channels"),
    [(StableDiffusionInpaintPipeline, 9), (StableDiffusionInstructPix2PixPipeline, 8)],
)
def test_a_pipeline_that_wants_a_picture_is_told_by_its_class(tmp_path, kind, channels):
    pipe = make_pipe("epsilon")
    settings = {name: value for name, value in pipe.unet.config.items() if name[0] != "_"} | {"in_channels": channels}
    parts = {name: getattr(pipe, name) for name in ("vae", "text_encoder", "tokenizer", "scheduler")}
    without = dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    kind(**parts, unet=UNet2DConditionModel(**settings), **without).save_pretrained(tmp_path / "model")
    refused(tmp_path / "model", f"expected a text-to-image pipeline .*, got '{kind.__name__}'")
    edit(tmp_path / "model" / "model_index.json", _class_name="StableDiffusionPipeline")  # as some conversions say
    word = "Inpainting" if channels == 9 else "InstructPix2Pix"
    refused(tmp_path / "model", f"whose UNet takes 4 channels, got one of {channels}, for {word}")


def test_xl_s_refiner_is_told(tmp_path):
    pipe = make_xl_pipe()
    parts = pipe.components | {"text_encoder": None, "tokenizer": None}
    parts.pop("image_encoder", None)
    parts.pop("feature_extractor", None)
    StableDiffusionXLImg2ImgPipeline(**parts, requires_aesthetics_score=True).save_pretrained(tmp_path / "refiner")
    refused(tmp_path / "refiner", "expected a text-to-image pipeline .*, got 'StableDiffusionXLImg2ImgPipeline'")
    edit(tmp_path / "refiner" / "model_index.json", _class_name="StableDiffusionXLPipeline")
    refused(tmp_path / "refiner", r"expected StableDiffusionXLPipeline to have a text_encoder, got \[null, null\]")


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({"_class_name": "FluxPipeline"}, "got 'FluxPipeline'"),
        ({"_class_name": "StableDiffusion3Pipeline"}, "got 'StableDiffusion3Pipeline'"),
        ({"_class_name": "StableDiffusionControlNetPipeline"}, "expected a text-to-image pipeline"),
        ({"_class_name": "StableDiffusionXLPipeline"}, "to have a text_encoder_2, got null"),
        ({"_class_name": ...}, "got null"),
        ({"_class_name": ["a"] * 5000}, "expected a text-to-image pipeline"),
        ({"unet": [None, None]}, r"to have a unet, got \[null, null\]"),
        ({"vae": ...}, "to have a vae, got null"),
        ({"scheduler": "DDIM"}, "to have a scheduler, got 'DDIM'"),
    ],
)
def test_an_index_of_another_kind_is_told(sd, index, message):
    edit(sd / "model_index.json", **index)
    refused(sd, message)


@pytest.mark.parametrize(
    ("part", "settings", "message"),
    [
        ("unet/config.json", {"in_channels": 7}, "got one of 7, for upscaling"),
        ("unet/config.json", {"in_channels": 5}, "got one of 5, for depth"),
        ("unet/config.json", {"in_channels": None}, "got one of null"),
        ("vae/config.json", {"latent_channels": 16}, "whose UNet takes 16 channels, got one of 4"),
        ("unet/config.json", {"cross_attention_dim": 1024}, "expected text encoders 1024 wide, .*, got 16; the parts"),
        (SAMPLER, {"_class_name": "EDMEulerScheduler"}, "got one of 'EDMEulerScheduler'"),
        (SAMPLER, {"_class_name": "FlowMatchEulerDiscreteScheduler"}, "got one of 'FlowMatch"),
        ("text_encoder/config.json", {"hidden_size": 32}, "got 32; the parts are of different models"),
    ],
)
def test_parts_that_do_not_go_together_are_told(sd, part, settings, message):
    edit(sd / part, **settings)
    refused(sd, message)


@pytest.mark.parametrize("value", [-1, 0, 5, 10**9, "8", None, [], [8, 8], 3.5, {}, float("nan")])
@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("unet", "norm_num_groups"),
        ("vae", "norm_num_groups"),
        ("unet", "attention_head_dim"),
        ("unet", "block_out_channels"),
        ("text_encoder", "vocab_size"),
        ("text_encoder", "num_attention_heads"),
    ],
)
def test_doctor_says_of_settings_that_make_no_model_or_another_in_one_line(sd, part, name, value):
    edit(sd / part / "config.json", **{name: value})
    try:
        examine(profile(sd))
    except ValueError as refusal:
        told = str(refusal)
        assert "sd" in told and "\n" not in told and len(told) < 1000
    else:  # some values are as good: None is the default of a few, and groups may be others
        load_pipeline(profile(sd))


@pytest.mark.parametrize(
    ("file", "settings", "message"),
    [
        ("unet/config.json", {"norm_num_groups": -1}, "make no model of Stable Diffusion: Expected num groups"),
        ("unet/config.json", {"layers_per_block": 10**9}, "layers_per_block: expected at most 1000"),
        ("unet/config.json", {"transformer_layers_per_block": [1, 10**9]}, "expected at most 1000"),
        ("text_encoder/config.json", {"num_hidden_layers": 10**7}, "num_hidden_layers: expected at most 1000"),
        ("text_encoder/config.json", {"vocab_size": 10}, r"token_embedding.weight: expected the shape \(10, 16\)"),
        (
            "text_encoder/config.json",
            {"max_position_embeddings": 4},
            r"position_embedding.weight: expected .*\(4, 16\)",
        ),
        ("vae/config.json", {"scaling_factor": None}, "scaling_factor: expected a positive number, got null"),
        ("vae/config.json", {"scaling_factor": 0}, "scaling_factor: expected a positive number, got 0"),
        (SAMPLER, {"beta_start": -1}, "expected the settings of a DDIM sampler"),
        (SAMPLER, {"beta_end": float("nan")}, "expected the settings of a DDIM sampler"),
        (SAMPLER, {"beta_schedule": "nosuch"}, "expected the settings of a DDIM sampler"),
        (SAMPLER, {"num_train_timesteps": 0}, "expected the settings of a DDIM sampler"),
        (SAMPLER, {"num_train_timesteps": 10**10}, "num_train_timesteps: expected at most 100000"),
        (SAMPLER, {"prediction_type": "flow"}, "prediction_type of epsilon or v_prediction, got 'flow'"),
        ("model_index.json", {"unet": ["os", "system"]}, "expected the unet to be of diffusers or transformers"),
        ("model_index.json", {"unet": ["my_unet", "MyUNet"]}, "which they do not have"),
        ("model_index.json", {"scheduler": ["diffusers", "NoSuchScheduler"]}, "which they do not have"),
    ],
)
def test_doctor_says_what_is_wrong_before_anything_is_loaded(sd, file, settings, message):
    edit(sd / file, **settings)
    with pytest.raises(ValueError, match=message) as refusal:
        examine(profile(sd))
    assert "\n" not in str(refusal.value)


def test_a_resolution_that_the_pipeline_does_not_give_is_told(sd):
    for ask in (load_pipeline, examine):
        with pytest.raises(ValueError, match="resolution: expected a multiple of .* got 65"):
            ask(profile(sd, resolution=65))


@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_quantized_weights_are_told(sd, part):
    edit(sd / part / "config.json", quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True})
    refused(sd, f"{part}: expected weights in 16 or 32 bits, got quantized ones")


@pytest.mark.parametrize(
    ("name", "todo"),
    [("m.gguf", "take the original"), ("m.zip", "unpack it"), ("m.safetensors.crdownload", "not finished")],
)
def test_a_file_that_cannot_be_converted_is_told_what_to_do(tmp_path, name, todo):
    (tmp_path / name).write_bytes(b"GGUF")
    refused(tmp_path / name, todo)


def test_the_largest_file_in_another_program_s_folder_is_offered(tmp_path):
    for name, size in {"checkpoints/sd.safetensors": 20, "loras/dog.safetensors": 10}.items():
        (tmp_path / "ui" / "models" / name).parent.mkdir(parents=True)
        (tmp_path / "ui" / "models" / name).write_bytes(bytes(size))
    refused(tmp_path / "ui", "did you mean .*checkpoints/sd.safetensors")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("file", ["model_index.json", "unet/config.json", "text_encoder/config.json"])
def test_settings_in_an_encoding_that_the_libraries_do_not_read_are_named(sd, file, encoding):
    (sd / file).write_text((sd / file).read_text(), encoding=encoding)
    refused(sd, f"{file} is damaged: expected JSON")


def test_weights_that_are_those_of_another_program_are_told_by_their_names(sd):
    """As torch.compile names them: diffusers would only warn, and draw from random weights."""
    save_file({f"_orig_mod.{name}": value for name, value in load_file(sd / UNET).items()}, sd / UNET, {"format": "pt"})
    refused(sd, "sd/unet: expected tensors such as .*, got '_orig_mod")


def test_only_half_precision_there_is_said_with_what_to_set(saved, tmp_path):
    make_pipe("epsilon").save_pretrained(tmp_path / "sd", variant="fp16")
    refused(tmp_path / "sd", "without a variant, found fp16 only; set `variant: fp16` in the profile")
    load_pipeline(profile(tmp_path / "sd", variant="fp16"))


def test_another_variant_only_is_said(sd):
    for path in sd.glob("*/*.safetensors"):
        path.rename(path.with_suffix(".non_ema.safetensors"))
    refused(sd, "set `variant: non_ema`")


def test_a_variant_of_shards_is_found(tmp_path):
    pipe = make_pipe("epsilon")
    pipe.save_pretrained(tmp_path / "sd", variant="fp16", max_shard_size="60KB")
    assert list((tmp_path / "sd" / "unet").glob("*.index.fp16.json"))
    refused(tmp_path / "sd", "set `variant: fp16`")
    check_pipeline(profile(tmp_path / "sd", variant="fp16"))
    shard = next((tmp_path / "sd" / "unet").glob("*-00001-*"))
    shard.unlink()
    refused(tmp_path / "sd", f"weight file {shard} is missing", variant="fp16")


def test_pickles_only_are_said(sd):
    for path in sd.glob("*/*.safetensors"):
        path.rename(path.with_suffix(".bin"))
    refused(sd, "found diffusion_pytorch_model.bin only; convert them to safetensors")


def test_damage_of_weights_that_are_not_loaded_does_not_matter(sd):
    (sd / "unet" / "diffusion_pytorch_model.fp16.safetensors").write_bytes(b"cut")
    load_pipeline(profile(sd))


@pytest.mark.parametrize("file", [UNET, VAE, "tokenizer/tokenizer.json", "unet/config.json", "model_index.json"])
def test_a_pointer_of_git_lfs_is_told(sd, file):
    (sd / file).write_text(LFS)
    refused(sd, f"{file} is a pointer of git-lfs; run `git lfs pull`")


@pytest.mark.parametrize("file", [UNET, "text_encoder/config.json", "model_index.json"])
def test_a_web_page_in_the_place_of_a_file_is_told(sd, file):
    (sd / file).write_text("\n<!DOCTYPE html><html>Access to this model is restricted</html>")
    refused(sd, f"{file} is a web page")


@pytest.mark.parametrize(
    "file",
    ["model_index.json", "unet/config.json", "vae/config.json", "scheduler/scheduler_config.json"],
)
@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 100_000])
def test_settings_that_are_no_mapping_are_damaged(sd, file, text):
    (sd / file).write_text(text)
    refused(sd, f"{file} is damaged")


def test_the_tokenizer_that_is_missing_is_named(sd, xl):
    shutil.rmtree(sd / "tokenizer")
    refused(sd, "the tokenizer is missing: expected tokenizer.json or vocab.json and merges.txt in .*tokenizer")
    (xl / "tokenizer_2" / "tokenizer.json").unlink()
    refused(xl, "the tokenizer_2 is missing")


def single(path, *names, channels=4):
    """A file whose tensors have these names; the UNet's first layer takes as many channels."""
    shapes = dict.fromkeys(names, (1,)) | ({FIRST: (1, channels, 1, 1)} if FIRST in names else {})
    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, path)
    return path


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["unet.down_blocks.0.attn.to_k.lora_A.weight"], "this is a LoRA, not a checkpoint; it goes on top"),
        (["lora_unet_down_blocks_0_attn1_to_k.lora_down.weight"], "a LoRA"),
        (["text_encoder.text_model.encoder.layers.0.mlp.fc1.lora.up.weight"], "a LoRA"),
        (["lycoris_unet.hada_w1_a"], "a LoRA"),
        (["emb_params"], "an embedding of Textual Inversion"),
        (["clip_g", "clip_l"], "an embedding of Textual Inversion"),
        (["control_model.time_embed.0.weight"], "a ControlNet"),
        (["controlnet_cond_embedding.conv_in.weight", "conv_in.weight"], "a ControlNet"),
        (["image_proj.proj.weight", "ip_adapter.1.to_k_ip.weight"], "an IP-Adapter"),
        ([FIRST], "this has no autoencoder, text encoder"),
        ([FIRST, "first_stage_model.x"], "this has no text encoder"),
        ([FIRST, TEXT], "this has no autoencoder"),
        (["first_stage_model.x", TEXT], "this has no UNet"),
        (["encoder.conv_in.weight", "decoder.conv_in.weight"], "this has no UNet, autoencoder, text encoder"),
        ([FIRST, "first_stage_model.x", SECOND_READER], "this has no first text encoder"),
        (["double_blocks.0.img_attn.norm.key_norm.scale"], "flux"),
        (["model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias"], "no autoencoder"),
        ([FIRST, "first_stage_model.x", REFINER_READER], "xl_refiner"),
        ([FIRST, "first_stage_model.x", FIRST_READER, SECOND_READER, "edm_mean"], "playground"),
        (["x"], "this has no UNet"),
    ],
)
def test_a_single_file_of_another_kind_is_told(tmp_path, names, message):
    refused(single(tmp_path / "file.safetensors", *names), message)


@pytest.mark.parametrize("readers", [[TEXT], [FIRST_READER, SECOND_READER]])
@pytest.mark.parametrize(("channels", "word"), [(9, "inpaint|Inpaint"), (8, "pix2pix|Pix2Pix"), (7, "upscaling")])
def test_a_single_file_that_wants_a_picture_is_told(tmp_path, readers, channels, word):
    path = single(tmp_path / "file.safetensors", FIRST, "first_stage_model.x", *readers, channels=channels)
    refused(path, word)


@pytest.mark.parametrize("readers", [[TEXT], [FIRST_READER, SECOND_READER]])
def test_a_single_file_that_is_whole_may_whatever_its_ending_s_letters(tmp_path, readers):
    for name in ("file.safetensors", "FILE.SAFETENSORS"):
        check_pipeline(profile(single(tmp_path / name, FIRST, "first_stage_model.x", *readers)))


@pytest.mark.parametrize("name", ["model.ckpt", "model.pt", "model.bin", "model", "model.gguf"])
def test_a_single_file_that_can_run_code_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    refused(tmp_path / name, "expected a folder or a .safetensors file")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "damaged"),
        (b"\xff" * 100, "damaged"),
        (LFS.encode(), "git-lfs"),
        (b"PK\x03\x04", "pickle"),
        (b"<html>", "web"),
    ],
)
def test_a_single_file_that_is_none_is_told(tmp_path, data, message):
    (tmp_path / "model.safetensors").write_bytes(data)
    refused(tmp_path / "model.safetensors", message)


def test_a_place_near_the_pipeline_is_offered(sd, tmp_path):
    refused(sd / "unet", f"found no model_index.json; this is a part of the pipeline; name {sd}")
    refused(tmp_path, f"found no model_index.json; did you mean {sd}[?]")
    cache = tmp_path / "models--stability--sd"
    shutil.copytree(sd, cache / "snapshots" / "0123")
    refused(cache, f"did you mean {cache}/snapshots/0123[?]")
    (tmp_path / "loras").mkdir()
    single(tmp_path / "loras" / "mine.safetensors", "x")
    refused(tmp_path / "loras", "did you mean a file in it, mine.safetensors[?]")


@pytest.mark.parametrize(
    "place", ["/nowhere/model", "./model", "~/no-such-model", "a/b/c", "C:\\models\\sd.safetensors", "\\\\server\\sd"]
)
def test_a_place_that_is_not_there_is_no_name_of_the_hub(place):
    with pytest.raises(ValueError, match="found no model_index.json|expected a folder or a .safetensors file"):
        check_pipeline(profile(place))


@pytest.mark.parametrize("name", ["“embedded:text_to_image“", "C:\\models\\sd", "sd 1.5", "a//b", "sd15.git"])
def test_what_can_be_no_name_of_the_hub_is_told_without_asking_it(name):
    with pytest.raises(ValueError, match="pipeline: expected a folder, a .safetensors file or a hub id|found no model"):
        check_pipeline(profile(name))


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_weights_that_lack_some_are_told_and_not_filled_with_random_ones(sd, part):
    (path,) = (sd / part).glob("*.safetensors")
    tensors = load_file(path)
    tensors.pop(sorted(tensors)[-1])
    save_file(tensors, path)
    with pytest.raises(
        ValueError, match=f"{sd / part}: expected {len(tensors) + 1} tensors, .*, got {len(tensors)}; the"
    ):
        load_pipeline(profile(sd))


@pytest.mark.parametrize(
    ("file", "settings"),
    [
        ("unet/config.json", {"block_out_channels": "x"}),
        ("unet/config.json", {"block_out_channels": []}),
        ("unet/config.json", {"norm_num_groups": 0}),
        ("unet/config.json", {"down_block_types": ["NoBlock2D", "NoBlock2D"]}),
        ("vae/config.json", {"layers_per_block": {}}),
        ("vae/config.json", {"block_out_channels": None}),
        ("text_encoder/config.json", {"num_attention_heads": 0}),
        ("text_encoder/config.json", {"hidden_act": "x"}),
        ("text_encoder/config.json", {"vocab_size": "many"}),
    ],
)
def test_settings_that_make_no_model_are_told(sd, file, settings):
    edit(sd / file, **settings)
    refused(sd, "cannot be loaded|make no model|expected")
