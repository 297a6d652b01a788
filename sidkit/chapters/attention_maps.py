"""Where `[v]` looks after each description (Fig. 7): maps, how much of them lies off the subject, what that predicts.

The models and pictures are those of the chapters on the four cases and on the five biases. A thing's attention leakage
is the share of `[v]`'s attention that lies off the subject; of a style, whose subject is the whole picture, there is
only how widely it spreads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.attention import off_subject
from sidkit.chapters import biases
from sidkit.config import check_name
from sidkit.describe.cases import CASE_NAMES
from sidkit.masks.files import given_mask
from sidkit.measure.correlation import rank_correlation
from sidkit.measure.statistics import case_means, paired_difference
from sidkit.plot.heat import overlay
from sidkit.runs import Runs
from sidkit.stickers.references import BIASES, SHARED
from sidkit.study.claims import Claim, Verdict, check
from sidkit.study.drawn_masks import drawn_masks
from sidkit.study.maps import Seen, see
from sidkit.study.plan import Plan, make_plan
from sidkit.study.run import Study, run_study
from sidkit.study.tables import COLUMNS, correlation_cell, interval_cell

USUAL, SID = 1, 3
PATTERN = "pose", "substance"  # biases with subjects of their own
NAMES = {
    "attention": "attention off the subject",
    "attention_gain": "the same, less an even map's",
    "attention_truth": "attention off the subject in the references",
    "spread": "spread",
}
CLAIMS = {
    "things": (Claim("With SID [v] looks at the subject", "attention", SID, USUAL, "lower", "Fig. 7"),),
    "substance": (Claim("With SID a style's [v] looks everywhere", "spread", SID, USUAL, "higher", "Fig. 7"),),
}


def make_plans(
    scale: str, *, subjects: Sequence[str] = (), cases: Sequence[int] = (), **options: Any
) -> dict[str, Plan]:
    """The plan "things" of the four cases, and, but for own `subjects`, "pose" and "substance" of usual and SID.

    `options` are those of `make_plan`. Raises ValueError for an unknown scale, class or case.
    """
    plans = {"things": make_plan(scale, subjects=subjects, cases=cases, **options)}
    return plans if subjects else plans | biases.make_plans(scale, biases=PATTERN, **options)


def run_studies(plans: Mapping[str, Plan], runs: Runs, *, progress: bool = True) -> dict[str, Study]:
    """The study of each plan."""
    return {name: run_study(plan, runs, progress=progress) for name, plan in plans.items()}


def seen(studies: Mapping[str, Study], convention: str = "mean") -> dict[tuple[str, str, str], Seen]:
    """What `[v]` looks at, for each study, subject and arm."""
    return {
        (name, subject, arm.name): see(study, subject, arm.name, convention)
        for name, study in studies.items()
        for subject in study.subjects
        for arm in study.plan.arms
    }


def measured(study: Study, maps: Mapping[tuple[str, str], Seen]) -> pd.DataFrame:
    """The study's frame with what each picture's map says; `maps` are by subject and arm.

    `attention` is the share in [0, 1] of `[v]`'s attention off the subject, `attention_gain` that minus the share of
    the picture off the subject, which an even map would have (below 0: it prefers the subject). Both are NaN where no
    subject is found. `attention_truth` is as `attention`, of the references by their given masks: one value a model.
    `spread` in (0, 1] is over what share of the picture the attention spreads (`spread`).
    """
    parts = []
    for (subject, arm), one in maps.items():
        rows = study.frame.query("subject == @subject and arm == @arm")
        inside = _inside(study, subject, arm)
        off = leakage(one.mean, inside)
        even = leakage(np.ones_like(one.mean), inside)
        told = {"attention": off, "attention_gain": off - even, "spread": spread(one.mean)}
        parts.append(rows.assign(**told, attention_truth=_truth(study, subject, one)))
    return pd.concat(parts, ignore_index=True)


def leakage(maps: np.ndarray, masks: Sequence[np.ndarray | None]) -> np.ndarray:
    """Share of each map (..., n, h, w) off its subject, (..., n) in [0, 1]; NaN where no subject was found."""
    shape = next((mask.shape for mask in masks if mask is not None), (1, 1))
    known = [np.ones(shape, bool) if mask is None else mask for mask in masks]
    return np.where([mask is None for mask in masks], np.nan, off_subject(maps, known))


def spread(maps: np.ndarray) -> np.ndarray:
    """Over what share of the picture each map (n, h, w) spreads, in (0, 1]: exp(entropy) in cells; 1 is an even map."""
    shares = maps.reshape(len(maps), -1).astype(float)
    shares = shares / shares.sum(axis=1, keepdims=True)
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    return np.exp(-(shares * logs).sum(axis=1)) / shares.shape[1]


def by_step(study: Study, maps: Mapping[tuple[str, str], Seen], *, seed: int) -> pd.DataFrame:
    """Attention leakage at each step: index (case, share of the steps done), columns `mean`, `low`, `high`."""
    return _along(
        study, maps, lambda one: {(step + 1) / len(one.steps): each for step, each in enumerate(one.steps)}, seed
    )


def by_block(study: Study, maps: Mapping[tuple[str, str], Seen], *, seed: int) -> pd.DataFrame:
    """A row a block of the denoiser, from the first to the last, a column a case: attention leakage with interval."""
    rows = _along(study, maps, lambda one: dict(one.blocks()), seed)
    if rows.empty:
        return pd.DataFrame({"Block": ["no subject was found"]})
    blocks = [{"Block": block} | _cells(rows.xs(block, level=1)) for block in rows.index.unique(1)]
    return pd.DataFrame(blocks)


def table(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row a measure of the maps, a column a case, each value with its interval."""
    rows = []
    for name, told in NAMES.items():
        one_a_model = frame.drop_duplicates(["subject", "arm"]) if name == "attention_truth" else frame
        if one_a_model[name].notna().any():
            rows.append({"Of the maps": told} | _cells(case_means(one_a_model, name, seed=seed)))
    return pd.DataFrame(rows)


