"""Chapter 4: methods with and without SID (Figs. 5, 8 and 9): the arms, what they cost, and who is beaten by nobody."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import cast
from sidkit.config import check_name
from sidkit.personalization.methods import METHODS
from sidkit.personalization.saving import FILE
from sidkit.plot import charts
from sidkit.study.chapter import Results
from sidkit.study.claims import Claim, Statement, Trial, trials
from sidkit.study.drift import with_drift
from sidkit.study.excerpts import first_prompts, first_subject
from sidkit.study.plan import Arm, Plan, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import arms_table, measured

NAME = "04_methods"
STATEMENT = Statement("SID helps every optimization-based method", "Figs. 5 and 8")
WITH_SID = " + SID"  # at the end of an arm's name
ALIGNMENTS = ("SA", "NSD", "TA")
PAPER_POINTS = Path(__file__).with_name("paper_points.csv")


def plans(
    scale: str,
    *,
    methods: Sequence[str] = (),
    subjects: Sequence[str] = (),
    **options: Any,
) -> dict[str, Plan]:
    """One plan, in which each method has two arms. `options` are those of `make_plan`.

    ValueError as there, and for an unknown method.
    """
    plan = make_plan(
        scale,
        subjects=subjects or cast.classes("methods", scale),
        arms=arms(methods),
        unrelated=cast.of("methods", "unrelated prompts", scale),
        **options,
    )
    return {"methods": plan}


def claims(results: Results) -> list[Trial]:
    """The paper's statements on SID beside its baseline, for each method."""
    return trials(results.main.frame, claims_of(results.main.plan))


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """The measures of every arm, how far its models have drifted, and what its trainings cost."""
    table = arms_table(results.main.frame, seed=results.seed)
    drifted = with_drift(table, results.main.drift, seed=results.seed)
    return {"methods": with_costs(drifted, results.main)}


def values(results: Results) -> dict[str, Any]:
    """Who is beaten by nobody, here and in the paper."""
    here = points(results.main.frame, seed=results.seed)
    paper = paper_points(8)
    return {
        "front_sa": front_sentence(here, "TA", "SA"),
        "front_nsd": front_sentence(here, "TA", "NSD"),
        "paper_sa": front_sentence(paper, "TA", "SA"),
        "paper_nsd": front_sentence(paper, "TA", "NSD"),
    }


def arms(methods: Sequence[str] = ()) -> tuple[Arm, ...]:
    """Each method with the usual captions and with SID; without `methods`, all of them.

    ValueError for an unknown method.
    """
    pairs = []
    for method in methods or METHODS:
        check_name("method", method, METHODS)
        title = METHODS[method].title
        pairs.append(Arm(title, USUAL_CASE, method))
        pairs.append(Arm(title + WITH_SID, SID_CASE, method))
    return tuple(pairs)


def baselines(plan: Plan) -> list[str]:
    """The arms that have another beside them which differs by SID alone."""
    names = [arm.name for arm in plan.arms]
    return [name for name in names if name + WITH_SID in names]


def template(words: str, measure: str, direction: str, source: str) -> Claim:
    """What the paper says of any method with SID; `claim_of` puts a method in."""
    return Claim(words, measure, WITH_SID, "", direction, source, by="arm")


TEMPLATES = (
    template("SID moves pictures away from the references' surroundings", "NSD", "higher", "Fig. 8"),
    template("SID follows the prompt better", "TA", "higher", "Fig. 8"),
    template("SID keeps the subject better", "SA", "higher", "Fig. 8, said of the mean"),
    template("SID keeps the other things out", "leakage", "lower", "Fig. 5"),
)


def claims_of(plan: Plan) -> list[Claim]:
    """The paper's statements on SID beside its baseline, for each method of a plan."""
    paper = comparable_points(plan, 8)
    pairs = product(baselines(plan), TEMPLATES)
    return [claim_of(method, template, method, paper) for method, template in pairs]


def claim_of(method: str, template: Claim, against: str, paper: pd.DataFrame) -> Claim:
    """A statement of one method, by its title: the arm with SID beside the arm `against`."""
    return replace(
        template,
        words=f"{method}: {template.words}",
        case=method + WITH_SID,
        against=against,
        paper=gain(paper, template.measure, method, against),
    )


