"""A small book, end to end: notebooks executed, pages built, and nothing wrong left unsaid."""

import io

import nbformat
import pytest
from filelock import FileLock
from nbformat.v4 import new_markdown_cell
from rich.console import Console
from test_notebook import write

from sidkit.book import _check_config, build_book, executed_pages
from sidkit.notebook import NotebookError
from sidkit.screen import BAR, Screen
from sidkit.side_by_side import Lines, _heard

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


def several(root, count):
    """Chapters that wait for each other, so that they end only if they run at once; the last one counts them."""
    names = [f"0{number}_part" for number in range(2, 2 + count)]
    files = ", ".join(f"{{file: book/chapters/{name}}}" for name in ["01_sum", *names])
    (root / "_toc.yml").write_text(f"format: jb-book\nroot: book/start\nchapters: [{files}]\n")
    wait = "import time\nwhile len(list(Path('.').glob('*.here'))) < len(wanted): time.sleep(0.05)"
    for name in ("01_sum", *names[:-1]):
        cell = f"from pathlib import Path\nwanted = {['01_sum', *names[:-1]]}\nPath('{name}.here').touch()\n{wait}"
        cell += "\nimport sys\nprint('is at work', file=sys.stderr)"
        write(root / "notebooks" / f"{name}.ipynb", 'scale = "quick"', cell, f"Path('{name}.done').touch()")
    write(root / "notebooks" / f"{names[-1]}.ipynb", 'scale = "quick"', "import os", "print(sorted(os.listdir('.')))")
    return root / "book" / "chapters" / f"{names[-1]}.ipynb"


def test_notebooks_run_at_once_and_the_last_one_when_all_are_done(root, monkeypatch, capfd):
    last = several(root, 2)
    monkeypatch.chdir(root)
    with pytest.raises(RuntimeError, match="did not build"):  # their pages have no titles
        build_book(root, scale="smoke", jobs=2)
    told = str(nbformat.read(last, as_version=4))
    assert "01_sum.done" in told and "02_part.done" in told
    said = capfd.readouterr().err
    assert "01_sum: is at work" in said and "02_part: is at work" in said and "executing 03_part" in said
    assert "executed 01_sum" in said and "executed 02_part" in said


