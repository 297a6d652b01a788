"""Cross-attention maps: they are the model's own, they change nothing, and what cannot be seen is said."""

import copy
import warnings

import numpy as np
import pytest
import torch
from conftest import make_pipe, make_xl_pipe
from PIL import Image

from sidkit.attention import CONVENTIONS, capture, look, off_subject
from sidkit.attention_hooks import Batch, Watch
from sidkit.config import Sampling, load_profile
from sidkit.generation import generate
from sidkit.models import load_pipeline

PROMPTS = ["a sks dog on a beach", "a photo of a sks cat"]
PIPES = {"1.x": lambda: make_pipe("epsilon"), "2.x": make_pipe, "xl": make_xl_pipe}
every_pipe = pytest.mark.parametrize("kind", PIPES)


def draw(pipe, guidance=3.0, steps=2):
    return generate(pipe, PROMPTS, [0], Sampling(steps=steps, guidance=guidance), progress=False)


@every_pipe
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_watching_changes_no_pixel_and_leaves_the_pipeline_as_it_was(kind, guidance):
    pipe = PIPES[kind]()
    before, processors = draw(pipe, guidance), dict(pipe.unet.attn_processors)
    with capture(pipe, ["sks"]) as maps:
        watched = draw(pipe, guidance)
    assert all(np.array_equal(a.image, b.image) for a, b in zip(before, watched))
    assert pipe.unet.attn_processors == processors
    assert not pipe.unet._forward_hooks and not pipe.text_encoder._forward_pre_hooks
    heat = maps.of("sks")[: len(PROMPTS)]
    assert heat.shape == (2, 16, 16) and np.isfinite(heat).all() and (heat > 0).all() and (heat < 1).all()
    assert not np.allclose(heat[0], heat[1])


@every_pipe
def test_all_words_together_are_all_of_the_attention(kind):
    """Over the tokens of a text, attention sums to one in every pixel."""
    pipe = PIPES[kind]()
    text = PROMPTS[0]
    with capture(pipe, text.split()[1:]) as maps:
        generate(pipe, [text], [0], Sampling(steps=1, guidance=1), progress=False)
    said = sum(maps.of(word)[0] for word in text.split()[1:] if word != "a")
    assert (said < 1).all() and (said > 0).all()


def test_steps_and_layers_average_to_the_whole(tiny_pipe):
    with capture(tiny_pipe, ["sks", "dog"]) as maps:
        generate(tiny_pipe, PROMPTS[:1], [0, 1], Sampling(steps=3, guidance=3), progress=False)
    steps, layers = maps.by_step("dog"), maps.by_layer("dog")
    assert len(steps) == 3 and len(layers) == sum("attn2" in name for name in tiny_pipe.unet.attn_processors)
    assert np.allclose(np.mean(steps, 0), maps.of("dog"))
    assert np.allclose(np.mean(list(layers.values()), 0), maps.of("dog"), atol=1e-6)
    assert not np.allclose(maps.of("dog"), maps.of("sks"))


def test_the_map_is_the_attention_computed_by_hand(tiny_pipe):
    """One layer, one step, no guidance: softmax of the layer's own queries and keys."""
    seen = {}
    layer = tiny_pipe.unet.get_submodule("down_blocks.1.attentions.0.transformer_blocks.0.attn2")

    def keep(module, args, kwargs):
        seen["hidden"], seen["said"] = args[0], kwargs["encoder_hidden_states"]

    hook = layer.register_forward_pre_hook(keep, with_kwargs=True)
    with capture(tiny_pipe, ["sks"]) as maps:
        generate(tiny_pipe, PROMPTS[:1], [0], Sampling(steps=1, guidance=1), progress=False)
    hook.remove()
    heads, pixels = layer.heads, seen["hidden"].shape[1]
    with torch.no_grad():
        query, key = (f(x).unflatten(-1, (heads, -1)).transpose(1, 2) for f, x in
                      ((layer.to_q, seen["hidden"]), (layer.to_k, seen["said"])))  # fmt: skip
        share = (query @ key.transpose(2, 3) * layer.scale).softmax(-1).mean(1)
    ids = tiny_pipe.tokenizer(PROMPTS[0])["input_ids"]
    at = ids.index(*tiny_pipe.tokenizer("sks", add_special_tokens=False)["input_ids"])
    side = int(pixels**0.5)
    grid = share[0, :, at].reshape(1, 1, side, side)
    wanted = torch.nn.functional.interpolate(grid, (16, 16), mode="bilinear")[0, 0]
    found = maps.by_layer("sks")["down_blocks.1.attentions.0.transformer_blocks.0"][0]
    assert np.allclose(found, wanted.numpy(), atol=1e-6)