def with_costs(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """A table with a row an arm, and `costs` beside it."""
    cost_by_arm = costs(study)
    return table.join(cost_by_arm, on="Arm")


def costs(study: Study) -> pd.DataFrame:
    """By arm and subject, the mean seconds of training, its peak of memory in GB and the saved file's MB, as text.

    Empty where nothing is trained, or the store keeps no weights.
    """
    columns = ["Seconds", "Peak GB", "MB"]
    costs_by_arm = {arm.name: _costs_of(study, arm) for arm in study.plan.arms}
    return pd.DataFrame.from_dict(costs_by_arm, orient="index", columns=columns)


def _costs_of(study: Study, arm: Arm) -> tuple[str, str, str]:
    if arm.encoder or not study.plan.profile.keep_weights:
        return "", "", ""
    logs, sizes = [], []
    for subject in study.subjects:
        folder = study.trained(subject, arm.name)
        log = (folder / "training.json").read_text()
        logs.append(json.loads(log))
        sizes.append((folder / FILE).stat().st_size)
    means = pd.DataFrame(logs).assign(bytes=sizes).mean(numeric_only=True)
    seconds = means["seconds"]
    gigabytes = means["peak"] / 1e9
    megabytes = means["bytes"] / 1e6
    return f"{seconds:.1f}", f"{gigabytes:.2f}", f"{megabytes:.2f}"


def points(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Mean SA, NSD and TA by arm, each with `NAME low` and `NAME high` beside it.

    What was not measured is no column: of photos without masks there is TA alone.
    """
    columns = {}
    means_by_measure = measured(frame, seed=seed, by="arm", names=ALIGNMENTS)
    for name, means in means_by_measure.items():
        columns[name] = means["mean"]
        columns[f"{name} low"] = means["low"]
        columns[f"{name} high"] = means["high"]
    arms_in_order = frame["arm"].unique()
    return pd.DataFrame(columns).loc[arms_in_order]


def paper_points(figure: int) -> pd.DataFrame:
    """The paper's means, read off its Figs. 8 (several references) or 9 (one), index arm; good to about 0.0003."""
    table = pd.read_csv(PAPER_POINTS)
    rows = table[table["figure"] == figure]
    ends = rows["sid"].map({"yes": WITH_SID, "no": ""})
    arms_of_rows = (rows["method"] + ends).rename("arm")
    return rows.set_index(arms_of_rows)[list(ALIGNMENTS)]


def comparable_points(plan: Plan, figure: int) -> pd.DataFrame:
    """The paper's means where SA, NSD and TA are its own, by OpenAI's CLIP (of which size is not known); else none."""
    encoder = plan.profile.encoders.image_text
    return paper_points(figure) if encoder.endswith("/openai") else pd.DataFrame()


def gain(paper: pd.DataFrame, measure: str, method: str, against: str = "") -> float | None:
    """The paper's mean of a method with SID minus that of `against`, by default the same without; None if unknown."""
    case = method + WITH_SID
    against = against or method
    if measure not in paper or not {case, against} <= set(paper.index):
        return None
    means = paper[measure]
    difference = means[case] - means[against]
    return round(float(difference), 4)


def pareto(points: pd.DataFrame, x: str, y: str) -> list[str]:
    """The arms than which no other is better in one of two columns and at least as good in the other, by `x`."""
    pairs = points[[x, y]].sort_values(x)

    def beaten(arm: str) -> bool:
        own = pairs.loc[arm]
        at_least = (pairs >= own).all(axis=1)
        better = (pairs > own).any(axis=1)
        both = at_least & better
        return bool(both.any())

    return [arm for arm in pairs.index if not beaten(arm)]


def front_sentence(points: pd.DataFrame, x: str, y: str) -> str:
    """Whether all that nobody beats use SID, in a sentence; or that it is not known, where one was not measured."""
    missing = [name for name in (x, y) if name not in points]
    if missing:
        return f"Who is ahead in the plane of {x} and {y} is not known: {' and '.join(missing)} was not measured."
    front = pareto(points, x, y)
    without = [arm for arm in front if not arm.endswith(WITH_SID)]
    unbeaten = f"In the plane of {x} and {y} nobody beats {' or '.join(front)}"
    if not without:
        return f"{unbeaten}: all use SID."
    return f"{unbeaten}; of these, {' and '.join(without)} without SID."


def draw_planes(points: pd.DataFrame, title: str = "") -> Figure:
    """The paper's Figs. 8 and 9: TA against SA, and against NSD; columns as those of `points`.

    In the place of a plane that was not measured stand words that say so.
    """
    figure, axes = plt.subplots(
        1,
        2,
        figsize=(7.2, 3.4),
        dpi=130,
        layout="constrained",
    )
    for ax, name in zip(axes, ("SA", "NSD")):
        if name in points:
            front = pareto(points, "TA", name)
            charts.alignments(points, "TA", name, ax, front)
        else:
            ax.axis("off")
            ax.text(0.5, 0.5, f"{name} was not measured", ha="center")
    if "SA" in points:
        axes[0].legend(fontsize=9)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def grid(study: Study, prompts: int = 4) -> tuple[list[list[Image.Image]], list[str], list[str]]:
    """Pictures, rows and columns of `sheets.image_grid`: a row an arm, a column a prompt of the first subject."""
    subject = first_subject(study).name
    texts = first_prompts(study, prompts)
    arms_in_order = [arm.name for arm in study.plan.arms]
    images = []
    for arm in arms_in_order:
        row = [study.picture(subject, arm, index) for index in range(len(texts))]
        images.append(row)
    return images, arms_in_order, texts