def screen(terminal):
    """One that draws onto a text, and what it has drawn."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, legacy_windows=False)
    return Screen(2, console), console.file.getvalue


def test_what_a_notebook_writes_is_said_line_by_line():
    said = []
    Lines(lambda kind, text: said.append(text)).write("\rdrawing: 25%|\n\n  at work  \r\n")
    assert said == ["drawing: 25%|", "  at work"]


def test_on_a_terminal_each_notebook_that_runs_has_a_bar_of_its_own():
    shown, drawn = screen(terminal=True)
    with shown:
        shown.show("01_sum", "drawing:  25%|##   | 1/4 [00:01<00:03, 1.00s/it]")
        shown.refresh()
        shown.show("02_part", "at work")
        shown.show("01_sum", "drawing:  50%|###  | 2/4 [00:02<00:02, 1.00s/it]")
        shown.refresh()
        (bar,) = [task for task in shown.tasks if task.description == "01_sum: drawing"]
        assert (bar.completed, bar.total) == (2, 4)
        shown.finish("01_sum")
        shown.finish("02_part")
    assert "02_part: at work" in drawn() and "1/4" in drawn() and "2/4" in drawn()
    assert [task.description for task in shown.tasks] == ["notebooks"] and shown.finished


@pytest.mark.parametrize(
    ("line", "what", "counts"),
    [
        ("draw:   0%|          | 0/32 [00:00<?, ?picture/s]", "draw", ("0", "32")),
        (" 12%|█▏        | 3/25 [00:01<00:08,  2.6it/s, loss=0.1]", "", ("3", "25")),
    ],
)
def test_a_bar_of_tqdm_is_read(line, what, counts):
    drawn = BAR.match(line)
    assert drawn["what"].strip() == what and (drawn["done"], drawn["all"]) == counts


def test_a_line_that_is_no_bar_is_printed_as_it_is():
    assert not BAR.match("the share is 50%|") and not BAR.match("about 3 minutes")
    shown, drawn = screen(terminal=False)
    with shown:
        shown.show("01_sum", "a [v] dog " + "x" * 120)
    assert "01_sum: a [v] dog " + "x" * 120 + "\n" in drawn()


def test_a_line_moves_no_cursor_and_turns_no_letters():
    shown, drawn = screen(terminal=False)
    with shown:
        shown.show("01_sum", "\x1b[A")
        shown.show("01_sum", "\x1b[A\x1b[31mdraw\x1b[0m:  50%|##   | 1/2 [00:01<00:03, 1.00s/it]")
        assert shown.tasks[-1].description == "01_sum: draw"
        shown.show("01_sum", "\x1b]0;a title\x07 \u202egnp.tac")
    assert "01_sum: \\u001b]0;a title\\u0007 \\u202egnp.tac\n" in drawn() and "\x1b[A" not in drawn()


def test_of_several_the_first_failure_stops_the_book(root, monkeypatch):
    several(root, 3)
    chapter(root, "raise KeyError('lost')")
    (root / "02_part.here").touch()
    monkeypatch.chdir(root)
    write(root / "notebooks" / "02_part.ipynb", 'scale = "quick"', "1")
    write(root / "notebooks" / "03_part.ipynb", 'scale = "quick"', "1")
    with pytest.raises(NotebookError, match="lost"):
        build_book(root, scale="smoke", jobs=2)
    assert not (root / "_build").exists() and not (root / "book" / "chapters" / "04_part.ipynb").exists()


def test_what_is_waited_for_after_a_failure_is_named(monkeypatch):
    monkeypatch.setattr("sidkit.tether.end", lambda processes: None)
    shown, drawn = screen(terminal=False)
    failed = {"kind": "failed", "text": "01_sum: cell 3 failed"}
    with shown:
        failures = _heard("01_sum", failed, {"01_sum": None, "02_part": None}, shown)
        _heard("02_part", failed, {"02_part": None}, shown)
    assert [str(failure) for failure in failures] == ["01_sum: cell 3 failed"]
    assert "failed 01_sum; what is begun is waited for: 02_part\n" in drawn() and "failed 02_part\n" in drawn()


def test_a_failing_cell_stops_the_book(root):
    chapter(root, "raise KeyError('lost')")
    with pytest.raises(NotebookError, match="lost"):
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


def test_a_notebook_whose_kernel_dies_is_named(root):
    chapter(root, "import os", "os._exit(1)")
    with pytest.raises(NotebookError, match="^01_sum: its kernel died; the usual reason is too little memory$"):
        build_book(root, scale="smoke")


def test_two_books_in_one_folder_do_not_mix(root):
    with (
        FileLock(root / ".book.lock"),
        pytest.raises(ValueError, match=f"{root}: another `sidkit book` is at work here"),
    ):
        build_book(root, scale="smoke")
    assert not (root / "book" / "chapters").exists()


HEAD = "format: jb-book\nroot: book/start\n"


@pytest.mark.parametrize(
    ("toc", "message"),
    [
        ("", "expected a mapping"),
        ("- a\n", "expected a mapping"),
        ("just words", "expected a mapping"),
        ("{", "expected YAML"),
        ("root: [", "expected YAML"),
        (HEAD + "chapters:\n\t- file: a\n", "indent with spaces"),
        (HEAD + "chapters: [{file: a}]\nchapters: []\n", "expected each key once, got 'chapters'"),
        (HEAD + "chapters: [{file: book/nowhere}]\n", "for \\['book/nowhere'\\], found none"),
        (HEAD + "chapters: [{file: book/nowhere.md}]\n", "found none"),
        (HEAD + "chapters: [{file: a}, {file: book/start}, {file: b}]\n", "expected "),
        (HEAD.replace("start", "begin"), "for \\['book/begin'\\]"),
        ("format: jb-book\nchapters: []\n", "root"),
        ("root: book/start\nchapters: 3\n", "expected a table of contents"),
        (HEAD + "chapters: [{fiel: a}]\n", "expected a table of contents"),
        (HEAD + "parts: {}\n", "expected a table of contents"),
        (HEAD + "chapters: [a]\n", "expected a table of contents"),
        (HEAD + "chapters: &a [*a]\n", "in itself"),
        (HEAD + "chapters: [{file: on}]\n", "'docname' must be"),
        (HEAD + "x: 2026-13-45\n", "expected YAML as Jupyter Book reads it, but month must be in"),
        ("format: another\nroot: book/start\n", "expected a table of contents"),
    ],
)
def test_a_table_of_contents_that_cannot_be_used_is_told_before_any_notebook_runs(root, toc, message):
    (root / "_toc.yml").write_text(toc)
    with pytest.raises(ValueError, match=f"_toc.yml: .*{message}") as refusal:
        build_book(root, scale="smoke")
    assert "\n" not in str(refusal.value) and not (root / "book" / "chapters").exists()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("title: [", "_config.yml: expected YAML"),
        ("- a\n", "_config.yml: expected settings of Jupyter Book"),
        ("title: 3\n", "_config.yml: expected settings of Jupyter Book"),
        ("title: a\nexecute: {execute_notebooks: perhaps}\n", "_config.yml: expected settings of Jupyter Book"),
        ("title: a\ntitle: b\n", "_config.yml: expected each key once"),
        (None, "found no _config.yml"),
    ],
)
def test_settings_that_cannot_be_used_are_told_before_any_notebook_runs(root, config, message):
    (root / "_config.yml").unlink()
    if config is not None:
        (root / "_config.yml").write_text(config)
    with pytest.raises(ValueError, match=message) as refusal:
        build_book(root, scale="smoke")
    assert "\n" not in str(refusal.value) and not (root / "book" / "chapters").exists()


@pytest.mark.parametrize("word", ["yes", "on", "True", "off"])
def test_settings_are_read_as_jupyter_book_reads_them(root, word):
    (root / "_config.yml").write_text(f"title: a\nonly_build_toc_files: {word}\nhtml: {{use_issues_button: {word}}}\n")
    _check_config(root / "_config.yml")


def test_a_notebook_that_somebody_wrote_is_never_written_over(root):
    page = root / "book" / "chapters" / "01_sum.ipynb"
    page.parent.mkdir()
    before = write(page, "n = 1", "print('by hand')").read_bytes()
    with pytest.raises(ValueError, match=f"{page}: expected an executed copy of notebooks/01_sum.ipynb"):
        build_book(root, scale="smoke")
    assert page.read_bytes() == before


def test_a_page_that_somebody_wrote_is_no_executed_copy_though_it_has_a_notebook_s_name(root):
    (root / "book" / "01_sum.md").write_text("# Sums\n")
    (root / "_toc.yml").write_text(HEAD + "chapters: [{file: book/chapters/01_sum}, {file: book/01_sum}]\n")
    assert executed_pages(root) == {root / "notebooks" / "01_sum.ipynb": root / "book" / "chapters" / "01_sum.ipynb"}


def test_a_page_that_cannot_be_written_is_told_before_any_notebook_runs(root):
    (root / "book" / "chapters" / "01_sum.ipynb").mkdir(parents=True)
    with pytest.raises(ValueError, match="01_sum.ipynb: expected a file, or nothing yet, got a folder"):
        build_book(root, scale="smoke")
