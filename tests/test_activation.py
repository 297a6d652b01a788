"""No model is built with another activation than its weights were trained with; told by name, without weights."""

from dataclasses import replace

import open_clip
import pytest
import timm
from open_clip.pretrained import get_pretrained_cfg

from sidkit.config import Encoders, load_profile, profiles, shipped
from sidkit.measure.activation import check_open_clip, check_timm
from sidkit.measure.instruments import IdentityEncoder, ImageTextEncoder, check_encoders
from sidkit.runs import Runs
from sidkit.study.plan import make_plan
from sidkit.study.run import run_study

DINO = "vit_small_patch16_224.dino"


@pytest.mark.parametrize("name", profiles())
def test_every_profile_s_encoders_fit_their_weights(name):
    check_encoders(load_profile(name).encoders)


def photo_profiles():
    return [name for name in profiles() if not shipped(load_profile(name).encoders.image_text)]


@pytest.mark.parametrize("name", photo_profiles())
def test_what_is_built_for_photos_is_openais_clip(name):
    """Built from the name alone, of random weights: each block of both towers has QuickGELU."""
    model, _, weights = load_profile(name).encoders.image_text.partition("/")
    assert weights == "openai"
    clip = open_clip.create_model(model)
    for tower in (clip.visual.transformer, clip.transformer):
        activations = {type(block.mlp.gelu).__name__ for block in tower.resblocks}
        assert activations == {"QuickGELU"}


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("ViT-B-32/openai", "ViT-B-32-quickgelu/openai"),
        ("ViT-B-32/laion400m_e32", "ViT-B-32-quickgelu/laion400m_e32"),
        ("ViT-L-14/openai", "ViT-L-14-quickgelu/openai"),
        ("ViT-L-14/metaclip_400m", "ViT-L-14-quickgelu/metaclip_400m"),
        ("ViT-H-14/dfn5b", "ViT-H-14-quickgelu/dfn5b"),
        ("RN50/openai", "RN50-quickgelu/openai"),
    ],
)
def test_weights_that_want_quickgelu_are_refused_with_the_name_that_has_it(name, twin, monkeypatch):
    monkeypatch.setattr("open_clip.create_model_and_transforms", lambda *_, **__: pytest.fail("built"))
    with pytest.raises(ValueError, match=f"{name} is built with GELU, expected QuickGELU.*; name {twin}$"):
        ImageTextEncoder(Encoders(image_text=name, identity=DINO))


def test_a_mismatch_is_told_for_every_name_that_open_clip_knows():
    """It is told exactly where open_clip's own table and configuration differ, and the name that it offers fits."""
    refused = {}
    for model, weights in open_clip.list_pretrained():
        wants = get_pretrained_cfg(model, weights).get("quick_gelu", False)
        has = open_clip.get_model_config(model).get("quick_gelu", False)
        try:
            check_open_clip(model, weights)
            assert wants == has, (model, weights)
        except ValueError as error:
            refused[model, weights] = str(error)
            assert wants != has, (model, weights)
    assert len(refused) > 20
    for message in refused.values():
        _, found, twin = message.partition("; name ")
        if found and "/" in twin:
            check_open_clip(*twin.split("/"))


@pytest.mark.parametrize("weights", ["openai", "metaclip_400m", "laion400m_e32"])
def test_timm_s_notes_are_heeded(weights):
    wrong, right = f"vit_base_patch32_clip_224.{weights}", f"vit_base_patch32_clip_quickgelu_224.{weights}"
    with pytest.raises(ValueError, match=f"expected QuickGELU.*; name {right}$"):
        IdentityEncoder(Encoders(image_text="ViT-B-32-quickgelu/openai", identity=wrong))
    check_timm(right)


def test_the_name_that_is_offered_is_one_of_timm_s():
    noted = [name for name in timm.list_models("*_clip_*", pretrained=True) if "quickgelu" not in name]
    offered = []
    for name in noted:
        try:
            check_timm(name)
        except ValueError as error:
            offered.append(str(error).rpartition("; name ")[2])
    assert offered and set(offered) <= set(timm.list_models(pretrained=True))


@pytest.mark.parametrize("name", [DINO, "resnet18.a1_in1k", "vit_base_patch32_clip_224.laion2b"])
def test_other_models_are_left_alone(name):
    check_timm(name)


def test_a_study_refuses_before_it_trains(tmp_path, monkeypatch):
    monkeypatch.setattr("sidkit.model_cache.load_pipeline", lambda *_: pytest.fail("loaded"))
    plan = make_plan("smoke", subjects=["dog"])
    encoders = Encoders(image_text="ViT-B-32/openai", identity=DINO)
    plan = replace(plan, profile=replace(plan.profile, encoders=encoders))
    with pytest.raises(ValueError, match="expected QuickGELU"):
        run_study(plan, Runs(tmp_path), progress=False)
