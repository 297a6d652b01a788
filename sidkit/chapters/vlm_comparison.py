"""Chapter 3: who describes the pictures, what each of them says, and what comes of training on it (Fig. 4).

In Sticker World the truth of every picture is known, so what a caption names, misses, gets wrong and tells of the
subject itself can be counted. The describers are the shipped captioner and two worse versions of it, which show what
a captioner's faults do; they are not the paper's models.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.describe.answers import AnswerError
from sidkit.describe.cases import captions_of_case
from sidkit.describe.describers import Describer, make_describer
from sidkit.describe.description import mark
from sidkit.describe.instructions import load_instruction
from sidkit.measure.statistics import Interval, case_means, mean_interval
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.references import read_truth
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import render
from sidkit.study.claims import Claim
from sidkit.study.plan import CLASSES, Arm, Plan, make_plan
from sidkit.subjects import Subject, load_images

INSTRUCTION = "sentence"  # the paper's (Fig. 4)
NAMES = {
    "stickers": "instructed",
    "stickers-uninstructed": "unprompted",
    "stickers-weakened": "weakened",
}
TRUTH, USUAL = "the truth", "bare"
SUBJECTS = {"smoke": 1, "quick": 2, "full": 3}  # whose describers' captions are trained on
SCENES = {"smoke": 3, "quick": 60, "full": 300}  # described, and only read
SHARES = {"smoke": (0.5,), "quick": (1 / 3, 2 / 3), "full": (0.2, 0.4, 0.6, 0.8)}  # of the phrases that are kept
DOSED = {"smoke": 1, "quick": 1, "full": 3}  # subjects of the curve
SIDE = 64  # px of a scene
OWN = ("attribute", "looks", "looks_colors")
COUNTED = {"named": "higher", "details": "higher", "wrong": "lower", "own looks": "lower", "off the point": "lower"}
CLAIMS = (
    Claim("Training on an instructed captioner's words keeps things out", "leakage", "instructed", USUAL, "lower",
          "Fig. 4, sec. 3.2", "arm"),
    Claim("A captioner that is not told to be complete keeps out less", "leakage", "unprompted", "instructed",
          "higher", "Fig. 4", "arm"),
    Claim("One that tells the subject's looks loses them", "identity", "weakened", "instructed", "lower",
          "Fig. 4", "arm"),
    Claim("The best captioner's words follow the prompt best", "TA", "instructed", "unprompted", "higher",
          "sec. 3.2, of appendix E.2", "arm"),
    Claim("The best captioner's words follow the prompt best", "TA", "instructed", "weakened", "higher",
          "sec. 3.2, of appendix E.2", "arm"),
    Claim("The best captioner's words keep the subject best", "SA", "instructed", "unprompted", "higher",
          "sec. 3.2, of appendix E.2", "arm"),
    Claim("The best captioner's words keep the subject best", "SA", "instructed", "weakened", "higher",
          "sec. 3.2, of appendix E.2", "arm"),
)  # fmt: skip


@cache
def describer(name: str) -> Describer:
    """A describer by name, loaded once."""
    return make_describer(name)


def say(name: str, image: Image.Image, class_word: str) -> str:
    """One picture's description, without `[v]`; empty where the answer does not speak of the class."""
    model = describer(name)
    try:
        return model.describe(image, class_word, model.fits(load_instruction(INSTRUCTION)).filled(class_word)).sentence
    except AnswerError:
        return ""


def captions(name: str) -> Callable[[Subject], list[str]]:
    """What an arm trains on: each image's description with `[v]`; the bare subject where there is none."""
    return lambda subject: list(_captions(name, subject.folder, subject.class_word, tuple(subject.images)))


@cache
def _captions(name: str, folder: Path, class_word: str, images: tuple[Path, ...]) -> tuple[str, ...]:
    said = (say(name, Image.open(path).convert("RGB"), class_word) for path in images)
    return tuple(mark(text or f"a {class_word}", class_word) for text in said)


