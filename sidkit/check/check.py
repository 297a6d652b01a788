"""The checker: reads a subject's captions, and pictures, before anything is trained on them.

Each finding says which bias it risks, which words are meant, and what to write instead. A *fault* is wrong as it
stands; a *note* asks for a look at the picture, which a checker of words cannot take.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from sidkit.check import notation, together
from sidkit.check.english import Caption, read
from sidkit.check.evidence import Evidence, read_folder
from sidkit.check.fix import FIXES
from sidkit.check.language import is_english
from sidkit.check.limits import Limit, clip_limit
from sidkit.check.looks import looks
from sidkit.check.ownership import owned_by_subject
from sidkit.check.sides import crops, mirrors
from sidkit.identifier import clash
from sidkit.mark import MARK, insert
from sidkit.shown import shown, shown_name, shown_names

Level = Literal["fault", "note"]

# kind -> (what is wrong, the bias that it risks)
KINDS = {
    "picture": ("a picture cannot be read, or has no caption", "all of them"),
    "refused": ("training refuses captions.json as it stands", "all of them"),
    "notation": ("written for another program", "all of them: signs and tags are learnt as words"),
    "language": ("not English, which is all that the checker reads", "all of them: nobody has looked"),
    "identifier-missing": (f"no {MARK}", "all of them: the subject has no word of its own"),
    "identifier-twice": (f"{MARK} more than once", "tied: the word stands for more than the subject"),
    "identifier-taken": (
        "the word that stands for it has a meaning already",
        "identity: the model knows the word as something else",
    ),
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
IN_ANY_CASE = ("notation", "identifier-missing", "identifier-twice", "too-long")


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

    `class_word` is needed where the folder has none. Without `pictures`, no picture is opened. Other options are those
    of `find`. Raises ValueError where the folder or its captions' file cannot be read at all.
    """
    evidence = read_folder(Path(folder), class_word, pictures=pictures)
    captions = evidence.captions
    findings = [_finding(problem.file, problem.kind, "", problem.advice) for problem in evidence.problems]
    findings += _in_other_cases(evidence, **options)
    options |= dict(style=evidence.written.of_style, seen=seen, cut=evidence.not_square)
    findings += find(captions, evidence.class_word, **options)
    if evidence.frames_alike and captions and _names_no_place(captions.values()):
        advice = "the edges of all pictures look alike, and no caption names a place; say where it is"
        findings.append(_finding(next(iter(captions)), "unsaid", "", advice, "background", fault=False))
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
    by_file = {file: read(notation.plain(text), class_word) for file, text in captions.items()}
    in_english = {file: caption for file, caption in by_file.items() if is_english(caption.text)}
    findings: list[Finding] = []
    for file, text in captions.items():
        checked = _Checked(file, by_file[file], class_word, style)
        findings += _in_any_case(checked, text, limits, identifier)
        if file in in_english:
            findings += checked.words(mirrored, cropped, file in cut)
    findings += _foreign(sorted(by_file.keys() - in_english.keys()))
    findings += _together(in_english, seen or {})
    files, kinds = list(captions), list(KINDS)
    return sorted(findings, key=lambda finding: (files.index(finding.file), kinds.index(finding.kind)))


@dataclass(frozen=True)
class _Checked:
    """One caption, and what it shows by itself."""

    file: str
    caption: Caption
    class_word: str
    style: bool

    def words(self, mirrored: bool, cropped: bool, cut: bool) -> Iterator[Finding]:
        """What needs a reader of English."""
        yield from self.class_noun()
        yield from self.looks()
        yield from self.surroundings()
        yield from self.sides(mirrored)
        yield from self.frame(cropped, cut)

    def mark(self) -> Iterator[Finding]:
        """A `[v]` that is not there, or not alone."""
        marks = self.caption.text.count(MARK)
        other = together.other_identifier(self.caption)
        if marks > 1:
            advice = f"keep the {MARK} before {shown(self.class_word)} and take the other out"
            yield self._fault("identifier-twice", MARK, advice)
        elif marks == 1 and other:
            advice = f"take {shown_name(other)} out: {MARK} is all that stands for the subject"
            yield self._fault("identifier-twice", other, advice)
        elif marks == 0 and other:
            yield self._fault("identifier-missing", other, f"write {MARK} in the place of {shown_name(other)}")
        elif marks == 0:
            yield self._fault("identifier-missing", "", f"put {MARK} before {shown(self.class_word)}")

    def meaning(self, identifier: str) -> Iterator[Finding]:
        """A profile's word for `[v]` that means something else."""
        reason = clash(identifier, self.class_word, self.caption.text)
        if reason and not together.other_identifier(self.caption):
            yield self._fault("identifier-taken", identifier, f"the profile's identifier: {reason}")

    def class_noun(self) -> Iterator[Finding]:
        """A `[v]` without its class word."""
        named = self.caption.noun is not None
        if self.caption.mark is not None and not named and not self.style:
            advice = f"write {shown(self.class_word)} behind {MARK}: {MARK} {self.class_word}"
            yield self._fault("class-missing", "", advice)
        elif named and (owned := owned_by_subject(self.caption)):
            named = f"{MARK} {shown_name(owned)}"
            advice = f"if {MARK} stands for the {shown_name(owned)}, that is the class, and not its owner: {named}"
            yield _finding(self.file, "class-missing", owned, advice, fault=False)

    def looks(self) -> Iterator[Finding]:
        """What tells how the subject looks."""
        why = f"what makes this {self.class_word} itself is for {MARK} to learn"
        for place in looks(self.caption, style=self.style):
            words = self.caption.text_at(place)
            yield self._fault("looks", words, f"leave out {shown(words)}: {why}")

    def surroundings(self) -> Iterator[Finding]:
        """Nothing but the subject."""
        if together.bare(self.caption):
            named = "the place, what stands beside it, what it wears or holds"
            yield self._fault("bare", self.caption.text, f"say what is around it: {named}, and in some detail")

    def sides(self, mirrored: bool) -> Iterator[Finding]:
        """What is not true in the mirrored picture."""
        for words in mirrors(self.caption):
            false = f"if training mirrors pictures, {shown(words)} is false half of the time"
            advice = f"{false}: leave it out, or turn mirroring off"
            yield _finding(self.file, "mirror", words, advice, fault=mirrored)

    def frame(self, cropped: bool, cut: bool) -> Iterator[Finding]:
        """What is not true where the picture's ends are cut off."""
        why = "it is not square, so its ends are cut off" if cut and not cropped else "if training crops it"
        for words in crops(self.caption):
            gone = f"{shown(words)} may not be in the picture any more: {why}"
            advice = f"{gone}; crop it yourself and then describe it"
            yield _finding(self.file, "mirror", words, advice, fault=cropped)

    def _fault(self, kind: str, words: str, advice: str) -> Finding:
        """With the caption after a safe change, where there is one."""
        finding = _finding(self.file, kind, words, advice)
        if kind not in FIXES:
            return finding
        fix = FIXES[kind](self.caption, self.class_word, words)
        return finding if fix == self.caption.text else replace(finding, fix=fix)


