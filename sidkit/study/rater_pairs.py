"""Pairs for raters out of a study, and what simulated raters answer from its measures (appendix B of the paper)."""

from __future__ import annotations

from itertools import product, zip_longest

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.config import check_name
from sidkit.mark import without_mark
from sidkit.raters import form, pairs, preferences, simulated
from sidkit.raters import ratings as answers
from sidkit.raters.pairs import Pair
from sidkit.raters.questions import QUESTIONS
from sidkit.study.run import Study
from sidkit.subjects import load_images

SEEN = {"subject": ("identity", 1), "surroundings": ("leakage", -1), "prompt": ("TA", 1)}  # and which way is better
UNREAD = ("NSD", 1)  # stands for leakage where no reader of factors counts it
HEADS = dict(zip(QUESTIONS.values(), ("keeps the subject", "less around it", "does what was asked")))  # of columns


def pairs_of(study: Study, first_arm: str, second_arm: str, count: int, seed: int) -> list[Pair]:
    """At most `count` pairs of two arms' pictures, drawn at random, of every subject as many as of another.

    Raises ValueError for an arm that the study does not have, and for a count below 1.
    """
    for arm in (first_arm, second_arm):
        check_name("arm", arm, [one.name for one in study.plan.arms])
    if count < 1:
        raise ValueError(f"pairs: expected a count of at least 1, got {count}")
    return [_pair(study, place, (first_arm, second_arm)) for place in _places(study, seed)[:count]]


def differences(study: Study, pairs: list[Pair]) -> pd.DataFrame:
    """A row a pair, a column a question (`questions.QUESTIONS`): what was measured of the second arm minus the first.

    Higher is better: identity, what does not leak (NSD where that is not counted), and TA. NaN where nothing was.
    """
    leaks = study.frame["leakage"].notna().any()
    seen = SEEN | ({} if leaks else {"surroundings": UNREAD})
    rows = {pair.name: _difference(study, pair, seen) for pair in pairs}
    return pd.DataFrame.from_dict(rows, orient="index")


def simulated_ratings(study: Study, pairs_: list[Pair], *, raters: int, noise: float, seed: int) -> answers.Ratings:
    """What simulated raters would have answered to a form of these pairs: nobody's answers."""
    key = form.key_of(pairs.arrange(pairs_, seed=seed), "simulated")
    told = simulated.simulated(key, differences(study, pairs_), raters=raters, noise=noise, seed=seed)
    return answers.decoded(key, told)


def table(ratings: answers.Ratings, *, seed: int) -> pd.DataFrame:
    """`preferences.reading_table` for a narrow page: a column a question, intervals on a line of their own."""
    told = preferences.reading_table(ratings, seed=seed).replace(r" \[", "<br>[", regex=True).set_index("Question")
    told = told.rename(columns={"Difference": "difference", "Agreement": "agreement (alpha)"})
    return told.rename(index=HEADS).T.rename_axis("Share of answers").reset_index()


def example(pair: Pair, seed: int) -> tuple[list[str], list[list[Image.Image]]]:
    """A pair as a form shows it, for `sheets.rows`: the references, and the pictures A and B under the prompt."""
    (item,) = pairs.arrange([pair], seed=seed)
    shown = [pair.pictures[arm] for arm in item.sides]
    return ["The references", f"A (left) and B, asked for: {pair.prompt}"], [list(pair.references), shown]


def _places(study: Study, seed: int) -> list[tuple[str, int, int]]:
    """Subject, prompt and picture of all that could be shown: shuffled, the subjects taking turns."""
    rng = np.random.default_rng(seed)
    found = []
    for name in rng.permutation(list(study.subjects)):
        places = list(product(range(len(study.prompts[name])), range(study.plan.pictures)))
        found.append([(str(name), *places[one]) for one in rng.permutation(len(places))])
    return [place for turn in zip_longest(*found) for place in turn if place]


def _pair(study: Study, place: tuple[str, int, int], arms: tuple[str, str]) -> Pair:
    name, prompt, picture = place
    asked = without_mark(study.prompts[name][prompt].text)
    references = tuple(load_images(study.subjects[name])[: pairs.MOST_REFERENCES])
    drawn = {arm: study.picture(name, arm, prompt, picture) for arm in arms}
    return Pair(f"{name}/{prompt:02}/{picture:02}", name, asked, references, drawn)


def _difference(study: Study, pair: Pair, seen: dict[str, tuple[str, int]]) -> dict[str, float]:
    """By question; a subject's and arm's rows are in the order of prompts and pictures."""
    _, prompt, picture = pair.name.rsplit("/", 2)
    place, frame = int(prompt) * study.plan.pictures + int(picture), study.frame
    first, second = (
        frame[(frame["subject"] == pair.subject) & (frame["arm"] == arm)].iloc[place] for arm in pair.pictures
    )
    return {question: sign * float(second[name] - first[name]) for question, (name, sign) in seen.items()}
