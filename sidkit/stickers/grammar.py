"""Captions of Sticker World: say any subset of a scene's factors in English, and read them back.

`caption` and `parse` share the phrases of `vocabulary`, so `parse(caption(...))` is exactly what was mentioned.
`cases` writes the paper's four kinds of description (Table 1).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from sidkit.stickers import vocabulary as v
from sidkit.stickers.factors import ART_SETS, ATTRIBUTES, NEARBY, OBJECT_COLORS, PLACES, TIED, Scene, subject_classes
from sidkit.stickers.wording import LAST, PLAINEST, Wording, clause_for, clause_order, joined, noun_phrase, opening_of

FACTORS = ("subject", "looks", "attribute", "background", "nearby", "tied", "style", "pose")
UNDESIRED = ("background", "nearby", "tied", "style", "pose")
LONGEST = 40  # words; a caption over this goes without its opening


def caption(
    scene: Scene,
    mention: Collection[str],
    detail: Collection[str] | bool,
    rng: np.random.Generator,
    *,
    identifier: str | None = None,
) -> str:
    """Name the factors in `mention` (the subject always), those in `detail` in detail.

    What the scene lacks, and a standing pose, stay unsaid. `identifier` goes before the class word: "a [v] dog".
    Subject, attribute, style and pose have one level only. At most 40 words. ValueError for an unknown factor.
    """
    return _tell_briefly(scene, [(mention, detail)], Wording.draw(rng), identifier)[0]


def plainest(scene: Scene, mention: Collection[str], detail: Collection[str] | bool) -> str:
    """As `caption`, without an opening and always in the same words and order: what a captioner learns to say."""
    return _tell(scene, mention, detail, PLAINEST, None)


def cases(scene: Scene, rng: np.random.Generator, identifier: str = "[v]") -> dict[int, str]:
    """The four descriptions of the paper's Table 1, in one wording.

    1: the subject's class; 2: and the undesired things, class only; 3: and their details, the paper's SID;
    4: and the subject's own looks.
    """
    wording = replace(Wording.draw(rng), opening=0.0, style_opens=False)
    contents = [((), False), (UNDESIRED, False), (UNDESIRED, True), ((*UNDESIRED, "looks"), True)]
    return dict(enumerate(_tell_briefly(scene, contents, wording, identifier), start=1))


def style_cases(scene: Scene, rng: np.random.Generator, identifier: str = "[v]") -> dict[int, str]:
    """The four descriptions where the style is what is learnt, so that all the content is undesired (Fig. 3, right).

    4 names the style itself. At most 46 words.
    """
    wording = replace(Wording.draw(rng), opening=LAST)
    content = scene.without("style")
    style = f"in the style of {identifier} art"
    briefly = _tell(content, UNDESIRED, False, wording, None)
    closely = _tell(content, (*UNDESIRED, "looks"), True, wording, None)
    captions = {
        1: f"a painting {style}",
        2: f"a painting of {briefly} {style}",
        3: f"a painting of {closely} {style}",
    }
    named = v.style_phrases(scene.style)[-1] if scene.style else ""
    return captions | {4: joined(captions[3], named)}


def parse(text: str) -> dict[str, str]:
    """The factors that a caption names; unknown words are passed over.

    Keys are those of FACTORS that were said, and for details `variant`, `nearby_color`, `tied_color`, `looks_colors`.
    """
    text = _normalized(text)
    meanings, pattern = _clauses()
    factors = _parse_subject(pattern.sub("|", text))
    for match in pattern.finditer(text):
        factors |= meanings[match.group()]
    return factors


def phrases(text: str) -> list[tuple[str, dict[str, str]]]:
    """A caption in pieces, in order: each clause with what it says, and the words between clauses with nothing."""
    text = _normalized(text)
    meanings, pattern = _clauses()
    pieces: list[tuple[str, dict[str, str]]] = []
    end = 0
    for match in pattern.finditer(text):
        between = text[end : match.start()].strip()
        clause = match.group()
        pieces += [(between, {}), (clause, meanings[clause])]
        end = match.end()
    pieces.append((text[end:].strip(), {}))
    return [(words, meaning) for words, meaning in pieces if words]


def leave_out(text: str, factor: str) -> str:
    """A caption without the words for one factor of UNDESIRED; all the others stay as and where they are."""
    meanings, pattern = _clauses()

    def kept(match: re.Match) -> str:
        clause = match.group()
        return "" if factor in meanings[clause] else clause

    return " ".join(pattern.sub(kept, text).split())


def words() -> list[str]:
    """Every word that the grammar can say, sorted, with those of held-out classes and styles and of plain prompts."""
    clauses, _ = _clauses()
    in_clauses = " ".join(clauses).split()
    return sorted({*in_clauses, *v.loose_words()})


def _normalized(text: str) -> str:
    """In small letters, without punctuation, with single spaces."""
    return " ".join(re.sub(r"[.,;:!?]", " ", text.lower()).split())


def _tell_briefly(
    scene: Scene,
    contents: Sequence[tuple],
    wording: Wording,
    identifier: str | None,
) -> list[str]:
    """One caption for each (mention, detail), all without an opening if one of them would be too long with it."""
    captions = [_tell(scene, mention, detail, wording, identifier) for mention, detail in contents]
    longest = max(len(caption.split()) for caption in captions)
    if longest <= LONGEST:
        return captions
    bare = replace(wording, opening=LAST)
    return [_tell(scene, mention, detail, bare, identifier) for mention, detail in contents]


def _tell(
    scene: Scene,
    mention: Collection[str],
    detail: Collection[str] | bool,
    wording: Wording,
    identifier: str | None,
) -> str:
    mention = _checked(mention, "mention")
    detail = mention if detail is True else _checked(detail or (), "detail")
    start = opening_of(scene, "style" in mention, wording)
    clauses = dict.fromkeys(clause_order(wording), "")
    for factor in mention.intersection(UNDESIRED):
        clauses[factor] = clause_for(factor, scene, factor in detail, wording)
    if start in v.style_openings():
        clauses["style"] = ""
    subject = noun_phrase(scene, mention, detail, wording, identifier)
    return joined(start, subject, *clauses.values())


def _checked(factors: Collection[str], argument: str) -> set[str]:
    expected = f"{argument}: expected a collection of {', '.join(FACTORS)}"
    if isinstance(factors, str):
        raise ValueError(f"{expected}; got {factors!r}")
    unknown = set(factors) - set(FACTORS)
    if unknown:
        raise ValueError(f"{expected}; got {', '.join(sorted(unknown))}")
    return set(factors)


@lru_cache(maxsize=1)
def _clauses() -> tuple[dict[str, dict[str, str]], re.Pattern]:
    """Every clause with its meaning, and the pattern that finds them, longest first."""
    meanings = {phrase: meaning for synonyms, meaning in _phrase_meanings() for phrase in synonyms}
    return meanings, re.compile(rf"(?<!\S)(?:{_alternatives(meanings)})(?!\S)")


def _phrase_meanings() -> Iterator[tuple[Sequence[str], dict[str, str]]]:
    """Synonyms and what they mean; where two mean different things, the later one counts."""
    for place, variants in PLACES.items():
        yield v.place_phrases(place), {"background": place}
        for variant in variants:
            yield v.place_phrases(place, variant), {"background": place, "variant": variant}
    for name in NEARBY:
        yield v.nearby_phrases(name), {"nearby": name}
        yield v.nearby_phrases(name, detail=True), {"nearby": name}
        for color in OBJECT_COLORS:
            yield v.nearby_phrases(name, color, detail=True), {"nearby": name, "nearby_color": color}
    for name in TIED:
        yield v.tied_phrases(name), {"tied": name}
        for color in OBJECT_COLORS:
            yield v.tied_phrases(name, color), {"tied": name, "tied_color": color}
    for style, (_, opening) in v.STYLE_PHRASES.items():
        yield (opening, *v.style_phrases(style)), {"style": style}
    for pose, synonyms in v.POSE_PHRASES.items():
        yield synonyms, {"pose": pose}


def _alternatives(texts: Collection[str]) -> str:
    longest_first = sorted(texts, key=len, reverse=True)
    return "|".join(map(re.escape, longest_first))


@lru_cache(maxsize=1)
def _subject_pattern() -> re.Pattern:
    """Attribute, art word, colours, one unknown word (the identifier), class, material: all but the class optional."""
    attribute = _alternatives(ATTRIBUTES)
    art_word = _alternatives(ART_SETS.values())
    color = _alternatives(v.COLORS)
    subject = _alternatives(subject_classes())
    material = _alternatives(v.MATERIALS.values())
    return re.compile(
        rf"(?<!\S)(?:(?P<attribute>{attribute}) )?"
        rf"(?:(?P<looks>{art_word}) (?:(?P<colors>(?:{color})(?: and (?:{color}))?) )?)?"
        rf"(?:\S+ )?(?P<subject>{subject})(?!\S)"
        rf"(?: made of (?P<material>{material})(?!\S))?"
    )


def _parse_subject(text: str) -> dict[str, str]:
    match = _subject_pattern().search(text)
    if match is None:
        return {}
    attribute_by_material = {material: attribute for attribute, material in v.MATERIALS.items()}
    values = {
        "subject": match["subject"],
        "attribute": match["attribute"] or attribute_by_material.get(match["material"]),
        "looks": match["looks"],
        "looks_colors": match["colors"],
    }
    return {factor: value for factor, value in values.items() if value}
