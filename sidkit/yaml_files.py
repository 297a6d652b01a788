"""YAML that people write, read with suspicion: the values of YAML 1.2, no key twice, and nothing that swells.

YAML 1.1, which PyYAML reads by itself, takes `on` for true, `012` for 10 and `1:30` for 90. Aliases (`*name`) are
followed only where the whole, written out, stays small: 255 bytes of them can stand for gigabytes.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from sidkit.files import read_text

MOST_NODES = 10_000  # values of one text, its aliases written out
LARGEST = 1_000_000  # letters of one text
TAG = "tag:yaml.org,2002:"
ADVICE = {  # by what PyYAML says
    "escape character": "in double quotes \\ begins an escape: write the path with /, or in single quotes",
    "'\\t'": "indent with spaces, not with a tab",
    "mapping values are not allowed": "a text with a colon in it needs quotes",
}


def read_yaml(path: Path | str) -> Any:
    """The value in a YAML file: texts, numbers, true, false, null, lists and mappings; None for an empty one.

    Raises ValueError in one line, which names the file and the place, where it cannot be read as such.
    """
    return parse_yaml(read_text(path), str(path))


def parse_yaml(text: str, where: str, *, as_texts: bool = False) -> Any:
    """The value of a YAML text, or, if `as_texts`, its lists and mappings with all else in it as it was written.

    ValueError, which begins with `where`, as `read_yaml`.
    """
    if len(text) > LARGEST:
        raise ValueError(f"{where}: expected at most {LARGEST} letters of YAML, got {len(text)}")
    try:
        loader = (_AsTexts if as_texts else _Loader)(text)
        root = loader.get_single_node()
        if root is None:
            return None
        _weigh(root, {}, where)
        return loader.construct_document(root)
    except RecursionError as error:
        raise ValueError(f"{where}: expected YAML, but it is nested too deep") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{where}: expected YAML, but {_in_a_line(error)}") from error


def scalar(text: str) -> Any:
    """A text as YAML 1.2 reads it where it stands by itself: a number, true, false or null, otherwise the text."""
    loader = _Loader("")
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))
    if tag.removeprefix(TAG) not in ("null", "bool", "int", "float"):
        return text
    try:
        return loader.construct_object(yaml.ScalarNode(tag, text))
    except yaml.YAMLError:  # more digits than Python reads
        return text


class _Loader(yaml.SafeLoader):
    """PyYAML with the values of YAML 1.2's core schema, and `<<`, which people use to share settings."""

    yaml_implicit_resolvers: dict = {}
    yaml_constructors: dict = {}

    def number(self, node: yaml.ScalarNode) -> int | float:
        said = node.value.lower()
        try:
            if node.tag == f"{TAG}float":
                return float(said.replace(".inf", "inf").replace(".nan", "nan"))
            return int(said, 0 if said[:2] in ("0o", "0x") else 10)
        except ValueError as error:
            problem = "a number is none, or is too long"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error

    def boolean(self, node: yaml.ScalarNode) -> bool:
        return node.value.lower() == "true"

    def foreign(self, node: yaml.Node) -> Any:
        problem = f"the tag {node.tag!r} is none that is read here"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


class _AsTexts(_Loader):
    """What is no list and no mapping is a text."""

    yaml_implicit_resolvers: dict = {}


_SCALARS = (  # kind, what it looks like, its first letters, how it is made
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""], _Loader.construct_yaml_null),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF"), _Loader.boolean),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789"), _Loader.number),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
        _Loader.number,
    ),
)
for kind, pattern, letters, made in _SCALARS:
    _Loader.add_implicit_resolver(TAG + kind, re.compile(rf"(?:{pattern})\Z"), letters)
    _Loader.add_constructor(TAG + kind, made)
_Loader.add_implicit_resolver(f"{TAG}merge", re.compile(r"<<\Z"), ["<"])
_Loader.add_constructor(f"{TAG}str", _Loader.construct_yaml_str)
_Loader.add_constructor(f"{TAG}seq", _Loader.construct_yaml_seq)
_Loader.add_constructor(f"{TAG}map", _Loader.construct_yaml_map)
_Loader.add_constructor(None, _Loader.foreign)


def _weigh(node: yaml.Node, size_by_node: dict[int, int], where: str) -> int:
    """How many values a node stands for, its aliases written out. ValueError for too many, or for a key twice."""
    known = size_by_node.get(id(node))
    if known == 0:
        raise ValueError(f"{where}: expected YAML, but an alias stands for something that it is in itself")
    if known is not None:
        return known
    size_by_node[id(node)] = 0  # begun
    size = 1 + sum(_weigh(child, size_by_node, where) for child in _children(node, where))
    if size > MOST_NODES:
        raise ValueError(f"{where}: expected at most {MOST_NODES} values, aliases written out, got more")
    size_by_node[id(node)] = size
    return size


def _children(node: yaml.Node, where: str) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return node.value
    if not isinstance(node, yaml.MappingNode):
        return []
    keys = [(key.tag, key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    for (_, key), count in Counter(keys).items():
        if count > 1:
            line = node.start_mark.line + 1
            raise ValueError(f"{where}: expected each key once, got {key!r} {count} times (below line {line})")
    return [child for pair in node.value for child in pair]


def _in_a_line(error: yaml.YAMLError) -> str:
    """What PyYAML found, where, and what to do, without the excerpt that it draws over several lines."""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    mark = getattr(error, "problem_mark", None)
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    advice = [told for said, told in ADVICE.items() if said in problem]
    return "; ".join([f"{problem.removeprefix('but ')}{place}", *advice])