def test_pieces_of_a_word_are_added_or_averaged(tiny_pipe):
    word, found = "xylophone", {}
    count = len(tiny_pipe.tokenizer.tokenize(word))
    assert count > 1
    for pieces in ("sum", "mean"):
        with capture(tiny_pipe, [word, "sks"], pieces=pieces) as maps:
            generate(tiny_pipe, [f"a {word} on a sks beach"], [0], Sampling(steps=1, guidance=3), progress=False)
        found[pieces] = maps
    assert np.allclose(found["sum"].of(word), count * found["mean"].of(word), rtol=1e-4)
    assert np.array_equal(found["sum"].of("sks"), found["mean"].of("sks"))  # it is one token


def test_a_word_that_is_said_twice_is_averaged(tiny_pipe):
    watch = Watch(tiny_pipe, ("dog",))
    heat = torch.arange(2 * 5 * 3.0).reshape(2, 5, 3)  # heads, tokens, pixels
    assert torch.equal(watch._maps_of_picture(heat, [[[1], [3]]])[0], (heat[:, 1] + heat[:, 3]) / 2)
    assert torch.equal(watch._maps_of_picture(heat, [[[1, 2], [3, 4]]])[0], heat[:, 1:].sum(1) / 2)


def test_pictures_that_are_not_square(tiny_pipe):
    with capture(tiny_pipe, ["sks"]) as maps:
        tiny_pipe(PROMPTS[0], height=48, width=88, num_inference_steps=1, guidance_scale=3.0)
    assert maps.of("sks").shape == (1, 12, 22)


def test_several_pictures_of_a_prompt(tiny_pipe):
    with capture(tiny_pipe, ["sks"]) as maps:
        tiny_pipe(PROMPTS, num_images_per_prompt=2, height=64, width=64, num_inference_steps=1)
    assert maps.of("sks").shape == (4, 16, 16)


def test_daam_leaves_out_the_middle_and_is_never_negative(tiny_pipe):
    found = {}
    for convention in CONVENTIONS:
        with capture(tiny_pipe, ["sks"], convention=convention) as maps:
            draw(tiny_pipe)
        found[convention] = maps
    ours, daam = found["mean"], found["daam"]
    layers = [name for name in ours.by_layer("sks") if not name.startswith("mid")]
    assert list(daam.by_layer("sks")) == layers and len(layers) == len(ours.by_layer("sks")) - 1
    assert daam.of("sks").shape[1:] == (64, 64) and (daam.of("sks") >= 0).all()
    small = np.mean([ours.by_layer("sks")[name] for name in layers], axis=0)[0]
    again = daam.of("sks")[0].reshape(16, 4, 16, 4).mean(axis=(1, 3))
    assert np.allclose(again, small, atol=0.005) and np.corrcoef(again.ravel(), small.ravel())[0, 1] > 0.95


@pytest.mark.parametrize(("side", "counts"), [(16, True), (8, False)])
def test_daam_leaves_out_maps_eight_times_smaller(tiny_pipe, side, counts):
    batch = Batch([[[[1]]]], size=(64, 64))
    watch = Watch(tiny_pipe, ("sks",), convention="daam", batches=[batch])
    layer = tiny_pipe.unet.get_submodule("down_blocks.1.attentions.0.transformer_blocks.0.attn2")
    with torch.no_grad():
        watch.see("down_blocks.1", layer, torch.zeros(1, side**2, 32), torch.zeros(1, 48, 16))
    assert bool(batch.running) == counts


