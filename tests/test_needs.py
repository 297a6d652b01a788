"""What a profile needs: counts of the published models, and of what autograd really keeps on a model that fits here."""

from dataclasses import replace

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker
from torch.nn import functional as F

from sidkit.config import load_profile
from sidkit.doctor import activations, needs
from sidkit.doctor.architectures import configuration, empty_pipeline
from sidkit.models import text_parts

# Parameters as the models' own cards and papers count them (UNet, autoencoder, text encoders).
PUBLISHED = {
    "sd15": (859_520_964, 83_653_863, 123_060_480),
    "sd21": (865_910_724, 83_653_863, 340_387_840),
    "sdxl": (2_567_463_684, 83_653_863, 123_060_480 + 694_659_840),
}


def with_training(profile, **changes):
    return replace(profile, training={"dreambooth": replace(profile.training["dreambooth"], **changes)})


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_true_architectures_have_the_published_sizes(name):
    profile = load_profile(name)
    count = needs.sizes(empty_pipeline(profile), "dreambooth", profile.training["dreambooth"])
    assert (count.unet, count.vae, count.text) == PUBLISHED[name]
    assert count.trained == count.unet


def test_xl_s_two_text_encoders_are_trained_where_asked_for():
    profile = with_training(load_profile("sdxl"), text_encoder=True)
    pipe = empty_pipeline(profile)
    assert len(text_parts(pipe)) == 2
    count = needs.sizes(pipe, "dreambooth", profile.training["dreambooth"])
    assert count.trained == count.unet + count.text


def test_memory_is_the_sum_of_what_can_be_computed_by_hand():
    profile = with_training(load_profile("sd15"), prior_weight=0, precision="fp32", unload=False)
    profile = replace(profile, memory=replace(profile.memory, weights="fp32"))
    unet, vae, text = PUBLISHED["sd15"]
    memory = needs.training_memory(profile, "dreambooth")
    assert memory.base == 4 * (unet + vae + text) and memory.copy == 4 * (unet + text)
    assert (memory.gradients, memory.moments) == (4 * unet, 8 * unet)
    eight = needs.training_memory(with_training(profile, optimizer="adamw8bit"), "dreambooth")
    assert eight.moments == 2 * unet and eight.total < memory.total


def test_what_is_kept_is_what_autograd_keeps(tiny_pipe):
    """The estimate without weights against the bytes that a real pass keeps, on the shipped model."""
    profile = load_profile("stickers")
    estimated = needs.activation_bytes(profile, profile.training["dreambooth"])
    unet = empty_pipeline(profile, "cpu").unet
    weights, kept = {weight.data_ptr() for weight in unet.parameters()}, {}

    def pack(tensor):
        if tensor.untyped_storage().data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            alive.append(tensor)
        return tensor

    alive = []
    side = profile.resolution // empty_pipeline(profile).vae_scale_factor
    config = unet.config
    noisy, text = (
        torch.randn(1, config.in_channels, side, side),
        torch.randn(1, activations.TOKENS, config.cross_attention_dim),
    )
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = F.mse_loss(unet(noisy, torch.tensor([1]), text).sample, noisy)
    assert loss.requires_grad
    assert estimated == pytest.approx(sum(kept.values()), rel=0.2)


@pytest.mark.slow
def test_torch_s_own_counter_agrees_where_it_can():
    """In full precision: its half precision is the CPU's."""
    profile = load_profile("stickers")
    training = replace(profile.training["dreambooth"], precision="fp32")
    side = profile.resolution // empty_pipeline(profile).vae_scale_factor
    with FakeTensorMode(), torch.device("cpu"):
        unet = UNet2DConditionModel.from_config(configuration(profile)["unet"])
        noisy = torch.empty(1, unet.config.in_channels, side, side)
        text = torch.empty(1, activations.TOKENS, unet.config.cross_attention_dim)
        tracker = MemTracker()
        tracker.track_external(unet)
        with tracker:
            output = unet(noisy, torch.tensor([1]), text).sample
            (bytes_by_kind,) = tracker.get_tracker_snapshot("current").values()
    assert output.requires_grad
    kept = {getattr(kind, "value", kind): size for kind, size in bytes_by_kind.items()}
    assert kept["Activation"] == pytest.approx(needs.activation_bytes(profile, training), rel=0.02)


def test_what_saves_memory_is_seen_to_save_it():
    profile = load_profile("sd15")
    plain = profile.training["dreambooth"]
    some = needs.activation_bytes(profile, replace(plain, gradient_checkpointing=True))
    assert some < needs.activation_bytes(profile, plain) / 3
    wide = needs.activation_bytes(replace(profile, resolution=1024), plain)
    assert wide == pytest.approx(4 * needs.activation_bytes(profile, plain), rel=0.1)  # four times the pixels


def test_a_unet_pass_costs_what_is_published():
    unet, decoder = needs.operations(load_profile("sd15"))
    assert unet == pytest.approx(0.80e12, rel=0.05)  # about 0.4 TMAC at 512 px
    assert decoder == pytest.approx(2.5e12, rel=0.1)


def test_time_goes_with_the_work():
    profile = load_profile("sd15")
    one = needs.step_seconds(profile, "dreambooth", 1e14)
    assert needs.step_seconds(profile, "dreambooth", 2e14) == pytest.approx(one / 2)
    assert needs.step_seconds(with_training(profile, prior_weight=0), "dreambooth", 1e14) == pytest.approx(one / 2)
    unet, _ = needs.operations(profile)
    assert one == pytest.approx(3 * 2 * unet / (1e14 * needs.REACHED))


def test_a_profile_that_cannot_be_counted_says_what_it_lacks():
    with pytest.raises(ValueError, match=r"\(none is there\), or an architecture \(sd15, sd21, sdxl\)"):
        configuration(replace(load_profile("sd15"), architecture=None))
    with pytest.raises(ValueError, match="unknown architecture 'sd16'"):
        configuration(replace(load_profile("sd15"), architecture="sd16"))
