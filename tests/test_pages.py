"""The real book, small: notebooks executed at scale smoke, pages built with warnings as errors, then looked at."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from test_code_pages import shown_by

from sidkit.notebook_file import find_notebook
from sidkit.parameters import declared_parameters, parse_assignments, read_parameters
from sidkit.study import claims

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TEXTS = [*sorted((ROOT / "book").glob("*.md")), *NOTEBOOKS]
LONGEST_CELL = 12  # lines


def named(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def pages(small_book):
    """Every page of the book by its path, parsed."""
    return {
        path: BeautifulSoup(path.read_text(), "html.parser") for path in sorted((small_book / "book").rglob("*.html"))
    }


@named(NOTEBOOKS)
def test_a_notebook_s_source_is_source_only_and_short(path):
    code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert not [cell for cell in code if cell.outputs or cell.execution_count]
    assert max(len(cell.source.splitlines()) for cell in code) <= LONGEST_CELL
    assert "scale" in declared_parameters(path)


@named(TEXTS)
def test_every_command_in_the_text_would_be_accepted(path):
    for name, rest in re.findall(r"sidkit notebook (\w+)((?: -p [^\s`\"\\]+)*)", path.read_text()):
        read_parameters(find_notebook(name), parse_assignments(re.findall(r"-p (\S+)", rest)))


@pytest.mark.slow
def test_every_page_of_the_table_of_contents_is_built(pages):
    names = {path.stem for path in pages}
    assert names == {path.stem for path in TEXTS}


@pytest.mark.slow
def test_pictures_are_there_and_are_described(pages):
    shown = [(path, image) for path, page in pages.items() for image in page.select("article img")]
    for path, image in shown:
        assert (path.parent / unquote(image["src"])).stat().st_size > 1000, image
        assert len(image.get("alt", "")) > 40 and ".png" not in image["alt"], image
    assert {path.stem for path, _ in shown} == {path.stem for path in NOTEBOOKS} | {"library"}


@pytest.mark.slow
def test_figures_and_tables_are_numbered_and_referred_to(pages):
    for path, page in pages.items():
        captions = page.select("article figcaption, article table caption")
        assert all(caption.select_one(".caption-number") for caption in captions), path
        labels = {figure["id"] for figure in page.select("article figure[id]")}
        linked = {urlsplit(link["href"]).fragment for other in pages.values() for link in other.select("a.reference")}
        assert labels <= linked, f"{path.stem}: nothing refers to {labels - linked}"


@pytest.mark.slow
def test_every_picture_and_table_of_a_run_carries_its_passport(pages):
    for path, page in pages.items():
        shown = (
            page.select("article figure[id], article table[id]") if (path.stem in {n.stem for n in NOTEBOOKS}) else []
        )
        for one in (one for one in shown if not one["id"].startswith("paper-")):
            passport = one.find_next("details")
            assert "passport" in passport["class"] and f"sidkit notebook {path.stem}" in passport.get_text(), one["id"]
    assert sum(len(page.select("details.passport")) for page in pages.values()) > 40


@pytest.mark.slow
def test_under_every_picture_and_table_of_a_run_a_link_leads_to_the_lines_that_make_it(pages):
    for path in NOTEBOOKS:
        (page,) = (page for place, page in pages.items() if place.stem == path.stem)
        for name in shown_by(path):
            shown = page.find(id=name)
            links = shown.find_next("p", class_="code-links").select("a")
            following = shown.find_next(["figure", "table"])  # a passport's table may stand on the page several times
            assert links and not any(other is following for other in links[0].find_all_previous(["figure", "table"]))
        assert page.find(id="where-the-code-is").select("table a.source-link"), path.stem


@pytest.mark.slow
def test_links_into_the_code_lead_to_a_line(pages, small_book):
    lines_of = {}
    for path, page in pages.items():
        for link in page.select("a.source-link"):
            address = urlsplit(link["href"])
            source = (path.parent / address.path).resolve()
            if source not in lines_of:
                lines_of[source] = set(re.findall(r'id="(L-\d+)"', source.read_text()))
            assert address.fragment in lines_of[source], f"{path.stem} links to {link['href']}"
    assert len(lines_of) > 50


@pytest.mark.slow
def test_links_lead_somewhere_and_pages_need_no_network(pages):
    for path, page in pages.items():
        parts = page.select("script[src], img[src]"), page.select("link[rel=stylesheet], link[rel=preload]")
        for address in [*(part["src"] for part in parts[0]), *(part["href"] for part in parts[1])]:
            assert (path.parent / unquote(urlsplit(address).path)).is_file(), f"{path.stem} loads {address}"
        for link in page.select("article a[href]"):
            assert leads_somewhere(path, link["href"], pages), f"{path.stem} links to {link['href']}"


def leads_somewhere(path, address, pages):
    """Whether a link is one into the world, or one to a page or place of the book that is there."""
    parts = urlsplit(address)
    if parts.scheme:
        return parts.scheme == "https"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    page = pages.get(target)
    return target.is_file() and (
        not parts.fragment or page is None or page.find(id=unquote(parts.fragment)) is not None
    )


@pytest.mark.slow
def test_the_chapter_says_of_every_claim_whether_it_was_reproduced(pages):
    (chapter,) = (page for path, page in pages.items() if path.stem == "02_description_cases")
    said = [cell.get_text() for cell in chapter.select("[class^=claim-]")]
    assert len(said) == len(claims.DESCRIPTION_CASES)
    assert set(said) <= set(claims.WORDS)


@pytest.mark.slow
def test_every_number_in_the_text_came_from_the_run(pages):
    for path, page in pages.items():
        assert not page.select("article .pasted-text:empty"), path
        assert not re.search(r"\bnan\b|\{glue", page.select_one("article").get_text()), path
