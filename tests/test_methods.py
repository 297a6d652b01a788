"""One contract for every method: what trains, that it learns, its bits, its file; and what is special to each."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import make_pipe, make_xl_pipe
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

from sidkit.config import Sampling, Training
from sidkit.generation import generate
from sidkit.models import copy_pipeline, text_parts
from sidkit.personalization.examples import Examples
from sidkit.personalization.loop import personalize
from sidkit.personalization.methods import METHODS, groups, trained_parameters
from sidkit.personalization.saving import FILE, load_personalized, save_personalized
from sidkit.personalization.token import _rows

CAPTIONS = ["a photo of a sks dog", "a sks dog on a beach", "a sks dog next to a ball", "a sks dog in the snow"]
SHORT = Training(steps=3, learning_rate=1e-2, batch_size=2, rank=2)
LEARNING = {"dreambooth": 5e-3, "lora": 2e-2, "custom_diffusion": 2e-2, "svdiff": 5e-2, "textual_inversion": 5e-2}
NETWORKS = ("unet", "text_encoder", "vae")
SAMPLING = Sampling(steps=2)

every_method = pytest.mark.parametrize("method", METHODS)
every_pipe = pytest.mark.parametrize("make", [make_pipe, make_xl_pipe])


def train(pipe, pictures, method, training=SHORT, seed=0, **options):
    captions = CAPTIONS[: len(pictures)]
    options = dict(class_word="dog", progress=False) | options
    return personalize(pipe, pictures, captions, method, training, seed=seed, **options)


def weights(pipe, parts=NETWORKS):
    named = ((part, getattr(pipe, part).state_dict()) for part in parts)
    return {f"{part}.{name}": value.clone() for part, state in named for name, value in state.items()}


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def drawn(pipe):
    picture = generate(pipe, ["a photo of a sks dog"], [0], SAMPLING, progress=False)[0]
    return np.asarray(picture.image)


@every_pipe
@every_method
def test_only_what_is_trained_changes_and_all_of_it(make, pictures, method):
    pipe = make()
    parts = [part for part in (*NETWORKS, "text_encoder_2") if getattr(pipe, part, None) is not None]
    trained = set(trained_parameters(pipe, method, SHORT))
    before = weights(pipe, parts)
    train(pipe, pictures, method)
    after = weights(pipe, parts)
    assert before.keys() == after.keys()  # a second call adds nothing
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed <= trained and len(changed) > 0.9 * len(trained)
    assert not any(weight.requires_grad for part in parts for weight in getattr(pipe, part).parameters())


EXPECTED = {
    "lora": lambda name: ".lora_" in name,
    "custom_diffusion": lambda name: ".attn2.to_k." in name or ".attn2.to_v." in name or "trainable_tokens" in name,
    "svdiff": lambda name: name.startswith("unet.") and name.endswith(".shift"),
    "textual_inversion": lambda name: "trainable_tokens" in name,
}


@pytest.mark.parametrize("method", EXPECTED)
def test_a_method_trains_what_its_paper_says(tiny_pipe, method):
    names = list(trained_parameters(tiny_pipe, method, SHORT))
    assert names and all(EXPECTED[method](name) for name in names)


def test_adding_a_method_s_parts_changes_no_picture(tiny_pipe):
    before = drawn(tiny_pipe)
    for method in METHODS:
        pipe = copy_pipeline(tiny_pipe)
        trained_parameters(pipe, method, SHORT)
        assert np.array_equal(drawn(pipe), before), method


@every_method
def test_the_loss_falls(tiny_pipe, pictures, method):
    """Measured on the same noise before and after, over one picture learnt by heart."""
    steps, enough = (120, 0.9995) if method == "textual_inversion" else (40, 0.97)  # one vector changes little
    training = Training(steps=steps, learning_rate=LEARNING[method], batch_size=4, weight_decay=0.0)

    def loss():
        with torch.no_grad():
            return Examples(tiny_pipe, pictures[:1], CAPTIONS[:1], True).loss(64, torch.Generator().manual_seed(7))

    before = loss()
    train(tiny_pipe, pictures[:1], method, training)
    told = f"from {before:.4f} to {loss():.4f}"
    assert loss() < before * enough, told


@every_method
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(tiny_pipe, pictures, method):
    pipes = [copy_pipeline(tiny_pipe) for _ in range(3)]
    torch.manual_seed(5)
    logs = [train(pipe, pictures, method, seed=seed) for pipe, seed in zip(pipes, (0, 0, 1))]
    assert logs[0].losses == logs[1].losses != logs[2].losses
    assert same(weights(pipes[0]), weights(pipes[1]))
    assert not same(weights(pipes[0]), weights(pipes[2]))


@every_pipe
@every_method
def test_a_saved_file_brings_the_pictures_back(make, pictures, tmp_path, method):
    base = make()
    trained = copy_pipeline(base)
    train(trained, pictures, method)
    save_personalized(trained, tmp_path, method, SHORT)
    again = copy_pipeline(base)
    assert load_personalized(again, tmp_path) == (method, SHORT)
    assert same(weights(again), weights(trained))
    assert np.array_equal(drawn(again), drawn(trained))
    assert not np.array_equal(drawn(again), drawn(base))


@every_method
def test_a_resumed_run_gives_the_bits_of_an_unbroken_one(tiny_pipe, pictures, tmp_path, method):
    whole, parts = copy_pipeline(tiny_pipe), copy_pipeline(tiny_pipe)
    unbroken = train(whole, pictures, method, replace(SHORT, steps=5))
    kept = dict(checkpoint=tmp_path, checkpoint_every=2)
    calls, loss = [], Examples.loss

    def until_the_fourth(self, *arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return loss(self, *arguments)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Examples, "loss", until_the_fourth)
        train(copy_pipeline(tiny_pipe), pictures, method, replace(SHORT, steps=5), **kept)
    log = train(parts, pictures, method, replace(SHORT, steps=5), **kept)
    assert log.losses == unbroken.losses
    assert same(weights(parts), weights(whole))


@pytest.mark.parametrize("method", [name for name, one in METHODS.items() if not one.trains_text])
def test_a_text_encoder_is_refused_where_it_is_not_trained(tiny_pipe, pictures, method):
    before = weights(tiny_pipe)
    with pytest.raises(ValueError, match=f"text_encoder: expected false for {method}"):
        train(tiny_pipe, pictures, method, replace(SHORT, text_encoder=True))
    assert same(weights(tiny_pipe), before)


def test_dreambooth_trains_the_text_encoder_when_asked(tiny_pipe):
    names = trained_parameters(tiny_pipe, "dreambooth", replace(SHORT, text_encoder=True))
    assert {name.split(".")[0] for name in names} == {"unet", "text_encoder"}


def test_a_lora_file_loads_in_plain_diffusers(tiny_pipe, pictures, tmp_path):
    plain = copy.deepcopy(tiny_pipe)
    train(tiny_pipe, pictures, "lora")
    save_personalized(tiny_pipe, tmp_path, "lora", SHORT)
    assert isinstance(plain, StableDiffusionPipeline)
    plain.load_lora_weights(tmp_path, weight_name=FILE)
    assert np.array_equal(drawn(plain), drawn(tiny_pipe))


def test_a_learnt_word_loads_in_plain_diffusers(tiny_pipe, pictures, tmp_path):
    plain = copy.deepcopy(tiny_pipe)
    train(tiny_pipe, pictures, "textual_inversion")
    path = save_personalized(tiny_pipe, tmp_path, "textual_inversion", SHORT)
    assert {name: tuple(value.shape) for name, value in load_file(path).items()} == {"sks": (1, 16)}
    plain.load_textual_inversion(tmp_path, weight_name=FILE, token="<mine>")
    picture = generate(plain, ["a photo of a <mine> dog"], [0], SAMPLING, progress=False)[0]
    assert np.array_equal(np.asarray(picture.image), drawn(tiny_pipe))


def test_svdiff_shifts_singular_values_and_nothing_else(tiny_pipe):
    trained_parameters(tiny_pipe, "svdiff", SHORT)
    layer = tiny_pipe.unet.conv_in
    values = torch.linalg.svdvals(layer.weight.flatten(1))
    with torch.no_grad():
        layer.parametrizations.weight[0].shift[:] = 0.5
    assert torch.allclose(torch.linalg.svdvals(layer.weight.flatten(1)), values + 0.5, atol=1e-5)


def rates(pipe, method, training):
    """The learning rate of each thing that is trained, by its name."""
    parameters = trained_parameters(pipe, method, training)
    rate_by_id = {}
    for group in groups(pipe, method, training, parameters):
        rate_by_id |= {id(parameter): group["lr"] for parameter in group["params"]}
    return {name: rate_by_id[id(parameter)] for name, parameter in parameters.items()}


@every_pipe
def test_svdiff_trains_what_its_re_implementation_trains(make):
    """Norms with a rate of their own, and the text encoders, embeddings among them; biases never."""
    pipe = make()
    plain = set(trained_parameters(make(), "svdiff", SHORT))
    rate = rates(pipe, "svdiff", replace(SHORT, learning_rate_1d=1e-6, text_encoder=True))
    assert plain < set(rate) and not any("norm" in name for name in plain)
    for name, value in rate.items():
        assert value == (1e-6 if "norm" in name else SHORT.learning_rate), name
    texts = {part.name for part in text_parts(pipe)}
    assert {name.split(".")[0] for name in rate} == {"unet", *texts}
    embeddings = [name for name in rate if "token_embedding" in name or "position_embedding" in name]
    assert len(embeddings) == 2 * len(texts)


def test_a_norm_s_weight_has_one_singular_value_which_is_its_length(tiny_pipe):
    trained_parameters(tiny_pipe, "svdiff", replace(SHORT, learning_rate_1d=1e-6))
    norm = tiny_pipe.unet.conv_norm_out
    before = norm.weight.detach().clone()
    with torch.no_grad():
        norm.parametrizations.weight[0].shift[:] = 0.5
    after = norm.weight.detach()
    assert float(after.norm()) == pytest.approx(float(before.norm()) + 0.5, abs=1e-5)
    assert torch.allclose(after / after.norm(), before / before.norm(), atol=1e-6)


def test_svdiff_s_norms_move_by_their_own_rate(tiny_pipe, pictures):
    training = replace(SHORT, steps=1, learning_rate_1d=1e-5, text_encoder=True, weight_decay=0.0)
    train(tiny_pipe, pictures, "svdiff", training)
    unet = tiny_pipe.unet
    matrix, norm = (part.parametrizations.weight[0].shift for part in (unet.conv_in, unet.conv_norm_out))
    assert matrix.abs().max() == pytest.approx(SHORT.learning_rate, rel=0.01)  # AdamW's first step is the rate
    assert norm.abs().max() == pytest.approx(1e-5, rel=0.01)


def row_at_the_start(pipe, pictures, method, monkeypatch, **options):
    """The identifier's embedding before the first step, of each text encoder."""
    monkeypatch.setattr("sidkit.personalization.loop._take_step", lambda *_: None)
    train(pipe, pictures, method, replace(SHORT, steps=1), **options)
    return [row for part in text_parts(pipe) for row in _rows(part).values()]


