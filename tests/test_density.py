"""The measure of how much stands on a line, on code that can be counted by hand."""

import ast

import pytest
from density import Density, deepest_comprehension, density

SOURCE = '''"""A module, whose own lines do not count."""

TABLE = {key: value for key, value in zip("abc", range(3))}


@cache
def double(number):
    """Twice `number`.

    A docstring of several lines.
    """
    # a comment

    return number * 2
'''


def test_nodes_and_lines_are_counted_by_hand(tmp_path):
    (tmp_path / "module.py").write_text(SOURCE)
    # def, cache, return, number * 2 and both its sides; decorator, def and return are three lines
    assert density([tmp_path / "module.py"]) == Density(6, 3)
    assert density([tmp_path / "module.py"] * 2) == Density(12, 6)


INNER = """class A:
    def f(self):
        def g():
            '''Inner.'''
            return 1
        return g
"""


def test_a_method_counts_and_an_inner_function_counts_once(tmp_path):
    (tmp_path / "module.py").write_text(INNER)
    assert density([tmp_path / "module.py"]) == Density(6, 4)  # two defs, two returns, 1 and g


def test_a_module_without_functions_has_no_density(tmp_path):
    (tmp_path / "module.py").write_text("A = 1\n")
    assert density([tmp_path / "module.py"]).mean == 0


@pytest.mark.parametrize(
    ("source", "depth"),
    [
        ("a", 0),
        ("[a for a in b]", 1),
        ("[f(a for a in c) for c in b]", 2),
        ("{a: [b for b in (c for c in a)] for a in d}", 3),
        ("[a for a in b] + [c for c in d]", 1),
    ],
)
def test_how_deep_comprehensions_lie_in_each_other(source, depth):
    assert deepest_comprehension(ast.parse(source)) == depth
