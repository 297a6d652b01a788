"""Prompts for sticker subjects: none asks for anything that a reference shows."""

from __future__ import annotations

import numpy as np

from sidkit.mark import MARK
from sidkit.stickers import factors, vocabulary
from sidkit.stickers.drawing_words import looks
from sidkit.stickers.references import SHARED, Truth, read_truth, seeded
from sidkit.subjects import Prompt, Subject

KINDS = 4  # of prompts
APART = 7  # classes of the list, in which kin stand together


def sticker_prompts(subject: Subject, each: int = 2, *, seed: int = 0) -> list[Prompt]:
    """`each` prompts of each kind, the kinds in turn, so that any first few are a mixture.

    Kinds: recontextualization (a new place), nearby and accessory (a new thing, every other time in a new place), and
    property (a colour or material that the subject does not have, Fig. 11). Of a style, all ask for something else to
    be painted (content), every other time in a place. Raises ValueError for more than there are values.
    """
    rng = seeded(seed, subject.class_word)
    if subject.of_style:
        return _style_prompts(subject, KINDS * each, rng)
    new = _unseen(read_truth(subject), rng)
    most = min(map(len, new.values()))
    if not 1 <= each <= most:
        raise ValueError(f"prompts: expected 1 to {most} of each kind, got {each}")
    prompts = []
    for turn in range(each):
        value = {factor: values[turn] for factor, values in new.items()}
        place = {"background": new["background"][-1 - turn]} if turn % 2 else {}
        prompts += [
            _prompt(subject, "recontextualization", {"background": value["background"]}),
            _prompt(subject, "nearby", {"nearby": value["nearby"]} | place),
            _prompt(subject, "accessory", {"tied": value["tied"]} | place),
            _prompt(subject, "property", {"attribute": value["attribute"]}),
        ]
    return prompts


def unrelated_to(class_word: str) -> list[str]:
    """Prompts of all other classes, those far from each other first, every other one in a place; without `[v]`."""
    others = [name for name in factors.SUBJECTS if name != class_word]
    spread = [name for first in range(APART) for name in others[first::APART]]
    places = list(factors.PLACES)
    prompts = []
    for turn, name in enumerate(spread):
        words = ["a photo of", vocabulary.with_article(name)]
        if turn % 2:
            words.append(vocabulary.place_phrases(places[turn % len(places)])[0])
        prompts.append(" ".join(words))
    return prompts


def _style_prompts(subject: Subject, count: int, rng: np.random.Generator) -> list[Prompt]:
    """Other things to paint, every other one in another place."""
    shown = read_truth(subject).shared
    things = _others(factors.SUBJECTS, shown.get("class"), rng)
    places = _others(factors.PLACES, shown.get("background"), rng)
    if not 1 <= count <= len(things):
        raise ValueError(f"prompts: expected 1 to {len(things)} of a style, got {count}")
    prompts = []
    for index, thing in enumerate(things[:count]):
        asked = {"class": thing}
        words = ["a painting of", vocabulary.with_article(thing)]
        if index % 2:
            asked["background"] = places[index % len(places)]
            words.append(vocabulary.place_phrases(asked["background"])[0])
        words.append(f"in the style of {MARK} {subject.class_word}")
        prompts.append(Prompt(" ".join(words), "content", asked))
    return prompts


def _others(values: dict, shown: str | None, rng: np.random.Generator) -> list[str]:
    """All values but the one that is shown, shuffled."""
    order = rng.permutation(list(values)).tolist()
    return [value for value in order if value != shown]


def _unseen(truth: Truth, rng: np.random.Generator) -> dict[str, list[str]]:
    """The values of each factor that no reference shows, shuffled; no attribute is one of the subject's colours."""
    values = {
        "background": factors.PLACES,
        "nearby": factors.NEARBY,
        "tied": factors.TIED,
        "attribute": factors.ATTRIBUTES,
    }
    shown = _shown(truth)
    unseen = {}
    for factor, every in values.items():
        order = rng.permutation(list(every)).tolist()
        unseen[factor] = [value for value in order if value not in shown[factor]]
    return unseen


def _shown(truth: Truth) -> dict[str, set[str]]:
    """What the references show of each factor; as attributes, all that can be said of the subject's looks."""
    scenes = truth.scenes.values()
    shown = {factor: {getattr(scene, factor) for scene in scenes} for factor in SHARED}
    shown["attribute"] = set()
    for scene in scenes:
        shown["attribute"].update(looks(scene))
    return shown


def _prompt(subject: Subject, kind: str, asked: dict[str, str]) -> Prompt:
    """What is asked, in the grammar's plainest words: "a photo of a [v] dog wearing a crown on a beach"."""
    words = ["a photo of", _named(asked.get("attribute")), subject.class_word]
    if "tied" in asked:
        words.append(vocabulary.tied_phrases(asked["tied"])[0])
    if "nearby" in asked:
        words.append(vocabulary.nearby_phrases(asked["nearby"])[0])
    if "background" in asked:
        words.append(vocabulary.place_phrases(asked["background"])[0])
    return Prompt(" ".join(words), kind, asked)


def _named(attribute: str | None) -> str:
    """`[v]` with its article, and an attribute between them."""
    if attribute is None:
        return f"a {MARK}"
    return vocabulary.with_article(f"{attribute} {MARK}")
