"""Encoder methods: a look at a reference instead of training; what cannot be used says so before any work."""

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from sidkit.config import EncoderMethod, Sampling, load_profile
from sidkit.encoder_methods import ENCODER_NAMES, blip_diffusion, encoder_of
from sidkit.encoder_methods.reference import Reference
from sidkit.encoder_methods.registry import ENCODERS, check_encoder, encoded
from sidkit.generation import generate
from sidkit.mark import without_mark
from sidkit.models import copy_pipeline
from sidkit.stickers.nets import Reader
from sidkit.stickers.subject_encoder import SubjectEncoder, eyes_name, make_net, token_of
from sidkit.study.plan import Arm, make_plan
from sidkit.study.run import run_study

PROMPTS = ["a photo of a sks dog", "a photo of a dog"]
SEEN = 32  # px of the tiny image encoder


@pytest.fixture
def reference():
    image, mask = Image.effect_noise((64, 64), 90).convert("RGB"), np.zeros((64, 64), bool)
    mask[12:52, 20:60] = True
    return Reference(image, mask, "dog")


@pytest.fixture
def world(tiny_weights, tmp_path):
    """Sticker World's profile on the tiny models, with a subject encoder of random weights."""
    eyes = Reader.load(tiny_weights / "reader").backbone
    torch.manual_seed(0)
    net = make_net(eyes, eyes_name(tiny_weights / "reader"), torch.randn(5, 16))
    torch.nn.init.normal_(net.word.weight)
    net.save(tmp_path / "subject_encoder")
    method = EncoderMethod(weights=str(tmp_path / "subject_encoder"))
    profile = load_profile("stickers", encoders={"reader": str(tiny_weights / "reader")})
    return replace(profile, encoder_methods={"stickers": method})


@pytest.fixture
def adapter(tiny_pipe, tmp_path):
    """An IP-Adapter for the tiny pipeline as published ones are: random, but for a share of what the prompt says."""
    torch.manual_seed(0)
    shape = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, projection_dim=8)
    vision = CLIPVisionConfig(**shape, image_size=SEEN, patch_size=16)
    CLIPVisionModelWithProjection(vision).save_pretrained(tmp_path / "models" / "image_encoder")
    width = tiny_pipe.unet.config.cross_attention_dim
    image = {"proj.weight": (4 * width, 8), "proj.bias": (4 * width,), "norm.weight": (width,), "norm.bias": (width,)}
    state = {f"image_proj.{name}": torch.randn(size) for name, size in image.items()}
    crossing = [name for name in tiny_pipe.unet.attn_processors if ".attn2." in name]
    for index, name in enumerate(crossing):
        attention = tiny_pipe.unet.get_submodule(name.removesuffix(".processor"))
        for part in ("k", "v"):
            weight = getattr(attention, f"to_{part}").weight
            state[f"ip_adapter.{2 * index + 1}.to_{part}_ip.weight"] = torch.randn(weight.shape)
    save_file(state, tmp_path / "models" / "small.safetensors")
    return EncoderMethod(weights=str(tmp_path), subfolder="models", file="small.safetensors", scale=1.0)


def drawn(pipe, prompts=PROMPTS):
    return [
        np.asarray(one.image).astype(int) for one in generate(pipe, prompts, [0], Sampling(steps=2), progress=False)
    ]


def using(name, settings, profile="sd15"):
    return replace(load_profile(profile), encoder_methods={name: settings})


def test_every_name_has_an_encoder_and_a_method_says_which():
    assert tuple(ENCODERS) == ENCODER_NAMES
    assert [encoder_of(method) for method in ("encoder:elite", "dreambooth")] == ["elite", ""]
    with pytest.raises(ValueError, match="unknown encoder 'ip_adaptor'; did you mean 'ip_adapter'"):
        check_encoder("ip_adaptor", load_profile("sd15"))


def test_a_prompt_without_its_identifier():
    assert without_mark("a photo of a sks owl on a beach", "sks") == "a photo of an owl on a beach"
    assert without_mark("a purple sks dog", "sks") == "a purple dog"


def test_the_sticker_encoder_changes_the_identifier_s_row_alone(tiny_pipe, world, reference):
    pipe = copy_pipeline(tiny_pipe)
    assert encoded("stickers", pipe, world, reference) is pipe
    row = token_of(pipe.tokenizer, "sks")
    told = SubjectEncoder(world_folder(world), reader_folder(world)).word(reference.image, reference.mask)
    assert torch.equal(pipe.text_encoder.get_input_embeddings().weight[row], told)
    for part in ("unet", "text_encoder", "vae"):
        before = getattr(tiny_pipe, part).state_dict()
        for name, value in getattr(pipe, part).state_dict().items():
            changed = (value != before[name]).flatten(1).any(1) if value.ndim > 1 else (value != before[name])
            rows = changed.nonzero().flatten().tolist() if changed.ndim else []
            assert rows == ([row] if "token_embedding" in name else []), name
    [subject, other], [subject_before, other_before] = drawn(pipe), drawn(tiny_pipe)
    assert not np.array_equal(subject, subject_before)
    assert np.array_equal(other, other_before)


