"""Markdown as the book's pages show it, without building a book."""

from functools import cache
from pathlib import Path

import yaml
from bs4 import BeautifulSoup
from docutils.core import publish_string
from myst_parser.docutils_ import Parser

from sidkit.markdown import markdown

CONFIG = Path(__file__).parents[1] / "_config.yml"


def rendered(value):
    """The body of a page that holds Markdown, or words, parsed."""
    options = dict(myst_enable_extensions=_extensions(), output_encoding="unicode", report_level=5)
    html = publish_string(markdown(value).source, parser=Parser(), writer_name="html5", settings_overrides=options)
    return BeautifulSoup(html, "html.parser").main


def words(value):
    """What a reader reads."""
    return rendered(value).get_text().strip()


@cache
def _extensions():
    return yaml.safe_load(CONFIG.read_text())["parse"]["myst_enable_extensions"]
