"""Chapter 3: who describes the pictures, what each of them says, and what comes of training on it (Fig. 4).

In Sticker World the truth of every picture is known, so what a caption names, misses, gets wrong and tells of the
subject itself can be counted. The describers are the shipped captioner and two worse versions of it, which show what
a captioner's faults do; they are not the paper's models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from sidkit.captions import SID_CASE, USUAL_CASE
from sidkit.chapters import cast
from sidkit.describe.answer_error import AnswerError
from sidkit.describe.cases import captions_of_case
from sidkit.describe.describers import Describer, make_describer
from sidkit.describe.description import marked
from sidkit.describe.instructions import load_instruction
from sidkit.image_files import load_image
from sidkit.measure import caption_truth
from sidkit.measure.slope import slope
from sidkit.measure.statistics import case_means
from sidkit.plot import charts, sheets
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.references import read_truth
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import render
from sidkit.study.chapter import Results
from sidkit.study.claims import Claim, Statement, Trial, trials
from sidkit.study.excerpts import first_subject, rows_by_prompt
from sidkit.study.plan import Arm, Plan, make_plan
from sidkit.study.run import Study
from sidkit.study.tables import arms_table, interval_text
from sidkit.subjects import Subject, load_images

NAME = "03_vlm_comparison"
STATEMENT = Statement(
    "A captioner that follows the instruction is good enough, and better than one that does not", "Fig. 4"
)
INSTRUCTION = "sentence"  # the paper's (Fig. 4)
ARM_BY_DESCRIBER = {"stickers": "instructed", "stickers-uninstructed": "unprompted", "stickers-weakened": "weakened"}
BARE, TRUTH = "bare", "the truth"  # the arms of the usual captions, and of SID by the world's own grammar
SIDE = 64  # px of a scene
HELD_OUT = 3  # beside the seed: the stream of random numbers that scenes are drawn from


@dataclass(frozen=True)
class Findings:
    """What the describers say of held-out scenes (`read`), and the frame of the curve with doses (`_with_doses`)."""

    readings: pd.DataFrame
    dosed: pd.DataFrame


def plans(scale: str, *, subjects: Sequence[str] = (), **options: Any) -> dict[str, Plan]:
    """The plan "compared" of the describers, and "dosed" of the curve; what they share is trained once.

    `subjects` are those of both. `options` are those of `make_plan`; ValueError as there.
    """
    described = []
    for describer, name in ARM_BY_DESCRIBER.items():
        described.append(Arm(name, partial(captions_by, describer=describer)))
    thinner = []
    for share in cast.of("vlm_comparison", "shares of phrases kept", scale):
        thinner.append(Arm(f"{share:.0%}", partial(thinned, share=share)))
    compared = make_plan(
        scale,
        subjects=subjects or cast.classes("vlm_comparison", scale),
        arms=(Arm(BARE, USUAL_CASE), *described, Arm(TRUTH, SID_CASE)),
        **options,
    )
    dosed = make_plan(
        scale,
        subjects=subjects or cast.classes("vlm_comparison", scale, "subjects of the curve"),
        arms=(Arm("0 %", USUAL_CASE), *thinner, Arm("100 %", SID_CASE)),
        **options,
    )
    return {"compared": compared, "dosed": dosed}


def findings(results: Results) -> Findings:
    """The describers are asked here, about as many scenes as the notebook's `scenes` says, or the scale."""
    usual = cast.of("vlm_comparison", "scenes described", results.scale)
    count = results.parameters.get("scenes") or usual
    scenes = held_out(count, seed=results.seed)
    return Findings(
        readings=read(scenes),
        dosed=_with_doses(results.studies["dosed"]),
    )


def claims(results: Results) -> list[Trial]:
    """What the paper says of captioners, with this chapter's describers in the places of the paper's."""
    return trials(results.main.frame, CLAIMS)


