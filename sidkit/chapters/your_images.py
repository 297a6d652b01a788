"""A reader's own pictures: their captions found or made, checked, and the model taught with and without SID."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sidkit.captions import CAPTIONS, SID_CASE, USUAL_CASE, class_word_of
from sidkit.check import scores
from sidkit.check.check import KINDS, Finding, find
from sidkit.check.subject import check_folder, check_lengths
from sidkit.describe.cases import captions_of_case
from sidkit.describe.describers import Describer, make_describer
from sidkit.describe.folder import HAND, describe_folder, sources, unwritten
from sidkit.describe.instructions import load_instruction
from sidkit.inflection import counted
from sidkit.mark import MARK, check_mark, class_caption
from sidkit.markdown import Markdown, code
from sidkit.picture_folder import readable_pictures
from sidkit.plot import sheets
from sidkit.runs import Runs
from sidkit.study.chapter import Results
from sidkit.study.claims import DESCRIPTION_CASES, Claim, Trial, trials
from sidkit.study.excerpts import rows_by_prompt
from sidkit.study.plan import Arm, Plan, Stickers, make_plan
from sidkit.study.run import Study, subjects_of
from sidkit.study.tables import arms_table
from sidkit.subjects import Subject
from sidkit.worlds import World, world_of, world_of_folder

NAME = "11_your_images"
EXAMPLE, SHARED = "penguin", "background+nearby"  # what is learnt where no folder is given
ARMS = (Arm("without SID", USUAL_CASE), Arm("with SID", SID_CASE))
LONGEST = 200  # letters of a caption's end that a table shows
OPENAI = "openai:"  # before a model's name
PLANTED = 100  # subjects of four captions each, on which the checker is scored
FOREIGN_PICTURES = Markdown(
    "**These pictures are not of Sticker World**, and its model has seen nothing else: it reduces them to "
    "{side} x {side} pixels and paints what it can. What follows shows that all the steps work, and not what SID does "
    "for your pictures. For that, set `profile` to `sd15`, on a GPU."
)
DESCRIPTIONS_BY_A_STRANGER = Markdown(
    "**The descriptions are not to be believed, either**: the captioner that wrote them has seen nothing but drawings. "
    "With another profile they are written anew; correct what you want to keep."
)


@dataclass(frozen=True)
class Findings:
    """The subject as it was learnt, and what the checker says of its captions."""

    subject: Subject
    findings: list[Finding]


def plans(scale: str, *, folder: str = "", class_word: str = "", **options: Any) -> dict[str, Plan]:
    """One plan, without and with SID, of the pictures in `folder` or, without one, of a drawing of Sticker World.

    Every picture is opened; nothing is described, and nothing is written. `options` are those of `make_plan`. Raises
    ValueError for a folder or class word that cannot be used (`place`), and as `make_plan`.
    """
    return {"own": make_plan(scale, subjects=[place(folder, class_word)], arms=ARMS, **options)}


def prepare(
    plans: Mapping[str, Plan], *, class_word: str = "", describer: str = "stickers", spend_at_most: float = 0.0
) -> None:
    """Have the pictures described that nobody described, and say what the checker finds in their captions.

    Raises ValueError, before anybody is asked, for a caption that the profile's model would not read to its end.
    """
    (plan,) = plans.values()
    (wanted,) = plan.subjects
    if isinstance(wanted, Path):
        check_lengths(wanted, plan.profile)
    write_captions(plan, class_word, describer, spend_at_most=spend_at_most)
    if isinstance(wanted, Path):
        print(findings_summary(check_folder(wanted, profile=plan.profile)))


def findings(results: Results) -> Findings:
    """The subject, and what the checker says of its captions."""
    (plan,) = results.plans.values()
    learnt = subject(plan, results.runs)
    return Findings(learnt, check_folder(learnt.folder, profile=plan.profile))


def claims(results: Results) -> list[Trial]:
    """What the paper says of SID beside the usual captions, for one subject; nothing decides for pictures that the
    model has never seen the like of."""
    wanted = _of_one_subject()
    if _foreign(results.main.plan, results.findings.subject):
        return [Trial(claim, why_not="the model has never seen such pictures") for claim in wanted]
    return trials(results.main.frame, wanted)


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The descriptions, what the checker says of them and how well it checks, and the measures of both arms."""
    return {
        "captions": captions_table(results.findings.subject),
        "findings": findings_table(results.findings.findings),
        "scores": scores.table(_scored()),
        "spoilt": spoilt_table(results.findings.subject),
        "measures": arms_table(results.main.frame, seed=results.seed),
    }


def values(results: Results) -> dict[str, Any]:
    """What is said of the world that the pictures are of, and of the checker."""
    (plan,) = results.plans.values()
    return {
        "class_word": results.findings.subject.class_word,
        "world": world_sentences(plan, results.findings.subject),
        "found": findings_summary(results.findings.findings),
        "scores_told": Markdown(" ").join(scores.sentence(*scored) for scored in _scored().items()),
    }