def world_folder(world):
    from pathlib import Path

    return Path(world.encoder_methods["stickers"].weights)


def reader_folder(world):
    from pathlib import Path

    return Path(world.encoders.reader)


def test_the_sticker_encoder_looks_at_the_subject_alone(tiny_pipe, world, reference):
    def word(image):
        pipe = encoded("stickers", copy_pipeline(tiny_pipe), world, replace(reference, image=image))
        return pipe.text_encoder.get_input_embeddings().weight[token_of(pipe.tokenizer, "sks")]

    inside, outside = reference.image.copy(), reference.image.copy()
    inside.paste("red", (30, 30, 50, 50))
    outside.paste("red", (0, 0, 15, 64))
    assert torch.equal(word(outside), word(reference.image))
    assert not torch.allclose(word(inside), word(reference.image))


def test_an_encoder_that_needs_a_mask_says_so(tiny_pipe, world, reference):
    with pytest.raises(ValueError, match="expected a mask of the reference's subject"):
        encoded("stickers", tiny_pipe, world, replace(reference, mask=None))
    with pytest.raises(ValueError, match="use the method encoder:ip_adapter"):
        check_encoder("stickers", load_profile("sd15"))


def test_an_ip_adapter_loads_from_its_folder_and_shows_the_reference(tiny_pipe, adapter, reference):
    profile = using("ip_adapter", adapter)
    shown = encoded("ip_adapter", copy_pipeline(tiny_pipe), profile, reference)
    named, bare = drawn(shown)
    assert np.array_equal(named, bare)  # it is not told the identifier
    other = encoded(
        "ip_adapter", copy_pipeline(tiny_pipe), profile, replace(reference, image=reference.image.rotate(90))
    )
    assert not np.array_equal(drawn(other)[0], named)
    silent = encoded(
        "ip_adapter", copy_pipeline(tiny_pipe), using("ip_adapter", replace(adapter, scale=0.0)), reference
    )
    assert np.array_equal(drawn(silent)[1], drawn(tiny_pipe)[1])
    assert not np.array_equal(bare, drawn(tiny_pipe)[1])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"file": "small.bin"}, "expected a .safetensors file"),
        ({"file": "other.safetensors"}, "expected weights at .*other.safetensors"),
    ],
)
def test_an_ip_adapter_that_is_not_there_is_refused_before_any_work(adapter, change, told):
    with pytest.raises(ValueError, match=told):
        check_encoder("ip_adapter", using("ip_adapter", replace(adapter, **change)))
    with pytest.raises(ValueError, match=r"encoder_methods.ip_adapter"):
        check_encoder("ip_adapter", load_profile("stickers"))


def test_an_ip_adapter_of_another_model_is_refused(tiny_pipe, adapter, reference, tmp_path):
    save_file({"image_proj.proj.weight": torch.zeros(4, 8)}, tmp_path / "models" / "small.safetensors")
    with pytest.raises(ValueError, match="expected an adapter for this model"):
        encoded("ip_adapter", tiny_pipe, using("ip_adapter", adapter), reference)


def test_elite_says_what_is_missing_and_why_the_rest_does_not_help(tmp_path):
    settings = EncoderMethod(weights=str(tmp_path))
    with pytest.raises(ValueError, match="expected encoder_methods.elite.weights"):
        check_encoder("elite", load_profile("sd15"))
    (tmp_path / "global_mapper.pt").touch()
    with pytest.raises(ValueError, match=r"elite: expected local_mapper.pt in"):
        check_encoder("elite", using("elite", settings))
    (tmp_path / "local_mapper.pt").touch()
    with pytest.raises(ValueError, match="exist in ELITE's own code only"):
        check_encoder("elite", using("elite", settings))


def test_blip_diffusion_is_refused_where_its_classes_are_gone(monkeypatch):
    def gone(name):
        raise AttributeError(name)

    monkeypatch.setattr(blip_diffusion, "diffusers", SimpleNamespace(__version__="9.0"))
    with pytest.raises(ValueError, match="diffusers 9.0 .* has no BlipDiffusionPipeline any more"):
        check_encoder("blip_diffusion", load_profile("sd15"))


def test_blip_diffusion_is_refused_where_its_classes_do_not_work(monkeypatch):
    """With the installed libraries; then with a text encoder that sees the future, and with one that does not."""
    if blip_diffusion._fault(diffusers.BlipDiffusionPipeline):
        with pytest.raises(ValueError, match="do not work in diffusers .* encoder:ip_adapter"):
            check_encoder("blip_diffusion", load_profile("sd15"))
    for causal in (False, True):
        assert bool(blip_diffusion._fault(stand_in(monkeypatch, causal))) is not causal


