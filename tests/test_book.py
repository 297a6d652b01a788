"""A small book, end to end: notebooks executed, pages built, and nothing wrong left unsaid."""

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell
from papermill import PapermillExecutionError
from test_notebook import write

from sidkit.book import build_book, executed_pages

CONFIG = """\
title: A small book
only_build_toc_files: true
execute: {execute_notebooks: "off"}
sphinx: {config: {nb_merge_streams: true}}
"""
TOC = """\
format: jb-book
root: book/start
chapters: [{file: book/chapters/01_sum}]
"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_config.yml").write_text(CONFIG)
    (tmp_path / "_toc.yml").write_text(TOC)
    (tmp_path / "book" / "start.md").write_text("# Start\n\nGo to [the sum](chapters/01_sum.ipynb).\n")
    chapter(tmp_path, "print('scale is', scale)")
    return tmp_path


def chapter(root, *cells, parameters='scale = "quick"'):
    """The book's only notebook, under a title."""
    path = write(root / "notebooks" / "01_sum.ipynb", parameters, *cells)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, new_markdown_cell("# The sum"))
    nbformat.write(notebook, path)


def test_the_table_of_contents_names_what_is_executed(root):
    page = root / "book" / "chapters" / "01_sum.ipynb"
    assert executed_pages(root) == {root / "notebooks" / "01_sum.ipynb": page}


def test_a_book_is_executed_and_built(root):
    (root / "_build").mkdir()
    (root / "_build" / "stale.html").write_text("old")
    index = build_book(root, scale="smoke")
    assert index.is_file()
    assert not (root / "_build" / "stale.html").exists()
    assert "scale is smoke" in (index.parent / "book" / "chapters" / "01_sum.html").read_text()


def test_a_failing_cell_stops_the_book(root):
    chapter(root, "raise KeyError('lost')")
    with pytest.raises(PapermillExecutionError, match="lost"):
        build_book(root, scale="smoke")
    assert not (root / "_build").exists()


def test_a_warning_fails_the_book(root):
    (root / "book" / "start.md").write_text("# Start\n\n{ref}`nowhere`\n")
    with pytest.raises(RuntimeError, match="did not build"):
        build_book(root, scale="smoke")


def test_a_parameter_of_a_wrong_type_is_found_before_any_notebook_runs(root):
    chapter(root, parameters="scale = 3")
    with pytest.raises(ValueError, match="scale: expected int"):
        build_book(root, scale="smoke")
    assert not (root / "book" / "chapters").exists()