def make_plans(scale: str, *, subjects: Sequence[str] = (), **options: Any) -> tuple[Plan, Plan]:
    """The comparison's plan and the curve's; what they share with other chapters is trained once."""
    arms = (Arm(USUAL, 1), *(Arm(told, captions(name)) for name, told in NAMES.items()), Arm(TRUTH, 3))
    doses = (Arm("0 %", 1), *(Arm(f"{share:.0%}", kept(share)) for share in SHARES[scale]), Arm("100 %", 3))
    compared, dosed = (list(subjects or CLASSES[: count[scale]]) for count in (SUBJECTS, DOSED))
    return make_plan(scale, subjects=compared, arms=arms, **options), make_plan(
        scale, subjects=dosed, arms=doses, **options
    )


def kept(share: float, seed: int = 0) -> Callable[[Subject], list[str]]:
    """SIDs of which only a share of the phrases is left, drawn at random: a larger share has all of a smaller one."""
    return lambda subject: [
        _thinned(text, share, np.random.default_rng([seed, index]))
        for index, text in enumerate(captions_of_case(subject, 3))
    ]


def _thinned(text: str, share: float, rng: np.random.Generator) -> str:
    said = [factor for factor in grammar.UNDESIRED if factor in grammar.parse(text)]
    for factor in rng.permutation(said)[round(share * len(said)) :]:
        text = grammar.leave_out(text, factor)
    return text


def dose(subject: Subject, texts: Sequence[str]) -> float:
    """Share of the factors that a subject's SIDs name which other captions of it name, too."""
    counts = [sum(factor in grammar.parse(text) for factor in grammar.UNDESIRED) for text in texts]
    full = [sum(factor in grammar.parse(text) for factor in grammar.UNDESIRED) for text in captions_of_case(subject, 3)]
    return sum(counts) / sum(full)


def held_out(count: int, *, seed: int) -> list[tuple[Scene, Image.Image]]:
    """Scenes of designs that no captioner has seen, drawn at random."""
    rng = np.random.default_rng([seed, 3])
    scenes = [sample_scene(rng, held_out=True) for _ in range(count)]
    return [(scene, render(scene, SIDE, rng)) for scene in scenes]


def counts(scene: Scene, text: str) -> dict[str, float]:
    """What a caption does with a scene, as shares of the undesired factors that are there, or as yes and no.

    named: they are said rightly; details: so are their colours or variants; wrong: a value is said that is not there;
    own looks: the subject's colour or drawing is told; off the point: the answer does not speak of the class.
    """
    there, told = _truth(scene), grammar.parse(text)
    factors = [factor for factor in grammar.UNDESIRED if factor in there]
    details = [key for key in ("variant", "nearby_color", "tied_color") if key in there]
    return {
        "named": float(np.mean([told.get(factor) == there[factor] for factor in factors])),
        "details": float(np.mean([told.get(key) == there[key] for key in details])) if details else np.nan,
        "wrong": float(any(told[factor] != there.get(factor) for factor in grammar.UNDESIRED if factor in told)),
        "own looks": float(any(key in told for key in OWN)),
        "off the point": float(not text),
    }


def read(scenes: Sequence[tuple[Scene, Image.Image]]) -> pd.DataFrame:
    """A row a scene and describer (`arm`): the `counts` of what it says."""
    rows = [
        {"subject": index, "arm": told, **counts(scene, say(name, image, scene.subject))}
        for name, told in NAMES.items()
        for index, (scene, image) in enumerate(scenes)
    ]
    return pd.DataFrame(rows)


