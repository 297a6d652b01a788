"""A reader's own pictures: their captions found or made, checked, and the model taught with and without SID."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sidkit.captions import CAPTIONS, SID_CASE
from sidkit.check.check import KINDS, Finding
from sidkit.describe.describers import Describer, make_describer
from sidkit.describe.folder import HAND, class_word_of, describe_folder, sources, unwritten
from sidkit.describe.instructions import load_instruction
from sidkit.mark import check_mark
from sidkit.runs import Runs
from sidkit.study.claims import DESCRIPTION_CASES, NOT_RUN, Claim, Verdict, check
from sidkit.study.pieces import sticker_subject
from sidkit.study.plan import Arm, Plan, Stickers
from sidkit.study.run import Study
from sidkit.subjects import Subject, check_formats, load_image, load_subject, picture_files
from sidkit.worlds import World, world_of, world_of_folder

EXAMPLE, SHARED = "penguin", "background+nearby"  # what is learnt where no folder is given
ARMS = (Arm("without SID", 1), Arm("with SID", SID_CASE))
LONGEST = 200  # letters of a caption's end that a table shows
OPENAI = "openai:"  # before a model's name


def place(folder: str, class_word: str) -> str:
    """The folder as `make_plan` takes it; without one, a drawing of Sticker World of that class.

    Every picture is opened. Raises ValueError for a folder without pictures or with one that cannot be read, and for a
    class word that is missing or is not that of captions.json. Nothing is written.
    """
    if not folder.strip():
        return f"{class_word.strip() or EXAMPLE}-{SHARED}"
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise ValueError(f"folder: expected a folder of pictures at {path}, found none")
    check_formats(path)
    if not (pictures := picture_files(path)):
        raise ValueError(f"folder: expected pictures in {path}, found none")
    for picture in pictures:
        load_image(picture)
    known, word = class_word_of(path), class_word.strip()
    if known and word and known != word:
        told = f"{known!r} as in {path / CAPTIONS}"
        raise ValueError(f"class_word: expected {told}, got {word!r}; leave it empty or change the file")
    if not known and not word:
        raise ValueError(f"class_word: expected what kind of thing {path} shows, such as cat, got nothing")
    return f"{path.parent}/{path.name}"


def write_captions(plan: Plan, class_word: str, describer: str, *, spend_at_most: float = 0.0) -> list[str]:
    """Have the pictures described that nobody described, and return their names; what a person wrote stays.

    `describer` is a name of `sidkit.describe.describers`, or `openai:MODEL`, which may cost `spend_at_most` dollars.
    What a captioner of drawings said of photos is asked again where the model knows photos. Raises ValueError, before
    the first question, for prompts without `[v]`, a describer that does not know such pictures, and a cost over that.
    """
    for text in plan.prompts:
        check_mark(text, "prompt")
    (wanted,) = plan.subjects
    waiting = [] if isinstance(wanted, Stickers) else _waiting(wanted, world_of(plan.profile))
    if waiting:
        asked = _describer(describer, plan, wanted)
        told = load_instruction("structure")
        report = describe_folder(wanted, class_word or None, asked, told, spend_at_most=spend_at_most or None)
        for file, error in report.failed.items():
            raise ValueError(f"{wanted / file}: {describer} gave no description ({error}); write it by hand")
    return waiting


def subject(plan: Plan, runs: Runs) -> Subject:
    """The one subject of a plan, checked as training will check it."""
    (wanted,) = plan.subjects
    if isinstance(wanted, Stickers):
        return sticker_subject(wanted, plan, runs)
    return load_subject(wanted, identifier=plan.profile.identifier)


def captions_table(subject: Subject) -> pd.DataFrame:
    """A row a picture: its description, and who wrote it."""
    wrote, world = sources(subject.folder), world_of_folder(subject.folder)
    rows = []
    for name, text in subject.captions[SID_CASE].items():
        writer = wrote.get(name, {}).get(str(SID_CASE), HAND)
        rows.append((f"`{name}`", f"`{text}`", world.author if writer == HAND else writer))
    return pd.DataFrame(rows, columns=["Picture", "Description (case 3, SID)", "Written by"])


def findings_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """A row a finding: where, what is wrong, what it risks, what to do; one that says so where there is none."""
    rows = [
        (f"`{one.file}`", f"{one.level}: {KINDS[one.kind][0]}{_said(one)}", one.bias, _short(one.advice))
        for one in findings
    ]
    return pd.DataFrame(rows or [("all", "none", "-", "-")], columns=["Picture", "Finding", "Risks", "What to do"])


def findings_told(findings: Sequence[Finding]) -> str:
    """How many there are, in a sentence."""
    faults = sum(one.level == "fault" for one in findings)
    if not findings:
        return "The checker finds nothing to change."
    return (
        f"The checker finds {_many(faults, 'fault')}, and {_many(len(findings) - faults, 'thing')} to look at in the "
        "pictures. They are in the table below; training goes on all the same, so that one can see what comes of it."
    )


def world_told(plan: Plan, subject: Subject) -> str:
    """Whether the model can know such pictures at all, and whether their descriptions can be believed."""
    if not foreign(plan, subject):
        return f"The model is that of the profile `{plan.profile.name}`."
    told = (
        "**These pictures are not of Sticker World**, and its model has seen nothing else: it reduces them to "
        f"{plan.profile.resolution} x {plan.profile.resolution} pixels and paints what it can. What follows shows "
        "that all the steps work, and not what SID does for your pictures. For that, set `profile` to `sd15`, on "
        "a GPU."
    )
    if not _not_believed(subject.folder, world_of_folder(subject.folder)):
        return told
    return (
        f"{told} **The descriptions are not to be believed, either**: the captioner that wrote them has seen nothing "
        "but drawings. With another profile they are written anew; correct what you want to keep."
    )


def foreign(plan: Plan, subject: Subject) -> bool:
    """Whether the model has never seen pictures like the subject's."""
    return not world_of(plan.profile).knows(world_of_folder(subject.folder))


