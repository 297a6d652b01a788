"""A passport: from which runs a chapter's pictures and tables come, and the command that makes them again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd

from sidkit.markdown import Markdown, code, table
from sidkit.run_record import RECORD
from sidkit.runs import libraries, provenance
from sidkit.study.pieces.drawn import noise
from sidkit.study.run import Study

PARAGRAPHS = Markdown("\n\n")
SUMMARY = Markdown(
    "Profile {profile}, seed {seed}, noise {noise}; {made_by}; "
    "drawn between {first} and {last}, in {seconds:.0f} s together."
)


def of(studies: Mapping[str, Study], chapter: str, **parameters: Any) -> Markdown:
    """Profile, seeds, versions, machine and time of all runs, the command, and a row a subject and arm.

    `parameters` are those of the chapter that the command says. A run's folder has the rest, in its run.json: every
    caption, setting and hash that it depends on. Of a page that trains nothing: versions, machine, the command.
    """
    command = f"sidkit notebook {chapter}{_options(parameters)}"
    again = Markdown("To make it again: {}.").format(code(command))
    if not studies:
        now = {"libraries": libraries(), **provenance()}
        return PARAGRAPHS.join([Markdown("{}.").format(_made_by(now)), again])
    study_by_identity = {id(study): study for study in studies.values()}
    distinct = list(study_by_identity.values())
    return PARAGRAPHS.join([_summary(distinct), again, table(_runs_table(distinct))])


def _runs_table(studies: list[Study]) -> pd.DataFrame:
    """A row a subject and arm: the key of its pictures in the run store, and the first caption it was trained on."""
    row_by_key = {}
    for study in studies:
        for arm, subject in product(study.plan.arms, study.subjects):
            cell = study.cells[subject, arm.name]
            folder = study.folders[subject, arm.name]
            key = folder.name
            row_by_key[key] = {
                "Subject": subject,
                "Arm": arm.name,
                "Run": code(key),
                "First caption": code(cell.captions[0]),
            }
    return pd.DataFrame(row_by_key.values())


def _summary(studies: list[Study]) -> Markdown:
    records = _records(studies)
    started = [record["started"] for record in records]
    seconds = sum(record["seconds"] for record in records)
    plan = studies[0].plan
    seeds = noise(plan.seed, plan.pictures)
    return SUMMARY.format(
        profile=code(plan.profile.name),
        seed=plan.seed,
        noise=_range(seeds),
        made_by=_made_by(records[0]),
        first=min(started),
        last=max(started),
        seconds=seconds,
    )


def _made_by(record: Mapping[str, Any]) -> Markdown:
    versions = [f"{name} {version}" for name, version in record["libraries"].items()]
    python = f"Python {record['python']}"
    software = ", ".join([*versions, python])
    device = record["device"]
    commit = record["commit"] or "unknown"
    return Markdown("{}, {}; commit {}").format(software, device, code(commit))


def _records(studies: list[Study]) -> list[dict[str, Any]]:
    """What the run store keeps of each run: when it was made, how long it took, by which versions."""
    records = []
    for study in studies:
        for folder in study.folders.values():
            text = (folder / RECORD).read_text()
            records.append(json.loads(text))
    return records


def _range(numbers: Sequence[int]) -> str:
    first = numbers[0]
    last = numbers[-1]
    return f"{first}" if first == last else f"{first} to {last}"


def _options(parameters: Mapping[str, Any]) -> str:
    """As a shell takes them."""
    options = ""
    for name, value in parameters.items():
        assignment = shlex.quote(f"{name}={value}")
        options += f" -p {assignment}"
    return options
