"""The checker with what a study knows: the profile's tokenizer, and of sticker subjects the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sidkit.captions import SID_CASE
from sidkit.check import scores as scoring
from sidkit.check.check import KINDS, Finding, check, find
from sidkit.check.limits import limit_of
from sidkit.config import Profile, load_profile
from sidkit.mark import MARK
from sidkit.subjects import Subject
from sidkit.worlds import world_of_folder

PLANTED = 100  # subjects of four captions each


def scores_told() -> str:
    """The checker's precision and recall on both labelled sets, with 95 % intervals, in a sentence each."""
    return " ".join(_told(name, samples) for name, samples in _sets().items())


def scores_table() -> pd.DataFrame:
    """A row a kind of finding: how many of the findings are right, and how many of the faults are found."""
    tables = {name: scoring.scores(samples) for name, samples in _sets().items()}
    kinds = [kind for kind in (*KINDS, "all") if any(kind in table.index for table in tables.values())]
    rows = [{"Finding": f"`{kind}`" if kind in KINDS else kind, **_row(kind, tables)} for kind in kinds]
    return pd.DataFrame(rows)


def spoilt_table(subject: Subject) -> pd.DataFrame:
    """What the checker says of a subject's first caption, spoilt in five ways: a row a way."""
    text, word = next(iter(subject.captions[SID_CASE].values())), subject.class_word
    ways = (
        text.replace(f"{MARK} ", "", 1),
        text.replace(MARK, f"fluffy {MARK}", 1),
        text.replace(f"{MARK} {word}", f"{MARK} {word} with a brown belly", 1),
        f"a photo of a {MARK} {word}",
        f"{text}, looking left",
    )
    style = "substance" in subject.bias
    found = [(way, one) for way in ways for one in find({"": way}, word, style=style)[:1]]
    rows = [(f"`{way}`", KINDS[one.kind][0], one.bias, f"`{one.fix}`" if one.fix else "-") for way, one in found]
    return pd.DataFrame(rows, columns=["Caption", "What is wrong", "Risks", "What `--fix` writes"])


def check_folder(
    folder: Path | str, class_word: str | None = None, *, profile: str | Profile = "stickers", **options
) -> list[Finding]:
    """`sidkit.check.check.check` for the model of a profile; the scenes of a sticker subject tell what is in it.

    Options are those of `check`. ValueError for an unknown profile and a folder that cannot be read.
    """
    folder = Path(folder)
    settings = load_profile(profile) if isinstance(profile, str) else profile
    seen = world_of_folder(folder).seen(folder)
    limits = (limit_of(settings.pipeline),)
    return check(folder, class_word, limits=limits, identifier=settings.identifier, seen=seen, **options)


def _sets() -> dict[str, list[scoring.Sample]]:
    """What the checker was not developed on: planted faults, and the held half of the captions by hand."""
    return {"planted": scoring.planted(PLANTED, seed=1), "by hand": scoring.by_hand("held")}


def _told(name: str, samples: list[scoring.Sample]) -> str:
    """How many captions and faults there are, and both shares with their intervals."""
    row, captions = scoring.scores(samples).loc["all"], sum(len(sample.captions) for sample in samples)
    shares = []
    for key, of in {"precision": int(row["findings"]), "recall": int(row["faults"])}.items():
        low, high = scoring.interval(round(row[key] * of), of)
        shares.append(f"{key} {row[key]:.2f} [{low:.2f}, {high:.2f}]")
    return f"*{name.capitalize()}*, {captions} captions with {row['faults']:.0f} faults: {' and '.join(shares)}."


def _row(kind: str, tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    """The four cells of a kind; a dash where a set has no such fault or finding."""
    cells = {}
    for name, table in tables.items():
        wanted, given, precision, recall = table.loc[kind] if kind in table.index else (0, 0, np.nan, np.nan)
        cells[f"Right, {name}"] = f"{round(precision * given)} of {given:.0f}" if given else "-"
        cells[f"Found, {name}"] = f"{round(recall * wanted)} of {wanted:.0f}" if wanted else "-"
    return cells