def tables(results: Results) -> dict[str, pd.DataFrame]:
    """What is said of the first reference, what captions do with held-out scenes, and what their models draw."""
    return {
        "said": descriptions_table(first_subject(results.main)),
        "read": counts_table(results.findings.readings, seed=results.seed),
        "measures": arms_table(results.main.frame, seed=results.seed),
    }


def values(results: Results) -> dict[str, Any]:
    """The instruction, how many scenes are described, and what leakage changes by from none to all described."""
    readings, dosed = results.findings.readings, results.findings.dosed
    change = slope(dosed, "leakage", "dose", seed=results.seed)
    return {
        "instruction": load_instruction(INSTRUCTION).text,
        "scenes": readings["subject"].nunique(),
        "slope": interval_text(change, "leakage", "points"),
        "dosed": dosed["subject"].nunique(),
    }


@cache
def loaded(describer: str) -> Describer:
    """A describer by name, loaded once."""
    return make_describer(describer)


def _description_by(describer: str, image: Image.Image, class_word: str) -> str:
    """One picture's description, without `[v]`; empty where the answer does not speak of the class."""
    model = loaded(describer)
    instruction = model.fits(load_instruction(INSTRUCTION))
    question = instruction.filled(class_word)
    try:
        description = model.describe(image, class_word, question)
    except AnswerError:
        return ""
    return description.sentence


def captions_by(subject: Subject, describer: str) -> list[str]:
    """What an arm trains on: each image's description with `[v]`; the bare subject where there is none."""
    return [_caption_by(describer, path, subject.class_word) for path in subject.images]


@cache
def _caption_by(describer: str, path: Path, class_word: str) -> str:
    image = load_image(path)
    text = _description_by(describer, image, class_word)
    return marked(text or f"a {class_word}", class_word)


def thinned(subject: Subject, share: float, seed: int = 0) -> list[str]:
    """SIDs of which only a share of the phrases is left, drawn at random: a larger share has all of a smaller one."""
    texts = []
    for index, text in enumerate(captions_of_case(subject, SID_CASE)):
        rng = np.random.default_rng([seed, index])
        texts.append(_thinned(text, share, rng))
    return texts


def _thinned(text: str, share: float, rng: np.random.Generator) -> str:
    factors = caption_truth.undesired(text)
    kept = round(share * len(factors))
    for factor in rng.permutation(factors)[kept:]:
        text = grammar.leave_out(text, factor)
    return text


def dose(subject: Subject, texts: Sequence[str]) -> float:
    """Share of the factors that a subject's SIDs name which other captions of it name, too."""
    sids = captions_of_case(subject, SID_CASE)
    mentioned = sum(len(caption_truth.undesired(text)) for text in texts)
    in_full = sum(len(caption_truth.undesired(text)) for text in sids)
    return mentioned / in_full


def _with_doses(study: Study) -> pd.DataFrame:
    """The study's frame with `dose`, that of the captions which the picture's model was trained on."""
    frame = study.frame.assign(dose=np.nan)
    for arm in study.plan.arms:
        for name, subject in study.subjects.items():
            rows = (frame["arm"] == arm.name) & (frame["subject"] == name)
            frame.loc[rows, "dose"] = dose(subject, study.cells[name, arm.name].captions)
    return frame


def held_out(count: int, *, seed: int) -> list[tuple[Scene, Image.Image]]:
    """Scenes of designs that no captioner has seen, drawn at random."""
    stream = [seed, HELD_OUT]
    rng = np.random.default_rng(stream)
    scenes = [sample_scene(rng, held_out=True) for _ in range(count)]
    images = [render(scene, SIDE, rng) for scene in scenes]
    return list(zip(scenes, images))


def read(scenes: Sequence[tuple[Scene, Image.Image]]) -> pd.DataFrame:
    """A row a scene (`subject`) and describer (`arm`): `caption_truth.counts` of what it says."""
    rows = []
    for describer, arm in ARM_BY_DESCRIBER.items():
        for index, (scene, image) in enumerate(scenes):
            text = _description_by(describer, image, scene.subject)
            row = {"subject": index, "arm": arm}
            rows.append(row | caption_truth.counts(scene, text))
    return pd.DataFrame(rows)


