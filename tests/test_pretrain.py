"""Pretraining: a run resumes with the same bits, tokenizer and latents are what the models expect."""

import json
import os

import numpy as np
import pytest
import torch

from sidkit.pretrain import fit
from sidkit.pretrain.autoencoder import Autoencoder, Decoder, pixels, standardize
from sidkit.pretrain.captioner_part import maps_on_disk
from sidkit.pretrain.evaluate import psnr
from sidkit.pretrain.fit import Part, _Run
from sidkit.pretrain.latent_reader import READS, UNSAID, LatentReader, LatentReaderPart
from sidkit.pretrain.muon import orthogonal
from sidkit.pretrain.plans import Plan
from sidkit.pretrain.pool import COVERING, pool
from sidkit.pretrain.telling import asked_of
from sidkit.pretrain.text_to_image import TextToImage
from sidkit.pretrain.tokenizer import IDENTIFIERS, LENGTH, kept_tokenizer, make_tokenizer
from sidkit.stickers import grammar
from sidkit.stickers.captioner import Eyes, EyesConfig
from sidkit.stickers.factors import Scene
from sidkit.stickers.heads import HEADS, labels
from sidkit.stickers.nets import move_halfway
from sidkit.stickers.sampling import altered, sample_scene
from sidkit.stickers.scenes import compose

MOMENTS = ("exp_avg", "exp_avg_sq")


class Line(Part):
    """Learns y = 2 x, from noise drawn with the step's generator."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(3))

    def draw(self, rng):
        return torch.from_numpy(rng.normal(size=(8, 3))).float()

    def loss(self, drawn, generator):
        x = drawn + 0.1 * torch.randn(8, 3, generator=generator)
        return ((x * self.weight - 2 * x) ** 2).mean()


class Convolution(Part):
    """Learns to answer nothing."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = torch.nn.Conv2d(2, 4, 3, padding=1)

    def draw(self, rng):
        return torch.from_numpy(rng.normal(size=(4, 2, 8, 8))).float()

    def loss(self, drawn, generator):
        return self.net(drawn).square().mean()


@pytest.fixture(scope="module")
def small_pool(tmp_path_factory):
    return pool(tmp_path_factory.mktemp("pool") / "pool", 24, 64, seed=1)


def run_steps(folder, count):
    folder.mkdir(exist_ok=True)
    run = _Run(Line(), folder, Plan(minutes=1, batch=8, learning_rate=0.1, warmup=1, cooldown=0), {})
    run.resume()
    steps(run, count)
    run.save()
    return run


def steps(run, count):
    """The losses of so many steps."""
    return [run._step(drawn, 0.0).item() for _, drawn in zip(range(count), run._batches())]


def test_a_resumed_run_has_the_bits_of_an_unbroken_one(tmp_path):
    whole = run_steps(tmp_path / "whole", 20)
    run_steps(tmp_path / "parts", 7)
    parts = run_steps(tmp_path / "parts", 13)
    assert parts.step == whole.step == 20
    assert torch.equal(parts.part.weight, whole.part.weight)
    assert torch.equal(parts.ema["weight"], whole.ema["weight"])
    assert not torch.equal(whole.part.weight, run_steps(tmp_path / "other", 19).part.weight)


class Matrix(Convolution):
    """The same, trained by Muon but for its bias."""

    def matrices(self):
        return {"net.weight"}


def test_a_resumed_run_of_muon_has_the_bits_of_an_unbroken_one(tmp_path):
    plan = Plan(batch=4, learning_rate=0.01, matrix_rate=0.01, warmup=1, cooldown=0)
    whole = _Run(Matrix(), tmp_path / "whole", plan, {})
    steps(whole, 5)
    (tmp_path / "parts").mkdir()
    for count in (2, 3):
        parts = _Run(Matrix(), tmp_path / "parts", plan, {})
        parts.resume()
        steps(parts, count)
        parts.save()
    assert [sorted(whole.optimizer.state[weight]) for weight in (whole.part.net.weight, whole.part.net.bias)] == [
        ["momentum"],
        ["exp_avg", "exp_avg_sq", "step"],
    ]
    assert torch.equal(whole.part.net.weight, parts.part.net.weight)
    assert torch.equal(whole.part.net.bias, parts.part.net.bias)


