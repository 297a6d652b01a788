"""What several commands share: options under one name, and the exit codes by which scripts tell how it went."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

FAILED = 1  # done, and it came out badly: faults were found, something is missing, a cell failed
REFUSED = 2  # nothing was done: what was asked for cannot be
STOPPED = 128  # and the signal's number on top: somebody stopped it

Scale = Literal["smoke", "quick", "full"]
SCALES = get_args(Scale)

Folder = Annotated[Path, typer.Argument(help="A subject's folder: pictures, with captions.json beside them.")]
ClassWord = Annotated[str, typer.Option("--class", help="What kind of thing it is, such as dog.")]
KnownClassWord = Annotated[
    str | None, typer.Option("--class", help="What kind of thing it is, such as dog [that of captions.json].")
]
ProfileName = Annotated[
    str, typer.Option("--profile", help="stickers, sd15, sd21, sdxl, or the path of your own YAML file.")
]
Store = Annotated[Path, typer.Option("--store", help="Folder in which finished work is kept.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Parameters = Annotated[
    list[str] | None, typer.Option("-p", help="name=value of the notebook: 3, 1e-4, [dog, cat], my cat.")
]