def stand_in(monkeypatch, causal):
    """A pipeline class whose text encoder sums what it reads: all of it, or what came before."""

    class Text(torch.nn.Module):
        def __init__(self, config):
            super().__init__()

        def forward(self, input_ids):
            read = input_ids.float()
            return ((read.cumsum(1) if causal else read.sum(1, keepdim=True).expand_as(read))[..., None],)

    modules = {"modeling_ctx_clip": ModuleType("a"), "modeling_blip2": ModuleType("b"), "pipeline": ModuleType("c")}
    modules["modeling_ctx_clip"].ContextCLIPTextModel = Text
    modules["modeling_blip2"].Blip2QFormerModel = SimpleNamespace(invert_attention_mask=None)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, f"stand_in.{name}", module)
    monkeypatch.setitem(sys.modules, "stand_in", ModuleType("stand_in"))
    return type("BlipDiffusionPipeline", (), {"__module__": "stand_in.pipeline"})


def test_what_blip_diffusion_is_asked_for():
    asked = blip_diffusion.asked
    assert asked("a photo of a sks dog on a beach", "sks", "dog") == ("dog", "on a beach")
    assert asked("a photo of a purple sks dog", "sks", "dog") == ("purple dog", "")
    with pytest.raises(ValueError, match="expected 'sks dog' in it"):
        asked("a photo of a dog", "sks", "dog")


def test_blip_diffusion_is_told_subject_prompt_and_reference(monkeypatch, tiny_pipe, reference):
    """The pipeline itself cannot run here: what it would be called with."""
    calls = []

    class Recorder:
        vae, unet, device = tiny_pipe.vae, tiny_pipe.unet, tiny_pipe.device
        tokenizer, text_encoder = tiny_pipe.tokenizer, tiny_pipe.text_encoder

        def to(self, device):
            return self

        def set_progress_bar_config(self, disable):
            pass

        def __call__(self, prompt, image, **options):
            calls.append((prompt, image, options))
            return SimpleNamespace(images=[Image.new("RGB", (64, 64))] * len(prompt))

    kind = SimpleNamespace(from_pretrained=lambda where, **options: Recorder())
    monkeypatch.setattr(blip_diffusion, "diffusers", SimpleNamespace(BlipDiffusionPipeline=kind, __version__="0"))
    settings = EncoderMethod(weights="Salesforce/blipdiffusion")
    shown = ENCODERS["blip_diffusion"].encode(tiny_pipe, settings, load_profile("sd15"), reference)
    generate(
        shown, ["a photo of a sks dog on a beach"], [0], Sampling(steps=2, negative_prompt="a sofa"), progress=False
    )
    (said, image, options), *_ = calls
    assert set(said) == {"on a beach"} and image.size == (64, 64)
    assert set(options["target_subject_category"]) == set(options["source_subject_category"]) == {"dog"}
    assert options["neg_prompt"] == "a sofa" and options["guidance_scale"] == 3.0 and options["height"] == 64


@pytest.fixture
def plan(world, monkeypatch):
    monkeypatch.setattr("sidkit.study.plan.load_profile", lambda name: world)
    arms = (Arm("encoder", 1, "encoder:stickers"), Arm("usual", 1))
    return make_plan("smoke", subjects=["dog-background"], arms=arms, references=1, prompts=["a photo of a [v] dog"])


def test_an_arm_with_an_encoder_runs_through_the_study_without_training(plan, tiny_pipe, tmp_path, monkeypatch):
    from sidkit.runs import Runs
    from sidkit.study.workshop import Workshop

    assert [arm.name for arm in plan.trained] == ["usual"] and plan.runs == 1 and "1 personalization" in str(plan)
    only = replace(plan, arms=plan.arms[:1])
    assert only.runs == 0
    monkeypatch.setattr("sidkit.model_cache.load_pipeline", lambda profile, device: copy_pipeline(tiny_pipe))
    monkeypatch.setattr(Workshop, "_train", lambda *_: pytest.fail("an encoder was trained"))
    monkeypatch.setattr(Workshop, "measures", lambda self, *_: pytest.importorskip("pandas").DataFrame({"SA": [0.5]}))
    study = run_study(only, Runs(tmp_path / "runs"), progress=False)
    assert list(study.frame["method"]) == ["encoder:stickers"]
    (folder,) = study.folders.values()
    assert len(list(folder.glob("*.png"))) == 1
    again = run_study(only, Runs(tmp_path / "runs"), progress=False)
    assert again.folders == study.folders


def test_an_arm_with_an_unknown_encoder_is_refused(plan):
    with pytest.raises(ValueError, match="unknown encoder 'sticker'; did you mean 'stickers'"):
        make_plan("smoke", subjects=["dog"], arms=(Arm("encoder", 1, "encoder:sticker"),))