def test_muon_steps_in_every_direction_alike():
    torch.manual_seed(0)
    for shape in ((12, 40), (40, 12)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape) @ torch.diag(torch.logspace(-1, 1, shape[1]))))
        assert values.min() > 0.5 and values.max() < 1.4


def test_workers_draw_what_the_loop_itself_would(tmp_path, monkeypatch):
    run = _Run(Line(), tmp_path, Plan(), {})
    alone = [drawn for _, drawn in zip(range(5), run._batches())]
    run.plan = Plan(device="cuda")  # where batches are drawn ahead, by processes of their own; none of it needs a GPU
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(fit, "_forked", lambda workers, made=fit._forked: made(workers) | {"pin_memory": False})
    ahead = run._batches()
    assert ahead._num_workers == 2
    assert all(torch.equal(one, next(ahead)) for one in alone)


def test_a_run_whose_weights_are_laid_for_a_gpu_goes_on_with_the_same_values(tmp_path):
    plan = Plan(warmup=1, cooldown=0)
    plain = _Run(Convolution(), tmp_path, plan, {})
    laid = _Run(Convolution().to(memory_format=torch.channels_last), tmp_path, plan, {})
    steps(plain, 2)
    plain.save()
    laid.resume()
    assert plain.step == laid.step == 2
    assert laid.part.net.weight.is_contiguous(memory_format=torch.channels_last)
    for state in (laid.ema["net.weight"], *(laid.optimizer.state[laid.part.net.weight][k] for k in MOMENTS)):
        assert state.stride() == laid.part.net.weight.stride()
    steps(plain, 2), steps(laid, 2)
    for name, value in plain.part.state_dict().items():
        assert torch.allclose(value, laid.part.state_dict()[name], atol=1e-6)
    assert torch.allclose(plain.ema["net.weight"], laid.ema["net.weight"], atol=1e-6)


def test_a_cpu_multiplies_bf16_where_it_has_an_instruction_for_it(tmp_path, monkeypatch):
    for known, expected in (({"avx2": True}, False), ({"amx_bf16": True}, True), ({"bf16": True}, True)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=known: known)
        assert fit.multiplies_bf16() == expected
        assert _Run(Line(), tmp_path, Plan(), {})._halved("cpu") == expected
        assert not _Run(Line(), tmp_path, Plan(cpu_bf16=False), {})._halved("cpu")
        assert _Run(Line(), tmp_path, Plan(cpu_bf16=False), {})._halved("cuda")


def test_the_loop_learns(tmp_path):
    assert torch.allclose(run_steps(tmp_path, 200).part.weight, torch.full((3,), 2.0), atol=0.05)


def test_every_word_and_identifier_is_one_token():
    tokenizer = make_tokenizer()
    assert tokenizer.model_max_length == LENGTH
    for word in (*grammar.words(), *IDENTIFIERS):
        assert len(tokenizer(word).input_ids) == 3, word
    assert len(tokenizer("a zebra").input_ids) > 4  # an unknown word falls into pieces
    assert not set(IDENTIFIERS) & set(grammar.words())


def test_a_model_that_goes_on_keeps_the_numbers_of_its_tokens(tmp_path):
    begun, shipped = tmp_path / "begun", tmp_path / "shipped"
    first = kept_tokenizer([begun, shipped]).get_vocab()
    assert kept_tokenizer([begun, shipped]).get_vocab() == first  # left there by the first call
    swapped = json.loads((begun / "tokenizer.json").read_text())
    known = swapped["model"]["vocab"]
    known["a</w>"], known["b</w>"] = known["b</w>"], known["a</w>"]
    shipped.mkdir()
    (shipped / "tokenizer.json").write_text(json.dumps(swapped))
    assert kept_tokenizer([tmp_path / "none", shipped]).get_vocab() == known
    more = kept_tokenizer([tmp_path / "more", shipped], ["zebra"])  # other tokens: a new one
    assert len(more("zebra").input_ids) == 3