def _names_no_place(texts: Iterable[str]) -> bool:
    """Whether all captions can be judged, and none says where the subject is."""
    texts = list(texts)
    return all(map(is_english, texts)) and not any(together.names_place(read(text, "")) for text in texts)


def _signs(file: str, text: str) -> Iterator[Finding]:
    """What is written for another program, with the caption as a person would read it."""
    for sign in notation.signs(text):
        advice = f"write {shown(sign.words)} in plain words: {sign.advice}"
        yield replace(_finding(file, "notation", sign.words, advice), fix=sign.plain)
    plain = notation.plain(text)
    tags = notation.tags(plain) if is_english(plain) else ""
    if tags:
        advice = f"{shown(tags)} is for a tagger: say in a sentence what is in the picture, and leave ratings out"
        yield _finding(file, "notation", tags, advice, fault=False)


def _foreign(files: Sequence[str]) -> Iterator[Finding]:
    """One note for all captions that are not in English."""
    if files:
        unjudged = f"the checker reads English, and judges {MARK}, signs and length only of {shown_names(files)}"
        advice = f"{unjudged}; see by yourself that no looks are told, and that the place is"
        yield _finding(files[0], "language", "", advice, fault=False)


def _together(captions: Mapping[str, Caption], seen: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    """What shows only beside the other captions and pictures."""
    gaps = [*together.unsaid(captions), *together.unseen(captions, seen)]
    for gap in gaps:
        advice = f"{gap.why}; if it is in this picture too, name it"
        yield _finding(gap.file, "unsaid", "", advice, gap.bias, fault=gap.sure)
    for file, other in together.alike(captions):
        text = captions[file].text
        advice = f"it says what {shown_name(other)} says; say what differs: the pose, the place, what is beside it"
        yield _finding(file, "alike", text, advice, fault=False)


def _in_other_cases(
    evidence: Evidence, *, limits: tuple[Limit, ...] | None = None, identifier: str = "sks", **_: Any
) -> Iterator[Finding]:
    """What is wrong in the cases that are not judged otherwise, as they are meant to say less or more."""
    class_word = evidence.class_word
    for case in evidence.written.cases:
        if case == evidence.case:
            continue
        for file, text in evidence.written.of_case(case).items():
            checked = _Checked(file, read(notation.plain(text), class_word), class_word, evidence.written.of_style)
            for finding in _in_any_case(checked, text, limits, identifier):
                yield replace(finding, advice=f"case {case}: {finding.advice}")


def _in_any_case(checked: _Checked, text: str, limits: Iterable[Limit] | None, identifier: str) -> Iterator[Finding]:
    """What is wrong in any text that is trained on, whatever it is to say; their kinds are `IN_ANY_CASE`."""
    yield from _signs(checked.file, text)
    yield from checked.mark()
    yield from checked.meaning(identifier)
    yield from _cut(checked.file, text, limits or (clip_limit(),), identifier)


def _cut(file: str, text: str, limits: Iterable[Limit], identifier: str) -> Iterator[Finding]:
    """The end of a text that a model would not read."""
    for limit in limits:
        count, lost = limit.lost(insert(text, identifier))
        if lost:
            reads = f"{limit.name} reads {limit.length} tokens of {count}, and not the end, {shown(lost)}"
            yield _finding(file, "too-long", lost, f"shorten it: {reads}")


def _finding(file: str, kind: str, words: str, advice: str, bias: str = "", *, fault: bool = True) -> Finding:
    _, usual_bias = KINDS[kind]
    return Finding(file, kind, "fault" if fault else "note", bias or usual_bias, words, advice)
