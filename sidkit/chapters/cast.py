"""Who appears in each chapter, and how much is looked at, at each scale: the one table for all chapters."""

from __future__ import annotations

from typing import Any

from sidkit.config import check_name
from sidkit.study.plan import PAIRS

# Classes of Sticker World in the order in which they appear. By their turn they share a pair of PAIRS, so that every
# three of them hold each pair of biases once.
CLASSES = (
    *("dog", "robot", "guitar", "cat", "penguin", "car"),
    *("elephant", "backpack", "owl", "rocket", "pig", "camera"),
)

SCALES = ("smoke", "quick", "full")

# A row a thing that a chapter counts; the columns are the scales.
CAST: dict[str, dict[str, tuple[Any, Any, Any]]] = {
    #                                 smoke       quick            full
    "sticker_world": {
        "scenes scored":             (8,          100,             1000),
    },
    "description_cases": {
        "subjects":                  (1,          3,               9),
        "cases":                     ((1, 3),     (1, 2, 3, 4),    (1, 2, 3, 4)),
    },
    "biases": {
        "subjects of things":        (2,          3,               9),
        "subjects of pose":          (1,          1,               4),
        "subjects of substance":     (1,          1,               4),
    },
    "vlm_comparison": {
        "subjects":                  (1,          2,               3),
        "scenes described":          (3,          60,              300),
        "shares of phrases kept":    ((0.5,),     (1 / 3, 2 / 3),  (0.2, 0.4, 0.6, 0.8)),
        "subjects of the curve":     (1,          1,               3),
    },
    "methods": {
        "subjects":                  (1,          1,               6),
    },
    "single_reference": {
        "methods":                   (("dreambooth",), ("dreambooth",), ("dreambooth", "custom_diffusion", "svdiff")),
        "subjects of things":        ((),         ("robot",),      ("robot", "dog")),
        "subjects of pose":          (1,          1,               2),
    },
    "attention_maps": {
        "subjects":                  (1,          3,               9),
        "cases":                     ((1, 3),     (1, 2, 3, 4),    (1, 2, 3, 4)),
    },
    "negative_prompts": {
        "subjects":                  (1,          1,               6),
        "guidance, times the usual": ((1.0, 2.0), (0.5, 1.0, 2.0), (0.5, 1.0, 2.0)),
    },
    "property_edits": {
        "subjects":                  (1,          3,               9),
        "colours":                   (1,          2,               4),
    },
    "measures": {
        "subjects":                  (1,          3,               9),
        "cases":                     ((1, 3),     (1, 2, 3, 4),    (1, 2, 3, 4)),
        "pictures of a mixture":     (1,          4,               12),
    },
    "limits": {
        "subjects":                  (1,          1,               2),
        "steps, times the usual":    (2,          2,               4),
    },
}  # fmt: skip


def of(chapter: str, what: str, scale: str) -> Any:
    """What the table says for a chapter's row at a scale. ValueError for an unknown scale."""
    check_name("scale", scale, SCALES)
    return CAST[chapter][what][SCALES.index(scale)]


def classes(chapter: str, scale: str, what: str = "subjects", first: int = 0) -> tuple[str, ...]:
    """The classes that appear in a chapter, counted from the `first`."""
    return CLASSES[first : first + of(chapter, what, scale)]


def pair_of(subject_class: str) -> str:
    """A class with the two biases that its turn gives it: "robot-nearby+tied"."""
    turn = CLASSES.index(subject_class)
    return f"{subject_class}-{'+'.join(PAIRS[turn % len(PAIRS)])}"
