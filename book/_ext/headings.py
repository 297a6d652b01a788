"""Headings are text: two places put a page's into HTML as they are, and a heading may have a folder's name.

They are the results of a search (sphinx/themes/basic/static/searchtools.js, `linkEl.innerHTML = title`, Sphinx 7.4) and
the head of a printed page (sphinx_book_theme/layout.html, `{{ pagetitle }}`, 1.3).
"""

from __future__ import annotations

import html
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LAST = 900  # after the theme


def escape_in_search(app: Sphinx) -> list:
    """Escape all headings once they are collected and before the index is written; no page is added."""
    indexer = getattr(app.builder, "indexer", None)
    titles_by_page = indexer._all_titles if indexer else {}
    for page, titles in titles_by_page.items():
        titles_by_page[page] = [(html.escape(title, quote=False), place) for title, place in titles]
    return []


def escape_in_print(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Escape the heading that the theme has for printing."""
    if "pagetitle" in context:
        context["pagetitle"] = html.escape(context["pagetitle"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("html-collect-pages", escape_in_search)
    app.connect("html-page-context", escape_in_print, priority=LAST)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
