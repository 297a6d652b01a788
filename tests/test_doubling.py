"""An autoencoder of twice the side: it begins where the smaller one stopped, and learns the same latents."""

from functools import partial

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from torch.nn import functional as F

from sidkit.pretrain.autoencoder import encode_pool, halved, pixels, unlikeness
from sidkit.pretrain.doubling import begin_doubled
from sidkit.pretrain.doubling_part import DoublingPart
from sidkit.pretrain.pool import pool

twice = partial(F.interpolate, scale_factor=2, mode="nearest")
COMMON = dict(latent_channels=4, norm_num_groups=4, mid_block_add_attention=False)


def make(channels, layers, size):
    levels = len(channels)
    blocks = dict(down_block_types=("DownEncoderBlock2D",) * levels, up_block_types=("UpDecoderBlock2D",) * levels)
    torch.manual_seed(0)
    made = AutoencoderKL(block_out_channels=channels, layers_per_block=layers, sample_size=size, **blocks, **COMMON)
    return made.eval()


@pytest.fixture(scope="module")
def small():
    return make((12, 16), 1, 64)


@pytest.fixture(scope="module")
def large_pool(tmp_path_factory):
    return pool(tmp_path_factory.mktemp("pool") / "pool", 8, 128, seed=1)


@pytest.fixture
def part(small, large_pool, tmp_path):
    vae = make((12, 24, 32), 2, 128)
    begin_doubled(vae, small, torch.Generator().manual_seed(0))
    return DoublingPart(vae, small, large_pool, encode_pool(large_pool, small, tmp_path), batch=4)


def last_maps(vae, latents):
    """What the decoder's last layer sees."""
    seen = []
    handle = vae.decoder.conv_norm_out.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    vae.decode(latents)
    handle.remove()
    return seen[0]


@pytest.mark.parametrize("channels, layers", [((12, 12, 16), 1), ((12, 24, 32), 2)])
def test_it_begins_where_the_small_one_stopped(small, large_pool, channels, layers):
    vae = make(channels, layers, 128)
    x = halved(pixels(large_pool, np.arange(8), torch.device("cpu")))
    with torch.no_grad():
        wanted = small.encode(x).latent_dist.mean
        begin_doubled(vae, small, torch.Generator().manual_seed(0), unlike=0)
        latents = vae.encode(twice(x)).latent_dist.mean
        before, after = (last_maps(one, wanted) for one in (small, vae))
    assert torch.allclose(latents, wanted, atol=1e-4)  # of pictures that have no more in them than half the side shows
    assert torch.allclose(after, twice(before), atol=1e-4)  # the last layer, as before, sees each pixel twice


def test_repeated_channels_do_not_stay_alike(small):
    alike, unlike = (make((12, 24, 32), 1, 128) for _ in range(2))
    begin_doubled(alike, small, torch.Generator().manual_seed(0), unlike=0)
    begin_doubled(unlike, small, torch.Generator().manual_seed(0))
    for vae, same in ((alike, True), (unlike, False)):
        weight = vae.decoder.up_blocks[1].resnets[1].conv1.weight
        assert torch.equal(weight[0], weight[1]) == same


@pytest.mark.parametrize("channels", [(12, 16), (8, 16, 16), (12, 18, 32), (12, 12, 16, 16)])
def test_an_architecture_that_does_not_fit_is_refused(small, channels):
    with pytest.raises(ValueError, match="block_out_channels: expected 12, 12 or more, and then whole multiples"):
        begin_doubled(make(tuple(4 * (c // 4) for c in channels), 1, 128), small, torch.Generator())


def test_latents_are_those_of_the_pictures_at_half_the_side(small, large_pool, tmp_path):
    latents = encode_pool(large_pool, small, tmp_path)
    assert latents.shape == (8, 4, 32, 32)
    with torch.no_grad():
        expected = small.encode(halved(pixels(large_pool, np.arange(8), small.device))).latent_dist.mean
    assert np.allclose(latents, expected.numpy(), atol=1e-2)


def test_encoder_and_decoder_learn_apart_and_the_small_one_not_at_all(part):
    part.loss(part.draw(np.random.default_rng(0)), torch.Generator().manual_seed(0)).backward()
    taught = {name.split(".")[0] for name, weight in part.vae.named_parameters() if weight.grad is not None}
    assert taught == {"encoder", "quant_conv", "decoder", "post_quant_conv"}
    assert all(weight.grad is None for weight in part.small[0].parameters())
    assert "small" not in {name.split(".")[0] for name in part.state_dict()}
    x = pixels(part.pool, np.arange(4), torch.device("cpu"))
    part.zero_grad()
    part.apart(x).backward()
    assert part.vae.decoder.conv_out.weight.grad is None and part.vae.encoder.conv_in.weight.grad is not None


def test_the_loss_falls(part):
    optimizer = torch.optim.Adam(part.parameters(), 2e-3)
    losses = []
    for step in range(12):
        loss = part.loss(torch.arange(4), torch.Generator().manual_seed(step))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert np.mean(losses[-3:]) < 0.9 * np.mean(losses[:3])


def test_muon_trains_the_inner_convolutions(part):
    names = part.matrices()
    assert names <= {name for name, _ in part.named_parameters()}
    assert "vae.decoder.mid_block.resnets.0.conv1.weight" in names
    assert not any("conv_in" in name or "conv_out" in name or "quant_conv" in name for name in names)


def test_unlikeness_counts_pixels_and_edges_by_hand():
    x, y = torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    assert unlikeness(y, x) == 0
    y[0, 0, 0, 0] = 1.0
    assert unlikeness(y, x).item() == pytest.approx(0.25 + 2 * 0.25 + 0.5 + 0.5)