def counts_table(readings: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row a describer, a column of `caption_truth.counts`, in percent with 95 % intervals over scenes."""
    table = pd.DataFrame({"Describer": readings["arm"].unique()})
    for name, better in caption_truth.BETTER.items():
        head = f"{name} ({better})"
        means = case_means(readings, name, seed=seed, by="arm", levels=("subject",))
        table[head] = [_percent(*means.loc[arm]) for arm in table["Describer"]]
    return table


def _percent(mean: float, low: float, high: float) -> str:
    text = f"{round(100 * mean)} %"
    if not np.isfinite(low):
        return text
    return f"{text} [{round(100 * low)}, {round(100 * high)}]"


def curve(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """For `charts.curves`: index (name, mean dose of an arm in %), columns `mean`, `low`, `high`, in % too.

    `frame` is of `_with_doses`.
    """
    means = case_means(frame, "leakage", seed=seed, by="arm")
    one_a_model = frame.drop_duplicates(["subject", "arm"])
    doses = one_a_model.groupby("arm")["dose"].mean()
    percents = 100 * doses.loc[means.index]
    lines = ["leakage"] * len(percents)
    index = pd.MultiIndex.from_arrays([lines, percents], names=["measure", "share"])
    in_percent = 100 * means
    return in_percent.set_axis(index).sort_index()


def draw_curve(results: Results) -> Figure:
    """Leakage over the share of the undesired things that captions describe."""
    rows = curve(results.findings.dosed, seed=results.seed)
    figure, ax = plt.subplots(figsize=(4.6, 3))
    charts.curves(
        rows,
        ax,
        "share of the undesired things described (%)",
        "leakage (%)",
    )
    ticks = [0, 25, 50, 75, 100]
    ax.set(xscale="linear", xticks=ticks, xticklabels=ticks, ylim=(0, None))
    return figure


def rows(study: Study, prompts: int = 3) -> sheets.Rows:
    """Of `sheets.rows`: a row a prompt of the first subject, a column an arm."""
    return rows_by_prompt(study, prompts)


def descriptions_table(subject: Subject, image: int = 0) -> pd.DataFrame:
    """A row a describer: what it says of one of a subject's references, each phrase in the colour of what it is."""
    file = subject.images[image].name
    scene = read_truth(subject).scenes[file]
    picture = load_images(subject)[image]
    rows = []
    for describer, arm in ARM_BY_DESCRIBER.items():
        text = _description_by(describer, picture, subject.class_word)
        rows.append((arm, caption_truth.coloured(text, scene)))
    sid = captions_of_case(subject, SID_CASE)[image].replace("[v] ", "")
    rows.append((TRUTH, caption_truth.coloured(sid, scene)))
    return pd.DataFrame(rows, columns=["Describer", "What it says"])


def _claim(words: str, measure: str, case: str, against: str, direction: str, source: str) -> Claim:
    return Claim(words, measure, case, against, direction, source, by="arm")


APPENDIX = "sec. 3.2, of appendix E.2"
CLAIMS = (
    _claim("Training on an instructed captioner's words keeps things out",
           "leakage", "instructed", BARE, "lower", "Fig. 4, sec. 3.2"),
    _claim("A captioner that is not told to be complete keeps out less",
           "leakage", "unprompted", "instructed", "higher", "Fig. 4"),
    _claim("One that tells the subject's looks loses them", "identity", "weakened", "instructed", "lower", "Fig. 4"),
    _claim("The best captioner's words follow the prompt best", "TA", "instructed", "unprompted", "higher", APPENDIX),
    _claim("The best captioner's words follow the prompt best", "TA", "instructed", "weakened", "higher", APPENDIX),
    _claim("The best captioner's words keep the subject best", "SA", "instructed", "unprompted", "higher", APPENDIX),
    _claim("The best captioner's words keep the subject best", "SA", "instructed", "weakened", "higher", APPENDIX),
)  # fmt: skip
