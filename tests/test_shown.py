"""What a message shows of a value from outside: one line, with a bound in length and in time."""

import time

import pytest
import yaml

from sidkit.config import check_name
from sidkit.shown import LONGEST, shown, shown_name, shown_names


def bomb():
    """A YAML document of 255 bytes whose repr has some 700 MB."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, after in zip("abcdefgh", "bcdefghi"):
        lines.append(f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]")
    return yaml.safe_load("\n".join(lines))["i"]


def ring():
    value = []
    value.append(value)
    return value


LARGE = {
    "a YAML bomb": bomb,
    "a list in itself": ring,
    "30,000 letters": lambda: "dog " * 7500,
    "100 MB of text": lambda: "x" * 10**8,
    "100 MB of bytes": lambda: b"x" * 10**8,
    "a million keys": lambda: {str(number): number for number in range(10**6)},
    "a long key": lambda: {"k" * 10**6: 1},
    "a nested one": lambda: yaml.safe_load("[" * 300 + "]" * 300),
    "a number of a million digits": lambda: 16**830_000,
    "a negative one": lambda: [-(16**830_000)],
    "a set": lambda: set(range(10**5)),
    "escapes": lambda: "\x1b[31m\n\u200b\ud800" * 10_000,
    "an array": lambda: pytest.importorskip("numpy").zeros((1000, 1000)),
}


@pytest.mark.parametrize("kind", LARGE)
def test_what_is_large_is_shown_short_and_soon(kind):
    value = LARGE[kind]()
    start = time.perf_counter()
    text = shown(value)
    assert time.perf_counter() - start < 0.2
    assert len(text) <= LONGEST + 3 and text.isprintable()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *(
            ("dog", "'dog'"),
            ("it's", '"it\'s"'),
            ("", "''"),
            ("狗", "'狗'"),
            ("a\nb", r"'a\nb'"),
            ("\x1b[0m", r"'\x1b[0m'"),
        ),
        *((None, "null"), (True, "true"), (False, "false"), (3, "3"), (2.5, "2.5"), (b"a", "b'a'")),
        *(([], "[]"), (["a", None], "['a', null]"), ({"a": {"b": 1}}, "{'a': {'b': 1}}"), ({}, "{}"), ((1,), "(1,)")),
        ([1, 2, 3, 4, 5, 6, 7], "[1, 2, 3, 4, 5, 6, ...]"),
    ],
)
def test_what_is_small_is_shown_whole(value, text):
    assert shown(value) == text


def test_names_are_shown_bare_where_they_can_be_seen():
    assert shown_name("my cat (1).png") == "my cat (1).png"
    assert shown_name("a\nb") == r"'a\nb'" and shown_name("") == "''"
    assert len(shown_name("x" * 10**6)) <= LONGEST + 3
    assert shown("x" * 500, 1000) == f"'{'x' * 500}'"
    assert shown_names(["a", "b"]) == "a, b"
    assert shown_names(str(number) for number in range(100)).endswith(", 29 and 70 more")


def test_an_unknown_name_is_refused_with_a_bound():
    pictures = [f"IMG_{number:05}.png" for number in range(2000)]
    with pytest.raises(ValueError, match="unknown picture 'xxx.*and 1970 more") as refusal:
        check_name("picture", "x" * 30_000, pictures)
    assert len(str(refusal.value)) < 700
