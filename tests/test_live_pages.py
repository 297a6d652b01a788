"""Hostile words, sent through every door into a built book: what they say is shown, and nothing of it is live."""

from urllib.parse import quote

import pytest
from browser import PROGRAM, Browser
from bs4 import BeautifulSoup
from hostile_book import LIVE, SECRET, THEIRS, build
from odd_texts import HARMLESS, HOSTILE, spaced
from PIL import Image

from sidkit.raters.form import write_form
from sidkit.raters.pairs import Pair

needs_browser = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
ADDRESSES = ("href", "src", "action", "data", "srcset", "formaction", "poster", "background")
PROVOKED = """for (const one of document.querySelectorAll('*')) {
    for (const kind of ['mouseover', 'mouseenter', 'focus', 'toggle', 'error', 'load', 'animationstart'])
        one.dispatchEvent(new Event(kind));
}"""
AROUND = """[
    performance.getEntriesByType("resource").map(one => one.name).filter(one => !/^(file|data|blob):/.test(one)),
    window.__live ?? null]"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Folder of the built pages, and their names."""
    root = tmp_path_factory.mktemp("book") / "inner" / "book of theirs"
    pages = build(root, tmp_path_factory.mktemp("brought"))
    return root / "_build" / "html", pages


@pytest.fixture(scope="module")
def parsed(book):
    """Each page by whose words it has and its kind, parsed."""
    html, pages = book
    found = {}
    for whose, name_by_kind in pages.items():
        for kind, name in name_by_kind.items():
            text = (html / "book" / "chapters" / f"{name}.html").read_text()
            found[whose, kind] = BeautifulSoup(text, "html.parser")
    return found


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        yield opened


def kinds(page):
    """What a page is made of: each element with the one around it and the names of its attributes."""
    return {(one.parent.name, one.name, *sorted(one.attrs)) for one in page.find_all(True)}


@pytest.mark.parametrize("kind", ["own", "doors"])
def test_hostile_words_make_no_element_that_other_words_do_not(parsed, kind):
    assert not kinds(parsed["theirs", kind]) - kinds(parsed["mine", kind])


@pytest.mark.parametrize("kind", ["own", "doors"])
def test_hostile_words_are_in_no_address_and_no_script(parsed, kind):
    page = parsed["theirs", kind]
    addresses = [one[name] for one in page.find_all(True) for name in ADDRESSES if name in one.attrs]
    assert not [one for one in addresses if "evil.example" in one or "javascript:" in one or "secret" in one]
    assert not [one for one in page.find_all(["script", "style"]) if LIVE in one.get_text()]


@pytest.mark.parametrize("kind", ["own", "doors"])
def test_all_of_them_are_shown_letter_for_letter(parsed, kind):
    shown = spaced(parsed["theirs", kind].article.get_text())
    texts = THEIRS.written if kind == "own" else THEIRS.texts
    assert not [text for text in texts if spaced(text) not in shown]


def test_no_file_that_they_name_gets_into_the_book(book):
    html, _ = book
    files = [path for path in html.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    assert not [path for path in files if "_downloads" in path.parts]


@needs_browser
def test_nothing_happens_in_a_browser(book, browser):
    html, _ = book
    for path in sorted((html / "book").rglob("*.html")):
        complaints = browser.open(path.as_uri())
        browser.run(PROVOKED)
        assert (path.name, complaints, browser.run(AROUND)) == (path.name, [], [[], None])


@needs_browser
def test_a_title_that_is_searched_for_is_a_title(book, browser):
    html, _ = book
    title = f"Your own images: {THEIRS.folder}"
    browser.open(f"{(html / 'search.html').as_uri()}?q={quote(title)}")
    browser.run("new Promise(done => setTimeout(done, 1500))")
    results = browser.run("document.getElementById('search-results').textContent")
    assert spaced(title) in spaced(results)
    assert browser.run(AROUND) == [[], None]


@needs_browser
def test_nothing_happens_in_a_form_for_raters(tmp_path, browser):
    texts = [text for text in (*HOSTILE, *HARMLESS) if text.isprintable()]
    pictures = {arm: Image.new("RGB", (8, 8), color) for arm, color in ((HOSTILE[0], "red"), (HOSTILE[1], "blue"))}
    pairs = [Pair(text, text, text, tuple(pictures.values()), pictures) for text in texts]
    page, _ = write_form(pairs, tmp_path, seed=0)
    complaints = browser.open(page.as_uri())
    browser.run(PROVOKED)
    assert (complaints, browser.run(AROUND)) == ([], [[], None])
    shown = browser.run("[...document.querySelectorAll('.asked')].map(one => one.lastChild.textContent)")
    assert sorted(map(spaced, shown)) == sorted(map(spaced, texts))


@needs_browser
def test_what_is_live_would_be_seen(tmp_path, browser):
    page = tmp_path / "page.html"
    page.write_text(f"<b onmouseover={LIVE}>bold</b>")
    browser.open(page.as_uri())
    browser.run(PROVOKED)
    assert browser.run(AROUND) == [[], 1]