def correlations(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row a measure of the maps: its rank correlation with leakage, over all pictures and inside of each case."""
    rows = []
    for name in ("attention", "attention_gain", "attention_truth"):
        for cover, within in (
            ("all pictures", ()),
            ("pictures of a case", ("case",)),
            ("of a model", ("subject", "case")),
        ):
            if name == "attention_truth" and "subject" in within:
                continue  # it is one value a model
            found = rank_correlation(frame, name, "leakage", seed=seed, within=within)
            rows.append({"Of the maps": NAMES[name], "Over": cover, "With leakage": correlation_cell(found)})
    return pd.DataFrame(rows)


def verdicts(frames: Mapping[str, pd.DataFrame], *, seed: int) -> list[Verdict]:
    """Fig. 7 held against the frames of `measured`, study by study."""
    known = {name: frame for name, frame in frames.items() if name in CLAIMS}
    return [one for name, frame in known.items() for one in check(_known(frame, name), CLAIMS[name], seed=seed)]


def bias_table(studies: Mapping[str, Study], frames: Mapping[str, pd.DataFrame], *, seed: int) -> pd.DataFrame:
    """A row a bias: its measure after the usual captions and after SID, and their difference, with intervals."""
    rows = []
    for bias, (name, _) in shown(studies).items():
        measure = "spread" if bias == "substance" else "attention"
        having = [one.name for one in studies[name].subjects.values() if bias in one.bias]
        frame = frames[name][frames[name]["subject"].isin(having)].dropna(subset=[measure])
        means = case_means(frame, measure, seed=seed) if len(frame) else pd.DataFrame()
        if {USUAL, SID} <= set(means.index):
            gap = paired_difference(frame, measure, SID, USUAL, seed=seed)
            cells = {
                "Usual captions": means.loc[USUAL],
                "SID": means.loc[SID],
                "Difference": (gap.mean, gap.low, gap.high),
            }
            what = {"Bias": f"{bias}: {NAMES[measure]}"}
            rows.append(what | {head: interval_cell(cell, measure) for head, cell in cells.items()})
    return pd.DataFrame(rows or [{"Bias": "no subject was found in both cases"}])


def shown(studies: Mapping[str, Study]) -> dict[str, tuple[str, str]]:
    """For each bias a study and a subject that has it, another one wherever there is another."""
    found: dict[str, tuple[str, str]] = {}
    for bias in BIASES:
        study = "things" if bias in SHARED else bias
        having = [one.name for one in studies[study].subjects.values() if bias in one.bias] if study in studies else []
        new = [one for one in having if (study, one) not in found.values()]
        if having:
            found[bias] = (study, (new or having)[0])
    return found


def by_bias(studies: Mapping[str, Study], maps: Mapping[tuple[str, str, str], Seen]) -> tuple[list, list, list]:
    """Titles, pictures and heads of `sheets.rows`, a row a bias: usual captions and SID, each beside its map."""
    titles, images = [], []
    for bias, (name, subject) in shown(studies).items():
        study = studies[name]
        arms = [CASE_NAMES[case] for case in (USUAL, SID) if case in study.plan.cases]
        titles.append(f"{bias}: {study.prompts[subject][0].text}")
        images.append([one for arm in arms for one in _pair(study, maps[name, subject, arm], subject, arm, 0)])
    heads = [head for case in ("usual", "SID") for head in (case, f"[v] after {case}")]
    return titles, images, heads[: max(map(len, images))]


def by_case(
    study: Study, maps: Mapping[tuple[str, str], Seen], subject: str, prompts: int = 2
) -> tuple[list[str], list[list[Image.Image]], list[str]]:
    """As `by_bias`, for one subject: of each prompt a row of pictures and a row of maps, a column a case."""
    titles, images = [], []
    for index, prompt in enumerate(study.prompts[subject][:prompts]):
        arms = [arm.name for arm in study.plan.arms]
        pairs = [_pair(study, maps[subject, arm], subject, arm, index) for arm in arms]
        titles += [prompt.text, "where [v] looks"]
        images += [list(row) for row in zip(*pairs)]
    return titles, images, [f"case {case}" for case in study.plan.cases]


def of_study(maps: Mapping[tuple[str, str, str], Seen], name: str) -> dict[tuple[str, str], Seen]:
    """The maps of one study, by subject and arm."""
    check_name("study", name, {study for study, _, _ in maps})
    return {(subject, arm): one for (study, subject, arm), one in maps.items() if study == name}


def _pair(study: Study, one: Seen, subject: str, arm: str, prompt: int) -> tuple[Image.Image, Image.Image]:
    """The first picture of a prompt, and the same under its map."""
    picture = study.picture(subject, arm, prompt)
    return picture, overlay(picture, one.mean[prompt * study.plan.pictures])


def _inside(study: Study, subject: str, arm: str) -> list[np.ndarray | None]:
    """The subject's mask in each picture; of a style there are none."""
    if "substance" in study.subjects[subject].bias:
        return [None] * len(study.prompts[subject]) * study.plan.pictures
    return [mask for masks in drawn_masks(study, subject, arm) for mask in masks]


def _truth(study: Study, subject: str, one: Seen) -> float:
    """Attention leakage in the references, over noise levels and pictures, by the masks that are given."""
    masks = [given_mask(path) for path in study.subjects[subject].images]
    return float(np.nanmean(leakage(one.references, masks))) if any(mask is not None for mask in masks) else np.nan


def _along(study: Study, maps: Mapping[tuple[str, str], Seen], parts: Any, seed: int) -> pd.DataFrame:
    """Attention leakage of parts of the maps: index (case, part), columns `mean`, `low`, `high`."""
    frames = []
    for (subject, arm), one in maps.items():
        rows, inside = study.frame.query("subject == @subject and arm == @arm"), _inside(study, subject, arm)
        frames += [rows.assign(part=part, value=leakage(each, inside)) for part, each in parts(one).items()]
    frame = pd.concat(frames, ignore_index=True).dropna(subset=["value"])
    found = {part: case_means(rows, "value", seed=seed) for part, rows in frame.groupby("part", sort=False)}
    return pd.concat(found).swaplevel().sort_index(level=0, sort_remaining=False) if found else pd.DataFrame()


def _cells(means: pd.DataFrame) -> dict[str, str]:
    return {COLUMNS[case]: interval_cell(row, "attention") for case, row in zip(means.index, means.to_numpy())}


def _known(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The frame; where no picture has the measure in both cases, as if it had not been measured at all."""
    measure = CLAIMS[name][0].measure
    both = frame.dropna(subset=[measure]).groupby(["subject", "prompt", "seed"])["case"].agg(set)
    return frame if any({USUAL, SID} <= cases for cases in both) else frame.assign(**{measure: np.nan})
