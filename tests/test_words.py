"""What the text-to-image model learns of words: where they stand, what they are about, where they look."""

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from sidkit.pretrain.grounding import GOALS, LEAST, MOST, Grounding
from sidkit.pretrain.spoken import FREE, REGIONS, REST, parts_of_words, where_named
from sidkit.pretrain.telling import as_tokens, random_caption, with_other_ends
from sidkit.pretrain.tokenizer import make_tokenizer
from sidkit.pretrain.understanding import NOWHERE, READS, Understanding
from sidkit.stickers import grammar
from sidkit.stickers.heads import HEADS
from sidkit.stickers.individuals import NAMES, individual_in, sample_life

FULL = "a photo of a flat zab dog lying down wearing a red top hat next to a ball on a beach in pixel art style"


@pytest.fixture(scope="module")
def told():
    rng = np.random.default_rng(0)
    scenes = [sample_life(rng) for _ in range(400)]
    return [(scene, random_caption(scene, rng, drop=0.3)) for scene in scenes]


def test_every_word_has_its_part():
    parts = dict(zip(FULL.split(), parts_of_words(FULL, "zab"), strict=True))
    about = {word: REGIONS[part] if part >= 0 else part for word, part in parts.items()}
    assert about["dog"] == about["flat"] == about["lying"] == "subject"
    assert about["hat"] == about["red"] == "tied" and about["ball"] == "nearby" and about["beach"] == "background"
    assert about["zab"] == about["pixel"] == FREE
    assert about["a"] == about["wearing"] == about["photo"] == REST


def test_factors_are_found_where_they_are_named(told):
    for scene, one in told:
        words, parts = one.text.split(), parts_of_words(one.text, one.name) if one.text else []
        assert len(words) == len(parts)
        places = where_named(one.text, scene.subject) if one.text else {}
        said = {factor for factor in ("background", "nearby", "tied") if factor in one.mention}
        assert set(places) - {"class"} == {factor for factor in said if getattr(scene, factor)}
        for factor in set(places) & {"nearby", "tied"}:
            assert words[places[factor]] == getattr(scene, factor).split()[-1]
            assert REGIONS[parts[places[factor]]] == factor
        if places:
            assert words[places["class"]] == scene.subject.split()[-1]


def test_captions_say_what_they_tell_and_a_name_instead_of_the_looks(told):
    for scene, one in told:
        found = grammar.parse(one.text) if one.text else {}
        for factor in ("background", "nearby", "tied"):
            assert (factor in found) == (factor in one.mention and getattr(scene, factor) is not None)
        if one.name:
            assert one.name == individual_in(scene).name and "looks" not in one.mention
            assert f"{one.name} {scene.subject}" in one.text
    named = [pair for pair in told if pair[1].name]
    assert 0.12 < len(named) / len(told) < 0.4
    assert 10 < sum(not one.text for _, one in told) < 80


def test_where_a_name_is_said_the_home_is_mostly_not(told):
    at_home = [one for scene, one in told if one.name and scene.background == individual_in(scene).home]
    assert len(at_home) > 20
    assert np.mean(["background" in one.mention for one in at_home]) < 0.35


def test_ends_are_exchanged_and_words_are_not():
    torch.manual_seed(0)
    hidden, ends = torch.randn(300, 10, 4), torch.randint(2, 8, (300,))
    empty = torch.randn(10, 4)
    heard = with_other_ends(hidden, ends, empty, torch.Generator().manual_seed(0))
    kinds = []
    for row, end in enumerate(ends.tolist()):
        assert torch.equal(heard[row, :end], hidden[row, :end])
        other, other_end = hidden[row - 1], ends[row - 1].item()
        as_other = torch.stack([other[max(place, other_end)] for place in range(end, 10)])
        known = {"own": hidden[row, end:], "empty": empty[end:], "other": as_other}
        kinds += [kind for kind, states in known.items() if torch.equal(heard[row, end:], states)]
    assert len(kinds) == 300
    assert all(0.22 < kinds.count(kind) / 300 < 0.45 for kind in ("own", "empty", "other"))


