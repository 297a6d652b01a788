"""Personalization: what trains and what does not, the loss, the bits, resuming, and saved weights."""

import copy
from dataclasses import replace

import pytest
import torch
from conftest import make_pipe, make_xl_pipe
from PIL import Image
from safetensors import safe_open

from sidkit.config import Training
from sidkit.models import copy_pipeline
from sidkit.personalization.examples import Examples, _shuffled, encode_pictures, encode_texts
from sidkit.personalization.loop import personalize
from sidkit.personalization.saving import FILE, load_personalized, save_personalized

CAPTIONS = ["a photo of a sks dog", "a sks dog on a beach", "a sks dog next to a ball", "a sks dog in the snow"]
SHORT = Training(steps=4, learning_rate=1e-3, batch_size=2)


def train(pipe, pictures, training=SHORT, captions=CAPTIONS, seed=0, **options):
    captions = captions[: len(pictures)]
    return personalize(pipe, pictures, captions, "dreambooth", training, seed=seed, progress=False, **options)


def weights(pipe, part="unet"):
    return {name: value.clone() for name, value in getattr(pipe, part).state_dict().items()}


def same(one, two):
    return all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
def test_the_loss_falls_on_a_picture_learnt_by_heart(pictures, prediction_type):
    training = Training(steps=32, learning_rate=5e-3, batch_size=4)
    losses = train(make_pipe(prediction_type), pictures[:1], training).losses
    assert len(losses) == 32
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_the_loss_is_the_one_of_the_prediction_type(tiny_pipe, pictures, monkeypatch):
    """With a UNet that answers 0, the loss is the target's mean square: of the noise, or of the velocity."""
    monkeypatch.setattr("sidkit.personalization.examples.denoise", lambda pipe, noisy, *_: torch.zeros_like(noisy))
    noisy = make_pipe("epsilon")
    for pipe in (tiny_pipe, noisy):
        examples = Examples(pipe, pictures, CAPTIONS, True)
        generator = torch.Generator().manual_seed(3)
        got = examples.loss(4, generator)
        generator = torch.Generator().manual_seed(3)
        latents = examples.latents[torch.randperm(4, generator=generator)]
        noise = torch.randn(latents.shape, generator=generator)
        timesteps = torch.randint(1000, (4,), generator=generator)
        alphas = examples.schedule.alphas_cumprod[timesteps][:, None, None, None]
        target = noise if pipe is noisy else alphas.sqrt() * noise - (1 - alphas).sqrt() * latents
        assert torch.allclose(got, (target**2).mean(), rtol=1e-5)


def test_the_same_seed_gives_the_same_bits(tiny_pipe, pictures):
    pipes = [copy_pipeline(tiny_pipe) for _ in range(3)]
    logs = [train(pipe, pictures, seed=seed) for pipe, seed in zip(pipes, (0, 0, 1))]
    assert logs[0].losses == logs[1].losses != logs[2].losses
    assert same(weights(pipes[0]), weights(pipes[1]))
    assert not same(weights(pipes[0]), weights(pipes[2]))


def test_no_global_randomness_is_used(tiny_pipe, pictures):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = train(copy_pipeline(tiny_pipe), pictures).losses
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    assert train(copy_pipeline(tiny_pipe), pictures).losses == first


def test_captions_matter(tiny_pipe, pictures):
    one, two = copy_pipeline(tiny_pipe), copy_pipeline(tiny_pipe)
    train(one, pictures)
    train(two, pictures, captions=CAPTIONS[:1] * 4)
    assert not same(weights(one), weights(two))