def test_standardized_latents_are_standard_and_decode_to_the_same_picture(small_pool):
    torch.manual_seed(0)
    part = Autoencoder(small_pool, 8)
    x = pixels(small_pool, np.arange(24), torch.device("cpu"))
    with torch.no_grad():
        before = part.vae.decode(part.vae.encode(x).latent_dist.mean).sample
        standardize(part.vae, x)
        latents = part.vae.encode(x).latent_dist.mean
        after = part.vae.decode(latents).sample
    assert torch.allclose(latents.mean((0, 2, 3)), torch.zeros(latents.shape[1]), atol=1e-4)
    assert torch.allclose(latents.std((0, 2, 3)), torch.ones(latents.shape[1]), atol=1e-3)
    assert torch.allclose(before, after, atol=1e-4)


def test_psnr_of_a_known_error():
    x = torch.zeros(2, 3, 8, 8)
    assert psnr(x, x + 0.2) == pytest.approx(20.0, abs=1e-4)  # peak 2, error 0.2: 20 log10(2 / 0.2)


def test_altered_scenes_differ_in_one_to_three_factors():
    rng = np.random.default_rng(0)
    counts = set()
    for _ in range(300):
        scene = sample_scene(rng)
        before, after = labels(scene), labels(altered(scene, rng))
        counts.add(sum(before[head] != after[head] for head in HEADS))
    assert counts == {1, 2, 3}


def test_cover_is_the_share_of_a_cell_that_each_part_takes(small_pool):
    rng = np.random.default_rng([1, 0])
    scenes = [sample_scene(rng) for _ in range(24)]
    masks = compose(scenes[0], 64, rng).masks
    assert small_pool.cover.shape == (24, len(COVERING), 16, 16)
    for number, part in enumerate(COVERING):
        for row, column in ((0, 0), (9, 8), (12, 5)):
            cell = masks[part][4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            assert small_pool.cover[0, number, row, column] == int(255 * cell.mean())
    assert 0.1 < small_pool.cover[:, 0].mean() / 255 < 0.5


def test_the_decoder_learns_alone(small_pool):
    vae = Autoencoder(small_pool, 8).vae
    latents = np.zeros((24, 8, 8, 8), np.float16)
    part = Decoder(vae, small_pool, latents, batch=4)
    part.loss(part.draw(np.random.default_rng(0)), torch.Generator().manual_seed(0)).backward()
    trained = {name.split(".")[0] for name, weight in vae.named_parameters() if weight.grad is not None}
    assert trained == {"decoder", "post_quant_conv"}


def test_what_a_caption_does_not_name_is_not_asked_of_it():
    scene = Scene("dog", "noto", "beach", "daylight", nearby="balloon", nearby_color="blue")
    asked = asked_of([scene], [["subject", "nearby"]])
    assert asked["background"].item() == UNSAID
    assert HEADS["class"][asked["class"].item()] == "dog"
    assert HEADS["nearby"][asked["nearby"].item()] == "balloon"


@pytest.fixture(scope="module")
def latents():
    return np.random.default_rng(0).normal(size=(24, 8, 16, 16)).astype(np.float16)


def test_the_latent_reader_learns_to_read(small_pool, latents, tmp_path):
    torch.manual_seed(0)
    part = LatentReaderPart(LatentReader(8, READS), small_pool, latents, batch=24)
    run = _Run(part, tmp_path, Plan(learning_rate=2e-3, warmup=1, cooldown=0), {})
    losses = steps(run, 31)
    assert losses[-1] < 0.7 * losses[0]
    part.reader.save(tmp_path / "weights")
    kept = LatentReader.load(tmp_path / "weights")
    assert [p.shape for p in kept.parameters()] == [p.shape for p in part.reader.parameters()]


@pytest.fixture
def judge(small_pool, latents):
    torch.manual_seed(0)
    return LatentReaderPart(LatentReader(8, READS), small_pool, latents, batch=4)


def test_what_no_caption_asks_for_is_not_missed(judge):
    scenes = [Scene("dog", "noto", "beach", "daylight"), Scene("cat", "noto", "beach", "daylight")]
    missed = lambda *said: judge.missed(  # noqa: E731
        torch.zeros(2, 8, 16, 16), asked_of(scenes, list(said)), torch.Generator().manual_seed(0), doubt=False
    )
    assert missed([], []) == 0
    assert 0 < missed(["subject"], []) < missed(["subject"], ["subject"])


def test_a_judge_learns_to_tell_drawings_from_pictures(judge, latents, tmp_path):
    run = _Run(judge, tmp_path, Plan(learning_rate=2e-3), {})
    drawn, asked = 2 * torch.ones(4, 8, 16, 16), asked_of(judge.pool.scenes[:4], [["subject"]] * 4)
    missed = lambda doubt: judge.missed(drawn, asked, torch.Generator().manual_seed(0), doubt)  # noqa: E731
    assert missed(True) > missed(False)  # there is one more thing to take it for
    before = missed(True) - missed(False)
    for step in range(10):
        judge.loss_on_drawn(drawn, torch.Generator().manual_seed(step)).backward()
        run.optimizer.step()
        run.optimizer.zero_grad()
    assert missed(True) - missed(False) > 4 * before


def test_a_judged_drawing_teaches_the_model_and_a_judge_learns_beside_it(small_pool, latents, judge):
    torch.manual_seed(0)
    judged = TextToImage(small_pool, latents, torch.nn.Identity(), make_tokenizer(), batch=4, drop=0.1, judge=judge)
    alone = TextToImage(small_pool, latents, torch.nn.Identity(), make_tokenizer(), batch=4, drop=0.1)
    alone.load_state_dict(judged.state_dict(), strict=False)
    losses = [
        part.loss(part.draw(np.random.default_rng(5)), torch.Generator().manual_seed(5))
        for part in (judged, judged, alone)
    ]
    assert losses[0] == losses[1] > losses[2]
    told = judged._tell(2, np.random.default_rng(0))[1]
    drawn = judged._paint(judged._read(told), torch.Generator().manual_seed(1))
    judge.missed(drawn, told.asked, torch.Generator(), doubt=True).backward(retain_graph=True)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in judged.unet.conv_out.parameters())
    assert all(p.grad is None for p in judge.parameters())
    judged.zero_grad()
    judge.loss_on_drawn(drawn, torch.Generator()).backward()
    assert all(p.grad is None for p in judged.unet.parameters())
    assert judge.reader.heads["class"].weight.grad[-1].norm() > 0


