"""A notebook's parameters: what the cell declares, and that a value is what was typed."""

import os
import re
import shlex
from pathlib import Path

import pytest
from test_notebook import write

from sidkit.parameters import check_parameters, declared_parameters, parse_assignments, read_parameters

CELL = """\
s = "a"
n = 3
f = 0.5
flip = False
names: list[str] = []
cases: list[int] = []
guidances: list[float] = []
x = None
seed: int | None = None
place: str | None = None
scale: Literal["smoke", "quick", "1"] = "quick"
sizes: dict[str, int] = {}
words: dict[str, str] = {}
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write(tmp_path_factory.mktemp("notebook") / "typed.ipynb", CELL)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("s=my cat #2", "my cat #2"),
        ("s=1:30", "1:30"),
        ("s=012", "012"),
        ("s=on", "on"),
        ("s=2026-11-28", "2026-11-28"),
        ("s=[v] dog", "[v] dog"),
        ("s=[v]", "[v]"),
        ("s={a}", "{a}"),
        ("s=None", "None"),
        ("s=null", "null"),
        ("s=~/photos", "~/photos"),
        ("s=1e-4", "1e-4"),
        ("s=a: b", "a: b"),
        ("s=- a", "- a"),
        ("s=*", "*"),
        ("s=&a b", "&a b"),
        ("s=!x", "!x"),
        ("s=a=b", "a=b"),
        ("s= two  blanks ", " two  blanks "),
        ("s=", ""),
        ("s=C:\\photos\\cat", "C:\\photos\\cat"),
        ("s=日本 🐱", "日本 🐱"),
        ("s='012'", "012"),
        ('s="my cat #2"', "my cat #2"),
        ("s='it''s'", "it's"),
        ("s='a' and 'b'", "'a' and 'b'"),
        ("s='tis", "'tis"),
        ("s=two\nlines", "two\nlines"),
        ("n=012", 12),
        ("n=-4", -4),
        ("n= 3 ", 3),
        ("n=0x10", 16),
        ("f=3", 3.0),
        ("f=1e-4", 1e-4),
        ("flip=true", True),
        ("flip=on", True),
        ("flip=No", False),
        ("names=[1, 2]", ["1", "2"]),
        ("names=[012, on, 1:30]", ["012", "on", "1:30"]),
        ("names=[null, 2026-11-28]", ["null", "2026-11-28"]),
        ("names=[dog, cat]", ["dog", "cat"]),
        ('names=["my cat #2", "a, b"]', ["my cat #2", "a, b"]),
        ("names=[]", []),
        ("names=[photos/my cat]", ["photos/my cat"]),
        ("cases=[1, 3]", [1, 3]),
        ("guidances=[2, 1e1]", [2.0, 10.0]),
        ("x=None", None),
        ("x=null", None),
        ("x=3", 3),
        ("x=[1, a]", [1, "a"]),
        ("x=on", "on"),
        ("x=my cat #2", "my cat #2"),
        ("x=2026-11-28", "2026-11-28"),
        ("seed=None", None),
        ("seed=", None),
        ("seed=7", 7),
        ("place=None", None),
        ("place='None'", "None"),
        ("place=on", "on"),
        ("place=", ""),
        ("scale=1", "1"),
        ("scale=smoke", "smoke"),
        ("sizes={a: 1, b: 2}", {"a": 1, "b": 2}),
        ("words={a: on, 1: 012}", {"a": "on", "1": "012"}),
    ],
)
def test_a_value_is_what_was_typed(source, typed, value):
    (read,) = read_parameters(source, parse_assignments([typed])).values()
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("n=many", "n: expected int, like 3, got 'many'$"),
        ("n=2.5", "n: expected int"),
        ("n=1:30", "n: expected int, like 3, got '1:30'$"),
        ("n='3'", "n: expected int"),
        ("n=", "n: expected int"),
        ("n=true", "n: expected int"),
        ("n=" + "1" * 5000, "n: expected (int|YAML)"),
        ("f=fast", "f: expected float"),
        ("flip=1", "flip: expected bool"),
        ("flip=maybe", "flip: expected bool"),
        ("scale=fulll", "scale: expected Literal"),
        ("seed=x", r"seed: expected int \| None"),
        ("x=[v] and [w]", r"x: expected Any"),
        ("x=[a #b]", r"x: expected Any"),
        ("names=[[1, 2]]", r"names: expected list\[str\]"),
        ("names={a: 1}", r"names: expected list\[str\]"),
        ("cases=[a]", r"cases: expected list\[int\], like \[\], got '\[a\]'$"),
        ("sizes={a: b}", r"sizes: expected dict\[str, int\]"),
        (r's="C:\models"', "s: expected YAML.*write the path with /"),
        ("x=" + "[" * 5000 + "]" * 5000, "x: expected"),
    ],
)
def test_what_is_not_of_the_type_is_refused_in_one_line(source, typed, message):
    with pytest.raises(ValueError, match=message) as refusal:
        read_parameters(source, parse_assignments([typed]))
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 500


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("names=dog", ["dog"]),
        ("names=my cat #2", ["my cat #2"]),
        ("names=dog, cat", ["dog", "cat"]),
        ("names=[my cat #2, b]", ["my cat #2", "b"]),
        ("names=[[v] dog]", ["[v] dog"]),
        ("names=it's", ["it's"]),
        ("names=012", ["012"]),
        ('names=say "x"', ['say "x"']),
        ("cases=1", [1]),
        ("cases=1,3", [1, 3]),
        ("guidances=2.5", [2.5]),
    ],
)
def test_a_list_s_hint_is_a_list_that_works(source, typed, value):
    with pytest.raises(ValueError, match="for a list write -p ") as refusal:
        read_parameters(source, parse_assignments([typed]))
    *_, hint = shlex.split(str(refusal.value).partition("for a list write ")[2])
    (read,) = read_parameters(source, parse_assignments([hint])).values()
    assert read == value


@pytest.mark.parametrize("value", [(1, 2), [(1, 2)], {1: 2}, {"a": {1}}, b"x", float("nan"), Path("a")])
def test_what_papermill_would_make_a_text_of_is_refused(source, value):
    with pytest.raises(ValueError, match="x: expected a text, number, true, false or null, or lists and mappings"):
        check_parameters(source, {"x": value})


@pytest.mark.parametrize("text", ["steps", "=3", "two words=3", "1a=2", ""])
def test_what_is_no_assignment_is_refused(text):
    with pytest.raises(ValueError, match="expected name=value"):
        parse_assignments([text])


def test_a_parameter_said_twice_is_refused():
    with pytest.raises(ValueError, match="n: expected one value, got '3' and '4'"):
        parse_assignments(["n=3", "n=4"])


def test_a_misspelt_parameter_is_offered(source):
    with pytest.raises(ValueError, match="unknown parameter 'name'; did you mean 'names'"):
        read_parameters(source, {"name": "x"})


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline\nn = 3",
        "!pip install x",
        "n = 3\nfolder: Path = 'x'",
        "n: __import__('os').system('touch ran') = 1",
        "n: (lambda: open('ran', 'w'))() = 1",
        "n: 'int' = 1",
        "n: 3 = 3",
        "n: int[3] = 3",
        "n: Any | 3 = 3",
        "n = open('ran', 'w')",
        "n = f'{3}'",
        "n = {[]: 1}",
        "n = 'open",
        "n = " + "(" * 300 + ")" * 300,
        "n += 3",
        "n: int",
        "a = b = 3",
        "a, b = 1, 2",
        "import os",
        "print(3)",
        '"""Words."""',
        "n = 3\x00",
        "n = (1, 2)",
        "n = [(1, 2)]",
        "n = {1: 2}",
        "n = {1, 2}",
        "n = 3j",
        "n = b'x'",
        "n = ...",
        "n: tuple[int, int] = [1, 2]",
    ],
)
def test_a_cell_of_another_kind_is_one_line_and_nothing_in_it_runs(tmp_path, monkeypatch, cell):
    monkeypatch.chdir(tmp_path)
    source = write(tmp_path / "odd.ipynb", cell)
    with pytest.raises(ValueError, match=re.escape(f"{source}: parameters cell: expected ")) as refusal:
        declared_parameters(source)
    assert "\n" not in str(refusal.value) and os.listdir(tmp_path) == ["odd.ipynb"]


def test_a_byte_that_is_no_letter_is_told_before_anything_runs():
    with pytest.raises(ValueError, match="s: expected text in UTF-8, got"):
        parse_assignments(["s=M\udcfcller"])
