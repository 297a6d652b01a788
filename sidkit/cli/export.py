"""`sidkit export`: a subject's folder for other trainers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from sidkit.cli.options import Folder
from sidkit.cli.terminal import tell_line
from sidkit.identifier import USUAL

Layout = Annotated[Literal["kohya", "imagefolder"], typer.Option("--as", help="For whose trainer.")]
Place = Annotated[Path, typer.Option("--to", help="The folder to make.")]
Trigger = Annotated[str, typer.Option("--trigger", help="The word for [v].")]
Case = Annotated[int | None, typer.Option("--case", help="Which captions [3, or the only ones].")]
Repeats = Annotated[int, typer.Option("--repeats", help="kohya: times that an epoch has each picture.")]


def export(
    folder: Folder, layout: Layout, to: Place, trigger: Trigger = USUAL, case: Case = None, repeats: Repeats = 10
) -> None:
    """Give pictures and captions to another trainer: kohya's sd-scripts, or Hugging Face's imagefolder.

    kohya: train with --train_data_dir TO --caption_extension .txt; masks are for its conditioning_data_dir.
    imagefolder: load with load_dataset("imagefolder", data_dir=TO); masks are left out, as they would be pictures.
    """
    from sidkit.layouts.given_back import give_back

    notes: list[str] = []
    for path in give_back(folder, to, layout, trigger=trigger, case=case, repeats=repeats, tell=notes.append):
        tell_line(path)
    for note in notes:
        tell_line(note, err=True)
