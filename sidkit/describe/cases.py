"""The paper's four kinds of description (Table 1), as one argument.

What a caption says decides what `[v]` learns: whatever has words of its own attaches to them and not to `[v]`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sidkit.captions import USUAL_CASE
from sidkit.config import check_name
from sidkit.mark import class_caption
from sidkit.subjects import Subject


@dataclass(frozen=True)
class Case:
    """One row of Table 1. The subject's class is said in all of them."""

    name: str
    objects: bool  # undesired objects named
    object_details: bool  # and described
    subject_details: bool  # the subject itself described


CASES = {
    1: Case("class only", False, False, False),
    2: Case("+ objects", True, False, False),
    3: Case("+ their details (SID)", True, True, False),
    4: Case("+ subject's details", True, True, True),
}
CASE_NAMES = {number: f"{number}: {case.name}" for number, case in CASES.items()}  # in tables and figures


def captions_of_case(subject: Subject, case: int) -> tuple[str, ...]:
    """The subject's captions of one case, `[v]` in them, in the order of its images.

    Case 1 needs nothing but the class word, so every subject has it. ValueError for a case that nobody has written.
    """
    check_name("case", str(case), map(str, CASES))
    written = subject.captions.get(case)
    if written is None and case == USUAL_CASE:
        return (class_caption(subject.class_word, of_style=subject.of_style),) * len(subject.images)
    if written is None:
        raise ValueError(
            f"subject {subject.name}: expected captions of case {case}, got cases {sorted(subject.captions)}; "
            f'write them in {subject.folder / "captions.json"} as {{"FILE": {{"{case}": "..."}}}}'
        )
    return tuple(written[image.name] for image in subject.images)
