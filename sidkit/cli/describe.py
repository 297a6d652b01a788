"""The command that describes a subject's folder."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidkit.cli.options import FAILED, Folder, KnownClassWord, ProfileName
from sidkit.cli.terminal import tell, tell_line
from sidkit.config import DEFAULT_PROFILE, Profile, load_profile
from sidkit.describe.spend import Cost
from sidkit.inflection import counted
from sidkit.shown import shown_names

if TYPE_CHECKING:
    from sidkit.describe.folder import Described


def describe(
    folder: Folder,
    class_word: KnownClassWord = None,
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
    profile: ProfileName = DEFAULT_PROFILE,
    again: Annotated[bool, typer.Option("--again", help="Ask though the question is answered already.")] = False,
) -> None:
    """Describe a subject's pictures and write captions.json; what a person wrote there stays as it is.

    What the profile's model, which will train on them, would not read of the captions is told.
    """
    from sidkit.describe.describers import STICKERS, make_describer
    from sidkit.describe.folder import describe_folder
    from sidkit.describe.instructions import load_instruction
    from sidkit.worlds import world_of_folder

    trains = load_profile(profile)
    if not world_of_folder(folder).believes(by):
        tell("note: the shipped captioner knows Sticker World's drawings only; for photos: --by llava", err=True)
    if by in STICKERS:
        options = {}
    elif by == "openai":
        options = dict(model=model, base_url=base_url, timeout=timeout, tokens=tokens, prices=prices)
    else:
        options = {"tokens": tokens}
    report = describe_folder(
        folder,
        class_word,
        make_describer(by, **options),
        load_instruction(instruction),
        cases=_numbers(cases),
        bias=[name for name in bias.split(",") if name],
        spend_at_most=spend_at_most,
        again=again,
        agree=_agreed,
    )
    _show(report)
    if report.failed:
        raise typer.Exit(FAILED)
    _tell_length(folder, trains)


def _show(report: Described) -> None:
    """A line a caption; on stderr what went wrong."""
    for file, text_by_case in report.captions.items():
        for case, text in text_by_case.items():
            tell_line(f"{file}  {case}  {text}  ({report.by[file]})")
    for file, error in report.failed.items():
        tell_line(f"{file}: {error}", err=True)
    if report.failed:
        tell(_what_is_kept(report), err=True)


def _tell_length(folder: Path, profile: Profile) -> None:
    """A note where the profile's model would not read a caption to its end."""
    from sidkit.check.subject import check_lengths

    try:
        check_lengths(folder, profile)
    except ValueError as error:
        tell_line(f"note: {error}", err=True)


def _what_is_kept(report: Described) -> str:
    """What became of the folder, where some pictures have no caption yet."""
    missing = len(report.failed) + len(report.unasked)
    pictures = counted(missing, "picture")
    lines = [f"captions.json stays as it was: {pictures} of {len(report.captions)} without a caption"]
    if report.unasked:
        lines.append(f"not asked about, as it would have failed there as well: {shown_names(report.unasked)}")
    kept = sum(map(bool, report.captions.values()))
    if kept:
        lines.append(f"{counted(kept, 'description')} kept; describe again, and only the others are asked about")
    return "\n".join(lines)


def _agreed(cost: Cost) -> float:
    """The dollars that may be spent, after showing what it costs; nobody there to answer means no."""
    tell(cost, err=True)
    if not typer.confirm("Ask all that?", err=True):
        raise ValueError("nothing was asked; say --spend-at-most DOLLARS to agree beforehand")
    return math.inf if cost.dollars is None else cost.dollars


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError as error:
        raise ValueError(f"--cases: expected numbers such as 1,2,3,4, got {text!r}") from error
