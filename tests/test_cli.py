"""The command line: every command is reached, and what the user can put right is told without a traceback."""

import inspect
import json
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest
import torch
import typer
from test_notebook import write
from typer.testing import CliRunner

from sidkit.cli import main as cli
from sidkit.cli import options
from sidkit.pretrain.train import train
from sidkit.study.plan import SCALES


def call(monkeypatch, capsys, *arguments):
    """Exit code, stdout and stderr of `sidkit ARGUMENTS`."""
    monkeypatch.setattr(sys, "argv", ["sidkit", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return exit_.value.code, *capsys.readouterr()


@pytest.fixture
def module(monkeypatch):
    """Put a stand-in module in the place of a real one, with the functions given."""

    def stand_in(name, **functions):
        fake = types.ModuleType(name)
        fake.__dict__.update(functions)
        monkeypatch.setitem(sys.modules, name, fake)
        parent, _, child = name.rpartition(".")
        monkeypatch.setattr(sys.modules[parent], child, fake, raising=False)

    import sidkit.stickers  # noqa: F401  (the parent of the stand-ins)

    return stand_in


@pytest.mark.parametrize("command", [[], ["notebook"], ["book"], ["stickers", "pretrain"], ["stickers", "evaluate"]])
def test_every_command_explains_itself(command):
    result = CliRunner().invoke(cli.app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def commands(group):
    """Every command below a group of commands, with its full name."""
    for name, command in group.commands.items():
        inner = commands(command) if hasattr(command, "commands") else [("", command)]
        yield from ((f"{name} {rest}".strip(), leaf) for rest, leaf in inner)


def test_an_option_has_one_name_in_all_commands():
    flags_by_name, names_by_flag = {}, {}
    for command, leaf in commands(typer.main.get_command(cli.app)):
        for parameter in leaf.params:
            if parameter.param_type_name == "option":
                flags = tuple(parameter.opts)
                assert flags_by_name.setdefault(parameter.name, flags) == flags, (command, parameter.name)
                assert names_by_flag.setdefault(flags, parameter.name) == parameter.name, (command, flags)
    assert flags_by_name["class_word"] == ("--class",) and flags_by_name["as_json"] == ("--json",)


def test_the_scales_of_the_command_line_are_those_of_a_study():
    assert tuple(SCALES) == options.SCALES


def test_exit_codes_are_said_in_one_place():
    sources = {path.name: path.read_text() for path in Path(cli.__file__).parent.glob("*.py")}
    assert [name for name, text in sources.items() if re.search("^(FAILED|REFUSED) = ", text, re.M)] == ["options.py"]
    assert not [name for name, text in sources.items() if re.search(r"(Exit|exit)\(\d", text)]


def test_help_shows_what_stands_in_brackets():
    assert "[dog, cat]" in CliRunner().invoke(cli.app, ["notebook", "--help"]).output


@pytest.mark.parametrize("module", ["sidkit", "sidkit.cli"])
def test_the_package_is_a_command_too(module):
    helped = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=False)
    assert helped.returncode == 0 and "Selectively informative descriptions." in helped.stdout


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError(13, "Permission denied", "a/b.json"), "a/b.json: Permission denied"),
        (IsADirectoryError(21, "Is a directory", Path("c")), "c: Is a directory"),
        (FileNotFoundError(2, "No such file or directory", b"d"), "d: No such file or directory"),
        (OSError(30, "Read-only file system", "e"), "e: Read-only file system"),
        (OSError(28, "No space left on device"), "No space left on device: the disk is full"),
        (ConnectionResetError(104, "Connection reset by peer"), "[Errno 104] Connection reset by peer"),
        (TimeoutError("it took too long"), "it took too long"),
        (ModuleNotFoundError("No module named 'bits.and'", name="bits.and"), "missing: pip install bits"),
        (MemoryError(), "there is too little memory"),
        (ValueError("mine.yaml: expected YAML"), "mine.yaml: expected YAML"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "no text"), "no text"),
        (OSError(36, "File name too long", "x" * 100_000), "xxx"),
        (ValueError("y" * 100_000), "yyy"),
    ],
)
def test_what_is_not_our_fault_is_one_line(monkeypatch, capsys, error, told):
    def fail(name):
        raise error

    monkeypatch.setattr("sidkit.notebook_file.find_notebook", fail)
    code, _, err = call(monkeypatch, capsys, "notebook", "x")
    assert code == options.REFUSED and err.startswith("error: ") and err.count("\n") == 1 and told in err
    assert len(err) < 5000


@pytest.mark.parametrize("error", [TypeError("ours"), KeyError("ours"), ImportError("ours", name="sidkit.x")])
def test_our_own_faults_keep_their_traceback(monkeypatch, error):
    def fail(name):
        raise error

    monkeypatch.setattr("sidkit.notebook_file.find_notebook", fail)
    monkeypatch.setattr(sys, "argv", ["sidkit", "notebook", "x"])
    with pytest.raises(type(error), match="ours"):
        cli.main()


