"""The segmenter: it learns from masks that move with their pictures, is saved whole, and finds what is there."""

import numpy as np
import pytest
import torch
from PIL import Image

from sidkit import config
from sidkit.pretrain.augmentation import blur, move
from sidkit.pretrain.segmenter_part import SegmenterPart, overlap, scenes
from sidkit.stickers.segmenter import SIDE, Segmenter

SHIPPED = config.WEIGHTS / "segmenter"


@pytest.fixture(scope="module")
def small():
    return scenes(16, seed=0)


def test_scenes_have_a_mask_of_the_subject_each(small):
    pictures, masks = small
    assert pictures.shape == (16, SIDE, SIDE, 3) and pictures.dtype == np.uint8
    assert masks.shape == (16, SIDE, SIDE) and masks.dtype == bool
    assert all(0.01 < mask.mean() < 0.9 for mask in masks)
    assert np.array_equal(scenes(2, seed=0)[0], pictures[:2])


def test_a_mask_moves_with_its_picture():
    """A picture that is its own mask stays so, and is moved; softening keeps the range."""
    x = torch.zeros(4, 2, SIDE, SIDE)
    x[:, :, 10:30, 20:50] = 1
    moved = move(x, torch.Generator().manual_seed(0))
    assert torch.equal(moved[:, 0], moved[:, 1]) and not torch.equal(moved, x)
    soft = blur(torch.rand(4, 3, SIDE, SIDE), torch.Generator().manual_seed(0))
    assert soft.shape == (4, 3, SIDE, SIDE) and soft.min() >= 0 and soft.max() <= 1


def test_the_loss_falls_on_a_few_scenes(small):
    torch.manual_seed(0)
    part = SegmenterPart(Segmenter(8), *small, batch=8)
    optimizer = torch.optim.Adam(part.parameters(), 1e-2)
    losses = []
    for step in range(30):
        loss = part.loss(part.draw(np.random.default_rng(step)), torch.Generator().manual_seed(step))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_overlap_by_hand(small):
    pictures, masks = small

    class Known(Segmenter):
        def masks(self, given):
            half = masks[1].copy()
            half[np.flatnonzero(half.any(axis=1))[0]] = False
            return [masks[0], half, None]

    found = overlap(Known(4), pictures[:3], masks[:3])
    assert found[0] == 1 and found[2] == 0 and 0.5 < found[1] < 1


def test_it_is_saved_and_finds_at_the_picture_s_own_size(tmp_path):
    torch.manual_seed(0)
    net = Segmenter(4)
    net.last[-1].bias.data.fill_(-50)
    picture = Image.new("RGB", (96, 40))
    assert net.masks([picture] * 3) == [None] * 3
    net.last[-1].bias.data.fill_(50)
    assert net.masks([picture]) == [None]  # everything is no part of a picture
    net.last[-1].weight.data.zero_()
    net.last[-1].bias.data.zero_()
    net.save(tmp_path / "net")
    twin = Segmenter.load(tmp_path / "net")
    assert twin.config == {"width": 4, "levels": 5, "side": SIDE} and not twin.training
    shape = twin(torch.zeros(2, 3, SIDE, SIDE)).shape
    assert shape == (2, SIDE, SIDE)


@pytest.mark.skipif(not SHIPPED.is_dir(), reason=f"no weights at {SHIPPED}")
def test_the_shipped_one_finds_designs_that_it_has_not_seen():
    """Its card says how well; on 60 others of these scenes it is not much worse, and far above chance."""
    net = Segmenter.load(SHIPPED)
    found = overlap(net, *scenes(60, seed=77, held_out=True))
    assert found.mean() > 0.7
    mask = net.masks([Image.fromarray(scenes(1, seed=77)[0][0]).resize((80, 48))])[0]
    assert mask.shape == (48, 80) and mask.dtype == bool
