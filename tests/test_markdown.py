"""Words from outside are shown letter for letter and do nothing, and there is no other way into a page."""

import ast
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from odd_texts import HARMLESS, HOSTILE, spaced
from rendered import rendered, words

from sidkit.markdown import UNSEEN, Markdown, code, markdown, printable, prose, table

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "sidkit").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [*sorted((ROOT / "book").glob("*.md")), *NOTEBOOKS]
MAKER = ROOT / "sidkit" / "markdown.py"
GLUER = ROOT / "sidkit" / "study" / "chapter.py"
BESIDE_TEXT = {"main", "p", "code", "span"}  # what docutils puts around words and code

every_text = pytest.mark.parametrize("text", (*HOSTILE, *HARMLESS), ids=ascii)


@every_text
def test_a_text_is_shown_letter_for_letter_wherever_it_stands(text):
    sentence = Markdown("It says {} here, and {}.").format(text, code(text))
    assert spaced(words(sentence)).replace("It says  here", "It says here") == spaced(
        f"It says {text} here, and {text}."
    )
    assert spaced(words(markdown(text))) == spaced(text)
    assert {element.name for element in rendered(sentence).find_all(True)} <= BESIDE_TEXT
    assert {element.name for element in rendered(markdown(text)).find_all(True)} <= BESIDE_TEXT


@every_text
def test_a_table_has_its_own_cells_and_no_others(text):
    frame = pd.DataFrame({"text": [text, "next"], "code": [code(text), 1], "prose": [prose(text), code("a|b")]})
    page = rendered(table(frame))
    first, second = ([cell.get_text(" ") for cell in row.select("td")] for row in page.select("tbody tr"))
    assert [spaced(cell) for cell in first[:2]] == [spaced(text)] * 2
    assert second == ["next", "1", "a|b"]
    assert not page.find_all(["a", "img", "script", "svg", "b", "em", "strong", "h1", "hr", "ul", "ol"])


@every_text
def test_a_title_does_nothing_either(text):
    page = rendered(table(pd.DataFrame({text: ["below"]})))
    assert len(page.select("th")) == len(page.select("td")) == 1
    assert not page.find_all(["a", "img", "script", "svg", "b", "em", "strong"])
    assert "`" in text or spaced(page.th.get_text()) == spaced(text)


def test_markdown_is_made_of_what_is_written_here():
    built = Markdown("**{}** and {:.1f}, {name}").format("*x*", 2.25, name=Markdown("*y*"))
    assert [part.get_text() for part in rendered(built).select("strong")] == ["*x*"]
    assert [part.get_text() for part in rendered(built).select("em")] == ["y"]
    assert words(built) == "*x* and 2.2, y"
    assert words(Markdown(" *or* ").join(["a_b_c", code("d")])) == "a_b_c or d"
    assert str(code("")) == "" and words(code(" ")) == "" and words(code("` `")) == "` `"


def test_text_that_was_markdown_is_words_again():
    """So whoever puts pieces together in another way sees too much, and not something that acts."""
    strong = Markdown("**x**")
    assert words(f"{strong}!") == "**x**!" and words(str(strong)) == "**x**"
    with pytest.raises(TypeError):
        strong + "x"


def test_prose_has_code_between_backticks_and_nothing_else():
    page = rendered(prose("What `[v]` *is*, and `--fix`, `"))
    assert [part.get_text() for part in page.select("code, .literal")] == ["[v]", "--fix"]
    assert page.get_text().strip() == "What [v] *is*, and --fix, `"


def test_lines_of_a_cell_are_lines_of_the_page():
    page = rendered(table(pd.DataFrame({"a": ["0.5\n[0.1, 0.9]"]})))
    assert page.td.get_text("|") == "0.5|[0.1, 0.9]"


def test_what_no_page_can_have_is_seen_to_be_missing():
    assert printable("a\x00b\udcffc\x1b\td\n") == f"a{UNSEEN}b{UNSEEN}c{UNSEEN}\td\n"


def calls(tree):
    """The calls of a piece of code, each with the last name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], node


def trees():
    """All code that makes pages, by where it stands."""
    for path in SOURCES:
        yield path, ast.parse(path.read_text())
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        yield path, ast.parse("\n".join(cell.source for cell in cells if cell.cell_type == "code"))


def breaches(path, tree):
    """What in a piece of code makes Markdown of more than a literal, or shows something in a page by itself."""
    found = []
    for name, call in calls(tree):
        literal = call.args and isinstance(call.args[0], ast.Constant)
        if name == "Markdown" and path != MAKER and not literal:
            found.append(f"{path.name}:{call.lineno}: Markdown of what is no literal")
        if name in ("to_markdown", "to_html", "tabulate") and path != MAKER:
            found.append(f"{path.name}:{call.lineno}: {name}")
        if name in ("display", "HTML", "glue") and path != GLUER and ast.unparse(call.func) != "results.glue":
            found.append(f"{path.name}:{call.lineno}: {name}")
    for node in ast.walk(tree):
        modules = [node.module] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if path != GLUER and {"IPython.display", "myst_nb", "IPython.core.display"} & set(modules):
            found.append(f"{path.name}:{node.lineno}: imports {modules}")
    return found


def test_nothing_enters_a_page_past_the_one_function():
    assert not [breach for path, tree in trees() for breach in breaches(path, tree)]


@pytest.mark.parametrize(
    "line",
    [
        "Markdown(f'`{caption}`')",
        "Markdown(text)",
        "markdown.Markdown('a' + text)",
        "Markdown(source=text)",
        "frame.to_markdown(index=False)",
        "from IPython.display import Markdown as Shown",
        "from myst_nb import glue",
        "display(frame)",
    ],
)
def test_who_goes_past_it_is_found(line):
    assert breaches(Path("new.py"), ast.parse(line))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_of_a_notebook_shows_a_value(path):
    """Jupyter would show it as HTML, if it has such a form."""
    for cell in nbformat.read(path, as_version=4).cells:
        last = ast.parse(cell.source).body[-1] if cell.cell_type == "code" else None
        if isinstance(last, ast.Expr):
            assert ast.unparse(last.value) in ("plt.show()", "results.glue()", "charts.theme()", "print(plan)")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_take_values_as_text_or_as_markdown(path):
    """`{glue}` alone would take the richest form of a value."""
    text = path.read_text()
    assert text.count("{glue") == text.count("{glue:text}") + text.count("{glue:md}")
