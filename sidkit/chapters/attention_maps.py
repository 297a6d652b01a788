"""Chapter 6: where `[v]` looks after each description (Fig. 7), how much lies off the subject, what that foretells.

The models and pictures are those of the chapters on the four cases and on the five biases. A thing's attention leakage
is the share of `[v]`'s attention that lies off the subject; of a style, whose subject is the whole picture, there is
only how widely it spreads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import biases, cast
from sidkit.describe.cases import CASE_NAMES
from sidkit.measure.correlation import rank_correlation
from sidkit.measure.statistics import LEVELS, case_means, paired_difference
from sidkit.plot import heat, sheets
from sidkit.stickers.references import BIASES, SHARED
from sidkit.study.chapter import Results
from sidkit.study.claims import Claim, Statement, Trial
from sidkit.study.drawn_masks import agreement
from sidkit.study.excerpts import first_prompts, first_subject, subjects_having
from sidkit.study.map_measures import Maps, by_block, measured, seen
from sidkit.study.plan import Plan, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import COLUMNS, correlation_cell, interval_cell

NAME = "06_attention_maps"
STATEMENT = Statement("With SID, `[v]` attends to the subject and not to what is around it", "Fig. 7")
BIASES_ALONE = ("pose", "substance")  # that have subjects, and studies, of their own
TITLES = {
    "attention": "attention off the subject",
    "attention_gain": "the same, less an even map's",
    "attention_truth": "attention off the subject in the references",
    "spread": "spread",
}
COVERS = {  # what a correlation is over, and what is taken out of it
    "all pictures": (),
    "pictures of a case": ("case",),
    "of a model": ("subject", "case"),
}
CLAIM_BY_STUDY = {
    "things": Claim("With SID [v] looks at the subject", "attention", SID_CASE, USUAL_CASE, "lower", "Fig. 7"),
    "substance": Claim("With SID a style's [v] looks everywhere", "spread", SID_CASE, USUAL_CASE, "higher", "Fig. 7"),
}


@dataclass(frozen=True)
class Findings:
    """By study: what `[v]` looks at, and the frame with what the maps measure (`measured`)."""

    maps: dict[str, Maps]
    frames: dict[str, pd.DataFrame]


def plans(
    scale: str,
    *,
    subjects: Sequence[str] = (),
    cases: Sequence[int] = (),
    **options: Any,
) -> dict[str, Plan]:
    """The plan "things" of the four cases, and, but for own `subjects`, "pose" and "substance" of usual and SID.

    `options` are those of `make_plan`. Raises ValueError for an unknown scale, class or case.
    """
    things = make_plan(
        scale,
        subjects=subjects or cast.classes("attention_maps", scale),
        cases=cases or cast.of("attention_maps", "cases", scale),
        **options,
    )
    alone = {} if subjects else biases.plans(scale, biases=BIASES_ALONE, **options)
    return {"things": things} | alone


def findings(results: Results) -> Findings:
    """What the store lacks is drawn once more here and watched, by the notebook's `convention`."""
    convention = results.parameters.get("convention", "mean")
    maps, frames = {}, {}
    for name, study in results.studies.items():
        maps[name] = seen(study, convention)
        frames[name] = measured(study, maps[name])
    return Findings(maps, frames)


def claims(results: Results) -> list[Trial]:
    """The paper's Fig. 7, study by study."""
    return trials_of(results.findings.frames)


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """What the maps measure by case, by bias and by block, and what it foretells of leakage."""
    maps, frames = results.findings.maps, results.findings.frames
    seed = results.seed
    return {
        "table": measures_table(frames["things"], seed=seed),
        "biases": biases_table(results.studies, frames, seed=seed),
        "blocks": blocks_table(results.main, maps["things"], seed=seed),
        "correlations": correlations(frames["things"], seed=seed),
    }


def values(results: Results) -> dict[str, Any]:
    """How the maps were made, how many pictures came out the same, and how well subjects are found."""
    maps_of_studies = results.findings.maps.values()
    every_map = list(chain.from_iterable(maps.values() for maps in maps_of_studies))
    same = np.mean([looked.same for looked in every_map])
    return {
        "same": round(100 * same),
        "convention": results.parameters.get("convention", "mean"),
        "layers": len(every_map[0].names),
        "levels": len(every_map[0].references),
        "overlap": agreement(results.main),
    }


