"""Commands about models of the hub: what a run would need here, and what is downloaded beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sidkit.cli.options import FAILED, Parameters, ProfileName
from sidkit.cli.terminal import tell


def doctor(
    profile: ProfileName = "stickers",
    notebook: Annotated[str | None, typer.Option(help="A chapter, whose plan is counted too.")] = None,
    parameter: Parameters = None,
) -> None:
    """Say what a run will need (downloads, memory, time, disk, money) and what is missing; start nothing."""
    from sidkit.config import load_profile
    from sidkit.doctor.planned import plans_of
    from sidkit.doctor.report import examine
    from sidkit.notebook_file import find_notebook
    from sidkit.parameters import parse_assignments, read_parameters

    plans = []
    if notebook:
        values = read_parameters(find_notebook(notebook), parse_assignments(parameter or []))
        plans = list(plans_of(notebook, values, profile=profile).values())
    report = examine(plans[0].profile if plans else load_profile(profile), plans)
    tell(report)
    if report.missing:
        raise typer.Exit(FAILED)


def fetch(
    name: Annotated[str, typer.Argument(help="dreambench, or a profile whose weights you want now.")],
    to: Annotated[Path, typer.Option(help="Folder of a data set; a profile goes to the hub's cache (HF_HOME).")] = Path(
        "photos/dreambench"
    ),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Download a data set or a profile's weights, after saying from where and under which licence."""
    from sidkit.fetch import about
    from sidkit.fetch import fetch as download

    tell(about(name))
    if not yes:
        typer.confirm("Download it?", abort=True)
    for path in download(name, to):
        tell(path)
