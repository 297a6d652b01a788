"""Commands about a subject's folder: `sidkit check`, `sidkit check-scores`, `sidkit new`."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from sidkit.check.check import Finding

FOUND = 1  # exit code where there are faults

Folder = Annotated[Path, typer.Argument(help="Folder of pictures with captions.json.")]
ClassWord = Annotated[str | None, typer.Option("--class", help="What kind of thing it is, such as dog.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def check(
    folder: Folder,
    class_word: ClassWord = None,
    as_json: AsJson = False,
    fix: Annotated[bool, typer.Option("--fix", help="Put right what is safe; the old text is kept beside it.")] = False,
    profile: Annotated[
        str, typer.Option(help="The model that will read the captions; others than stickers are CLIP's.")
    ] = "sd15",
    mirrored: Annotated[bool, typer.Option("--mirrored", help="Your trainer mirrors pictures at random.")] = False,
    cropped: Annotated[bool, typer.Option("--cropped", help="Your trainer crops pictures at random.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Notes count as faults.")] = False,
) -> None:
    """Check captions before training on them. Exit code: 0 no faults, 1 faults, 2 it could not be checked."""
    from sidkit.check.apply import fix_folder
    from sidkit.check.subject import check_folder

    options = dict(profile=profile, mirrored=mirrored, cropped=cropped)
    fixed = fix_folder(folder, class_word) if fix else {}
    found = check_folder(folder, class_word, **options)
    faults = [one for one in found if strict or one.level == "fault"]
    if as_json:
        told = {
            "folder": str(folder),
            "faults": len(faults),
            "fixed": fixed,
            "findings": [asdict(one) for one in found],
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        typer.echo(_told(found, fixed))
    raise typer.Exit(FOUND if faults else 0)


def check_scores(
    subjects: Annotated[int, typer.Option(min=1, help="Planted subjects, four captions each.")] = 100,
    seed: Annotated[int, typer.Option(help="Of the planted faults; 0 is what the checker was developed on.")] = 1,
    as_json: AsJson = False,
    mistakes: Annotated[
        bool, typer.Option("--mistakes", help="Also print what was missed and what was wrong.")
    ] = False,
) -> None:
    """Precision and recall of the checker: on captions with planted faults, and on captions of photos by hand."""
    from sidkit.check import scores as scoring

    sets = {f"planted faults, {4 * subjects} captions": scoring.planted(subjects, seed=seed)}
    sets |= {f"by hand, {half} half": scoring.by_hand(half) for half in ("develop", "held")}
    tables = {name: scoring.scores(samples) for name, samples in sets.items()}
    if as_json:
        rows = {name: json.loads(table.to_json(orient="index")) for name, table in tables.items()}
        typer.echo(json.dumps(rows, indent=1))
        return
    for name, table in tables.items():
        typer.echo(f"{name}\n{table.round(2).to_string()}\n")
        typer.echo("".join(f"  {line}\n" for line in scoring.mistakes(sets[name])) if mistakes else "", nl=False)


def new(
    folder: Folder,
    class_word: Annotated[str, typer.Option("--class", help="What kind of thing it is, such as dog.")],
    bias: Annotated[
        list[str] | None, typer.Option(help="What the pictures share: background, nearby, tied, pose ...")
    ] = None,
    profile: Annotated[str, typer.Option(help="stickers, or sd15 on a GPU.")] = "stickers",
    scale: Annotated[Literal["smoke", "quick", "full"], typer.Option(help="How much the chapter runs.")] = "quick",
    root: Annotated[Path, typer.Option(help="Folder of _toc.yml and notebooks.")] = Path("."),
) -> None:
    """Begin with pictures of your own: a captions.json to fill in, and a chapter for them in the book."""
    from sidkit.new import make_new

    written = make_new(folder, class_word, bias or ["background"], profile=profile, scale=scale, root=root)
    for path in written:
        typer.echo(path)
    place, chapter = shlex.quote(str(folder)), shlex.quote(str(written[-2]))
    typer.echo(
        "Next: write the captions, or have them written (sidkit describe --help); then\n"
        f"  sidkit check {place}\n  sidkit notebook {chapter}",
        err=True,
    )


def _told(found: list[Finding], fixed: dict[str, tuple[str, str]]) -> str:
    """A line a finding, under the names of the files; what was put right comes first."""
    lines = [f"fixed {file}: {was!r} is now {now!r}" for file, (was, now) in fixed.items()]
    for file in dict.fromkeys(one.file for one in found):
        lines.append(file)
        for one in (one for one in found if one.file == file):
            said = f" {one.words!r}" if one.words and one.kind not in ("alike", "bare") else ""
            lines += [f"  {one.level}: {one.kind}{said}", f"    risks {one.bias}", f"    {one.advice}"]
            lines += [f"    --fix would write: {one.fix}"] if one.fix else []
    faults = sum(one.level == "fault" for one in found)
    return "\n".join([*lines, f"{_many(faults, 'fault')}, {_many(len(found) - faults, 'note')}"])


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