def embedding(part, word):
    tokens = part.tokenizer(word, add_special_tokens=False)["input_ids"]
    return part.encoder.get_input_embeddings().weight[tokens].mean(0)


@every_pipe
@pytest.mark.parametrize("word", ["dog", "owl", "teddy bear"])
def test_textual_inversion_starts_as_the_class_word(make, word, pictures, monkeypatch):
    pipe = make()
    expected = [embedding(part, word) for part in text_parts(pipe)]
    own = [embedding(part, "sks") for part in text_parts(pipe)]
    rows = row_at_the_start(pipe, pictures, "textual_inversion", monkeypatch, class_word=word)
    assert len(rows) == len(expected)
    for row, start, identifier_s in zip(rows, expected, own):
        assert torch.equal(row[0], start) and not torch.allclose(start, identifier_s)


def test_custom_diffusion_starts_as_the_rare_word_that_it_is(tiny_pipe, pictures, monkeypatch):
    expected = embedding(text_parts(tiny_pipe)[0], "sks")
    (row,) = row_at_the_start(tiny_pipe, pictures, "custom_diffusion", monkeypatch)
    assert torch.equal(row[0], expected)


def test_textual_inversion_needs_the_class_word(tiny_pipe, pictures, monkeypatch):
    monkeypatch.setattr("sidkit.personalization.loop.Examples", lambda *_: pytest.fail("work began"))
    with pytest.raises(ValueError, match="class_word: expected one, as whose embedding the identifier's starts"):
        train(tiny_pipe, pictures, "textual_inversion", class_word=None)


