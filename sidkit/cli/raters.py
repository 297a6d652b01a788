"""Commands about people who compare pictures: `sidkit raters form`, `sidkit raters read`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidkit.cli.options import SCALES, ProfileName, Store
from sidkit.cli.terminal import tell, tell_line

if TYPE_CHECKING:
    import pandas as pd

    from sidkit.raters.pairs import Pair

raters = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Have people compare two arms' pictures, and read what they answered.",
)


@raters.command()
def form(
    source: Annotated[
        str, typer.Argument(help="A folder of pairs, or smoke, quick or full: the study of 02_description_cases.")
    ],
    first: Annotated[str, typer.Option(help="A folder's arm, or a case of the study [its two folders; 1].")] = "",
    second: Annotated[str, typer.Option(help="The arm or case to compare it with [its two folders; 3].")] = "",
    count: Annotated[int, typer.Option(min=1, help="Pairs that are shown of a study.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of which pairs, their order, and which arm is A.")] = 0,
    out: Annotated[Path, typer.Option(help="Where the page and its key go.")] = Path("runs/raters"),
    subject: Annotated[list[str] | None, typer.Option(help="Of the study [the scale's].")] = None,
    profile: ProfileName = "stickers",
    store: Store = Path("runs"),
) -> None:
    """Write a page for raters, and the key that says which arm is A: keep the key to yourself."""
    from sidkit.raters.form import write_form
    from sidkit.raters.pairs import pairs_in

    if source in SCALES and not Path(source).is_dir():
        pairs = _study_pairs(source, first or "1", second or "3", count, seed, subject or [], profile, store)
    else:
        pairs = pairs_in(source, first, second)
    page, key = write_form(pairs, out, seed=seed)
    tell(f"{page}\n{key}")
    tell(f"{len(pairs)} pairs. Give raters only {page.name}, collect what it saves, then", err=True)
    tell(f"  sidkit raters read {key} answers-*.csv", err=True)


@raters.command()
def read(
    key: Annotated[Path, typer.Argument(help="key.csv, which was written beside the form.")],
    answers: Annotated[list[Path], typer.Argument(help="What the raters saved, a file each.")],
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every answer with the arm it chose instead.")] = False,
) -> None:
    """Print what raters prefer, with 95 % intervals, and how much they agree (Krippendorff's alpha)."""
    from sidkit.raters.preferences import notes, reading_table
    from sidkit.raters.ratings import read_ratings
    from sidkit.spreadsheets import csv_of

    ratings = read_ratings(key, answers)
    if as_csv:
        tell(csv_of(ratings.frame), nl=False)
        return
    for _, row in reading_table(ratings, seed=seed).iterrows():
        for line in _lines_of(row):
            tell_line(line)
    tell("\n".join(notes(ratings)))


def _lines_of(row: pd.Series) -> list[str]:
    """The first cell as a heading, and under it a line for each of the others."""
    heading, *cells = row.items()
    width = max(len(name) for name, _ in cells)
    lines = [f"  {name:<{width}}  {cell}" for name, cell in cells]
    return [str(heading[1]), *lines, ""]


def _study_pairs(
    scale: str, first: str, second: str, count: int, seed: int, subjects: list[str], profile: str, store: Path
) -> list[Pair]:
    """Pairs of two of the paper's cases; what is missing of the study is made."""
    from sidkit.chapters import description_cases
    from sidkit.describe.cases import CASE_NAMES
    from sidkit.runs import Runs
    from sidkit.study.rater_pairs import pairs_of
    from sidkit.study.run import run_study

    cases = [_case(first), _case(second)]
    (plan,) = description_cases.plans(scale, profile=profile, subjects=subjects, cases=cases).values()
    study = run_study(plan, Runs(store))
    return pairs_of(study, CASE_NAMES[cases[0]], CASE_NAMES[cases[1]], count, seed)


def _case(name: str) -> int:
    from sidkit.captions import WRITTEN_CASES
    from sidkit.config import check_name

    return int(check_name("case", name, map(str, WRITTEN_CASES)))
