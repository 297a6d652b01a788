"""The command that describes a subject's folder."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from sidkit.describe.spend import Cost

FAILED = 1  # exit code where some pictures have no description


def describe(
    folder: Annotated[Path, typer.Argument(help="A subject's folder: pictures, and captions.json if there is one.")],
    class_word: Annotated[str | None, typer.Option("--class", help="What it is: dog [that of captions.json].")] = None,
    by: Annotated[
        str,
        typer.Option(help="stickers, openai, blip2, llava, or the id or folder of an image-text-to-text model."),
    ] = "stickers",
    instruction: Annotated[
        str, typer.Option(help="structure, sentence, start, structure_style, sentence_style, or your own .txt file.")
    ] = "structure",
    cases: Annotated[str, typer.Option(help="Which of the four descriptions to write: 3, or 1,2,3,4.")] = "3",
    bias: Annotated[str, typer.Option(help="What the pictures share: background,nearby [what is described].")] = "",
    model: Annotated[str, typer.Option(help="openai: the model's name.")] = "",
    base_url: Annotated[str | None, typer.Option(help="openai: another server, http://localhost:11434/v1.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="openai: seconds for one try.")] = 60.0,
    tokens: Annotated[int, typer.Option(min=1, help="openai and local models: of an answer at most.")] = 400,
    prices: Annotated[str | None, typer.Option(help="openai: your own price table, a YAML file.")] = None,
    spend_at_most: Annotated[
        float | None, typer.Option(min=0, help="openai: dollars. Without it you are asked.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Ask though the question is answered already.")] = False,
) -> None:
    """Describe a subject's pictures and write captions.json; what a person wrote there stays as it is."""
    from sidkit.describe.describers import STICKERS, make_describer
    from sidkit.describe.folder import describe_folder
    from sidkit.describe.instructions import load_instruction
    from sidkit.worlds import world_of_folder

    if not world_of_folder(folder).believes(by):
        typer.echo("note: the shipped captioner knows Sticker World's drawings only; for photos: --by llava", err=True)

    remote = dict(model=model, base_url=base_url, timeout=timeout, tokens=tokens, prices=prices)
    options = remote if by == "openai" else {} if by in STICKERS else {"tokens": tokens}
    report = describe_folder(
        folder,
        class_word,
        make_describer(by, **options),
        load_instruction(instruction),
        cases=_numbers(cases),
        bias=[one for one in bias.split(",") if one],
        spend_at_most=spend_at_most,
        again=again,
        agree=_agreed,
    )
    for file, captions in report.captions.items():
        for case, text in captions.items():
            typer.echo(f"{file}  {case}  {text}  ({report.by[file]})")
    for file, error in report.failed.items():
        typer.echo(f"{file}: {error}", err=True)
    if report.failed:
        typer.echo(f"captions.json is not written: {len(report.failed)} pictures have no caption yet", err=True)
        raise typer.Exit(FAILED)


def _agreed(cost: Cost) -> float:
    """Show what it costs, and ask; nobody there to answer means no."""
    typer.echo(cost, err=True)
    if not typer.confirm("Ask all that?", err=True):
        raise ValueError("nothing was asked; say --spend-at-most DOLLARS to agree beforehand")
    return math.inf if cost.dollars is None else cost.dollars


def _numbers(told: str) -> tuple[int, ...]:
    try:
        return tuple(int(one) for one in told.split(","))
    except ValueError as error:
        raise ValueError(f"--cases: expected numbers such as 1,2,3,4, got {told!r}") from error
