"""Sizes and times in words, as rough as the estimates are."""

from __future__ import annotations

GB = 1e9


def gigabytes(size: float) -> str:
    """A number of bytes: "4.3 GB"."""
    return f"{size / GB:.1f} GB"


def duration(seconds: float) -> str:
    """A time: "about 12 s", "about 3 min", "about 2.5 h"."""
    if seconds < 90:
        return f"about {seconds:.2g} s"
    if seconds < 5400:
        return f"about {seconds / 60:.2g} min"
    return f"about {seconds / 3600:.2g} h"