def claims() -> list[Claim]:
    """What the paper says of SID beside the usual captions, for one subject."""
    return [claim for claim in DESCRIPTION_CASES if (claim.case, claim.against) == (SID_CASE, 1)]


def verdicts(study: Study, *, seed: int) -> list[Verdict]:
    """The claims held against the study; none is judged where the model has never seen such pictures."""
    (subject,) = study.subjects.values()
    if foreign(study.plan, subject):
        return [Verdict(claim, NOT_RUN, "the model has never seen such pictures") for claim in claims()]
    return check(study.frame, claims(), seed=seed)


def _waiting(folder: Path, world: World) -> list[str]:
    """Pictures without a caption; for a model of photos also those that a captioner of drawings described."""
    return unwritten(folder) or _not_believed(folder, world)


def _not_believed(folder: Path, world: World) -> list[str]:
    """Pictures that a describer described which does not know such pictures."""
    return [file for file, wrote in sources(folder).items() if not all(map(world.believes, wrote.values()))]


def _describer(name: str, plan: Plan, folder: Path) -> Describer:
    if not world_of(plan.profile).believes(name):
        raise ValueError(
            f"{folder}: expected captions, found none for some pictures, and the describer {name} knows drawings only; "
            f"write them into {CAPTIONS}, or take describer=blip2, llava or openai:MODEL"
        )
    if name.startswith(OPENAI):
        return make_describer("openai", model=name.removeprefix(OPENAI))
    if name == "openai":
        raise ValueError("describer: expected openai:MODEL, such as openai:gpt-4.1-mini, got openai without a model")
    return make_describer(name)


def _said(finding: Finding) -> str:
    return f", `{finding.words}`" if finding.words and finding.kind in ("looks", "mirror") else ""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
