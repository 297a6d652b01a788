"""Methods with and without SID (Figs. 5, 8 and 9): the arms, what they cost, and who is beaten by nobody."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sidkit.config import check_name
from sidkit.personalization.saving import FILE
from sidkit.study.claims import Claim
from sidkit.study.plan import Arm, Plan
from sidkit.study.run import Study, captions_of
from sidkit.study.tables import arms_table, measured

NAMES = {
    "dreambooth": "DreamBooth",
    "custom_diffusion": "Custom Diffusion",
    "svdiff": "SVDiff",
    "textual_inversion": "Textual Inversion",
    "lora": "LoRA",
}
SUBJECTS = {"smoke": 1, "quick": 1, "full": 6}  # by scale
SID = " + SID"
POINTS = Path(__file__).with_name("paper_points.csv")
SAID = {
    "NSD": ("SID moves pictures away from the references' surroundings", "higher", "Fig. 8"),
    "TA": ("SID follows the prompt better", "higher", "Fig. 8"),
    "SA": ("SID keeps the subject better", "higher", "Fig. 8, said of the mean"),
    "leakage": ("SID keeps the other things out", "lower", "Fig. 5"),
}


def arms(methods: Sequence[str] = (), references: int = 0) -> tuple[Arm, ...]:
    """Each method with the usual captions and with SID; without `methods`, all of them.

    ValueError for an unknown method.
    """
    chosen = [check_name("method", method, NAMES) for method in methods or NAMES]
    options = dict(references=references)
    return tuple(
        arm
        for method in chosen
        for arm in (Arm(NAMES[method], 1, method, **options), Arm(NAMES[method] + SID, 3, method, **options))
    )


def claims(study: Study) -> list[Claim]:
    """The paper's statements on SID beside its baseline, for each method of a study."""
    baselines = [arm.name for arm in study.plan.arms if arm.name + SID in {one.name for one in study.plan.arms}]
    paper = paper_points(8) if same_measures(study.plan) else pd.DataFrame()
    return [
        Claim(f"{name}: {words}", measure, name + SID, name, direction, source, "arm", gain(paper, measure, name))
        for name in baselines
        for measure, (words, direction, source) in SAID.items()
    ]


def table(study: Study, *, seed: int) -> pd.DataFrame:
    """A row an arm: the measures with intervals, and `costs`."""
    found = arms_table(study.frame, seed=seed)
    cost = costs(study)
    return found.assign(**{column: found["Arm"].map(cost[column]) for column in cost})


def costs(study: Study) -> pd.DataFrame:
    """By arm and subject, the mean seconds of training, its peak of memory in GB and the saved file's MB, as text.

    Empty where nothing is trained, or the store keeps no weights.
    """
    rows = {}
    for arm in study.plan.arms:
        if arm.encoder or not study.plan.profile.keep_weights:
            rows[arm.name] = ("", "", "")
            continue
        folders = [study.workshop.trained(one, arm, captions_of(one, arm)) for one in study.subjects.values()]
        logs = pd.DataFrame(json.loads((folder / "training.json").read_text()) for folder in folders)
        size = sum((folder / FILE).stat().st_size for folder in folders) / len(folders)
        rows[arm.name] = (f"{logs['seconds'].mean():.1f}", f"{logs['peak'].mean() / 1e9:.2f}", f"{size / 1e6:.2f}")
    return pd.DataFrame.from_dict(rows, orient="index", columns=["Seconds", "Peak GB", "MB"])


def points(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Mean SA, NSD and TA by arm, each with `NAME low` and `NAME high` beside it."""
    means = {name: rows for name, rows in measured(frame, seed=seed, by="arm").items() if name in ("SA", "NSD", "TA")}
    found = {}
    for name, rows in means.items():
        found |= {name: rows["mean"], f"{name} low": rows["low"], f"{name} high": rows["high"]}
    return pd.DataFrame(found).loc[list(dict.fromkeys(frame["arm"]))]


def paper_points(figure: int) -> pd.DataFrame:
    """The paper's means, read off its Figs. 8 (several references) or 9 (one), index arm; good to about 0.0003."""
    rows = pd.read_csv(POINTS).query("figure == @figure")
    rows["arm"] = rows["method"] + rows["sid"].map({"yes": SID, "no": ""})
    return rows.set_index("arm")[["SA", "NSD", "TA"]]


def same_measures(plan: Plan) -> bool:
    """Whether SA, NSD and TA are the paper's own: by OpenAI's CLIP. Which size it took is not known."""
    return plan.profile.encoders.image_text.endswith("/openai")


def gain(paper: pd.DataFrame, measure: str, case: str, against: str = "") -> float | None:
    """The paper's mean of a method with SID minus that of `against`, by default the same without; None if unknown."""
    if measure not in paper or not {case + SID, against or case} <= set(paper.index):
        return None
    return round(float(paper.loc[case + SID, measure] - paper.loc[against or case, measure]), 4)


def pareto(points: pd.DataFrame, x: str, y: str) -> list[str]:
    """The arms than which no other is better in one of two columns and at least as good in the other, by `x`."""
    pairs = points[[x, y]]

    def beaten(arm: str) -> bool:
        at_least = (pairs >= pairs.loc[arm]).all(axis=1)
        better = (pairs > pairs.loc[arm]).any(axis=1)
        return bool((at_least & better).any())

    return [arm for arm in pairs.sort_values(x).index if not beaten(arm)]


def front_told(points: pd.DataFrame, x: str, y: str) -> str:
    """Whether all that nobody beats use SID, in a sentence."""
    front = pareto(points, x, y)
    without = [arm for arm in front if not arm.endswith(SID)]
    told = f"In the plane of {x} and {y} nobody beats {' or '.join(front)}"
    return f"{told}: all use SID." if not without else f"{told}; of these, {' and '.join(without)} without SID."
