"""The subject encoder: what it looks at, how its word takes the identifier's place, and what its training changes."""

import copy

import numpy as np
import pytest
import torch
from PIL import Image

from sidkit.pretrain import subject_encoder_part as training
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.nets import Reader
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.subject_encoder import (
    SubjectEncoder,
    SubjectNet,
    eyes_name,
    make_net,
    pixels,
    seen,
    spelling,
    token_of,
    view,
)

WIDTH = 16  # of the tiny pipeline's words


@pytest.fixture(scope="module")
def eyes(tiny_weights):
    return Reader.load(tiny_weights / "reader").backbone


@pytest.fixture
def part(tiny_pipe, eyes, tmp_path):
    """On ten scenes, with an autoencoder that has the pipeline's 4 channels."""
    torch.manual_seed(0)
    views = training.views_on_disk(tmp_path, 10, eyes, tiny_pipe.vae)
    net = make_net(eyes, "some", torch.randn(5, WIDTH))
    return training.SubjectEncoderPart(net, tiny_pipe, eyes, views, batch=4, drop=0.25)


def test_a_view_shows_the_subject_in_the_middle_and_nothing_else():
    image = Image.new("RGB", (64, 64), "red")
    image.paste("blue", (40, 8, 60, 18))  # twice as wide as high, in a corner
    mask = np.zeros((64, 64), bool)
    mask[8:18, 40:60] = True
    shown = np.asarray(view(image, mask, 64)).astype(int)
    assert shown.shape == (64, 64, 3)
    assert tuple(shown[32, 32]) == (0, 0, 255)
    assert tuple(shown[4, 32]) == tuple(shown[60, 4]) == (128, 128, 128)
    assert (shown[..., 0] <= 140).all()  # no red
    blue = (shown[..., 2] > 200) & (shown[..., 0] < 60)
    rows, columns = np.flatnonzero(blue.any(1)), np.flatnonzero(blue.any(0))
    assert abs(rows.mean() - 31.5) < 1.5 and abs(columns.mean() - 31.5) < 1.5
    assert len(columns) == pytest.approx(64 / 1.16, abs=4) and len(rows) == pytest.approx(32 / 1.16, abs=4)


def test_a_view_of_nothing_is_refused():
    with pytest.raises(ValueError, match="the mask covers nothing"):
        view(Image.new("RGB", (64, 64)), np.zeros((64, 64), bool))


def test_a_word_takes_the_identifier_s_place_while_it_is_spelled(tiny_pipe):
    encoder, tokenizer = tiny_pipe.text_encoder, tiny_pipe.tokenizer
    token = token_of(tokenizer, "sks")
    ids = tokenizer(["a sks dog", "a dog"], padding="max_length", return_tensors="pt").input_ids
    row = encoder.get_input_embeddings().weight[token].detach()
    with torch.no_grad():
        before = encoder(ids).last_hidden_state
        with spelling(encoder, token, row.expand(2, -1)):
            same = encoder(ids).last_hidden_state
        with spelling(encoder, token, torch.stack([row + 1, row + 1])):
            other = encoder(ids).last_hidden_state
        after = encoder(ids).last_hidden_state
    assert torch.equal(before, same) and torch.equal(before, after)
    assert not torch.allclose(before[0], other[0])
    assert torch.equal(before[0, :2], other[0, :2])  # what stands before it
    assert torch.equal(before[1], other[1])  # a text without the identifier


def test_captions_name_the_identifier_and_nothing_of_the_looks():
    rng, left_out = np.random.default_rng(0), 0
    for _ in range(100):
        scene = sample_scene(rng)
        text = training.caption(scene, rng, 0.25)
        assert f"sks {scene.subject}" in text
        named = grammar.parse(text.replace("sks ", ""))
        assert not {"looks", "looks_colors", "attribute"} & set(named), text
        left_out += "background" not in named
    assert 10 < left_out < 45


def test_the_word_of_the_looks_is_the_sum_of_theirs(tiny_pipe):
    scene = Scene("dog", "noto", "beach", "daylight")
    table, told = (
        tiny_pipe.text_encoder.get_input_embeddings().weight,
        grammar.plainest(scene, ["subject", "looks"], True),
    )
    words = [word for word in told.split() if word not in ("a", "an", "and", "dog")]
    wanted = sum(table[token_of(tiny_pipe.tokenizer, word)] for word in words)
    assert len(words) >= 2
    assert torch.allclose(training.looks_word(tiny_pipe, scene), wanted, atol=1e-6)