def measures_table(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row a measure of the maps, a column a case, each value with its interval."""
    rows = []
    for measure, title in TITLES.items():
        one_a_model = measure == "attention_truth"
        counted = frame.drop_duplicates(["subject", "arm"]) if one_a_model else frame
        if counted[measure].notna().any():
            means = case_means(counted, measure, seed=seed)
            rows.append({"Of the maps": title} | _cells(means))
    return pd.DataFrame(rows)


def blocks_table(study: Study, maps: Maps, *, seed: int) -> pd.DataFrame:
    """A row a block of the denoiser, from the first to the last, a column a case: attention leakage with interval."""
    means = by_block(study, maps, seed=seed)
    if means.empty:
        return pd.DataFrame({"Block": ["no subject was found"]})
    rows = []
    for block in means.index.unique(1):
        cells = _cells(means.xs(block, level=1))
        rows.append({"Block": block} | cells)
    return pd.DataFrame(rows)


def correlations(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row a measure of the maps: its rank correlation with leakage, over all pictures and inside of each case."""
    rows = []
    for measure in ("attention", "attention_gain", "attention_truth"):
        for cover, within in COVERS.items():
            if measure == "attention_truth" and "subject" in within:
                continue  # it is one value a model
            correlation = rank_correlation(frame, measure, "leakage", seed=seed, within=within)
            row = {
                "Of the maps": TITLES[measure],
                "Over": cover,
                "With leakage": correlation_cell(correlation),
            }
            rows.append(row)
    return pd.DataFrame(rows)


def trials_of(frames: Mapping[str, pd.DataFrame]) -> list[Trial]:
    """Fig. 7 with the frames of `measured` that decide it, by study."""
    trials = []
    for name, claim in CLAIM_BY_STUDY.items():
        if name in frames:
            decisive = _decisive(frames[name], claim.measure)
            trials.append(Trial(claim, decisive))
    return trials


def biases_table(studies: Mapping[str, Study], frames: Mapping[str, pd.DataFrame], *, seed: int) -> pd.DataFrame:
    """A row a bias: its measure after the usual captions and after SID, and their difference, with intervals."""
    rows = []
    for bias, (name, _) in shown(studies).items():
        measure = "spread" if bias == "substance" else "attention"
        having = subjects_having(studies[name], bias)
        with_value = frames[name].dropna(subset=[measure])
        with_value = with_value[with_value["subject"].isin(having)]
        if {USUAL_CASE, SID_CASE} <= set(with_value["case"]):
            row = {"Bias": f"{bias}: {TITLES[measure]}"}
            rows.append(row | _compared(with_value, measure, seed))
    if not rows:
        return pd.DataFrame({"Bias": ["no subject was found in both cases"]})
    return pd.DataFrame(rows)


def shown(studies: Mapping[str, Study]) -> dict[str, tuple[str, str]]:
    """For each bias a study and a subject that has it, another one wherever there is another."""
    place_by_bias: dict[str, tuple[str, str]] = {}
    for bias in BIASES:
        name = "things" if bias in SHARED else bias
        if name not in studies:
            continue
        having = subjects_having(studies[name], bias)
        new = [subject for subject in having if (name, subject) not in place_by_bias.values()]
        if having:
            subject = (new or having)[0]
            place_by_bias[bias] = (name, subject)
    return place_by_bias


def by_bias(studies: Mapping[str, Study], maps: Mapping[str, Maps]) -> sheets.Rows:
    """Titles, pictures and heads of `sheets.rows`, a row a bias: usual captions and SID, each beside its map."""
    titles, images = [], []
    for bias, (name, subject) in shown(studies).items():
        study = studies[name]
        prompt = study.prompts[subject][0]
        titles.append(f"{bias}: {prompt.text}")
        images.append([])
        for case in (USUAL_CASE, SID_CASE):
            if case in study.plan.cases:
                pair = _picture_and_map(study, maps[name], subject, CASE_NAMES[case])
                images[-1].extend(pair)
    columns = max(map(len, images))
    heads = ["usual", "[v] after usual", "SID", "[v] after SID"]
    return titles, images, heads[:columns]


def by_case(study: Study, maps: Maps, prompts: int = 2) -> sheets.Rows:
    """As `by_bias`, for the first subject: of each prompt a row of pictures and a row of maps, a column a case."""
    subject = first_subject(study)
    titles, images = [], []
    for index, prompt in enumerate(first_prompts(study, prompts)):
        pictures, overlays = [], []
        for arm in study.plan.arms:
            picture, overlay = _picture_and_map(study, maps, subject.name, arm.name, index)
            pictures.append(picture)
            overlays.append(overlay)
        titles += [prompt, "where [v] looks"]
        images += [pictures, overlays]
    heads = [f"case {case}" for case in study.plan.cases]
    return titles, images, heads


def _picture_and_map(
    study: Study, maps: Maps, subject: str, arm: str, prompt: int = 0
) -> tuple[Image.Image, Image.Image]:
    """The first picture of a prompt, and the same under its map."""
    picture = study.picture(subject, arm, prompt)
    looked = maps[subject, arm]
    first = prompt * study.plan.pictures
    return picture, heat.overlay(picture, looked.mean[first])


def _compared(frame: pd.DataFrame, measure: str, seed: int) -> dict[str, str]:
    """Cells: the measure after the usual captions, after SID, and the difference."""
    means = case_means(frame, measure, seed=seed)
    gap = paired_difference(frame, measure, SID_CASE, USUAL_CASE, seed=seed)
    return {
        "Usual captions": interval_cell(means.loc[USUAL_CASE], measure),
        "SID": interval_cell(means.loc[SID_CASE], measure),
        "Difference": interval_cell((gap.mean, gap.low, gap.high), measure),
    }


def _cells(means: pd.DataFrame) -> dict[str, str]:
    """A cell a case (index) that has `mean`, `low`, `high`."""
    cells = {}
    for case, mean in means.iterrows():
        cells[COLUMNS[case]] = interval_cell(mean, "attention")
    return cells


def _decisive(frame: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The frame; where no picture has the measure in both cases, as if it had not been measured at all."""
    with_value = frame.dropna(subset=[measure])
    cases_by_picture = with_value.groupby(list(LEVELS))["case"].agg(set)
    if any({USUAL_CASE, SID_CASE} <= cases for cases in cases_by_picture):
        return frame
    return frame.assign(**{measure: np.nan})
