"""A passport: from which runs a chapter's pictures and tables come, and the command that makes them again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sidkit.runs import RECORD, libraries, provenance
from sidkit.study.pieces import seeds
from sidkit.study.run import Study, captions_of
from sidkit.study.tables import markdown


def of(studies: Mapping[str, Study] | Study, chapter: str, **parameters: Any) -> str:
    """Markdown: profile, seeds, versions, machine and time of all runs, the command, and a row a subject and arm.

    `parameters` are those of the chapter that the command says. A run's folder has the rest, in its run.json: every
    caption, setting and hash that it depends on.
    """
    known = list({id(study): study for study in _many(studies)}.values())
    records = [_record(study, key) for study in known for key in study.folders]
    first, plan = records[0], known[0].plan
    lines = [
        f"Profile `{plan.profile.name}`, seed {plan.seed}, noise {_range(seeds(plan))}; {_made_by(first)}; "
        f"drawn between {min(one['started'] for one in records)} and {max(one['started'] for one in records)}, in "
        f"{sum(one['seconds'] for one in records):.0f} s together.",
        _again(chapter, parameters),
        markdown(runs_table(known)),
    ]
    return "\n\n".join(lines)


def without_runs(chapter: str, **parameters: Any) -> str:
    """Markdown for a page that trains nothing: versions, machine, the command."""
    return f"{_made_by({'libraries': libraries(), **provenance()})}.\n\n{_again(chapter, parameters)}"


def runs_table(studies: list[Study]) -> pd.DataFrame:
    """A row a subject and arm: the key of its pictures in the run store, and the first caption it was trained on."""
    rows = {
        (study.folders[subject, arm.name].name): (subject, arm.name, captions_of(study.subjects[subject], arm)[0])
        for study in studies
        for arm in study.plan.arms
        for subject in study.subjects
    }
    cells = [(subject, arm, f"`{key}`", f"`{caption}`") for key, (subject, arm, caption) in rows.items()]
    return pd.DataFrame(cells, columns=["Subject", "Arm", "Run", "First caption"])


def _made_by(record: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record["libraries"].items())
    return f"{versions}, Python {record['python']}, {record['device']}; commit `{record['commit'] or 'unknown'}`"


def _again(chapter: str, parameters: Mapping[str, Any]) -> str:
    return f"To make it again: `sidkit notebook {chapter}{_options(parameters)}`."


def _many(studies: Mapping[str, Study] | Study) -> list[Study]:
    return [studies] if isinstance(studies, Study) else list(studies.values())


def _record(study: Study, key: tuple[str, str]) -> dict[str, Any]:
    return json.loads((study.folders[key] / RECORD).read_text())


def _range(numbers: list[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"


def _options(parameters: Mapping[str, Any]) -> str:
    return "".join(f" -p {shlex.quote(f'{name}={value}')}" for name, value in parameters.items())