def test_a_net_says_what_its_two_parts_say_in_the_table_s_size(eyes):
    table = torch.arange(10.0).view(2, 5)
    net = make_net(eyes, "some", table)
    maps = seen(eyes, torch.rand(3, 3, 64, 64))
    assert torch.equal(net(*maps), torch.zeros(3, 5))
    torch.nn.init.ones_(net.direct.bias)
    torch.nn.init.constant_(net.word.bias, 2.0)
    assert torch.allclose(net(*maps), 3 * table.std().expand(3, 5))


def test_what_is_solved_for_explains_the_words(part):
    net = part.frozen[0]
    maps = [torch.from_numpy(array).float() for array in (part.pool.fine, part.pool.coarse)]
    part.solve(ridge=1e-6)  # ten views and more features: exact
    assert torch.allclose(net(*maps), part.wanted, atol=1e-2)
    part.solve(ridge=1e9)  # nothing but the mean
    assert torch.allclose(net(*maps), part.wanted.mean(0).expand(10, -1), atol=1e-2)


def test_training_changes_the_net_alone_and_the_loss_falls(part, tiny_pipe):
    frozen = (tiny_pipe.unet, tiny_pipe.text_encoder, tiny_pipe.vae)
    before = [copy.deepcopy(module.state_dict()) for module in frozen]
    part.wanted = torch.randn(part.wanted.shape, generator=torch.Generator().manual_seed(0))  # as long as the net's own

    drawn = part.draw(np.random.default_rng(0))  # always the same batch, so that the loss has to fall

    def loss():
        return part.loss(drawn, torch.Generator().manual_seed(0))

    first, optimizer = loss().item(), torch.optim.Adam(part.parameters(), 3e-3)
    for _ in range(40):
        loss().backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss().item() < 0.97 * first
    assert {name.split(".")[0] for name in part.state_dict()} == {"look", "word"}
    for module, kept in zip(frozen, before):
        assert all(torch.equal(value, kept[name]) for name, value in module.state_dict().items())


def test_views_are_read_again_as_they_were_made(part, eyes, tiny_pipe, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(training, "_made", None)  # nothing is made
        again = training.views_on_disk(tmp_path, 10, eyes, tiny_pipe.vae)
    assert again.scenes == part.pool.scenes and len(again) == 10
    for name in training.ARRAYS:
        assert np.array_equal(getattr(again, name), getattr(part.pool, name))
    assert 0.03 < again.cover.mean() / 255 < 0.4
    others = copy.deepcopy(eyes)
    next(others.parameters()).data *= 0.5
    seen_by_others = training.views_on_disk(tmp_path, 10, others, tiny_pipe.vae)
    assert seen_by_others.scenes == again.scenes and not np.array_equal(seen_by_others.fine, again.fine)


def test_the_saved_encoder_says_the_same_and_knows_its_eyes(tiny_weights, eyes, tmp_path):
    torch.manual_seed(0)
    net = make_net(eyes, eyes_name(tiny_weights / "reader"), torch.randn(5, WIDTH))
    torch.nn.init.normal_(net.word.weight)
    net.half().float().save(tmp_path)
    image, mask = Image.effect_noise((64, 64), 80).convert("RGB"), np.zeros((64, 64), bool)
    mask[10:50, 20:60] = True
    with torch.no_grad():
        wanted = net(*seen(eyes, pixels([view(image, mask)])))[0]
    encoder = SubjectEncoder(tmp_path, tiny_weights / "reader")
    assert torch.allclose(encoder.word(image, mask), wanted, atol=1e-5)
    make_net(eyes, "others", torch.randn(5, WIDTH)).save(tmp_path)
    with pytest.raises(ValueError, match="another factor reader"):
        SubjectEncoder(tmp_path, tiny_weights / "reader")
    with pytest.raises(ValueError, match="pretrain subject_encoder"):
        SubjectEncoder(tmp_path / "nowhere", tiny_weights / "reader")
    assert SubjectNet.load(tmp_path).config["word"] == WIDTH


def test_an_identifier_of_several_tokens_is_refused(tiny_pipe):
    with pytest.raises(ValueError, match="expected one token, got 'zebra'"):
        token_of(tiny_pipe.tokenizer, "zebra")