@pytest.mark.parametrize("text_encoder", [False, True])
def test_a_resumed_run_gives_the_bits_of_an_unbroken_one(tiny_pipe, pictures, tmp_path, text_encoder):
    training = replace(SHORT, steps=7, text_encoder=text_encoder)
    whole, broken, resumed = (copy_pipeline(tiny_pipe) for _ in range(3))
    unbroken = train(whole, pictures, training)
    with pytest.raises(KeyboardInterrupt), interrupted_in_step(6):
        train(broken, pictures, training, checkpoint=tmp_path, checkpoint_every=2)
    log = train(resumed, pictures, training, checkpoint=tmp_path, checkpoint_every=2)
    assert log.losses == unbroken.losses
    assert same(weights(resumed), weights(whole))
    assert same(weights(resumed, "text_encoder"), weights(whole, "text_encoder"))


def interrupted_in_step(step):
    count = iter(range(1, 100))
    patch = pytest.MonkeyPatch()
    loss = Examples.loss

    def until_then(*arguments):
        if next(count) == step:
            raise KeyboardInterrupt
        return loss(*arguments)

    class Interrupted:
        def __enter__(self):
            patch.setattr(Examples, "loss", until_then)

        def __exit__(self, *_):
            patch.undo()

    return Interrupted()


@pytest.mark.parametrize(
    "changed", [dict(seed=1), dict(captions=CAPTIONS[::-1]), dict(training=replace(SHORT, learning_rate=1e-4))]
)
def test_a_checkpoint_of_another_run_is_set_aside(tiny_pipe, pictures, tmp_path, capsys, changed):
    train(copy_pipeline(tiny_pipe), pictures, checkpoint=tmp_path, checkpoint_every=2)
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    again = train(copy_pipeline(tiny_pipe), pictures, checkpoint=tmp_path, **changed)
    assert again.losses == train(copy_pipeline(tiny_pipe), pictures, **changed).losses
    (kept,) = tmp_path.glob("*.set-aside-1")
    assert kept.read_bytes() == before
    assert "of another run" in capsys.readouterr().err


def test_prior_preservation_adds_the_weighted_loss_of_class_pictures(tiny_pipe, pictures):
    prior = (pictures[2:], ["a photo of a dog"] * 2)
    once = replace(SHORT, steps=1)
    plain = train(copy_pipeline(tiny_pipe), pictures[:2], once).losses[0]
    half, full = (
        train(copy_pipeline(tiny_pipe), pictures[:2], replace(once, prior_weight=weight), prior=prior).losses[0]
        for weight in (0.5, 1.0)
    )
    assert plain < half < full
    assert full - plain == pytest.approx(2 * (half - plain), rel=1e-4)


def test_xl_trains_with_its_two_text_encoders(pictures):
    pipe = make_xl_pipe()
    parts = ("unet", "text_encoder", "text_encoder_2")
    before = {part: weights(pipe, part) for part in parts}
    log = train(pipe, pictures[:1], Training(steps=30, learning_rate=5e-3, batch_size=4, text_encoder=True))
    assert sum(log.losses[-10:]) < 0.8 * sum(log.losses[:10])
    assert not any(same(weights(pipe, part), before[part]) for part in parts)
    meaning = encode_texts(pipe, CAPTIONS[:3])
    assert meaning.hidden.shape == (3, 48, 32)
    assert meaning[torch.tensor([2, 0])].pooled.shape == (2, 8)


def test_lower_precision_trains_in_single_precision_weights(tiny_pipe, pictures):
    before = weights(tiny_pipe)
    log = train(tiny_pipe, pictures, replace(SHORT, precision="bf16"))
    assert all(0 < loss < 10 for loss in log.losses)
    assert tiny_pipe.unet.dtype == torch.float32
    assert not same(weights(tiny_pipe), before)


def test_texts_are_encoded_as_in_sampling(tiny_pipe):
    tokens = tiny_pipe.tokenizer(CAPTIONS, padding="max_length", return_tensors="pt").input_ids
    with torch.no_grad():
        assert torch.equal(encode_texts(tiny_pipe, CAPTIONS).hidden, tiny_pipe.text_encoder(tokens).last_hidden_state)


