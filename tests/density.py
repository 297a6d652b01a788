"""How much stands on a line: the syntax nodes that a reader takes in, over the lines of code that hold them.

`python tests/density.py [FOLDER or FILE ...]` prints it for each file, the densest first, and for all of them together.
Nodes are statements, expressions and named arguments, inside functions; lines that are blank, a comment or a docstring
do not count. By this measure diffusers' pipelines and torch's optimizers have 4 to 5, k-diffusion 7.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

READ = (ast.stmt, ast.expr, ast.keyword)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Density:
    """Syntax nodes and the lines on which they stand."""

    nodes: int
    lines: int

    @property
    def mean(self):
        """Nodes a line; 0 where there are no functions."""
        return self.nodes / self.lines if self.lines else 0.0

    def __add__(self, other):
        return Density(self.nodes + other.nodes, self.lines + other.lines)


def density(paths):
    """Of several Python files together."""
    return sum(map(density_of_file, paths), Density(0, 0))


def density_of_file(path):
    """Of the functions and methods of one file."""
    source = path.read_text()
    lines = source.splitlines()
    found = Density(0, 0)
    for function in outermost_functions(ast.parse(source)):
        quoted = docstring_lines(function)
        span = [number for number in range(first_line(function), function.end_lineno + 1) if number not in quoted]
        code = [number for number in span if is_code(lines[number - 1])]
        read = [node for node in ast.walk(function) if isinstance(node, READ)]
        told = [node for node in read if getattr(node, "lineno", 0) not in quoted]
        found += Density(len(told), len(code))
    return found


def outermost_functions(tree):
    """The functions and methods that lie in no other function."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, FUNCTIONS):
            yield child
        else:
            yield from outermost_functions(child)


def first_line(function):
    """Where a function begins, its decorators included."""
    return min(node.lineno for node in (function, *function.decorator_list))


def docstring_lines(function):
    """The numbers of the lines that docstrings take, those of inner functions and classes included."""
    owners = [node for node in ast.walk(function) if isinstance(node, (*FUNCTIONS, ast.ClassDef))]
    docstrings = [owner.body[0] for owner in owners if ast.get_docstring(owner) is not None]
    return {number for node in docstrings for number in range(node.lineno, node.end_lineno + 1)}


def is_code(line):
    """Whether a line holds anything but white space or a comment."""
    return bool(line.strip()) and not line.strip().startswith("#")


def deepest_comprehension(tree):
    """How many comprehensions lie in each other at most: 1 for a plain one, 0 for none."""
    inner = max(map(deepest_comprehension, ast.iter_child_nodes(tree)), default=0)
    return inner + isinstance(tree, COMPREHENSIONS)


def main(arguments):
    """Print a line a file, the densest first, then the whole."""
    places = [Path(argument) for argument in arguments] or [Path(__file__).parents[1] / "sidkit"]
    paths = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*.py")))]
    by_path = {path: density_of_file(path) for path in paths}
    for path, found in sorted(by_path.items(), key=lambda item: -item[1].mean):
        deep = deepest_comprehension(ast.parse(path.read_text()))
        print(f"{found.mean:5.1f} {found.lines:5} lines  {'deep ' if deep > 2 else ''}{path}")
    whole = density(paths)
    print(f"{whole.mean:5.2f} {whole.lines:5} lines  altogether")


if __name__ == "__main__":
    main(sys.argv[1:])
