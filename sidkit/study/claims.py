"""Claims of the paper as checks: numbers decide which of `WORDS` is said of each."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from sidkit.measure.statistics import Interval, paired_difference

ENOUGH = 8  # subjects, for intervals that hold what they promise (`sidkit.measure.statistics`)
REPRODUCED, NOT_REPRODUCED, NOT_RUN = "reproduced", "not reproduced", "not run"
WITHIN = "within tolerance"  # too few pictures to tell it from nothing, or from what the paper has
WORDS = (REPRODUCED, WITHIN, NOT_REPRODUCED, NOT_RUN)


@dataclass(frozen=True)
class Statement:
    """What the paper states, in words that no number can contradict yet; a chapter's claims make it precise."""

    words: str
    source: str  # section, figure or table of arXiv 2403.15330


@dataclass(frozen=True)
class Claim:
    """One statement of the paper as a difference between two cases, or arms, that numbers can contradict."""

    words: str
    measure: str  # column of the study's frame
    case: Hashable
    against: Hashable
    direction: Literal["higher", "lower"]  # of `case` beside `against`
    source: str  # where the paper says it
    by: str = "case"  # the column of the frame that tells the two apart; "arm" is the other
    paper: float | None = None  # the paper's own difference, where the measure is the same


@dataclass(frozen=True)
class Verdict:
    """What the numbers say about a claim. `difference` is case minus against, None where it was not run."""

    claim: Claim
    word: str
    reason: str
    difference: Interval | None = None


@dataclass(frozen=True)
class Trial:
    """A claim with what decides it: a study's rows, or a difference that is already known.

    `why_not` says why it cannot be decided here; then neither counts.
    """

    claim: Claim
    frame: pd.DataFrame | None = None
    difference: Interval | None = None
    why_not: str = ""

    def verdict(self, seed: int) -> Verdict:
        """What the numbers say; `seed` is of the resampling. ValueError where nothing decides."""
        if self.why_not:
            return Verdict(self.claim, NOT_RUN, self.why_not)
        if self.difference is not None:
            return judge(self.claim, self.difference)
        if self.frame is None:
            raise ValueError(f"claim {self.claim.words!r}: expected rows or a difference that decide it, got neither")
        return _verdict(self.frame, self.claim, seed)


def trials(frame: pd.DataFrame, claims: Sequence[Claim]) -> list[Trial]:
    """Claims that the rows of one frame decide."""
    return [Trial(claim, frame) for claim in claims]


# Leakage and identity are our measures; what the paper says of them it says from pictures.
DESCRIPTION_CASES = (
    Claim("Naming the other things keeps them out of the pictures", "leakage", 2, 1, "lower", "Fig. 3"),
    Claim("Describing them in detail keeps them out of the pictures", "leakage", 3, 1, "lower", "Fig. 3"),
    Claim("Details keep them out better than names alone", "leakage", 3, 2, "lower", "Fig. 3, said to hold often"),
    Claim("Describing the subject too loses its looks", "identity", 4, 3, "lower", "Fig. 3"),
    Claim("SID moves pictures away from the references' surroundings", "NSD", 3, 1, "higher", "Fig. 8"),
    Claim("SID follows the prompt better", "TA", 3, 1, "higher", "Fig. 8"),
    Claim("SID keeps the subject better", "SA", 3, 1, "higher", "Fig. 8"),
)


def check(
    frame: pd.DataFrame,
    claims: Sequence[Claim] = DESCRIPTION_CASES,
    *,
    seed: int,
) -> list[Verdict]:
    """Hold each claim against a study's frame, by the paired difference of its two cases with a 95 % interval."""
    return [_verdict(frame, claim, seed) for claim in claims]


def reach(frame: pd.DataFrame) -> str:
    """How far the verdicts reach, in a sentence that follows from the number of subjects."""
    count = frame["subject"].nunique()
    if count == 1:
        return "There is one subject, so the intervals speak of that subject only and say nothing of another."
    if count < ENOUGH:
        return (
            f"With {count} subjects the intervals are wide, and promise a little too much; another {count} may give "
            "other verdicts. More subjects make them narrower."
        )
    return f"The intervals are over {count} subjects, and speak of subjects like these, in this world, with this model."


def judge(claim: Claim, difference: Interval) -> Verdict:
    """*Reproduced* only if the whole interval lies on the claimed side of zero.

    *Within tolerance* if it includes both zero and the paper's own difference, which only CLIP's numbers are held to.
    """
    if not difference.known:
        return Verdict(claim, NOT_RUN, "one picture of each case has no interval", difference)
    if difference.low <= 0 <= difference.high:
        return _undecided(claim, difference)
    as_claimed = (difference.mean > 0) == (claim.direction == "higher")
    word = REPRODUCED if as_claimed else NOT_REPRODUCED
    side = "claimed" if as_claimed else "other"
    return Verdict(claim, word, f"the whole interval lies on the {side} side of zero", difference)


def _undecided(claim: Claim, difference: Interval) -> Verdict:
    reason = "the interval includes zero"
    if claim.paper is None or not difference.low <= claim.paper <= difference.high:
        return Verdict(claim, NOT_REPRODUCED, reason, difference)
    paper = f"{claim.paper:+.4f}".replace("-", "−")
    return Verdict(claim, WITHIN, f"{reason}, and the paper's own {paper}", difference)


def _verdict(frame: pd.DataFrame, claim: Claim, seed: int) -> Verdict:
    missing = {claim.case, claim.against} - set(frame[claim.by])
    if missing:
        names = " and ".join(map(str, sorted(missing)))
        return Verdict(claim, NOT_RUN, f"{claim.by} {names} was not run")
    if claim.measure not in frame or frame[claim.measure].isna().all():
        return Verdict(claim, NOT_RUN, f"{claim.measure} cannot be measured here")
    difference = paired_difference(
        frame,
        claim.measure,
        claim.case,
        claim.against,
        seed=seed,
        by=claim.by,
    )
    return judge(claim, difference)
