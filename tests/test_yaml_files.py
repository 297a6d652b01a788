"""YAML that people write: what it says, and that nothing in it swells, is lost or is run."""

import time

import pytest

from sidkit.yaml_files import parse_yaml, read_yaml, scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("No", "No"),
        ("yes", "yes"),
        ("012", 12),
        ("1:30", "1:30"),
        ("2026-11-28", "2026-11-28"),
        ("1_000", "1_000"),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e-4", 1e-4),
        ("-3", -3),
        (".5", 0.5),
        ("5.", 5.0),
        ("+1.5E3", 1500.0),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        ("", None),
        ("1.2.3", "1.2.3"),
        ("*", "*"),
        ("a: b", "a: b"),
        ("my cat #2", "my cat #2"),
        ("12a", "12a"),
        ("=", "="),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(text, value):
    assert scalar(text) == value and type(scalar(text)) is type(value)


def test_numbers_without_end_are_numbers():
    assert scalar("-.inf") == float("-inf") and scalar(".nan") != scalar(".nan")


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{below}'] * 9)}]\n" for below, name in zip("abcdefgh", "bcdefghi")
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "at most 10000 values, aliases written out"),
        (BOMB.replace("[", "{<<: [").replace("]", "]}").replace("x,", "{y: 1},"), "at most 10000 values|cannot"),
        ("a: &a [*a]", "something that it is in itself"),
        ("a: &a {b: {c: *a}}", "something that it is in itself"),
        ("[" * 5000 + "]" * 5000, "nested too deep"),
        ("{a: " * 5000 + "1" + "}" * 5000, "nested too deep"),
        ("- " * 3000 + "1", "nested too deep"),
        ("x" * 1_000_001, "at most 1000000 letters"),
        ("a: 1\nb: 2\na: 3", "expected each key once, got 'a' 2 times"),
        ("top: {a: 1, a: 1}", "expected each key once, got 'a'"),
        ("a: 1\n'a': 2", "expected each key once, got 'a'"),
        ("[{a: 1, a: 1}]", "expected each key once, got 'a'"),
        ("a: 1\n\tb: 2", r"line 2, column 1\); indent with spaces"),
        (r'a: "C:\models"', "line 1, column 8.*write the path with /"),
        ("a: b: c", "needs quotes"),
        ("a: [1", "expected YAML, but"),
        ("a: *nowhere", "undefined alias"),
        ("a: 1\n---\nb: 2", "expected YAML, but"),
        ("a: \x01", "special characters are not allowed"),
        ("a: !!python/object/apply:os.system ['touch x']", "tag .* is none that is read here"),
        ("a: !!timestamp nonsense", "tag .* is none that is read here"),
        ("a: !!int many", "expected YAML, but a number"),
        ("a: !!float many", "expected YAML, but a number"),
        ("a: !mine 3", "tag '!mine' is none"),
        ("a: " + "1" * 5000, "a number is none, or is too long"),
        ("? [1, 2]\n: 3", "unhashable key"),
    ],
)
def test_what_cannot_be_read_is_one_bounded_line_that_names_the_file(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(text)
    started = time.process_time()
    with pytest.raises(ValueError, match=message) as refusal:
        read_yaml("mine.yaml")
    told = str(refusal.value)
    assert told.startswith("mine.yaml: ") and "\n" not in told and len(told) < 400
    assert time.process_time() - started < 5 and not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xef\xbb\xbfa: caf\xc3\xa9\r\nb: 2\r\n", {"a": "café", "b": 2}),
        (b"", None),
        (b"# nothing but this\n", None),
        (b"- a\n- b\n", ["a", "b"]),
        (b"base: &b {steps: 3, rank: 4}\nlora: {<<: *b, rank: 8}\n", {"base": None, "lora": {"steps": 3, "rank": 8}}),
        (b"a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
        (b"path: C:\\models\\sd\n", {"path": "C:\\models\\sd"}),
        (b"a: 'it''s'\n", {"a": "it's"}),
    ],
)
def test_what_can_be_read_is(tmp_path, data, value):
    (tmp_path / "mine.yaml").write_bytes(data)
    read = read_yaml(tmp_path / "mine.yaml")
    if isinstance(read, dict) and "base" in read:
        read["base"] = None
    assert read == value


@pytest.mark.parametrize("data", [b"# caf\xe9\na: 1", "a: 1".encode("utf-16"), b"\x00\xff"])
def test_another_encoding_is_told(tmp_path, data):
    (tmp_path / "mine.yaml").write_bytes(data)
    with pytest.raises(ValueError, match="mine.yaml: expected (text in UTF-8|YAML)"):
        read_yaml(tmp_path / "mine.yaml")


def test_in_texts_nothing_is_read_as_a_number():
    assert parse_yaml("[012, on, 1e3, null, [v]]", "x", as_texts=True) == ["012", "on", "1e3", "null", ["v"]]