def test_passes_of_a_step_are_averaged(tiny_pipe, pictures, monkeypatch):
    """With losses of 1, 2 and 3 times a weight's mean, the step's gradient is twice the mean's, and its loss too."""
    weight, counts, gradients = tiny_pipe.unet.conv_in.weight, [], []

    def loss(self, count, generator):
        counts.append(count)
        return weight.mean() * len(counts)

    monkeypatch.setattr(Examples, "loss", loss)
    monkeypatch.setattr("sidkit.personalization.loop._take_step", lambda *_: gradients.append(weight.grad.clone()))
    log = train(tiny_pipe, pictures, "dreambooth", replace(SHORT, steps=1, accumulation=3))
    assert counts == [SHORT.batch_size] * 3
    (gradient,) = gradients
    assert torch.allclose(gradient, torch.full_like(gradient, 2 / weight.numel()))
    assert log.losses == pytest.approx([2 * weight.mean().item()])


def test_a_masked_loss_looks_at_the_subject_alone(tiny_pipe, pictures, monkeypatch):
    """With a UNet that answers 0 and a mask of the left half, the loss is the target's mean square there."""
    monkeypatch.setattr("sidkit.personalization.examples.denoise", lambda pipe, noisy, *_: torch.zeros_like(noisy))
    mask = np.zeros((64, 64), bool)
    mask[:, :32] = True
    examples = Examples(tiny_pipe, pictures[:1], CAPTIONS[:1], True, [mask])
    monkeypatch.setattr(examples, "_target", lambda latents, *_: torch.arange(16.0).expand_as(latents))
    loss = examples.loss(2, torch.Generator().manual_seed(0))
    assert loss == pytest.approx(sum(x**2 for x in range(8)) / 8)


@pytest.mark.parametrize("mask", [np.zeros((64, 64), bool), np.ones((32, 64), bool)])
def test_a_mask_that_does_not_fit_is_refused(tiny_pipe, pictures, mask):
    with pytest.raises(ValueError, match="masks: expected one of each picture's size with a subject in it"):
        train(tiny_pipe, pictures[:1], "dreambooth", masks=[mask])
