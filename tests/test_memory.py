"""What saves memory changes no result, on each kind of pipeline; the moments in 8 bits where they are installed."""

import ctypes
import importlib.util
import platform
from dataclasses import replace

import pytest
import torch
from conftest import make_pipe, make_xl_pipe

from sidkit.config import Sampling, Training
from sidkit.generation import generate
from sidkit.masters import hold
from sidkit.models import text_parts
from sidkit.personalization import memory
from sidkit.personalization.loop import personalize

TRAINING = Training(steps=2, learning_rate=1e-3)
PIPES = {"sd15": lambda: make_pipe("epsilon"), "sd21": lambda: make_pipe("v_prediction"), "sdxl": make_xl_pipe}
installed = importlib.util.find_spec("bitsandbytes") is not None


def trained(pipe, pictures, training=TRAINING, **options):
    log = personalize(
        pipe, pictures, ["a photo of a sks dog"] * 4, "dreambooth", training, seed=0, progress=False, **options
    )
    return log.losses, {name: value.clone() for name, value in pipe.unet.state_dict().items()}


def same(ours, theirs, **tolerance):
    assert ours[0] == pytest.approx(theirs[0], rel=1e-5)
    assert all(torch.allclose(value, theirs[1][name], atol=1e-6, **tolerance) for name, value in ours[1].items())


@pytest.mark.parametrize("name", PIPES)
@pytest.mark.parametrize("text_encoder", [False, True])
@pytest.mark.parametrize("saving", [{"unload": True}, {"gradient_checkpointing": True}])
def test_less_memory_is_the_same_training(name, text_encoder, saving, pictures):
    training = replace(TRAINING, text_encoder=text_encoder)
    pipe = PIPES[name]()
    ours = trained(pipe, pictures, replace(training, **saving))
    same(ours, trained(PIPES[name](), pictures, training))
    assert not pipe.unet.is_gradient_checkpointing and not any(part.encoder.training for part in text_parts(pipe))


def test_what_is_put_away_is_put_back(tiny_pipe, monkeypatch):
    moves = []
    monkeypatch.setattr(tiny_pipe.vae, "to", lambda where: moves.append(("vae", str(where))))
    monkeypatch.setattr(tiny_pipe.text_encoder, "to", lambda where: moves.append(("text", str(where))))
    with (
        pytest.raises(RuntimeError, match="out of memory"),
        memory.little_memory(tiny_pipe, replace(TRAINING, unload=True), True),
    ):
        assert moves == [("vae", "cpu"), ("text", "cpu")]
        raise RuntimeError("out of memory")
    assert len(moves) == 4
    moves.clear()
    with memory.little_memory(tiny_pipe, replace(TRAINING, unload=True), False):
        assert moves == [("vae", "cpu")]  # the text encoder is used at every step


@pytest.mark.parametrize("name", PIPES)
def test_weights_in_half_precision_train_in_single_and_draw(name, pictures):
    pipe = PIPES[name]()
    parts = {part.name: part.encoder for part in text_parts(pipe)}
    hold(pipe, parts | {"unet": pipe.unet}, torch.bfloat16)
    losses, _ = trained(pipe, pictures, replace(TRAINING, precision="bf16", unload=True))
    exact, _ = trained(PIPES[name](), pictures)
    assert losses == pytest.approx(exact, rel=0.05)
    assert {weight.dtype for weight in pipe.unet.parameters()} == {torch.float32}
    assert {weight.dtype for weight in pipe.text_encoder.parameters()} == {torch.bfloat16}
    (picture,) = generate(pipe, ["a sks dog"], [0], Sampling(steps=2), precision="bf16", progress=False)
    assert picture.image.getextrema() != ((0, 0),) * 3


def test_a_missing_package_is_told_before_any_work(tiny_pipe, pictures, monkeypatch):
    monkeypatch.setattr(memory.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr("sidkit.personalization.loop.Examples", lambda *_: pytest.fail("work began"))
    with pytest.raises(ValueError, match="pip install bitsandbytes, or set training's optimizer to adamw"):
        trained(tiny_pipe, pictures, replace(TRAINING, optimizer="adamw8bit"))


@pytest.mark.skipif(not installed, reason="bitsandbytes is not installed")
def test_moments_in_8_bits_train_and_resume(pictures, tmp_path):
    training = replace(TRAINING, steps=4, optimizer="adamw8bit")
    whole = trained(make_pipe(), pictures, training)
    assert whole[0] == pytest.approx(trained(make_pipe(), pictures, replace(TRAINING, steps=4))[0], rel=0.1)
    pipe, stopped = make_pipe(), []

    def stop(*_):
        stopped.append(1)
        if len(stopped) == 3:
            raise KeyboardInterrupt

    hook = pipe.unet.register_forward_hook(stop)
    with pytest.raises(KeyboardInterrupt):
        trained(pipe, pictures, training, checkpoint=tmp_path, checkpoint_every=1)
    hook.remove()
    same(trained(make_pipe(), pictures, training, checkpoint=tmp_path, checkpoint_every=1), whole)


class Malloc(ctypes.Structure):
    """glibc's `struct mallinfo2`, of which `hblks` counts the pieces that are the system's own."""

    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc returns what is freed at once")
def test_freed_memory_is_kept_for_the_next_step():
    pieces = ctypes.CDLL(None).mallinfo2
    pieces.restype = Malloc

    def own(size):
        """Whether a piece of this size is taken from the system by itself."""
        before = pieces().hblks
        held = torch.empty(size, dtype=torch.uint8)
        return pieces().hblks - before == 1 and len(held) == size

    memory.keep_freed_memory(torch.device("cpu"))
    assert not own(memory.LARGEST_KEPT // 2)
    assert own(4 * memory.LARGEST_KEPT)
