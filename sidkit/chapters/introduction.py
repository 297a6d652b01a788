"""The first page: what SID does, shown with the references and the pictures of one subject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from IPython.display import Markdown
from PIL import Image

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import description_cases
from sidkit.describe.cases import captions_of_case
from sidkit.measure.statistics import Interval, case_means
from sidkit.study.chapter import Results
from sidkit.study.claims import DESCRIPTION_CASES, Trial, check
from sidkit.study.plan import Plan
from sidkit.study.run import Study
from sidkit.study.tables import interval_text
from sidkit.subjects import load_images

NAME = "00_introduction"
SHOWN = 4  # prompts


def plans(scale: str, *, profile: str = "stickers", subjects: Sequence[str] = (), seed: int = 0) -> dict[str, Plan]:
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
    prompts = _prompts(results.main)
    usual, sid = _captions(results.main)
    return {
        "asked": "; ".join(text.removeprefix("a photo of ") for text in prompts),
        "usual_caption": Markdown(f"`{usual}`"),
        "sid_caption": Markdown(f"`{sid}`"),
        "headline": Markdown(headline(results.main.frame, seed=results.seed)),
    }


def rows(study: Study) -> tuple[list[str], list[list[Image.Image]]]:
    """Titles and pictures of `sheets.rows`: the references, what is drawn after the usual captions, and after SID."""
    subject = _first(study)
    name_by_case = {arm.case: arm.name for arm in study.plan.arms}
    titles, images = ["shown to the model"], [load_images(subject)]
    for case, caption in zip((USUAL_CASE, SID_CASE), _captions(study)):
        titles.append(f"drawn, after captions like “{caption}”")
        images.append([study.picture(subject.name, name_by_case[case], index) for index in range(len(_prompts(study)))])
    return titles, images


def headline(frame: pd.DataFrame, *, seed: int) -> str:
    """The paper's main point in two sentences of Markdown: SID (case 3) beside the usual captions (case 1)."""
    (claim,) = (claim for claim in DESCRIPTION_CASES if _is_the_main_point(claim.measure, claim.case, claim.against))
    (verdict,) = check(frame, [claim], seed=seed)
    if verdict.difference is None:
        return f"Whether it is so, this run cannot say: {verdict.reason}."
    means = case_means(frame, claim.measure, seed=seed)
    usual, sid = (interval_text(Interval(*means.loc[case]), claim.measure) for case in (USUAL_CASE, SID_CASE))
    difference = interval_text(verdict.difference, claim.measure, "points")
    return (
        f"Of the things that a picture should not show it shows {usual} after the usual captions, and {sid} after "
        f"captions that say what is not the subject. The difference is {difference}, "
        f"and the claim is **{verdict.word}**: {verdict.reason}."
    )


def _is_the_main_point(measure: str, case: int, against: int) -> bool:
    return (measure, case, against) == ("leakage", SID_CASE, USUAL_CASE)


def _first(study: Study):
    return next(iter(study.subjects.values()))


def _prompts(study: Study) -> list[str]:
    return [prompt.text for prompt in study.prompts[_first(study).name][:SHOWN]]


def _captions(study: Study) -> list[str]:
    """What the usual captions and SID say of the first reference."""
    return [captions_of_case(_first(study), case)[0] for case in (USUAL_CASE, SID_CASE)]