def test_maps_are_kept_for_each_eyes(small_pool, tmp_path):
    torch.manual_seed(0)
    eyes = Eyes(EyesConfig())
    kept, again = (maps_on_disk(eyes, small_pool, 4, tmp_path, "cpu") for _ in range(2))
    next(eyes.backbone.parameters()).data *= 0.5
    others = maps_on_disk(eyes, small_pool, 4, tmp_path, "cpu")
    assert np.array_equal(kept[0], again[0]) and not np.array_equal(kept[0], others[0])
    assert len(list(tmp_path.iterdir())) == 4


def test_a_judge_can_join_a_run(small_pool, latents, judge, tmp_path):
    alone = TextToImage(small_pool, latents, torch.nn.Identity(), make_tokenizer(), batch=4, drop=0.1)
    run = _Run(alone, tmp_path, Plan(batch=4), {})
    steps(run, 1)
    run.save()
    judged = TextToImage(small_pool, latents, torch.nn.Identity(), make_tokenizer(), batch=4, drop=0.1, judge=judge)
    more = _Run(judged, tmp_path, Plan(batch=4), {})
    more.resume()
    assert more.step == 1 and more.ema.keys() == more.parameters.keys()
    assert torch.equal(judged.unet.conv_out.weight, alone.unet.conv_out.weight)
    steps(more, 1)


def test_halfway_is_the_mean_of_all_weights_and_leaves_counts():
    here, there = (torch.nn.BatchNorm1d(2) for _ in range(2))
    torch.nn.init.constant_(there.weight, 3.0)
    there.running_mean.fill_(4.0)
    here.num_batches_tracked.fill_(5)
    move_halfway(here, there)
    assert here.weight.tolist() == [2.0, 2.0] and here.running_mean.tolist() == [2.0, 2.0]
    assert here.num_batches_tracked == 5 and there.weight.tolist() == [3.0, 3.0]
