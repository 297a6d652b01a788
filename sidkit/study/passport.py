"""A passport: from which runs a chapter's pictures and tables come, and the command that makes them again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from sidkit.runs import RECORD, libraries, provenance
from sidkit.study.pieces.drawn import noise
from sidkit.study.run import Study
from sidkit.study.tables import markdown


def of(studies: Mapping[str, Study], chapter: str, **parameters: Any) -> str:
    """Markdown: profile, seeds, versions, machine and time of all runs, the command, and a row a subject and arm.

    `parameters` are those of the chapter that the command says. A run's folder has the rest, in its run.json: every
    caption, setting and hash that it depends on. Of a page that trains nothing: versions, machine, the command.
    """
    again = f"To make it again: `sidkit notebook {chapter}{_options(parameters)}`."
    if not studies:
        made_by = _made_by({"libraries": libraries(), **provenance()})
        return f"{made_by}.\n\n{again}"
    distinct = list({id(study): study for study in studies.values()}.values())
    return "\n\n".join([_summary(distinct), again, markdown(runs_table(distinct))])


def runs_table(studies: list[Study]) -> pd.DataFrame:
    """A row a subject and arm: the key of its pictures in the run store, and the first caption it was trained on."""
    row_by_key = {}
    for study in studies:
        for arm, subject in product(study.plan.arms, study.subjects):
            key = study.folders[subject, arm.name].name
            caption = study.cells[subject, arm.name].captions[0]
            row_by_key[key] = (subject, arm.name, f"`{key}`", f"`{caption}`")
    return pd.DataFrame(row_by_key.values(), columns=["Subject", "Arm", "Run", "First caption"])


def _summary(studies: list[Study]) -> str:
    records = [_record(folder) for study in studies for folder in study.folders.values()]
    started = [record["started"] for record in records]
    seconds = sum(record["seconds"] for record in records)
    plan = studies[0].plan
    seeds = noise(plan.seed, plan.pictures)
    return (
        f"Profile `{plan.profile.name}`, seed {plan.seed}, noise {_range(seeds)}; {_made_by(records[0])}; "
        f"drawn between {min(started)} and {max(started)}, in {seconds:.0f} s together."
    )


def _made_by(record: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record["libraries"].items())
    return f"{versions}, Python {record['python']}, {record['device']}; commit `{record['commit'] or 'unknown'}`"


def _record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / RECORD).read_text())


def _range(numbers: Sequence[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _options(parameters: Mapping[str, Any]) -> str:
    return "".join(f" -p {shlex.quote(f'{name}={value}')}" for name, value in parameters.items())
