"""Arms that are drawn with other guidances than the profile's, which trains nothing anew, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from sidkit.measure.statistics import case_means
from sidkit.study.excerpts import first_subject
from sidkit.study.plan import Arm, Plan
from sidkit.study.run import Study

AT = ", guidance "  # in the names of arms that are drawn with another guidance than the profile's


def guided(
    plan: Plan,
    arms: Sequence[Arm],
    guidances: Sequence[float],
) -> tuple[Arm, ...]:
    """Arms as they are, but for their names, at every other guidance than the profile's.

    ValueError for a guidance of 1 or less, with which a negative prompt does nothing.
    """
    lowest = min(guidances, default=np.inf)
    if lowest <= 1:
        raise ValueError(f"guidances: expected numbers above 1, through which a negative prompt works, got {lowest:g}")
    usual = plan.profile.sampling.guidance
    others = []
    for arm, guidance in product(arms, guidances):
        if guidance != usual:
            name = f"{arm.name}{AT}{guidance:g}"
            sampling = {"guidance": float(guidance)}
            others.append(replace(arm, name=name, sampling=sampling))
    return tuple(others)


def guidance_by_arm_of(study: Study) -> dict[str, float]:
    """The guidance with which each arm is drawn, by the arm's name."""
    plan = study.plan
    subject = first_subject(study)
    guidance_by_arm = {}
    for arm in plan.arms:
        sampling = plan.sampling_of(arm, subject)
        guidance_by_arm[arm.name] = sampling.guidance
    return guidance_by_arm


def way_of(arm: str) -> str:
    """The name of an arm without its guidance."""
    way, _, _ = arm.partition(AT)
    return way


def curves(study: Study, measure: str, *, seed: int) -> pd.DataFrame:
    """For `charts.curves`: index (arm, guidance), columns `mean`, `low`, `high`; empty where it is not measured."""
    means = case_means(study.frame, measure, seed=seed, by="arm")
    guidance_by_arm = guidance_by_arm_of(study)
    ways = {way_of(name) for name in guidance_by_arm if AT in name}
    places, rows = [], []
    for name, guidance in guidance_by_arm.items():
        way = way_of(name)
        if way in ways and name in means.index:
            places.append((way, guidance))
            rows.append(name)
    index = pd.MultiIndex.from_tuples(places, names=["arm", "guidance"])
    return means.loc[rows].set_axis(index)
