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
        "unrelated prompts":         (2,          4,               10),
    },
    "single_reference": {
        "methods":                   (("dreambooth",), ("dreambooth",), ("dreambooth", "custom_diffusion", "svdiff")),
        "subjects of things":        ((),         ("robot",),      ("robot", "dog")),
        "unrelated prompts":         (2,          4,               10),
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


# Who comes first where it is not the order of CLASSES.
ORDER = {
    # Poses and styles begin elsewhere than things, so that a small scale shows different subjects.
    ("biases", "subjects of pose"): CLASSES[3:],
    ("biases", "subjects of substance"): CLASSES[4:],
    # Those come first that wear something, which a cut-out leaves on them.
    ("negative_prompts", "subjects"): ("robot", "guitar", "dog", "penguin", "car", "cat"),
}


def of(chapter: str, row: str, scale: str) -> Any:
    """What the table says at a scale. ValueError for an unknown chapter, row or scale, with the nearest."""
    check_name("chapter", chapter, CAST)
    rows = CAST[chapter]
    check_name("row of the cast", row, rows)
    check_name("scale", scale, SCALES)
    turn = SCALES.index(scale)
    return rows[row][turn]


def classes(chapter: str, scale: str, row: str = "subjects") -> tuple[str, ...]:
    """The classes that appear in a chapter."""
    count = of(chapter, row, scale)
    order = ORDER.get((chapter, row), CLASSES)
    return order[:count]


def pair_of(subject_class: str) -> str:
    """A class with the two biases that its turn gives it: "robot-nearby+tied"."""
    turn = CLASSES.index(subject_class)
    pair = PAIRS[turn % len(PAIRS)]
    shared = "+".join(pair)
    return f"{subject_class}-{shared}"
