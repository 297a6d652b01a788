"""The factor reader's lessons: one value of a factor, any number of things, a place with its variant."""

import numpy as np
import pytest
import torch

from sidkit.config import Encoders
from sidkit.measure.encoders import FactorReader
from sidkit.measure.leakage import leaks
from sidkit.pretrain.augmentation import recolor
from sidkit.pretrain.pool import batch_of, pool
from sidkit.pretrain.reader_part import ReaderPart, _unread, companions
from sidkit.stickers.factors import PLACES, Scene
from sidkit.stickers.heads import ANSWERS, HEADS, PLACE, THINGS, answers
from sidkit.stickers.nets import Reader

SCENE = Scene("dog", "noto", "beach", "night", nearby="ball", nearby_color="red")


@pytest.fixture(scope="module")
def small_pool(tmp_path_factory):
    return pool(tmp_path_factory.mktemp("pool") / "pool", 24, 64, seed=1)


@pytest.fixture(scope="module")
def reader():
    torch.manual_seed(0)
    return Reader("test_efficientnet", 64, ANSWERS, THINGS)


@pytest.fixture
def part(reader, small_pool):
    return ReaderPart(reader, small_pool, 8)


def test_what_is_to_be_seen_of_a_scene():
    told = {factor: None if index is None else ANSWERS[factor][index] for factor, index in answers(SCENE).items()}
    assert told["class"] == "dog" and told[PLACE] == "beach, night"
    assert told["nearby"] == "ball" and told["tied"] is None
    assert told["style"] == "none" and told["pose"] == "standing"
    assert len(ANSWERS[PLACE]) == sum(map(len, PLACES.values()))


def test_things_are_cut_out_of_scenes_of_their_own():
    cuts, shown = companions(6, 64, np.random.default_rng(0))
    assert cuts.shape == (6, 64, 64, 4) and shown.shape == (6, len(ANSWERS["nearby"]))
    assert (shown.sum(1) == 1).all()
    covered = (cuts[..., 3] > 0).mean((1, 2))
    assert (covered > 0).all() and (covered < 0.3).all()


def test_a_second_thing_stands_on_the_other_side_and_is_told(part):
    drawn = torch.arange(24)
    x, nearby = part.accompanied(drawn, torch.Generator().manual_seed(0))
    before = batch_of(part.pool, drawn.numpy(), torch.device("cpu"))
    more = nearby.sum(1) > part.labels["nearby"].sum(1)
    changed = (x != before).flatten(1).any(1)
    assert more.any() and (more <= changed).all()
    assert not changed[~part.plain].any()
    both = [i for i in range(24) if nearby[i].sum() == 2]
    for index in both:
        where = (x[index] != before[index]).any(0).float()
        side = (where * torch.linspace(-1, 1, 64)).mean()
        assert side * part.sides(torch.tensor([index]))[0] <= 0


def test_the_loss_reaches_every_head_and_the_eyes(part):
    loss = part.loss(part.draw(np.random.default_rng(0)), torch.Generator().manual_seed(0))
    assert torch.isfinite(loss)
    loss.backward()
    assert all(head.weight.grad.abs().sum() > 0 for head in part.reader.heads.values())
    assert part.reader.backbone.net.conv_stem.weight.grad.abs().sum() > 0
    part.zero_grad()


def test_a_place_in_other_colours_counts_whatever_its_variant():
    column = ANSWERS[PLACE].index
    logits = torch.full((1, len(ANSWERS[PLACE])), -20.0)
    logits[0, column("beach, sunset")] = 20.0
    labels = torch.tensor([column("beach, night")])
    with_colours, without = (_unread(PLACE, logits, labels, torch.tensor([kept])).item() for kept in (True, False))
    assert without == pytest.approx(0, abs=1e-4) and with_colours > 10
    elsewhere = torch.tensor([column("snow, night")])
    assert _unread(PLACE, logits, elsewhere, torch.tensor([False])).item() > 10


def test_recoloured_pictures_keep_their_shapes_and_half_of_them_their_colours(small_pool):
    x = batch_of(small_pool, np.arange(24), torch.device("cpu"))
    y, kept = recolor(x, torch.Generator().manual_seed(0))
    again, _ = recolor(x, torch.Generator().manual_seed(0))
    assert torch.equal(y, again) and y.min() >= 0 and y.max() <= 1
    assert [torch.equal(a, b) for a, b in zip(x, y)] == kept.tolist()
    assert 6 <= kept.sum() <= 18
    edges = lambda p: (p.diff(dim=-1).abs().sum(0) > 0).float()  # noqa: E731
    assert all((edges(a) >= edges(b)).all() for a, b in zip(x, y))


class Seeing(torch.nn.Module):
    """Sees on a beach by night, and both a ball and a drum."""

    def forward(self, pixels):
        shown = {PLACE: ["beach, night"], "nearby": ["ball", "drum"]}
        found = {}
        for factor, values in ANSWERS.items():
            logits = torch.full((len(pixels), len(values)), -9.0)
            for value in shown.get(factor, []):
                logits[:, values.index(value)] = 9.0
            found[factor] = logits
        return found


def test_two_things_are_seen_beside_each_other_and_a_place_with_its_variant(reader, small_pool, tmp_path, pictures):
    reader.save(tmp_path / "reader")
    judge = FactorReader(Encoders(image_text="", identity="", reader=str(tmp_path / "reader")))
    assert {factor: tuple(values) for factor, values in judge.values.items() if factor in HEADS} == HEADS
    seeing = Seeing()
    seeing.backbone = judge.net.backbone
    judge.net = seeing
    read = judge.read(pictures)
    undesired = {"background": "beach", "variant": "night", "nearby": "drum", "tied": "crown"}
    found = {factor: leak.tolist() for factor, leak in leaks(read, judge.values, undesired, {}).items()}
    assert found == {"background": [1] * 4, "variant": [1] * 4, "nearby": [1] * 4, "tied": [0] * 4}
    assert leaks(read, judge.values, {"nearby": "ball"}, {})["nearby"].tolist() == [1] * 4
    assert np.allclose(read["background"].sum(1), 1, atol=1e-5)
    assert read["tied"].argmax(1).tolist() == [0] * 4  # none
