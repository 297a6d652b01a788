"""What attention maps of a study measure: how much of `[v]`'s attention lies off the subject, how widely it spreads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sidkit.attention import off_subject
from sidkit.masks.given import given_mask
from sidkit.measure.statistics import case_means
from sidkit.study.drawn_masks import drawn_masks
from sidkit.study.maps import Seen, see
from sidkit.study.run import Study

Maps = Mapping[tuple[str, str], Seen]  # of a study, by subject and arm
Parts = Callable[[Seen], Iterator[tuple[Any, np.ndarray]]]  # names and maps (pictures, h, w) of what a map consists of


def seen(study: Study, convention: str = "mean") -> Maps:
    """What `[v]` looks at, for each subject and arm of a study, by a convention of `sidkit.attention.capture`."""
    maps = {}
    for subject in study.subjects:
        for arm in study.plan.arms:
            maps[subject, arm.name] = see(study, subject, arm.name, convention)
    return maps


def measured(study: Study, maps: Maps) -> pd.DataFrame:
    """The study's frame with what each picture's map says.

    `attention` is the share in [0, 1] of `[v]`'s attention off the subject, `attention_gain` that minus the share of
    the picture off the subject, which an even map would have (below 0: it prefers the subject). Both are NaN where no
    subject is found. `attention_truth` is as `attention`, of the references by their given masks: one value a model.
    `spread` in (0, 1] is over what share of the picture the attention spreads (`spread`).
    """
    parts = []
    for (subject, arm), looked in maps.items():
        masks = _masks(study, subject, arm)
        off = leakage(looked.mean, masks)
        even = leakage(np.ones_like(looked.mean), masks)
        part = _rows(study, subject, arm).assign(
            attention=off,
            attention_gain=off - even,
            spread=spread(looked.mean),
            attention_truth=_leakage_in_references(study, subject, looked),
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def leakage(maps: np.ndarray, masks: Sequence[np.ndarray | None]) -> np.ndarray:
    """Share of each map (..., n, h, w) off its subject, (..., n) in [0, 1]; NaN where no subject was found."""
    missing = [mask is None for mask in masks]
    shapes = [mask.shape for mask in masks if mask is not None]
    if not shapes:
        return np.full(maps.shape[:-2], np.nan)
    everywhere = np.ones(shapes[0], bool)
    masks_to_compare = [everywhere if mask is None else mask for mask in masks]
    off = off_subject(maps, masks_to_compare)
    return np.where(missing, np.nan, off)


def spread(maps: np.ndarray) -> np.ndarray:
    """Over what share of the picture each map (n, h, w) spreads, in (0, 1]: exp(entropy) in cells; 1 is an even map."""
    pictures, height, width = maps.shape
    cells = maps.reshape(pictures, height * width).astype(float)
    shares = cells / cells.sum(axis=1, keepdims=True)
    logs = np.zeros_like(shares)
    np.log(shares, where=shares > 0, out=logs)
    entropy = -(shares * logs).sum(axis=1)
    spread_cells = np.exp(entropy)
    return spread_cells / (height * width)


def by_step(study: Study, maps: Maps, *, seed: int) -> pd.DataFrame:
    """Attention leakage at each step: index (case, share of the steps done), columns `mean`, `low`, `high`."""
    return _leakage_of_parts(study, maps, _steps, seed)


def by_block(study: Study, maps: Maps, *, seed: int) -> pd.DataFrame:
    """Attention leakage in each block of the denoiser: index (case, block), from the first to the last."""
    return _leakage_of_parts(study, maps, Seen.blocks, seed)


def _leakage_of_parts(
    study: Study,
    maps: Maps,
    parts: Parts,
    seed: int,
) -> pd.DataFrame:
    """Index (case, part), columns `mean`, `low`, `high`; empty where no subject was found."""
    frames = []
    for (subject, arm), looked in maps.items():
        rows = _rows(study, subject, arm)
        masks = _masks(study, subject, arm)
        for part, maps_of_part in parts(looked):
            off = leakage(maps_of_part, masks)
            frames.append(rows.assign(part=part, value=off))
    with_value = pd.concat(frames, ignore_index=True).dropna(subset=["value"])
    if with_value.empty:
        return pd.DataFrame()
    means_by_part = {}
    for part, rows in with_value.groupby("part", sort=False):
        means_by_part[part] = case_means(rows, "value", seed=seed)
    by_case = pd.concat(means_by_part).swaplevel()
    return by_case.sort_index(level=0, sort_remaining=False)


def _steps(looked: Seen) -> Iterator[tuple[float, np.ndarray]]:
    """The share of the steps that are done, and the maps of the last of them."""
    count = len(looked.steps)
    for done, maps in enumerate(looked.steps, start=1):
        yield done / count, maps


def _rows(study: Study, subject: str, arm: str) -> pd.DataFrame:
    return study.frame.query("subject == @subject and arm == @arm")


def _masks(study: Study, subject: str, arm: str) -> list[np.ndarray | None]:
    """The subject's mask in each picture; of a style there are none."""
    if study.subjects[subject].of_style:
        pictures = len(study.prompts[subject]) * study.plan.pictures
        return [None] * pictures
    masks = []
    for masks_of_prompt in drawn_masks(study, subject, arm):
        masks += masks_of_prompt
    return masks


def _leakage_in_references(study: Study, subject: str, looked: Seen) -> float:
    """Mean over noise levels and pictures, by the masks that are given; NaN where none is."""
    images = study.subjects[subject].images
    masks = [given_mask(path) for path in images]
    if all(mask is None for mask in masks):
        return np.nan
    off = leakage(looked.references, masks)
    return float(np.nanmean(off))
