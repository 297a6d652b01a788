"""What a page shows of a study: its first subject, that subject's prompts, and rows of its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from PIL import Image

from sidkit.plot import sheets
from sidkit.study.run import Study
from sidkit.subjects import Subject


def first_subject(study: Study) -> Subject:
    """The subject of which a page shows what it shows of one alone."""
    return next(iter(study.subjects.values()))


def subjects_having(study: Study, bias: str) -> list[str]:
    """The names of the subjects whose references share something of that kind."""
    return [name for name, subject in study.subjects.items() if bias in subject.bias]


def first_prompts(study: Study, count: int | None = None) -> list[str]:
    """The texts of the first subject's prompts, at most `count` of them."""
    name = first_subject(study).name
    prompts = study.prompts[name][:count]
    return [prompt.text for prompt in prompts]


def rows_by_prompt(
    study: Study,
    count: int | None = None,
    arms: Sequence[str] = (),
) -> sheets.Rows:
    """A row a prompt of the first subject, at most `count` of them; a column an arm, by default every one.

    The pictures of a row start from the same noise.
    """
    subject = first_subject(study)
    prompts = first_prompts(study, count)
    columns = list(arms) or [arm.name for arm in study.plan.arms]
    images = []
    for index in range(len(prompts)):
        row = [study.picture(subject.name, arm, index) for arm in columns]
        images.append(row)
    return prompts, images, columns


def pictures_of(study: Study, subject: str, arm: str) -> list[Image.Image]:
    """All pictures of a subject and arm, in the order of the frame's rows."""
    prompts = range(len(study.prompts[subject]))
    turns = range(study.plan.pictures)
    places = product(prompts, turns)
    return [study.picture(subject, arm, *place) for place in places]
