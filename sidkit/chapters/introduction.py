"""The first page: what SID does, shown with the references and the pictures of one subject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import description_cases
from sidkit.describe.cases import captions_of_case
from sidkit.markdown import Markdown, code
from sidkit.measure.statistics import Interval, case_means
from sidkit.plot import sheets
from sidkit.study.chapter import Results
from sidkit.study.claims import DESCRIPTION_CASES, Claim, Trial, check
from sidkit.study.excerpts import first_prompts, first_subject
from sidkit.study.plan import Plan
from sidkit.study.run import Study
from sidkit.study.tables import interval_text
from sidkit.subjects import load_images

NAME = "00_introduction"
SHOWN = 4  # prompts
HEADLINE = Markdown(
    "Of the things that a picture should not show it shows {usual} after the usual captions, and {sid} after captions "
    "that say what is not the subject. The difference is {difference}, and the claim is **{word}**: {reason}."
)


def plans(
    scale: str,
    *,
    profile: str = "stickers",
    subjects: Sequence[str] = (),
    seed: int = 0,
) -> dict[str, Plan]:
    """The study of the four descriptions, which is run once for this page and for its own chapter."""
    return description_cases.plans(scale, profile=profile, subjects=subjects, seed=seed)


def claims(results: Results) -> list[Trial]:
    """None: the chapters hold the paper's claims against the numbers."""
    return []


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """None."""
    return {}


def values(results: Results) -> dict[str, Any]:
    """The prompts, both captions of the first reference, and the finding in two sentences."""
    prompts = first_prompts(results.main, SHOWN)
    asked = [text.removeprefix("a photo of ") for text in prompts]
    usual, sid = _captions(results.main)
    return {
        "asked": "; ".join(asked),
        "usual_caption": code(usual),
        "sid_caption": code(sid),
        "headline": headline(results.main.frame, seed=results.seed),
    }


def rows(study: Study) -> sheets.Rows:
    """Of `sheets.rows`: the references, what is drawn after the usual captions, and after SID."""
    subject = first_subject(study)
    count = len(first_prompts(study, SHOWN))
    name_by_case = {arm.case: arm.name for arm in study.plan.arms}
    titles = ["shown to the model"]
    images = [load_images(subject)]
    for case, caption in zip((USUAL_CASE, SID_CASE), _captions(study)):
        arm = name_by_case[case]
        titles.append(f"drawn, after captions like “{caption}”")
        images.append([study.picture(subject.name, arm, index) for index in range(count)])
    return titles, images, []


def headline(frame: pd.DataFrame, *, seed: int) -> Markdown:
    """The paper's main point in two sentences: SID (case 3) beside the usual captions (case 1)."""
    claim = _main_point()
    (verdict,) = check(frame, [claim], seed=seed)
    if verdict.difference is None:
        return Markdown("Whether it is so, this run cannot say: {}.").format(verdict.reason)
    means = case_means(frame, claim.measure, seed=seed)
    usual = Interval(*means.loc[USUAL_CASE])
    sid = Interval(*means.loc[SID_CASE])
    return HEADLINE.format(
        usual=interval_text(usual, claim.measure),
        sid=interval_text(sid, claim.measure),
        difference=interval_text(verdict.difference, claim.measure, "points"),
        word=verdict.word,
        reason=verdict.reason,
    )


def _main_point() -> Claim:
    """That SID leaks less than the usual captions."""
    for claim in DESCRIPTION_CASES:
        if (claim.measure, claim.case, claim.against) == ("leakage", SID_CASE, USUAL_CASE):
            return claim
    raise LookupError("no claim on the leakage of SID beside the usual captions")


def _captions(study: Study) -> list[str]:
    """What the usual captions and SID say of the first reference."""
    subject = first_subject(study)
    return [captions_of_case(subject, case)[0] for case in (USUAL_CASE, SID_CASE)]
