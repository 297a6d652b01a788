"""What comes from outside gives a terminal no orders, and there is one way to it."""

import ast
import json
import sys
from pathlib import Path

import pytest
from odd_texts import HARMLESS, HOSTILE

import sidkit.cli.main as door
from sidkit.cli.terminal import tell, tell_line
from sidkit.shown import MARKS

CLI = Path(door.__file__).parent
ORDERS = (
    "\x1b[31mred",
    "\x1b]0;another title\x07",
    "\x1b]8;;http://evil.example\x1b\\a link\x1b]8;;\x1b\\",
    "\x1b[2J\x1b[H\x1b[1A\x1b[2K0 faults, 0 notes",
    "\x9b31mred",
    "\x90+q\x9c",
    "back\b\b\b\bspaced",
    "\rover what was there",
    "\x00\x07\x0e\x7f",
    "\u202egnp.tac",
    "\u2066\u2069\u200f\u061c",
    "\u2028a line\u2029a paragraph\x85",
    "half a letter \udcff",
)


def is_order(letter):
    return letter in MARKS or not (letter.isprintable() or letter in "\n\t\u00a0\u200b\u200c\u200d")


@pytest.mark.parametrize("text", (*ORDERS, *HOSTILE, *HARMLESS), ids=ascii)
def test_no_order_gets_out(capsys, text):
    tell(f"a\tcat: {text}")
    tell_line(f"a cat: {text}", err=True)
    printed, told = capsys.readouterr()
    assert printed.startswith("a\tcat: ") and not list(filter(is_order, printed + told))
    assert told.count("\n") == 1


@pytest.mark.parametrize("text", HARMLESS, ids=ascii)
def test_other_texts_are_as_they_were(capsys, text):
    tell(text)
    tell_line(text)
    assert capsys.readouterr().out == f"{text}\n{text}\n"


@pytest.mark.parametrize("text", (*ORDERS, *HOSTILE, *HARMLESS), ids=ascii)
def test_json_says_the_same(capsys, text):
    tell(json.dumps({"caption": text}, ensure_ascii=False, indent=1))
    assert json.loads(capsys.readouterr().out) == {"caption": text}


@pytest.mark.parametrize("text", ORDERS, ids=ascii)
@pytest.mark.parametrize("kind", [ValueError, OSError])
def test_an_error_is_one_line_without_orders(monkeypatch, capsys, text, kind):
    def refuse():
        raise kind(f"{text}: expected another\nname")

    monkeypatch.setattr(door, "app", refuse)
    with pytest.raises(SystemExit):
        door.main()
    told = capsys.readouterr().err
    assert told.startswith("error: ") and told.endswith(": expected another name\n")
    assert told.count("\n") == 1 and not list(filter(is_order, told))


def test_the_command_line_prints_in_one_place():
    printing = set()
    for path in CLI.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "typer.echo", "sys.stdout.write"):
                printing.add(path.name)
    assert printing == {"terminal.py"}


def test_a_name_with_orders_is_checked_without_them(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "\x1b[31mred\u202e"
    monkeypatch.setattr(sys, "argv", ["sidkit", "check", str(folder)])
    with pytest.raises(SystemExit):
        door.main()
    assert not list(filter(is_order, "".join(capsys.readouterr())))
