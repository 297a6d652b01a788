"""What a notebook would run with given parameters, asked of its chapter: no line of the notebook is executed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sidkit import chapters
from sidkit.notebook_file import find_notebook, read_notebook
from sidkit.parameters import check_parameters, declared_parameters
from sidkit.study.chapter import accepted
from sidkit.study.plan import Plan


def plans_of(notebook: str | Path, values: Mapping[str, Any], *, profile: str | None = None) -> dict[str, Plan]:
    """The plans of a notebook, by name, with `values` over its parameters' defaults; {} for one that trains nothing.

    `profile` is the default of a notebook that asks for one; those that train nothing do not.
    Nothing is run, asked, downloaded or written. Raises ValueError for an unknown notebook or parameter, and for
    values that cannot be planned with.
    """
    path = find_notebook(notebook)
    parameters = {name: parameter.default for name, parameter in declared_parameters(path).items()}
    if profile and "profile" in parameters:
        parameters["profile"] = profile
    parameters |= check_parameters(path, values)
    chapter = chapters.find(_chapter_name(path))
    if "scale" not in parameters:
        raise ValueError(f"{path}: expected a parameter scale, by which a chapter plans, found none")
    return chapter.plans(parameters["scale"], **accepted(chapter.plans, parameters))


def _chapter_name(path: Path) -> str:
    """A chapter for pictures of one's own (`sidkit new`) says in its metadata whose copy it is."""
    ours = read_notebook(path).metadata.get("sidkit")
    named = ours.get("chapter") if isinstance(ours, dict) else None
    return named if isinstance(named, str) else path.stem
