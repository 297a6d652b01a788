"""The book in a real browser: all of it loads, nothing is wider than a phone, and the keyboard gets everywhere."""

from importlib.resources import files

import pytest
from browser import PROGRAM, Browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine"),
]
PHONE = dict(width=390, height=844, mobile=True)
# What assistive software needs, and what a page may not be without.
NAMELESS = """[...document.querySelectorAll('article :is(a[href], button, img, input, summary)')]
    .filter(one => one.offsetParent !== null && !one.querySelector('img[alt]') && !one.labels?.length)
    .filter(one => ![one.textContent, one.getAttribute('alt'), one.getAttribute('aria-label'), one.title]
        .some(name => (name || '').trim()))
    .map(one => one.outerHTML.slice(0, 200))"""
REPEATED = """(ids => [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))])
    ([...document.querySelectorAll('article [id]')].map(one => one.id))"""
LEVELS = "[...document.querySelectorAll('article h1, article h2, article h3, article h4')].map(one => +one.tagName[1])"
AXE = (files("axe_core_python") / "axe.min.js").read_text()  # axe-core, by Deque: rules for accessible pages
SERIOUS = """axe.run(document, {resultTypes: ['violations']}).then(told => told.violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .map(one => one.id + ': ' + one.nodes.map(node => node.html.slice(0, 160)).join(', ').slice(0, 800)))"""
HIDDEN = "[...document.images].filter(one => one.complete && !one.naturalWidth).map(one => one.src)"


@pytest.fixture(scope="module")
def addresses(small_book):
    return [path.as_uri() for path in sorted((small_book / "book").rglob("*.html"))]


@pytest.fixture(scope="module")
def page():
    with Browser() as browser:
        yield browser


def test_no_page_complains_and_every_image_shows(page, addresses):
    for address in addresses:
        assert not page.open(address), address
        assert not page.run(HIDDEN), address


def test_a_phone_scrolls_only_downwards(page, addresses):
    for address in addresses:
        page.open(address, **PHONE)
        wide = page.run("document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], f"{address} is {wide} px wide"


def test_everything_has_a_name_and_headings_skip_no_level(page, addresses):
    for address in addresses:
        page.open(address)
        assert page.run("document.documentElement.lang") == "en" and page.run("document.title"), address
        assert not page.run(NAMELESS), address
        assert not page.run(REPEATED), address
        levels = page.run(LEVELS)
        assert levels[0] == 1 and levels.count(1) == 1, address
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:])), (address, levels)


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_serious(page, addresses, size):
    for address in addresses:
        page.open(address, **size)
        page.run(AXE + "; 0")
        assert not page.run(SERIOUS), address


def test_the_keyboard_reaches_the_links_of_a_page(page, addresses):
    address = next(one for one in addresses if "02_description_cases" in one)
    page.open(address)
    wanted = page.run("document.querySelectorAll('article a[href]:not(.headerlink), article summary').length")
    reached = set()
    for _ in range(400):
        page.press("Tab")
        reached.add(
            page.run("""(one => one && one.closest('article') && !one.matches('.headerlink')
            ? one.outerHTML + one.getBoundingClientRect().top + scrollY : '')(document.activeElement)""")
        )
        if len(reached - {""}) >= wanted:
            break
    assert len(reached - {""}) >= wanted > 5


def test_the_browser_does_see_what_is_wrong(page, tmp_path):
    """So that the tests above can fail."""
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<title>x</title><img src='nothing.png'><div style='width: 2000px'>x</div><script>nothing()</script>"
    )
    told = page.open(bad.as_uri(), **PHONE)
    assert any("nothing is not defined" in one for one in told) and any("nothing.png" in one for one in told)
    assert page.run("document.documentElement.scrollWidth") > PHONE["width"] and page.run(HIDDEN)
    page.run(AXE + "; 0")
    assert any(one.startswith("image-alt") for one in page.run(SERIOUS))