def test_an_exception_inside_leaves_the_pipeline_as_it_was(tiny_pipe):
    processors = dict(tiny_pipe.unet.attn_processors)
    with pytest.raises(ZeroDivisionError), capture(tiny_pipe, ["sks"]):
        draw(tiny_pipe)
        raise ZeroDivisionError
    assert tiny_pipe.unet.attn_processors == processors and not tiny_pipe.unet._forward_hooks


@pytest.mark.parametrize(
    ("words", "convention", "message"),
    [
        ([], "mean", "words: expected a list"),
        ("sks", "mean", "words: expected a list"),
        (["sks"], "dam", "unknown convention 'dam'; did you mean 'daam'"),
        (["zebra"], "mean", "expected the word 'zebra' in"),
    ],
)
def test_what_cannot_be_watched_is_refused(tiny_pipe, words, convention, message):
    with pytest.raises(ValueError, match=message), capture(tiny_pipe, words, convention=convention):
        draw(tiny_pipe)
    assert not tiny_pipe.unet._forward_hooks


def test_nothing_drawn_is_an_error(tiny_pipe):
    with pytest.raises(ValueError, match="expected the pipeline to draw something inside"), capture(tiny_pipe, ["sks"]):
        pass


def test_embeddings_in_the_place_of_texts_are_refused(tiny_pipe):
    said = tiny_pipe.encode_prompt(PROMPTS[0], "cpu", 1, False)[0]
    with pytest.raises(ValueError, match="got embeddings"), capture(tiny_pipe, ["sks"]):
        tiny_pipe(prompt_embeds=said, height=64, width=64, num_inference_steps=1, guidance_scale=1)


@every_pipe
def test_given_pictures_are_looked_at_the_same_every_time(kind, pictures):
    pipe = PIPES[kind]()
    draw(pipe)  # which leaves the pipeline's own guidance behind
    found = [look(pipe, pictures[:2], PROMPTS, ["sks"], seed=seed).by_step("sks") for seed in (0, 0, 1)]
    assert found[0].shape == (10, 2, 16, 16)
    assert np.array_equal(found[0], found[1]) and not np.array_equal(found[0], found[2])


@pytest.mark.parametrize("drawn", [False, True])
def test_looking_leaves_the_pipeline_as_it_was(tiny_pipe, pictures, drawn):
    """Also what it notes of its guidance, by which a later `capture` tells which half reads the prompt."""
    if drawn:
        draw(tiny_pipe)
    before = dict(vars(tiny_pipe))
    look(tiny_pipe, pictures[:2], PROMPTS, ["sks"], seed=0)
    assert vars(tiny_pipe) == before


def test_the_shipped_pipeline_is_watched_too():
    pipe = load_pipeline(load_profile("stickers"))
    twin = copy.deepcopy(pipe)
    with capture(pipe, ["sks", "dog"]) as maps:
        seen = generate(pipe, PROMPTS[:1], [0], Sampling(steps=2, guidance=3), progress=False)
    assert np.array_equal(
        seen[0].image, generate(twin, PROMPTS[:1], [0], Sampling(steps=2, guidance=3), progress=False)[0].image
    )
    assert maps.of("sks")[:1].shape == (1, 16, 16)


def test_attention_leakage_by_hand():
    mask = np.zeros((4, 4), bool)
    mask[:, :2] = True
    flat = np.ones((1, 4, 4))
    left = np.zeros((1, 4, 4))
    left[..., :2] = 1
    assert off_subject(flat, [mask]) == pytest.approx([0.5])
    assert off_subject(left, [mask]) == pytest.approx([0.0])
    assert off_subject(left, [~mask]) == pytest.approx([1.0])
    assert off_subject(np.stack([flat, left]), [mask])[:, 0] == pytest.approx([0.5, 0])
    coarse = np.array([[[1.0, 3.0], [1.0, 3.0]]])
    assert off_subject(coarse, [mask]) == pytest.approx([0.75])
    with warnings.catch_warnings(action="error"):
        assert np.isnan(off_subject(np.zeros((1, 4, 4)), [mask])).all()
    with pytest.raises(ValueError, match="masks: expected 1, one a picture, got 2"):
        off_subject(flat, [mask, mask])
    assert Image.fromarray(mask).size == (4, 4)
