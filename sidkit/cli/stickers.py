"""Commands about Sticker World: its art, its weights, its scores, its sheets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from sidkit.cli.options import AsJson
from sidkit.cli.terminal import tell
from sidkit.pretrain.plans import PLANS, WORK

COLUMN = 16  # characters before a score

stickers = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Sticker World: its art, its weights, its scores."
)


@stickers.command()
def atlas(
    folder: Annotated[Path | None, typer.Option(help="Where the sheets go [the package's own folder].")] = None,
) -> None:
    """Make the art sheets and the table of looks from the sets' packages (needs npm and resvg-py; both are shipped)."""
    from sidkit.stickers.atlas import ART
    from sidkit.stickers.make_art import make_art

    for path in make_art(folder or ART):
        tell(path)


@stickers.command()
def pretrain(
    part: Annotated[str, typer.Argument(help=f"Which of the shipped models: {', '.join(PLANS)}.")],
    minutes: Annotated[float, typer.Option(min=0, help="Of training; rendering and writing come on top.")] = 10,
    batch: Annotated[int, typer.Option(min=0, help="Pictures a step; 0: the part's own.")] = 0,
    learning_rate: Annotated[float, typer.Option(min=0, help="At its highest; 0: the part's own.")] = 0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    scenes: Annotated[int, typer.Option(help="Rendered for training, once.")] = 60_000,
    drop: Annotated[float, typer.Option(min=0, max=1, help="How often a caption leaves a factor out.")] = 0.25,
    cooldown: Annotated[float, typer.Option(min=0, max=1, help="Share of the minutes in which the rate falls.")] = 0.3,
    work: Annotated[Path, typer.Option(help="Where scenes and checkpoints are kept.")] = WORK,
    weights: Annotated[Path | None, typer.Option(help="Where the models go [the package's own folder].")] = None,
) -> None:
    """Train a shipped model, or go on with it, for so many minutes; a run that is stopped goes on where it was."""
    from sidkit.pretrain.train import train

    options = dict(batch=batch, learning_rate=learning_rate, scenes=scenes, drop=drop, cooldown=cooldown)
    tell(train(part, minutes=minutes, device=device, work=work, weights=weights, **options))


@stickers.command()
def evaluate(
    scenes: Annotated[int, typer.Option(min=1, help="How many scenes, none of them used in training.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Measure the shipped models on scenes that they never saw."""
    from sidkit.pretrain.evaluate import evaluate

    scores = evaluate(scenes)
    tell(json.dumps(scores) if as_json else _table(scores))


@stickers.command()
def gallery(
    folder: Annotated[Path, typer.Argument(help="Where the pictures go.")] = Path("runs/gallery"),
) -> None:
    """Write sheets of Sticker World's classes, places, objects and styles."""
    from sidkit.stickers.gallery import write

    write(folder)
    tell(folder)


def _table(scores: Mapping[str, Any], indent: str = "") -> str:
    """Nested scores, one a line."""
    lines = []
    for name, score in scores.items():
        if isinstance(score, Mapping):
            lines += [f"{indent}{name}", _table(score, f"{indent}  ")]
        elif isinstance(score, float):
            width = COLUMN - len(indent)
            lines.append(f"{indent}{name:<{width}}{score:8.3f}")
        else:
            lines.append(f"{indent}{name}: {score}")
    return "\n".join(lines)
