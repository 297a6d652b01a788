"""Commands about real models: what a run needs, what is downloaded, masks of photos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ProfileName = Annotated[
    str, typer.Option("--profile", help="stickers, sd15, sd21, sdxl, or the path of your own YAML file.")
]


def doctor(
    profile: ProfileName = "stickers",
    notebook: Annotated[str | None, typer.Option(help="A chapter, whose plan is counted too.")] = None,
    parameter: Annotated[list[str] | None, typer.Option("-p", help="name=value of the notebook.")] = None,
) -> None:
    """Say what a run will need (downloads, memory, time, disk, money) and what is missing; start nothing."""
    from sidkit.config import load_profile
    from sidkit.doctor.report import examine, plan_of
    from sidkit.notebook import parse_assignments

    plan = plan_of(notebook, {"profile": profile, **parse_assignments(parameter or [])}) if notebook else None
    report = examine(plan.profile if plan else load_profile(profile), plan)
    typer.echo(report)
    if report.missing:
        raise typer.Exit(1)


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

    typer.echo(about(name))
    if not yes:
        typer.confirm("Download it?", abort=True)
    for path in download(name, to):
        typer.echo(path)


def masks(
    folder: Annotated[Path, typer.Argument(help="A subject's folder.")],
    class_word: Annotated[str, typer.Option("--class-word", help="What to look for: cat.")],
    profile: ProfileName = "sd15",
) -> None:
    """Find the subject in each picture that has no mask yet, and write a contact sheet to check them by eye."""
    from sidkit.config import load_profile

    settings = load_profile(profile)
    if settings.masks is None:
        raise ValueError(f"profile {settings.name}: expected settings of masks, found none; try --profile sd15")
    import torch

    from sidkit.masks.files import FOLDER, SHEET
    from sidkit.masks.grounded_sam import GroundedSam, write_masks

    shown = write_masks(folder, class_word, GroundedSam(settings.masks, "cuda" if torch.cuda.is_available() else "cpu"))
    for one in shown:
        typer.echo(f"{one.name}: {one.told}")
    typer.echo(f"look at {folder / FOLDER / SHEET} before you measure")