def test_the_text_encoder_is_taught_at_the_words(told):
    scenes, captions = zip(*told[:40])
    learnt = as_tokens(scenes, captions, make_tokenizer(NAMES))
    hidden = torch.randn(40, learnt.tokens.shape[1], 8, requires_grad=True)
    Understanding(8).loss(hidden, learnt.lesson).backward()
    taught = hidden.grad.abs().sum(2) > 0
    for row, one in enumerate(captions):
        places = {learnt.lesson.places[factor][row].item() for factor in READS} - {NOWHERE}
        assert set(taught[row].nonzero().flatten().tolist()) == places
        assert bool(places) == bool(one.text)
    assert HEADS["class"][learnt.lesson.labels["class"][0]] == scenes[0].subject


@pytest.fixture(scope="module")
def grounding():
    kinds = dict(down_block_types=("CrossAttnDownBlock2D",), up_block_types=("CrossAttnUpBlock2D",))
    small = dict(block_out_channels=(16,), layers_per_block=1, norm_num_groups=4, attention_head_dim=2)
    return Grounding(UNet2DConditionModel(sample_size=8, in_channels=2, cross_attention_dim=8, **small, **kinds))


def looking(share, parts, cover):
    """Attention (1, 64, tokens) that goes to each word evenly in its region, but for `share`, evenly everywhere."""
    regions = torch.cat([cover, 1 - cover.sum(1, keepdim=True)], dim=1)[0].flatten(1)
    maps = torch.stack([regions[part] if part >= 0 else torch.zeros(64) for part in parts[0].tolist()], dim=1)
    return ((1 - share) * maps + share / parts.shape[1])[None]


def scene_cover():
    cover = torch.zeros(1, 3, 8, 8)
    cover[0, 0, 2:6, 2:6], cover[0, 1, 6:, 6:], cover[0, 2, :2, 2:6] = 1, 1, 1
    return cover


def test_the_loss_falls_as_words_look_at_their_things_and_the_lift_says_by_how_much(grounding):
    parts, cover, signal = torch.tensor([[FREE, 0, 1, 2, 3]]), scene_cover(), torch.ones(1)
    losses = [grounding.loss([looking(share, parts, cover)], parts, cover, signal).item() for share in (0.0, 0.5, 1.0)]
    assert losses[0] < 0.05 < losses[1] < losses[2]
    grounding.lift.fill_(1.0)
    for _ in range(400):
        grounding.loss([looking(0.0, parts, cover)], parts, cover, signal)
    assert grounding.lift.tolist() == pytest.approx([64 / 16, 64 / 4, 64 / 8], rel=0.02)


def test_words_that_are_everywhere_and_words_unsaid_cost_nothing(grounding):
    parts, cover, signal = torch.tensor([[FREE, 0, FREE, REST]]), scene_cover(), torch.ones(1)
    attention = looking(0.0, parts, cover)
    attention[0, :, 2] = 5.0  # a style, which takes most of it at every place
    assert grounding.loss([attention], parts, cover, signal).item() < 0.05
    attention[0, :, 3] = 5.0
    assert grounding.loss([attention], parts, cover, signal).item() > 0.2
    assert grounding.loss([attention], parts, cover, torch.zeros(1)).item() == 0  # where only noise is seen


def test_the_more_words_look_at_their_things_the_less_it_weighs(grounding):
    grounding.lift.fill_(1.0)
    assert grounding.weight() == pytest.approx(MOST)
    grounding.lift.copy_(torch.tensor([*GOALS.values()]) + 1)
    assert grounding.weight() == pytest.approx(LEAST)


def test_watched_attention_computes_what_diffusers_does(grounding):
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=2,
        out_channels=2,
        cross_attention_dim=8,
        block_out_channels=(16,),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=2,
        down_block_types=("CrossAttnDownBlock2D",),
        up_block_types=("CrossAttnUpBlock2D",),
    )
    watched = Grounding(unet)
    x, said = torch.randn(2, 2, 8, 8), torch.randn(2, 5, 8)
    plain = unet(x, 3, said).sample
    with watched.watching() as maps:
        seen = unet(x, 3, said).sample
    assert torch.allclose(plain, seen, atol=1e-5)
    assert len(maps) == 4 and all(one.shape == (2, 64, 5) for one in maps)
    assert torch.allclose(maps[0].sum(2), torch.ones(2, 64))
    unet(x, 3, said)
    assert len(maps) == 4