def test_pictures_are_encoded_at_the_model_s_size_by_their_middle(tiny_pipe, pictures):
    wide = Image.new("RGB", (128, 64), "red")
    wide.paste(pictures[0], (32, 0))
    with torch.no_grad():
        latents, middle = (
            encode_pictures(tiny_pipe, pictures),
            encode_pictures(tiny_pipe, [wide, wide.resize((256, 128))]),
        )
    assert latents.shape == (4, 4, 16, 16)
    assert middle.shape == (2, 4, 16, 16)
    assert torch.equal(middle[0], latents[0])
    assert not torch.equal(middle[1], latents[0])


@pytest.mark.parametrize(("examples", "count"), [(4, 4), (1, 3), (3, 8), (5, 2)])
def test_no_example_comes_much_more_often_than_another(examples, count):
    index = _shuffled(examples, count, torch.Generator().manual_seed(0))
    often = torch.bincount(index, minlength=examples)
    assert len(index) == count
    assert often.max() - often.min() <= 1


def test_saved_weights_come_back_bit_for_bit(tiny_pipe, pictures, tmp_path):
    trained, base = copy_pipeline(tiny_pipe), copy_pipeline(tiny_pipe)
    train(trained, pictures)
    path = save_personalized(trained, tmp_path / "new", "dreambooth", SHORT)
    assert path.name == FILE
    with safe_open(path, "pt") as file:
        assert file.metadata()["method"] == "dreambooth"
    assert load_personalized(base, tmp_path / "new") == ("dreambooth", SHORT)
    assert same(weights(base), weights(trained))
    assert not same(weights(base), weights(tiny_pipe))


def test_saved_weights_that_do_not_fit_are_refused(tiny_pipe, tmp_path):
    with pytest.raises(ValueError, match=r"expected personalized weights at .*personalize the subject again"):
        load_personalized(tiny_pipe, tmp_path)
    path = save_personalized(tiny_pipe, tmp_path, "dreambooth", replace(SHORT, text_encoder=True))
    tiny_pipe.text_encoder.resize_token_embeddings(2000)
    with pytest.raises(ValueError, match="of another base model"):
        load_personalized(tiny_pipe, tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="expected personalized weights"):
        load_personalized(tiny_pipe, tmp_path)


def test_the_mark_in_a_caption_stands_for_the_identifier(tiny_pipe, pictures):
    marked, named = copy.deepcopy(tiny_pipe), copy.deepcopy(tiny_pipe)
    personalize(marked, pictures, ["a [v] dog"] * 4, "dreambooth", SHORT, seed=0, progress=False)
    personalize(named, pictures, ["a sks dog"] * 4, "dreambooth", SHORT, seed=0, progress=False)
    assert same(weights(marked), weights(named))


@pytest.mark.parametrize(
    ("captions", "training", "method", "prior", "message"),
    [
        (CAPTIONS, SHORT, "dreamboth", None, "unknown method 'dreamboth'; did you mean 'dreambooth'"),
        (CAPTIONS[:3], SHORT, "dreambooth", None, "one caption each, got 4 and 3"),
        (["a sks dog " * 20] * 4, SHORT, "dreambooth", None, "expected at most 48 tokens.*got 62"),
        (CAPTIONS, replace(SHORT, prior_weight=1.0), "dreambooth", None, "class pictures exactly where prior_weight"),
        (CAPTIONS, SHORT, "dreambooth", ([None], ["a dog"]), "class pictures exactly where prior_weight"),
        (CAPTIONS, SHORT, "dreambooth", ([], []), "one caption each, got 0 and 0"),
    ],
)
def test_a_wrong_request_is_refused_before_training(tiny_pipe, pictures, captions, training, method, prior, message):
    before = weights(tiny_pipe)
    with pytest.raises(ValueError, match=message):
        personalize(tiny_pipe, pictures, captions, method, training, seed=0, prior=prior, progress=False)
    assert same(weights(tiny_pipe), before)
