"""A checkpoint is what was saved, or it is set aside: damage neither stops a training nor gets into it."""

import errno
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from sidkit.checkpoint import FILE, SCRATCH, Checkpoint, forget, read_checkpoint

FACTS = {"run": "one", "scaler": "{}"}


def trained(folder, *, shape=(20, 30), dtype=torch.float32, seed=0):
    """A checkpoint of two weights after a step."""
    generator = torch.Generator().manual_seed(seed)
    parameters = {
        "wide": torch.nn.Parameter(torch.randn(shape, generator=generator).to(dtype)),
        "short": torch.nn.Parameter(torch.randn(7, generator=generator)),
    }
    optimizer = torch.optim.AdamW(parameters.values())
    sum(value.float().sum() for value in parameters.values()).backward()
    optimizer.step()
    return Checkpoint(folder, parameters, optimizer)


def saved(folder, **options):
    checkpoint = trained(folder, **options)
    kept = {"losses": torch.arange(3.0), "none": torch.zeros(0), "half": torch.ones(5, dtype=torch.bfloat16)}
    checkpoint.save(kept, FACTS)
    return checkpoint


def no_fault(_):
    return None


def test_what_was_saved_comes_back(tmp_path):
    first = saved(tmp_path)
    other = trained(tmp_path, seed=1)
    state = other.load(no_fault)
    assert state.facts == FACTS and state.tensors["losses"].tolist() == [0, 1, 2]
    other.restore(state)
    for name, value in first.parameters.items():
        assert torch.equal(other.parameters[name], value)
        assert torch.equal(
            other.optimizer.state[other.parameters[name]]["exp_avg"], first.optimizer.state[value]["exp_avg"]
        )


def test_where_nothing_was_saved_nothing_comes(tmp_path, capsys):
    for folder in (None, tmp_path, tmp_path / "none"):
        assert trained(folder).load(no_fault) is None
    assert not capsys.readouterr().err and list(tmp_path.iterdir()) == []


def zeroed(data, start, length):
    return data[:start] + bytes(length) + data[start + length :]


DAMAGE = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "one byte short": lambda data: data[:-1],
    "one byte more": lambda data: data + b"\0",
    "zeros": lambda data: bytes(len(data)),
    "head zeroed": lambda data: zeroed(data, 0, 64),
    "a page of tensors zeroed": lambda data: zeroed(data, 4096, 512),
    "last bytes zeroed": lambda data: zeroed(data, len(data) - 16, 16),
    "one bit": lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
    "a fact": lambda data: data.replace(b'"run":"one"', b'"run":"two"'),
    "text": lambda data: b"version https://git-lfs.github.com/spec/v1",
    "a head without end": lambda data: b"\xff" * 8 + data[8:],
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_set_aside(tmp_path, capsys, name):
    saved(tmp_path)
    path = tmp_path / FILE
    bad = DAMAGE[name](path.read_bytes())
    path.write_bytes(bad)
    checkpoint = trained(tmp_path, seed=1)
    before = checkpoint.parameters["wide"].clone()
    assert checkpoint.load(no_fault) is None
    assert torch.equal(checkpoint.parameters["wide"], before)
    assert (tmp_path / f"{FILE}.set-aside-1").read_bytes() == bad
    assert capsys.readouterr().err.startswith(f"set aside: {path} (")
    checkpoint.save({}, FACTS)
    assert trained(tmp_path).load(no_fault).facts == FACTS


@pytest.mark.parametrize("other", [dict(shape=(30, 20)), dict(shape=(600,)), dict(dtype=torch.float16)])
def test_another_shape_or_type_is_set_aside(tmp_path, capsys, other):
    saved(tmp_path, **other)
    assert trained(tmp_path).load(no_fault) is None
    assert "wide is " in capsys.readouterr().err


def test_what_the_caller_misses_is_set_aside(tmp_path, capsys):
    saved(tmp_path)
    assert trained(tmp_path).load(lambda state: "it holds no cheese") is None
    assert "it holds no cheese" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["folder", "link without an end", "pipe"])
