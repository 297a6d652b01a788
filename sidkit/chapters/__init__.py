"""The book's chapters: each has the name of its notebook, and says what it runs, claims and shows.

`find("07_negative_prompts")` gives the module `negative_prompts`, which is a `sidkit.study.chapter.Chapter`. Who
appears, and how much of everything, at each scale stands in `cast`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sidkit.config import check_name

if TYPE_CHECKING:
    from sidkit.study.chapter import Chapter

# The notebooks, in the book's order.
NOTEBOOKS = (
    "00_introduction",
    "00_sticker_world",
    "01_biases",
    "02_description_cases",
    "03_vlm_comparison",
    "04_methods",
    "05_single_reference",
    "06_attention_maps",
    "07_negative_prompts",
    "08_property_edits",
    "09_measures",
    "10_limits",
    "11_your_images",
    "12_claims",
)


def find(notebook: str) -> Chapter:
    """The chapter of a notebook, by the notebook's name. ValueError for an unknown one, with the nearest."""
    check_name("chapter", notebook, NOTEBOOKS)
    _, _, name = notebook.partition("_")
    return import_module(f"sidkit.chapters.{name}")