def place(folder: str, class_word: str) -> str:
    """The folder as `make_plan` takes it; without one, a drawing of Sticker World of that class.

    Every picture is opened. Raises ValueError for a folder without pictures or with one that cannot be read, and for a
    class word that is missing or is not that of captions.json. Nothing is written.
    """
    if not folder.strip():
        return f"{class_word.strip() or EXAMPLE}-{SHARED}"
    path = Path(folder).expanduser()
    readable_pictures(path, "folder")
    class_word_of(path, class_word)
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
    if isinstance(wanted, Stickers):
        return []
    waiting = _waiting(wanted, world_of(plan.profile))
    if waiting:
        model = _describer(describer, plan, wanted)
        instruction = load_instruction("structure")
        report = describe_folder(wanted, class_word or None, model, instruction, spend_at_most=spend_at_most or None)
        for file, error in report.failed.items():
            told = f"{wanted / file}: {describer} gave no description: {error}"
            raise ValueError(f"{told}; what is described already is kept, and is not asked again")
    return waiting


def subject(plan: Plan, runs: Runs) -> Subject:
    """The one subject of a plan, checked as training will check it."""
    (subject,) = subjects_of(plan, runs).values()
    return subject


def rows(study: Study) -> sheets.Rows:
    """Of `sheets.rows`: a row a prompt, a column an arm."""
    return rows_by_prompt(study)


def captions_table(subject: Subject) -> pd.DataFrame:
    """A row a picture: its description, and who wrote it."""
    author_by_file, world = sources(subject.folder), world_of_folder(subject.folder)
    rows = []
    for file, text in subject.captions[SID_CASE].items():
        author = author_by_file.get(file, {}).get(str(SID_CASE), HAND)
        author = world.author if author == HAND else author
        rows.append((code(file), code(text), author))
    return pd.DataFrame(rows, columns=["Picture", "Description (case 3, SID)", "Written by"])


def findings_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """A row a finding: where, what is wrong, what it risks, what to do; one that says so where there is none."""
    rows = [(code(finding.file), _fault(finding), finding.bias, _shortened(finding.advice)) for finding in findings]
    return pd.DataFrame(rows or [("all", "none", "-", "-")], columns=["Picture", "Finding", "Risks", "What to do"])


def findings_summary(findings: Sequence[Finding]) -> str:
    """How many there are, in a sentence."""
    if not findings:
        return "The checker finds nothing to change."
    faults = sum(finding.level == "fault" for finding in findings)
    to_look_at = len(findings) - faults
    return (
        f"The checker finds {counted(faults, 'fault')}, and {counted(to_look_at, 'thing')} to look at in the "
        "pictures. They are in the table below; training goes on all the same, so that one can see what comes of it."
    )


def spoilt_table(subject: Subject) -> pd.DataFrame:
    """What the checker says of a subject's first caption, spoilt in five ways: a row a way."""
    text = captions_of_case(subject, SID_CASE)[0]
    word = subject.class_word
    is_style = "substance" in subject.bias
    ways = (
        text.replace(f"{MARK} ", "", 1),
        text.replace(MARK, f"fluffy {MARK}", 1),
        text.replace(f"{MARK} {word}", f"{MARK} {word} with a brown belly", 1),
        class_caption(word),
        f"{text}, looking left",
    )
    rows = []
    for way in ways:
        for finding in find({"": way}, word, style=is_style)[:1]:
            row = {
                "Caption": code(way),
                "What is wrong": KINDS[finding.kind][0],
                "Risks": finding.bias,
                "What `--fix` writes": code(finding.fix or "-"),
            }
            rows.append(row)
    return pd.DataFrame(rows)


def world_sentences(plan: Plan, subject: Subject) -> Markdown:
    """Whether the model can know such pictures at all, and whether their descriptions can be believed."""
    if not _foreign(plan, subject):
        return Markdown("The model is that of the profile {}.").format(code(plan.profile.name))
    pictures = FOREIGN_PICTURES.format(side=plan.profile.resolution)
    if not _not_believed(subject.folder, world_of_folder(subject.folder)):
        return pictures
    return Markdown("{} {}").format(pictures, DESCRIPTIONS_BY_A_STRANGER)


def _foreign(plan: Plan, subject: Subject) -> bool:
    """Whether the model has never seen pictures like the subject's."""
    return not world_of(plan.profile).knows(world_of_folder(subject.folder))


def _of_one_subject() -> list[Claim]:
    """What the paper says of SID beside the usual captions."""
    return [claim for claim in DESCRIPTION_CASES if (claim.case, claim.against) == (SID_CASE, USUAL_CASE)]


def _scored() -> dict[str, list[scores.Sample]]:
    """What the checker was not developed on: planted faults, and the held half of the captions by hand."""
    return {"planted": scores.planted(PLANTED, seed=1), "by hand": scores.by_hand("held")}


def _waiting(folder: Path, world: World) -> list[str]:
    """Pictures without a caption; for a model of photos also those that a captioner of drawings described."""
    return unwritten(folder) or _not_believed(folder, world)


def _not_believed(folder: Path, world: World) -> list[str]:
    """Pictures that a describer described which does not know such pictures."""
    return [file for file, authors in sources(folder).items() if not all(map(world.believes, authors.values()))]


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


def _fault(finding: Finding) -> Markdown:
    """How grave it is and what is wrong, with the words that are where the kind is about words."""
    fault = Markdown("{}: {}").format(finding.level, KINDS[finding.kind][0])
    if finding.words and finding.kind in ("looks", "mirror"):
        return Markdown("{}, {}").format(fault, code(finding.words))
    return fault


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
