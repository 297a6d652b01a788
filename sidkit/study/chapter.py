"""A chapter of the book as something that can be asked: what it would run, what it claims, what it shows.

A chapter is a module of `sidkit.chapters` that has the name of its notebook, and the functions of `Chapter`. Its
notebook calls `run`, shows the pictures, and writes no number by hand:

    results = run(negative_prompts, scale, store, profile=profile, subjects=subjects, seed=seed)
    results.glue()
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Number
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from sidkit.markdown import Markdown, printable, table
from sidkit.runs import Runs
from sidkit.study import ledger, passport
from sidkit.study.claims import Statement, Trial, Verdict, reach
from sidkit.study.excerpts import first_subject
from sidkit.study.plan import Plan, make_plan
from sidkit.study.run import Study, run_study
from sidkit.study.tables import claims_table, company

NOT_PLANNED = ("scale", "store")  # parameters of a notebook that belong to `run` itself


class Chapter(Protocol):
    """What every module of `sidkit.chapters` offers. `plans` is pure: nothing is loaded, asked, trained or written.

    `plans`, `claims` and `tables` are asked of all; `prepare`, `findings` and `values` only where a chapter has them.
    """

    NAME: str  # of the notebook, "07_negative_prompts"
    STATEMENT: Statement  # of the paper, that the chapter tries; chapters that try none have none

    def plans(self, scale: str, **parameters: Any) -> dict[str, Plan]:
        """The studies that would be run, by name; several names may have one plan. {} for a page that trains nothing.

        Keyword arguments are parameters of the notebook. ValueError for a value that cannot be planned with.
        """

    def prepare(self, plans: Mapping[str, Plan], **parameters: Any) -> None:
        """What has to be there before the studies run, such as captions. May ask a model, and write."""

    def findings(self, results: Results) -> Any:
        """What is worked out of the studies once, and then claimed and shown."""

    def claims(self, results: Results) -> list[Trial]:
        """The chapter's claims, each with the rows that decide it."""

    def tables(self, results: Results) -> dict[str, pd.DataFrame]:
        """The tables of the page, by the name that the page calls them by."""

    def values(self, results: Results) -> dict[str, Any]:
        """What the page's sentences take, by name, beside what all chapters have: numbers and words, which it shows
        letter for letter (`{glue:text}`), or Markdown (`{glue:md}`)."""


@dataclass(frozen=True)
class Results:
    """What came out of a chapter. `parameters` are the notebook's, but for scale and store."""

    chapter: Chapter
    scale: str
    runs: Runs
    parameters: Mapping[str, Any]
    plans: dict[str, Plan]
    studies: dict[str, Study]

    @property
    def seed(self) -> int:
        """The notebook's seed, of resampling, too."""
        return self.parameters.get("seed", 0)

    @property
    def main(self) -> Study:
        """The first study, of which the page's general sentences speak."""
        return next(iter(self.studies.values()))

    @cached_property
    def findings(self) -> Any:
        """What the chapter works out of its studies; None where it has nothing of the kind."""
        work_out = getattr(self.chapter, "findings", None)
        return work_out(self) if work_out else None

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """What the numbers say about each claim."""
        return [trial.verdict(self.seed) for trial in self.chapter.claims(self)]

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables of the page; `claims` is that of the verdicts."""
        verdicts = {"claims": claims_table(self.verdicts)} if self.verdicts else {}
        return verdicts | self.chapter.tables(self)

    @cached_property
    def values(self) -> dict[str, Any]:
        """All numbers and words of the page's sentences: those of every chapter, then its own."""
        own = getattr(self.chapter, "values", None)
        general = general_values(self.main) if self.studies else {}
        return general | (own(self) if own else {})

    def passport(self) -> Markdown:
        """From which runs all of it comes, and the command that makes it again."""
        given = {name: value for name, value in self.parameters.items() if name == "seed" or value not in EMPTY}
        return passport.of(self.studies, self.chapter.NAME, scale=self.scale, **given)

    def glue(self) -> None:
        """Give the page its tables, values and passport by name, and the ledger the verdicts."""
        from myst_nb import glue

        tables = {name: table(frame) for name, frame in self.tables.items()}
        shown = tables | self.values | {"passport": self.passport()}
        for name, value in shown.items():
            glue(name, _as_glued(value), display=False)
        if hasattr(self.chapter, "STATEMENT"):
            ledger.record(self.verdicts, self.chapter.NAME, self.runs.root, scale=self.scale)


def _as_glued(value: Any) -> Any:
    """What `{glue:md}` takes, of Markdown, and `{glue:text}`, of any other value: it reads no markup in that."""
    from IPython.display import Markdown as Displayed

    if isinstance(value, Markdown):
        return Displayed(value.source)
    return value if isinstance(value, Number) else printable(value)


EMPTY: Sequence[Any] = ("", 0, [])  # values of a parameter that leave the choice to the scale or the profile


def run(chapter: Chapter, scale: str, store: Path | str, *, progress: bool = True, **parameters: Any) -> Results:
    """Run what a chapter plans, as far as it is not in the store.

    `parameters` are the notebook's. ValueError, before any work, for what cannot be planned.
    """
    plans = chapter.plans(scale, **accepted(chapter.plans, parameters))
    prepare = getattr(chapter, "prepare", None)
    if prepare:
        prepare(plans, **accepted(prepare, parameters))
    runs = Runs(store)
    return Results(chapter, scale, runs, parameters, plans, run_plans(plans, runs, progress=progress))


def run_plans(plans: Mapping[str, Plan], runs: Runs, *, progress: bool = True) -> dict[str, Study]:
    """The study of each plan; a plan that stands under several names is run once."""
    study_by_plan: dict[int, Study] = {}
    for plan in plans.values():
        if id(plan) not in study_by_plan:
            study_by_plan[id(plan)] = run_study(plan, runs, progress=progress)
    return {name: study_by_plan[id(plan)] for name, plan in plans.items()}


def accepted(function: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a notebook's parameters that a function of its chapter takes by name.

    `**options` are those of `make_plan`.
    """
    taken = inspect.signature(function).parameters.values()
    names = _by_name_only(function)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken):
        names |= _by_name_only(make_plan)
    return {name: value for name, value in parameters.items() if name in names}


def _by_name_only(function: Any) -> set[str]:
    taken = inspect.signature(function).parameters.values()
    return {parameter.name for parameter in taken if parameter.kind is parameter.KEYWORD_ONLY}


def general_values(study: Study) -> dict[str, Any]:
    """What the sentences of any chapter may say of its main study."""
    plan, first = study.plan, first_subject(study)
    training, sampling = plan.training, plan.profile.sampling
    return {
        "subjects": len(study.subjects),
        "pictures_total": plan.pictures_total,
        "first_name": first.class_word,
        "company": company(first),
        "identifier": plan.profile.identifier,
        "train_steps": training.steps,
        "learning_rate": training.learning_rate,
        "batch_size": training.batch_size,
        "prior": f"With weight {training.prior_weight:g}" if training.prior_weight else "None",
        "sampling_steps": sampling.steps,
        "guidance": sampling.guidance,
        "image_text": plan.profile.encoders.image_text,
        "fill": plan.profile.encoders.fill,
        "reach": reach(study.frame),
    }
