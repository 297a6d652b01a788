"""A look at a training while it runs: what it writes, and that it leaves the training as it is."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from sidkit.config import Sampling, Training
from sidkit.generation import generate
from sidkit.models import copy_pipeline
from sidkit.personalization.loop import personalize
from sidkit.personalization.methods import METHODS
from sidkit.personalization.watch import EarlyLook

CAPTIONS, PROMPTS = ["a sks dog"] * 4, ["a sks dog on a beach", "a sks dog"]
SAMPLING = Sampling(steps=1, guidance=1)
TRAINING = Training(steps=3, learning_rate=1e-3, batch_size=2)


def train(pipe, pictures, method="dreambooth", training=TRAINING, **options):
    return personalize(pipe, pictures, CAPTIONS, method, training, seed=0, class_word="dog", progress=False, **options)


def rows(folder):
    return list(csv.reader((folder / "losses.csv").read_text().splitlines()))


@pytest.mark.parametrize("method", METHODS)
def test_looking_changes_no_bit_and_shows_what_is_learnt(tiny_pipe, pictures, tmp_path, method):
    plain, watched = copy_pipeline(tiny_pipe), copy_pipeline(tiny_pipe)
    look = EarlyLook(watched, tmp_path, PROMPTS, [5], SAMPLING, every=3)
    log = train(watched, pictures, method, watch=look)
    assert train(plain, pictures, method).losses == log.losses
    assert all(map(torch.equal, plain.unet.state_dict().values(), watched.unet.state_dict().values()))
    assert rows(tmp_path) == [["step", "loss"], *([str(n), str(loss)] for n, loss in enumerate(log.losses, 1))]
    seen = np.asarray(Image.open(tmp_path / "step-00003-prompt-01-seed-5.png"))
    drawn = generate(watched, PROMPTS, [5], SAMPLING, progress=False)
    assert np.array_equal(seen, np.asarray(drawn[1].image))
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [
        f"step-00003-prompt-{index:02}-seed-5.png" for index in (0, 1)
    ]


def test_a_run_that_goes_on_has_each_step_once(tiny_pipe, pictures, tmp_path):
    kept = dict(checkpoint=tmp_path / "kept", checkpoint_every=2)
    training = replace(TRAINING, steps=5)

    def until_the_third(step, loss):
        look(step, loss)
        if step == 2:
            raise KeyboardInterrupt

    first, second = copy_pipeline(tiny_pipe), copy_pipeline(tiny_pipe)
    look = EarlyLook(first, tmp_path, PROMPTS, [5], SAMPLING, every=9)
    with pytest.raises(KeyboardInterrupt):
        train(first, pictures, training=training, watch=until_the_third, **kept)
    log = train(
        second,
        pictures,
        training=training,
        watch=EarlyLook(second, tmp_path, PROMPTS, [5], SAMPLING, every=9),
        **kept,
    )
    assert [row[0] for row in rows(tmp_path)] == ["step", "1", "2", "3", "4", "5"]
    assert [float(row[1]) for row in rows(tmp_path)[1:]] == list(log.losses)


DAMAGE = {
    "zeroed": lambda path: path.write_bytes(bytes(40)),
    "cut in a row": lambda path: path.write_text("step,loss\n1,0.5\n\n"),
    "not UTF-8": lambda path: path.write_bytes(b"step,loss\n1,\xff\n"),
    "another table": lambda path: path.write_text("file,caption\na.png,a dog\n"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a link without an end": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_table_stops_no_training(tiny_pipe, tmp_path, name):
    look = EarlyLook(tiny_pipe, tmp_path, PROMPTS, [5], SAMPLING, every=9)
    look(0, 0.5)
    DAMAGE[name](tmp_path / "losses.csv")
    look = EarlyLook(tiny_pipe, tmp_path, PROMPTS, [5], SAMPLING, every=9)
    look(1, 0.25)
    assert rows(tmp_path) == [["step", "loss"], ["2", "0.25"]]
    assert (tmp_path / "losses.csv.set-aside-1").is_symlink() or (tmp_path / "losses.csv.set-aside-1").exists()


def test_never_looking_is_refused(tiny_pipe, tmp_path):
    with pytest.raises(ValueError, match="every: expected a number of steps of at least 1, got 0"):
        EarlyLook(tiny_pipe, tmp_path, PROMPTS, [5], SAMPLING, every=0)