def test_a_notebook_runs_with_parameters(monkeypatch, capsys, tmp_path):
    source = write(tmp_path / "n.ipynb", "steps = 3", f"open({str(tmp_path / 'seen')!r}, 'w').write(str(steps))")
    code, out, _ = call(monkeypatch, capsys, "notebook", source, "-p", "steps=5", "--output", tmp_path / "o.ipynb")
    assert (code, out.strip()) == (0, str(tmp_path / "o.ipynb"))
    assert (tmp_path / "seen").read_text() == "5"


def test_a_misspelt_parameter_is_one_clean_line(monkeypatch, capsys, tmp_path):
    source = write(tmp_path / "n.ipynb", "steps = 3")
    code, _, err = call(monkeypatch, capsys, "notebook", source, "-p", "step=5")
    assert code == 2
    assert err == "error: unknown parameter 'step'; did you mean 'steps'? (known: steps)\n"


def test_a_failing_notebook_shows_its_cell_and_fails(monkeypatch, capsys, tmp_path):
    source = write(tmp_path / "n.ipynb", "steps = 0", "1 / steps")
    code, _, err = call(monkeypatch, capsys, "notebook", source, "--output", tmp_path / "o.ipynb")
    assert code == 1
    assert "1 / steps" in err
    assert "failed: ZeroDivisionError: division by zero" in err
    assert "papermill/execute.py" not in err


def test_show_prints_the_parameters(monkeypatch, capsys, tmp_path):
    source = write(tmp_path / "n.ipynb", "steps = 3  # optimizer steps")
    assert call(monkeypatch, capsys, "notebook", source, "--show")[1] == "steps = 3  # optimizer steps\n"


def test_book_asks_for_a_known_scale_and_a_book(monkeypatch, capsys, tmp_path):
    assert call(monkeypatch, capsys, "book", "--scale", "huge")[0] == 2
    code, _, err = call(monkeypatch, capsys, "book", "--root", tmp_path)
    assert code == 2
    assert "expected _config.yml and _toc.yml" in err


def test_pretrain_passes_its_options_on(monkeypatch, capsys, module):
    seen = {}
    module("sidkit.pretrain.train", train=lambda part, **options: seen.update(part=part, **options) or "weights")
    arguments = ["stickers", "pretrain", "reader", "--minutes", "1.5", "--device=cpu", "--learning-rate", "2e-4"]
    code, out, _ = call(monkeypatch, capsys, *arguments)
    assert (code, out) == (0, "weights\n")
    assert seen["part"] == "reader" and seen["minutes"] == 1.5 and seen["learning_rate"] == 2e-4
    parameters = inspect.signature(train).parameters
    given = ("part", "minutes", "learning_rate")
    assert seen.keys() == parameters.keys()
    assert all(seen[name] == known.default for name, known in parameters.items() if name not in given)


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["text_to_imge"], "did you mean 'text_to_image'?"),
        (["reader", "--minute", "3"], "No such option: --minute"),
        (["reader", "--minutes"], "--minutes"),
        (["reader", "--minutes", "long"], "valid number"),
        (["reader", "--batch", "-3"], "greater than or equal to 0"),
        (["reader", "--scenes", "3"], "expected 32 or more"),
        (["reader", "--device", "tpu"], "expected cpu or cuda, got tpu"),
        (["reader", "--device", "cuda:9"], "torch sees none"),
    ],
)
def test_bad_options_of_pretraining_are_told_before_anything_starts(monkeypatch, capsys, tmp_path, arguments, told):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    code, _, err = call(monkeypatch, capsys, "stickers", "pretrain", *arguments, "--work", tmp_path / "work")
    assert code == 2 and told in err and "Traceback" not in err
    assert not (tmp_path / "work").exists()


def test_evaluate_prints_one_json_object_or_a_table(monkeypatch, capsys, module):
    scores = {"sampled": {"class": 0.9}, "seconds_16": 3.2}
    module("sidkit.pretrain.evaluate", evaluate=lambda scenes: scores | {"scenes": scenes})
    code, out, _ = call(monkeypatch, capsys, "stickers", "evaluate", "--scenes", "12", "--json")
    assert (code, json.loads(out)) == (0, scores | {"scenes": 12})
    assert "  class            0.900" in call(monkeypatch, capsys, "stickers", "evaluate")[1]


def test_gallery_and_atlas_write_where_they_are_told(monkeypatch, capsys, module, tmp_path):
    written = []
    module("sidkit.stickers.gallery", write=written.append)
    module("sidkit.stickers.make_art", make_art=lambda folder: [folder / "a.webp"])
    assert call(monkeypatch, capsys, "stickers", "gallery", tmp_path)[0] == 0
    assert written == [tmp_path]
    assert call(monkeypatch, capsys, "stickers", "atlas", "--folder", tmp_path)[1] == f"{tmp_path / 'a.webp'}\n"