def test_another_thing_in_its_place_is_set_aside(tmp_path, kind):
    path = tmp_path / FILE
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere")
    assert trained(tmp_path).load(no_fault) is None
    saved(tmp_path)
    assert trained(tmp_path).load(no_fault).facts == FACTS


@pytest.mark.parametrize("kind", ["file", "link without an end"])
def test_another_thing_in_the_place_of_its_folder_is_set_aside(tmp_path, kind):
    folder = tmp_path / "kept"
    folder.write_text("mine") if kind == "file" else folder.symlink_to("nowhere")
    assert trained(folder).load(no_fault) is None
    saved(folder)
    assert trained(folder).load(no_fault).facts == FACTS


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_a_passing_error_takes_no_checkpoint_away(tmp_path, monkeypatch, number):
    saved(tmp_path)

    def fail(path, *_, **__):
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", fail)
        with pytest.raises(OSError) as error:
            trained(tmp_path).load(no_fault)
        assert error.value.errno == number
    assert trained(tmp_path).load(no_fault).facts == FACTS


def test_one_that_is_replaced_while_it_is_read_is_whole(tmp_path, monkeypatch):
    """`sidkit store verify` beside a training."""
    first = saved(tmp_path)
    newer = trained(tmp_path, seed=1)
    reading = safe_open

    def replaced(path, framework):
        file = reading(path, framework)
        newer.save({}, FACTS | {"step": "9"})
        return file

    monkeypatch.setattr("sidkit.checkpoint.safe_open", replaced)
    state = read_checkpoint(tmp_path / FILE)
    assert state.facts == FACTS and torch.equal(state.tensors["model.wide"], first.parameters["wide"])


def test_a_disk_that_takes_no_more_is_an_error_of_the_disk(tmp_path):
    """safetensors has an error of its own for it; what was saved stays."""
    saved(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError) as error:
            saved(tmp_path, seed=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.value.errno == errno.EFBIG and error.value.filename == str(tmp_path / FILE)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert trained(tmp_path).load(no_fault).facts == FACTS


def test_one_from_before_there_were_hashes_is_read(tmp_path):
    saved(tmp_path)
    save_file(load_file(tmp_path / FILE), tmp_path / FILE, FACTS)
    assert trained(tmp_path).load(no_fault).facts == FACTS


def test_what_is_forgotten_goes_and_what_was_set_aside_stays(tmp_path):
    saved(tmp_path / "done")
    forget(tmp_path / "done")
    assert not (tmp_path / "done").exists()
    saved(tmp_path / "kept")
    (tmp_path / "kept" / f"{FILE}.set-aside-1").write_bytes(b"x")
    forget(tmp_path / "kept")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [f"{FILE}.set-aside-1"]
    forget(tmp_path / "none")
    saved(tmp_path / "killed")
    for name in (f".{FILE}.partial", ".tmp8g2xuO"):
        (tmp_path / "killed" / name).write_bytes(b"half")
    forget(tmp_path / "killed")
    assert not (tmp_path / "killed").exists()


def test_a_process_that_is_killed_in_a_save_leaves_nothing_after_the_next(tmp_path):
    """safetensors writes under a name of its own choice."""
    code = (
        "import sys, numpy; from safetensors.numpy import save_file; save_file(dict(a=numpy.zeros(10**8)), sys.argv[1])"
    )
    saving = subprocess.Popen([sys.executable, "-c", code, tmp_path / f".{FILE}.partial"])
    while not list(tmp_path.iterdir()):
        assert saving.poll() is None
    saving.kill()
    saving.wait()
    assert list(tmp_path.glob(SCRATCH)) == list(tmp_path.iterdir()) != []
    saved(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_group_can_read_it(tmp_path):
    before = os.umask(0o002)
    try:
        saved(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o664


def test_forgetting_takes_nobody_elses_files(tmp_path):
    saved(tmp_path / "disk")
    (tmp_path / "disk" / "note.txt").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    forget(tmp_path / "link")
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["note.txt"]
