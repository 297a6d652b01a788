"""Pairs for raters out of a study, and what simulated raters answer from its measures (appendix B of the paper)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import pandas as pd

from sidkit.config import check_name
from sidkit.mark import without_mark
from sidkit.plot import sheets
from sidkit.raters import form, pairs, preferences, ratings, simulated
from sidkit.raters.pairs import Pair
from sidkit.raters.questions import QUESTIONS
from sidkit.study.run import Study
from sidkit.subjects import load_images


@dataclass(frozen=True)
class Measured:
    """By which column of a study's frame a question is answered, and which way is better: 1 more of it, -1 less."""

    column: str
    better: int


MEASURE_BY_QUESTION = {
    "subject": Measured("identity", 1),
    "surroundings": Measured("leakage", -1),
    "prompt": Measured("TA", 1),
}
WITHOUT_A_READER = Measured("NSD", 1)  # stands for leakage where no reader of factors counts it
HEAD_BY_WORDS = {  # of columns, by a question as raters read it
    QUESTIONS["subject"]: "keeps the subject",
    QUESTIONS["surroundings"]: "less around it",
    QUESTIONS["prompt"]: "does what was asked",
}


@dataclass(frozen=True)
class Place:
    """Where in a study a picture stands, whichever its arm: prompts, and the pictures of a prompt, from 0."""

    subject: str
    prompt: int
    picture: int


def pairs_of(study: Study, first_arm: str, second_arm: str, count: int, seed: int) -> list[Pair]:
    """At most `count` pairs of two arms' pictures, drawn at random, of every subject as many as of another.

    Raises ValueError for an arm that the study does not have, and for a count below 1.
    """
    arms = [arm.name for arm in study.plan.arms]
    check_name("arm", first_arm, arms)
    check_name("arm", second_arm, arms)
    if count < 1:
        raise ValueError(f"pairs: expected a count of at least 1, got {count}")
    drawn = _places(study, seed)[:count]
    return [_pair(study, place, (first_arm, second_arm)) for place in drawn]


def differences(study: Study, pairs: list[Pair]) -> pd.DataFrame:
    """A row a pair, a column a question (`questions.QUESTIONS`): what was measured of the second arm minus the first.

    Higher is better: identity, what does not leak (NSD where that is not counted), and TA. NaN where nothing was.
    """
    measure_by_question = dict(MEASURE_BY_QUESTION)
    if study.frame["leakage"].isna().all():
        measure_by_question["surroundings"] = WITHOUT_A_READER
    rows = {}
    for pair in pairs:
        first, second = (_row_of(study, pair, arm) for arm in pair.pictures)
        rows[pair.name] = {
            question: measure.better * float(second[measure.column] - first[measure.column])
            for question, measure in measure_by_question.items()
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def simulated_ratings(
    study: Study,
    shown: list[Pair],
    *,
    raters: int,
    noise: float,
    seed: int,
) -> ratings.Ratings:
    """What simulated raters would have answered to a form of these pairs: nobody's answers."""
    items = pairs.arrange(shown, seed=seed)
    key = form.key_of(items, "simulated")
    answers = simulated.simulated(
        key,
        differences(study, shown),
        raters=raters,
        noise=noise,
        seed=seed,
    )
    return ratings.decoded(key, answers)


def table(answered: ratings.Ratings, *, seed: int) -> pd.DataFrame:
    """`preferences.reading_table` for a narrow page: a column a question, intervals on a line of their own."""
    by_question = preferences.reading_table(answered, seed=seed).set_index("Question")
    by_question = by_question.rename(
        columns={"Difference": "difference", "Agreement": "agreement (alpha)"},
        index=HEAD_BY_WORDS,
    )
    cells = by_question.replace(r" \[", "\n[", regex=True)
    return cells.T.rename_axis("Share of answers").reset_index()


def example(pair: Pair, seed: int) -> sheets.Rows:
    """A pair as a form shows it, for `sheets.rows`: the references, and the pictures A and B under the prompt."""
    (item,) = pairs.arrange([pair], seed=seed)
    titles = ["The references", f"A (left) and B, asked for: {pair.prompt}"]
    sides = [pair.pictures[arm] for arm in item.sides]
    return titles, [list(pair.references), sides], []


def _places(study: Study, seed: int) -> list[Place]:
    """All that could be shown: shuffled, the subjects taking turns."""
    rng = np.random.default_rng(seed)
    names = list(study.subjects)
    places_by_subject = []
    for name in rng.permutation(names):
        places = [
            Place(str(name), prompt, picture)
            for prompt in range(len(study.prompts[name]))
            for picture in range(study.plan.pictures)
        ]
        order = rng.permutation(len(places))
        places_by_subject.append([places[index] for index in order])
    turns = zip_longest(*places_by_subject)
    return [place for turn in turns for place in turn if place]


def _pair(study: Study, place: Place, arms: tuple[str, str]) -> Pair:
    subject = study.subjects[place.subject]
    prompt = study.prompts[place.subject][place.prompt]
    references = load_images(subject)[: pairs.MOST_REFERENCES]
    picture_by_arm = {arm: study.picture(place.subject, arm, place.prompt, place.picture) for arm in arms}
    return Pair(
        f"{place.subject}/{place.prompt:02}/{place.picture:02}",
        place.subject,
        without_mark(prompt.text),
        tuple(references),
        picture_by_arm,
    )


def _row_of(study: Study, pair: Pair, arm: str) -> pd.Series:
    """What was measured of a pair's picture; a subject's and arm's rows are in the order of prompts and pictures."""
    _, prompt, picture = pair.name.rsplit("/", 2)
    index = int(prompt) * study.plan.pictures + int(picture)
    is_subject = study.frame["subject"] == pair.subject
    is_arm = study.frame["arm"] == arm
    return study.frame[is_subject & is_arm].iloc[index]
