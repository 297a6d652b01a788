"""Commands about a subject's folder: `sidkit new`, `sidkit check`, `sidkit check-scores`, `sidkit masks`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidkit.cli.options import FAILED, AsJson, ClassWord, Folder, KnownClassWord, ProfileName, Scale
from sidkit.cli.terminal import tell, tell_line
from sidkit.config import DEFAULT_PROFILE
from sidkit.inflection import counted
from sidkit.shown import shown, shown_name

if TYPE_CHECKING:
    from sidkit.check.check import Finding

LONGEST = 1000  # letters of a caption that is printed
WITHOUT_WORDS = ("alike", "bare")  # kinds of findings whose words are the whole caption


def check(
    folder: Folder,
    class_word: KnownClassWord = None,
    as_json: AsJson = False,
    fix: Annotated[bool, typer.Option("--fix", help="Put right what is safe; the old text is kept beside it.")] = False,
    profile: ProfileName = DEFAULT_PROFILE,
    mirrored: Annotated[bool, typer.Option("--mirrored", help="Your trainer mirrors pictures at random.")] = False,
    cropped: Annotated[bool, typer.Option("--cropped", help="Your trainer crops pictures at random.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Notes count as faults.")] = False,
) -> None:
    """Check captions before training on them. Exit code: 0 no faults, 1 faults, 2 it could not be checked."""
    from sidkit.check.apply import fix_folder
    from sidkit.check.subject import check_folder

    fixed = fix_folder(folder, class_word) if fix else {}
    findings = check_folder(folder, class_word, profile=profile, mirrored=mirrored, cropped=cropped)
    faults = [finding for finding in findings if strict or finding.level == "fault"]
    if as_json:
        report = {
            "folder": str(folder),
            "faults": len(faults),
            "fixed": fixed,
            "findings": [asdict(finding) for finding in findings],
        }
        tell(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        tell(_as_text(findings, fixed))
    raise typer.Exit(FAILED if faults else 0)


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

    samples_by_set = {f"planted faults, {4 * subjects} captions": scoring.planted(subjects, seed=seed)}
    for half in ("develop", "held"):
        samples_by_set[f"by hand, {half} half"] = scoring.by_hand(half)
    table_by_set = {name: scoring.scores(samples) for name, samples in samples_by_set.items()}
    if as_json:
        rows_by_set = {name: json.loads(table.to_json(orient="index")) for name, table in table_by_set.items()}
        tell(json.dumps(rows_by_set, indent=1))
        return
    for name, table in table_by_set.items():
        tell(f"{name}\n{table.round(2).to_string()}\n")
        for line in scoring.mistakes(samples_by_set[name]) if mistakes else ():
            tell(f"  {line}")


def new(
    folder: Folder,
    class_word: ClassWord,
    bias: Annotated[
        list[str] | None, typer.Option(help="What the pictures share: background, nearby, tied, pose ... [background]")
    ] = None,
    profile: ProfileName = DEFAULT_PROFILE,
    scale: Annotated[Scale, typer.Option(help="How much the chapter runs.")] = "quick",
    root: Annotated[Path, typer.Option(help="Folder of _toc.yml and notebooks.")] = Path("."),
    source: Annotated[
        Path | None, typer.Option("--from", help="Another trainer's folder, to be copied: kohya, imagefolder ...")
    ] = None,
    trigger: Annotated[
        str | None, typer.Option(help="The subject's word in its captions, such as sks ['' for none].")
    ] = None,
) -> None:
    """Begin with pictures of your own: a captions.json to fill in, and a chapter for them in the book.

    Captions that lie beside the pictures (.txt, .caption, metadata.jsonl, metadata.csv) are taken over.
    """
    from sidkit.describe.folder import unwritten
    from sidkit.new import make_new

    written = make_new(
        folder,
        class_word,
        bias or (),
        profile=profile,
        scale=scale,
        root=root,
        source=source,
        trigger=trigger,
        tell=lambda layout: tell("\n".join(layout.told()), err=True),
    )
    for path in written:
        tell(path)
    place, chapter = shlex.quote(str(folder)), shlex.quote(str(written[-2]))
    first = "write the captions, or have them written (sidkit describe --help); then" if unwritten(folder) else ""
    tell(f"Next: {first}".rstrip(), err=True)
    model = "" if profile == DEFAULT_PROFILE else f" --profile {shlex.quote(profile)}"
    tell(f"  sidkit check {place}{model}\n  sidkit notebook {chapter}", err=True)


def masks(folder: Folder, class_word: ClassWord, profile: ProfileName = "sd15") -> None:
    """Find the subject in each picture that has no mask yet, and write a contact sheet to check them by eye."""
    from sidkit.config import load_profile

    settings = load_profile(profile)
    if settings.masks is None:
        raise ValueError(f"profile {settings.name}: expected settings of masks, found none; try --profile sd15")
    import torch

    from sidkit.masks.grounded_sam import GroundedSam, write_masks
    from sidkit.picture_folder import CONTACT_SHEET, MASKS_FOLDER

    device = "cuda" if torch.cuda.is_available() else "cpu"
    for picture in write_masks(folder, class_word, GroundedSam(settings.masks, device)):
        tell_line(f"{picture.name}: {picture.remark}")
    tell(f"look at {folder / MASKS_FOLDER / CONTACT_SHEET} before you measure")


def _as_text(findings: Sequence[Finding], fixed: Mapping[str, tuple[str, str]]) -> str:
    """Three lines a finding, under the names of the files; what was put right comes first."""
    lines = []
    for file, (before, after) in fixed.items():
        lines.append(f"fixed {shown_name(file)}: {shown(before, LONGEST)} is now {shown(after, LONGEST)}")
    for file in dict.fromkeys(finding.file for finding in findings):
        lines.append(shown_name(file))
        for finding in findings:
            if finding.file == file:
                lines += _lines_of(finding)
    faults = sum(finding.level == "fault" for finding in findings)
    notes = len(findings) - faults
    return "\n".join([*lines, f"{counted(faults, 'fault')}, {counted(notes, 'note')}"])


def _lines_of(finding: Finding) -> list[str]:
    quoted = f" {shown(finding.words)}" if finding.words and finding.kind not in WITHOUT_WORDS else ""
    lines = [
        f"  {finding.level}: {finding.kind}{quoted}",
        f"    risks {finding.bias}",
        f"    {finding.advice}",
    ]
    if finding.fix:
        lines.append(f"    --fix would write: {shown(finding.fix, LONGEST)}")
    return lines