def read_table(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """A row a describer, a column of `counts`, in percent with 95 % intervals over scenes."""
    means = {name: case_means(frame, name, seed=seed, by="arm", levels=("subject",)) for name in COUNTED}
    rows = [
        {"Describer": arm, **{f"{name} ({COUNTED[name]})": _percent(table.loc[arm]) for name, table in means.items()}}
        for arm in dict.fromkeys(frame["arm"])
    ]
    return pd.DataFrame(rows)


def slope(frame: pd.DataFrame, doses: dict[str, dict[str, float]], *, seed: int) -> Interval:
    """Change of the leakage from none to all of the factors described: a line through each picture's arms.

    `doses` are the shares by subject and arm. Fitted by least squares for the same subject, prompt and noise, then
    averaged as every measure is. ValueError where a subject's arms all have one share.
    """
    return mean_interval(slopes(frame, doses), "slope", seed=seed)


def slopes(frame: pd.DataFrame, doses: dict[str, dict[str, float]]) -> pd.DataFrame:
    """A row a subject, prompt and seed: the slope of its leakages over the shares of its arms."""
    rows = []
    for key, part in frame.dropna(subset=["leakage"]).groupby(["subject", "prompt", "seed"]):
        shares = np.array([doses[key[0]][arm] for arm in part["arm"]])
        if np.ptp(shares) == 0:
            raise ValueError(f"slope: expected arms of different shares for {key[0]}, got {shares[0]} for all")
        rows.append((*key, np.polyfit(shares, part["leakage"], 1)[0]))
    return pd.DataFrame(rows, columns=["subject", "prompt", "seed", "slope"])


def curve(frame: pd.DataFrame, doses: dict[str, dict[str, float]], *, seed: int) -> pd.DataFrame:
    """For `plot.curves`: index (name, mean share of an arm's factors, in %), columns `mean`, `low`, `high`."""
    means = case_means(frame, "leakage", seed=seed, by="arm")
    shares = [100 * float(np.mean([told[arm] for told in doses.values()])) for arm in means.index]
    index = pd.MultiIndex.from_arrays([["leakage"] * len(shares), shares], names=["measure", "share"])
    return (100 * means).set_axis(index).sort_index()


def said_table(subject: Subject, image: int = 0) -> pd.DataFrame:
    """A row a describer: what it says of one of a subject's references, each phrase in the colour of what it is."""
    scene = read_truth(subject).scenes[subject.images[image].name]
    picture = load_images(subject)[image]
    rows = [(told, coloured(say(name, picture, subject.class_word), scene)) for name, told in NAMES.items()]
    written = captions_of_case(subject, 3)[image].replace("[v] ", "")
    return pd.DataFrame([*rows, (TRUTH, coloured(written, scene))], columns=["Describer", "What it says"])


def coloured(text: str, scene: Scene) -> str:
    """A caption as HTML: phrases of class said-right, said-wrong or said-own, and last what is missed."""
    there, told = _truth(scene), grammar.parse(text)
    if not text:
        return '<span class="said-wrong">does not speak of the subject</span>'
    parts = []
    for words, meaning in grammar.phrases(text):
        factor = next((one for one in grammar.UNDESIRED if one in meaning), None)
        right = factor and all(there.get(key) == value for key, value in meaning.items())
        parts.append(_span(words, "said-right" if right else "said-wrong") if factor else _own(words, told))
    missing = [factor for factor in grammar.UNDESIRED if factor in there and factor not in told]
    return " ".join(parts) + (" " + _span(f"(missed: {', '.join(missing)})", "said-missed") if missing else "")


def _own(words: str, told: dict[str, str]) -> str:
    """Words around the subject, in which its own looks stand out."""
    kept = html.escape(words)
    for key in OWN:
        if key in told and told[key] in words:
            kept = kept.replace(told[key], _span(told[key], "said-own"), 1)
    return kept


def _span(words: str, kind: str) -> str:
    return f'<span class="{kind}">{html.escape(words)}</span>'


def _truth(scene: Scene) -> dict[str, str]:
    """What a caption of everything would name."""
    return grammar.parse(grammar.plainest(scene, grammar.FACTORS, True))


def _percent(row: pd.Series) -> str:
    mean, low, high = (round(100 * value) if np.isfinite(value) else None for value in row[["mean", "low", "high"]])
    return f"{mean} %" if low is None else f"{mean} % [{low}, {high}]"
