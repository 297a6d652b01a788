"""The checker: reads a subject's captions, and pictures, before anything is trained on them.

Each finding says which bias it risks, which words are meant, and what to write instead. A *fault* is wrong as it
stands; a *note* asks for a look at the picture, which a checker of words cannot take.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sidkit.check import together
from sidkit.check.english import Caption, read
from sidkit.check.evidence import read_folder
from sidkit.check.fix import FIXES
from sidkit.check.limits import Limit, clip_limit
from sidkit.check.looks import looks
from sidkit.check.sides import crops, mirrors
from sidkit.mark import MARK, insert

Level = Literal["fault", "note"]

# kind -> (what is wrong, the bias that it risks)
KINDS = {
    "picture": ("a picture cannot be read, or has no caption", "all of them"),
    "refused": ("training refuses captions.json as it stands", "all of them"),
    "identifier-missing": (f"no {MARK}", "all of them: the subject has no word of its own"),
    "identifier-twice": (f"{MARK} more than once", "tied: the word stands for more than the subject"),
    "class-missing": (
        "no class word behind the identifier",
        "identity: the model does not know what kind of thing it is",
    ),
    "looks": ("the subject's own looks", "identity: they go to these words instead of to the identifier"),
    "bare": ("nothing but the subject", "background, nearby and tied: all that is around it goes to the identifier"),
    "unsaid": ("something that is in all pictures is not said here", "nearby"),
    "alike": ("nearly the caption of another picture", "pose: what tells the pictures apart goes to the identifier"),
    "too-long": ("longer than the model reads", "background and nearby: what is cut off is as good as not said"),
    "mirror": ("contradicted where training mirrors or crops", "nearby: the word is seen beside what it does not mean"),
}


@dataclass(frozen=True)
class Finding:
    """One thing to change, or to look at. `fix` is the whole caption after a safe change, or None."""

    file: str
    kind: str
    level: Level
    bias: str
    words: str  # of the caption; "" where it is about what is not there
    advice: str
    fix: str | None = None


def check(
    folder: Path | str,
    class_word: str | None = None,
    *,
    seen: Mapping[str, Mapping[str, str]] | None = None,
    pictures: bool = True,
    **options,
) -> list[Finding]:
    """Read a subject's folder and find what its captions would teach wrongly (section 3.1's biases; Table 1).

    `class_word` takes the place of the folder's own. Without `pictures`, no picture is opened. Other options are those
    of `find`. Raises ValueError where the folder or its captions' file cannot be read at all.
    """
    evidence = read_folder(Path(folder), class_word, pictures=pictures)
    captions = evidence.captions
    findings = [_finding(problem.file, problem.kind, "fault", "", problem.advice) for problem in evidence.problems]
    options |= dict(style=evidence.written.of_style, seen=seen, cut=evidence.not_square)
    findings += find(captions, evidence.class_word, **options)
    read_all = [read(text, evidence.class_word) for text in captions.values()]
    if evidence.frames_alike and captions and not any(map(together.names_place, read_all)):
        advice = "the edges of all pictures look alike, and no caption names a place; say where it is"
        findings.append(_finding(next(iter(captions)), "unsaid", "note", "", advice, "background"))
    return findings


def find(
    captions: Mapping[str, str],
    class_word: str,
    *,
    style: bool = False,
    limits: tuple[Limit, ...] | None = None,
    identifier: str = "sks",
    mirrored: bool = False,
    cropped: bool = False,
    cut: Collection[str] = (),
    seen: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Finding]:
    """The findings in captions (file -> text with `[v]`), by file and kind.

    `style`: what is learnt is a way of painting. `limits` default to CLIP's 77 tokens. Say `mirrored` or `cropped` if
    your trainer flips pictures or crops them at random; ours does neither, but takes the middle of those in `cut`.
    `seen` is what is known to be in each picture: {"00.png": {"nearby": "balloon"}}.
    """
    by_file = {file: read(text, class_word) for file, text in captions.items()}
    findings: list[Finding] = []
    for file, caption in by_file.items():
        findings += _of_subject(file, caption, class_word, style)
        findings += _of_surroundings(file, caption)
        findings += _of_length(file, caption, limits or (clip_limit(),), identifier)
        findings += _of_sides(file, caption, mirrored)
        findings += _of_frame(file, caption, cropped, file in cut)
    findings += _of_all_together(by_file, seen or {})
    files, kinds = list(captions), list(KINDS)
    return sorted(findings, key=lambda finding: (files.index(finding.file), kinds.index(finding.kind)))


def _finding(file: str, kind: str, level: Level, words: str, advice: str, bias: str = "") -> Finding:
    return Finding(file, kind, level, bias or KINDS[kind][1], words, advice)


def _of_subject(file: str, caption: Caption, class_word: str, style: bool) -> Iterator[Finding]:
    """What is wrong with the words for the subject, each with a safe change where there is one."""
    for kind, words, advice in (*_of_mark(caption, class_word, style), *_of_looks(caption, class_word, style)):
        finding = _finding(file, kind, "fault", words, advice)
        fixed = FIXES[kind](caption, class_word, words)
        yield finding if fixed in (None, caption.text) else replace(finding, fix=fixed)


def _of_mark(caption: Caption, class_word: str, style: bool) -> Iterator[tuple[str, str, str]]:
    """(kind, words, advice) for `[v]` and the class word behind it."""
    marks = caption.text.count(MARK)
    if marks == 0:
        other = together.other_identifier(caption)
        advice = f"write {MARK} in the place of {other}" if other else f"put {MARK} before {class_word!r}"
        yield "identifier-missing", other, advice
    if marks > 1:
        yield "identifier-twice", MARK, f"keep the {MARK} before {class_word!r} and take the other out"
    if marks and caption.noun is None and not style:
        yield "class-missing", "", f"write {class_word!r} behind {MARK}: {MARK} {class_word}"


def _of_looks(caption: Caption, class_word: str, style: bool) -> Iterator[tuple[str, str, str]]:
    """(kind, words, advice) for what tells how the subject looks."""
    for place in looks(caption, style=style):
        words = caption.text_at(place)
        yield "looks", words, f"leave out {words!r}: what makes this {class_word} itself is for {MARK} to learn"


def _of_surroundings(file: str, caption: Caption) -> Iterator[Finding]:
    if together.bare(caption):
        advice = "say what is around it: the place, what stands beside it, what it wears or holds, and in some detail"
        yield _finding(file, "bare", "fault", caption.text, advice)


def _of_length(file: str, caption: Caption, limits: Iterable[Limit], identifier: str) -> Iterator[Finding]:
    """What a model would not read."""
    for limit in limits:
        count, lost = limit.lost(insert(caption.text, identifier))
        if lost:
            advice = f"shorten it: {limit.name} reads {limit.length} tokens of {count}, and not the end, {lost!r}"
            yield _finding(file, "too-long", "fault", lost, advice)


def _of_sides(file: str, caption: Caption, mirrored: bool) -> Iterator[Finding]:
    """What is not true in the mirrored picture."""
    for words in mirrors(caption):
        told = f"if training mirrors pictures, {words!r} is false half of the time"
        advice = f"{told}: leave it out, or turn mirroring off"
        yield _finding(file, "mirror", "fault" if mirrored else "note", words, advice)


def _of_frame(file: str, caption: Caption, cropped: bool, cut: bool) -> Iterator[Finding]:
    """What is not true where the picture's ends are cut off."""
    why = "it is not square, so its ends are cut off" if cut and not cropped else "if training crops it"
    for words in crops(caption):
        advice = f"{words!r} may not be in the picture any more: {why}; crop it yourself and then describe it"
        yield _finding(file, "mirror", "fault" if cropped else "note", words, advice)


def _of_all_together(captions: Mapping[str, Caption], seen: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    """What shows only beside the other captions and pictures."""
    for gap in (*together.unsaid(captions), *together.unseen(captions, seen)):
        advice = f"{gap.why}; if it is in this picture too, name it"
        yield _finding(gap.file, "unsaid", "fault" if gap.sure else "note", "", advice, gap.bias)
    for file, other in together.alike(captions):
        advice = f"it says what {other} says; say what differs: the pose, the place, what is beside it"
        yield _finding(file, "alike", "note", captions[file].text, advice)
