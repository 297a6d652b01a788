"""With what the published code trains each method, and where it says so; a table of the book.

The values stand in `published.yaml`. A profile has its own (`profiles/*.yaml`), which are the same: a test says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from sidkit.personalization.methods import METHODS

FILE = Path(__file__).with_name("published.yaml")
WORDS = {  # for the fields of `config.Training`
    "steps": "steps",
    "learning_rate": "learning rate",
    "learning_rate_1d": "learning rate of norms",
    "text_encoder": "trains the text encoder",
    "batch_size": "pictures a pass",
    "accumulation": "passes a step",
    "prior_weight": "weight of class pictures",
    "prior_images": "class pictures",
    "weight_decay": "weight decay",
    "rank": "rank",
}
ALL = "all"  # in `differs`: every profile of the recipe


@dataclass(frozen=True)
class Repository:
    """Where published code is, and under which licence."""

    name: str
    commit: str
    licence: str


@dataclass(frozen=True)
class Recipe:
    """A method's published settings, by the fields of `config.Training`: each a value and where it stands."""

    method: str
    profiles: tuple[str, ...]
    repository: str
    settings: dict[str, tuple[bool | int | float, str]]
    differs: dict[str, str] = field(default_factory=dict)  # what is not as published, by profile or `ALL`


@dataclass(frozen=True)
class Published:
    """All of it; `everywhere` is what is not as published whatever the method."""

    repositories: dict[str, Repository]
    recipes: tuple[Recipe, ...]
    everywhere: str


@cache
def published() -> Published:
    """What the file says."""
    return TypeAdapter(Published).validate_python(yaml.safe_load(FILE.read_text()))


def settings_table() -> list[dict[str, str]]:
    """A row a method, setting and source, in the order of the file: what the book shows."""
    return [row for recipe in published().recipes for row in _rows(recipe)]


def differences() -> list[str]:
    """What of each method is not as published, a sentence or more each, the last one of all methods."""
    sentences = []
    for recipe in published().recipes:
        title = METHODS[recipe.method].title
        for where, difference in recipe.differs.items():
            profiles = recipe.profiles if where == ALL else (where,)
            sentences.append(f"{title} ({', '.join(profiles)}): {difference}")
    return [*sentences, published().everywhere]


def _rows(recipe: Recipe) -> Iterator[dict[str, str]]:
    repository = published().repositories[recipe.repository]
    for name, (value, place) in recipe.settings.items():
        yield {
            "Method": METHODS[recipe.method].title,
            "Profiles": ", ".join(recipe.profiles),
            "Setting": WORDS[name],
            "Value": "yes" if value is True else f"{value:g}",
            "Where it stands": f"{repository.name}@{repository.commit[:7]}: {place}",
        }
