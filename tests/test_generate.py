"""Generation: a picture's bits are its prompt's and its seed's, whatever is drawn beside it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import make_xl_pipe

from sidkit.config import Sampling
from sidkit.generation import CPU_BATCH, class_pictures, generate

QUICK = Sampling(steps=2, guidance=3.0)
PROMPTS = ["a sks dog on a beach", "a sks dog next to a ball", "a red sks dog"]


def draw(pipe, prompts=PROMPTS, seeds=(0, 1, 2, 3), sampling=QUICK):
    pictures = generate(pipe, list(prompts), list(seeds), sampling, progress=False)
    return {(picture.prompt, picture.seed): np.asarray(picture.image) for picture in pictures}


def test_there_is_a_picture_for_each_prompt_and_seed_in_order(tiny_pipe):
    pictures = generate(tiny_pipe, PROMPTS[:2], [5, 3], QUICK, progress=False)
    asked = [(prompt, seed) for prompt in PROMPTS[:2] for seed in (5, 3)]
    assert [(picture.prompt, picture.seed) for picture in pictures] == asked
    assert {picture.image.size for picture in pictures} == {(64, 64)}


def test_bits_do_not_depend_on_what_is_drawn_beside(tiny_pipe):
    """12 pictures in two batches, alone, in another order, and whatever batch size is set."""
    together = draw(tiny_pipe)
    assert len(together) == 12 > CPU_BATCH
    for key in list(together)[::5]:
        alone = draw(tiny_pipe, [key[0]], [key[1]])
        assert np.array_equal(alone[key], together[key])
    others = [draw(tiny_pipe, PROMPTS[::-1], (3, 1)), draw(tiny_pipe, sampling=replace(QUICK, batch_size=1))]
    assert all(np.array_equal(image, together[key]) for other in others for key, image in other.items())


def test_bits_are_equal_before_they_are_rounded_to_pixels(tiny_pipe, monkeypatch):
    latents = {}
    decode = tiny_pipe.vae.decode
    monkeypatch.setattr(
        tiny_pipe.vae, "decode", lambda z, *a, **k: latents.setdefault("z", []).append(z) or decode(z, *a, **k)
    )
    draw(tiny_pipe, PROMPTS[:1], (0, 1, 2))
    draw(tiny_pipe, PROMPTS[:1], (2,))
    assert torch.equal(latents["z"][0][2], latents["z"][1][0])


def test_seeds_and_prompts_make_different_pictures(tiny_pipe):
    images = [image.tobytes() for image in draw(tiny_pipe).values()]
    assert len(set(images)) == len(images)


def test_a_seed_is_the_same_noise_for_every_prompt(tiny_pipe, monkeypatch):
    tiny_pipe.text_encoder.get_input_embeddings().weight.data.zero_()  # prompts of one length now mean the same
    images = draw(tiny_pipe, ["a sks dog", "a sks cat"], (0, 1))
    assert np.array_equal(images["a sks dog", 0], images["a sks cat", 0])
    assert not np.array_equal(images["a sks dog", 0], images["a sks dog", 1])


def test_a_negative_prompt_changes_the_picture(tiny_pipe):
    plain, without = (
        draw(tiny_pipe, PROMPTS[:1], (0,), replace(QUICK, negative_prompt=text)) for text in ("", "a ball on a beach")
    )
    assert not np.array_equal(plain[PROMPTS[0], 0], without[PROMPTS[0], 0])


def test_the_mark_in_a_prompt_stands_for_the_identifier(tiny_pipe):
    marked, named = (generate(tiny_pipe, [text], [0], QUICK, progress=False) for text in ("a [v] dog", "a sks dog"))
    assert marked[0].prompt == "a sks dog"
    assert np.array_equal(np.asarray(marked[0].image), np.asarray(named[0].image))


def test_guidance_changes_the_picture(tiny_pipe):
    one, three = (draw(tiny_pipe, PROMPTS[:1], (0,), replace(QUICK, guidance=guidance)) for guidance in (1, 3))
    assert not np.array_equal(one[PROMPTS[0], 0], three[PROMPTS[0], 0])


def test_no_global_randomness_is_used(tiny_pipe):
    state = torch.get_rng_state()
    draw(tiny_pipe, PROMPTS[:1], (0,))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("prompt", "sampling", "message"),
    [
        ("a sks dog " * 20, QUICK, "expected at most 48 tokens"),
        ("a sks dog", replace(QUICK, negative_prompt="a ball " * 40), "expected at most 48 tokens"),
        (
            "a sks dog",
            replace(QUICK, negative_prompt="a ball", guidance=1),
            "works through guidance: .* above 1, got 1",
        ),
    ],
)
def test_a_wrong_request_is_refused(tiny_pipe, prompt, sampling, message):
    with pytest.raises(ValueError, match=message):
        generate(tiny_pipe, [prompt], [0], sampling)


def test_class_pictures_show_the_class_and_differ(tiny_pipe):
    images, captions = class_pictures(tiny_pipe, "owl", 3, QUICK, seed=7, progress=False)
    assert captions == ["a photo of an owl"] * 3
    assert len({image.tobytes() for image in images}) == 3
    again, _ = class_pictures(tiny_pipe, "owl", 3, QUICK, seed=7, progress=False)
    assert [image.tobytes() for image in images] == [image.tobytes() for image in again]


def test_xl_draws_too():
    images = draw(make_xl_pipe(), PROMPTS[:2], (0,))
    assert not np.array_equal(images[PROMPTS[0], 0], images[PROMPTS[1], 0])
