"""Commands about the run store: `sidkit store verify`, `sidkit store prune`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidkit.cli.options import FAILED, AsJson, Store
from sidkit.cli.terminal import tell
from sidkit.inflection import counted

if TYPE_CHECKING:
    from sidkit.store_care import Leftover

SHOWN = 20  # of one kind; --json has all

store = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look after the folder of finished work.")


@store.command()
def verify(store: Store = Path("runs"), as_json: AsJson = False) -> None:
    """Read every byte of every run, and set aside what is damaged: the next study makes it again.

    Exit code: 0 all is whole, 1 something was damaged or could not be read.
    """
    from sidkit import store_care

    verdicts = list(store_care.verify(store))
    damaged = [verdict for verdict in verdicts if verdict.wrong]
    if as_json:
        rows = [
            {"path": str(verdict.path), "wrong": verdict.wrong, "now": str(verdict.now) if verdict.now else None}
            for verdict in damaged
        ]
        tell(json.dumps({"store": str(store), "whole": len(verdicts) - len(damaged), "damaged": rows}, indent=1))
    else:
        for verdict in damaged:
            tell(f"{verdict.path}: {verdict.wrong}")
        tell(f"{len(verdicts) - len(damaged)} whole, {len(damaged)} damaged")
    raise typer.Exit(FAILED if damaged else 0)


@store.command()
def prune(
    store: Store = Path("runs"),
    old: Annotated[
        bool, typer.Option("--old", help="Also runs of other code or libraries, and trainings stopped a month ago.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; without this, it is only named.")] = False,
    as_json: AsJson = False,
) -> None:
    """Name what nobody needs any more: locks, unfinished folders, what was set aside. Removed only with --yes."""
    from sidkit import store_care

    found = store_care.leftovers(store, old=old)
    if yes:
        found = list(store_care.prune(store, found))
    if as_json:
        rows = [{"path": str(leftover.path), "why": leftover.why, "bytes": leftover.bytes} for leftover in found]
        tell(json.dumps({"store": str(store), "removed": yes, "leftovers": rows}, indent=1))
        return
    for line in _lines(found):
        tell(line)
    total = f"{counted(len(found), 'thing')}, {_megabytes(found)}"
    tell(f"removed: {total}" if yes else f"would be removed by --yes: {total}")


def _lines(found: list[Leftover]) -> list[str]:
    """A line a thing, of each kind the first few."""
    shown: Counter[str] = Counter()
    lines = []
    for leftover in found:
        shown[leftover.why] += 1
        if shown[leftover.why] <= SHOWN:
            lines.append(f"{leftover.path}: {leftover.why}")
    more = [f"... and {count - SHOWN} more: {why}" for why, count in shown.items() if count > SHOWN]
    return lines + more


def _megabytes(found: Iterable[Leftover]) -> str:
    return f"{sum(leftover.bytes for leftover in found) / 1e6:.1f} MB"
