"""Captions of Sticker World: say any subset of a scene's factors in English, and read them back.

`caption` and `parse` share the phrases of `vocabulary`, so `parse(caption(...))` is exactly what was mentioned.
`cases` writes the paper's four kinds of description (Table 1).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from sidkit.stickers import vocabulary as v
from sidkit.stickers.factors import ART_SETS, ATTRIBUTES, NEARBY, OBJECT_COLORS, PLACES, TIED, Scene, subject_classes
from sidkit.stickers.looks import looks

FACTORS = ("subject", "looks", "attribute", "background", "nearby", "tied", "style", "pose")
UNDESIRED = ("background", "nearby", "tied", "style", "pose")
LAST = 0.999  # picks the last synonym; the last opening is no opening
LONGEST = 40  # words; a caption over this goes without its opening


@dataclass(frozen=True)
class Wording:
    """The choices that leave the meaning alone: one number in [0, 1) a factor picks its synonym, the rest is order."""

    opening: float
    attribute: float
    background: float
    nearby: float
    tied: float
    style: float
    pose: float
    pose_first: bool
    nearby_first: bool
    style_opens: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Wording:
        """Draw every choice, whatever the scene, so that one wording fits several captions."""
        synonyms, order = rng.random(7).tolist(), (rng.random(3) < (0.5, 0.5, 0.35)).tolist()
        return cls(*synonyms, *order)


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
    return _tell(scene, mention, detail, _PLAINEST, None)


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
    content, style = scene.without("style"), f"in the style of {identifier} art"
    plainly = f"a painting of {_tell(content, UNDESIRED, False, wording, None)} {style}"
    closely = f"a painting of {_tell(content, (*UNDESIRED, 'looks'), True, wording, None)} {style}"
    named = f"{closely} {v.style_phrases(scene.style)[-1]}" if scene.style else closely
    return {1: f"a painting {style}", 2: plainly, 3: closely, 4: named}


def parse(text: str) -> dict[str, str]:
    """The factors that a caption names; unknown words are passed over.

    Keys are those of FACTORS that were said, and for details `variant`, `nearby_color`, `tied_color`, `looks_colors`.
    """
    text = " ".join(re.sub(r"[.,;:!?]", " ", text.lower()).split())
    meanings, pattern = _clauses()
    found = {}
    for match in pattern.finditer(text):
        found |= meanings[match.group()]
    return _parse_subject(pattern.sub("|", text)) | found


def phrases(text: str) -> list[tuple[str, dict[str, str]]]:
    """A caption in pieces, in order: each clause with what it says, and the words between clauses with nothing."""
    text = " ".join(re.sub(r"[.,;:!?]", " ", text.lower()).split())
    meanings, pattern = _clauses()
    found, end = [], 0
    for match in pattern.finditer(text):
        found += [(text[end : match.start()].strip(), {}), (match.group(), meanings[match.group()])]
        end = match.end()
    return [piece for piece in [*found, (text[end:].strip(), {})] if piece[0]]


def leave_out(text: str, factor: str) -> str:
    """A caption without the words for one factor of UNDESIRED; all the others stay as and where they are."""
    meanings, pattern = _clauses()
    kept = pattern.sub(lambda match: "" if factor in meanings[match.group()] else match.group(), text)
    return " ".join(kept.split())


def words() -> list[str]:
    """Every word that the grammar can say, sorted, with those of held-out classes and styles and of plain prompts."""
    clauses, _ = _clauses()
    return sorted({word for phrase in clauses for word in phrase.split()} | set(v.loose_words()))


def _tell_briefly(scene: Scene, contents: Sequence[tuple], wording: Wording, identifier: str | None) -> list[str]:
    """One caption for each (mention, detail), all without an opening if one of them would be too long with it."""
    told = [_tell(scene, mention, detail, wording, identifier) for mention, detail in contents]
    if max(len(text.split()) for text in told) <= LONGEST:
        return told
    bare = replace(wording, opening=LAST)
    return [_tell(scene, mention, detail, bare, identifier) for mention, detail in contents]


def _tell(
    scene: Scene, mention: Collection[str], detail: Collection[str] | bool, wording: Wording, identifier: str | None
) -> str:
    mention = _checked(mention, "mention")
    detail = mention if detail is True else _checked(detail or (), "detail")
    clauses = {factor: _clause(factor, scene, factor in detail, wording) for factor in UNDESIRED if factor in mention}
    opening = _opening(scene if "style" in mention else scene.without("style"), wording)
    if opening in _STYLE_OPENINGS:
        del clauses["style"]
    parts = [opening, _subject(scene, mention, detail, wording, identifier)]
    parts += [clauses.get(factor, "") for factor in _order(wording)]
    return " ".join(part for part in parts if part)


def _checked(factors: Collection[str], argument: str) -> set[str]:
    if isinstance(factors, str) or (unknown := set(factors) - set(FACTORS)):
        got = repr(factors) if isinstance(factors, str) else ", ".join(sorted(unknown))
        raise ValueError(f"{argument}: expected a collection of {', '.join(FACTORS)}; got {got}")
    return set(factors)


def _pick(choices: Sequence[str], share: float) -> str:
    """The choice at `share` in [0, 1) of the way through; nothing for no choices."""
    return choices[int(share * len(choices))] if choices else ""


_PLAINEST = Wording(LAST, *[0.0] * 6, pose_first=True, nearby_first=True, style_opens=False)
_STYLE_OPENINGS = {opening: style for style, (_, opening) in v.STYLE_PHRASES.items()}


def _opening(scene: Scene, wording: Wording) -> str:
    if scene.style is None:
        return _pick(v.OPENINGS, wording.opening)
    return v.STYLE_PHRASES[scene.style][1] if wording.style_opens else _pick(v.STYLED_OPENINGS, wording.opening)


def _order(wording: Wording) -> tuple[str, ...]:
    """What belongs to the subject comes before what surrounds it; the style comes last."""
    own = ("pose", "tied") if wording.pose_first else ("tied", "pose")
    around = ("nearby", "background") if wording.nearby_first else ("background", "nearby")
    return (*own, *around, "style")


def _clause(factor: str, scene: Scene, detail: bool, wording: Wording) -> str:
    """The clause for one factor beside the subject, empty where the scene lacks it."""
    return _pick(_synonyms(factor, scene, detail), getattr(wording, factor))


def _synonyms(factor: str, scene: Scene, detail: bool) -> tuple[str, ...]:
    if factor == "background":
        return v.place_phrases(scene.background, scene.variant if detail else None)
    if factor == "nearby" and scene.nearby:
        return v.nearby_phrases(scene.nearby, scene.nearby_color, detail)
    if factor == "tied" and scene.tied:
        return v.tied_phrases(scene.tied, scene.tied_color if detail else None)
    if factor == "style" and scene.style:
        return v.style_phrases(scene.style)
    return v.POSE_PHRASES[scene.pose] if factor == "pose" else ()


def _subject(scene: Scene, mention: set[str], detail: set[str], wording: Wording, identifier: str | None) -> str:
    """The noun phrase: "a purple shaded [v] dog", "a shaded brown and white dog made of gold"."""
    before, after = _attribute(scene, wording) if "attribute" in mention else ("", "")
    adjectives = _looks(scene, "looks" in detail) if "looks" in mention else ""
    noun = " ".join(part for part in (before, adjectives, identifier, scene.subject) if part)
    return " ".join(part for part in (v.with_article(noun), after) if part)


def _attribute(scene: Scene, wording: Wording) -> tuple[str, str]:
    """What stands before and after the subject: ("purple", ""), or for a material maybe ("", "made of gold")."""
    if scene.attribute in v.MATERIALS and wording.attribute < 0.5:
        return "", f"made of {v.MATERIALS[scene.attribute]}"
    return scene.attribute or "", ""


def _looks(scene: Scene, detail: bool) -> str:
    """The drawing's word, in detail with its colours after it: a colour before it would be an attribute."""
    word, *colors = looks(scene)
    return f"{word} {' and '.join(colors)}".strip() if detail else word


@lru_cache(maxsize=1)
def _clauses() -> tuple[dict[str, dict[str, str]], re.Pattern]:
    """Every clause with its meaning, and the pattern that finds them, longest first."""
    meanings = {phrase: meaning for phrases, meaning in _phrase_meanings() for phrase in phrases}
    return meanings, re.compile(rf"(?<!\S)(?:{_alternatives(meanings)})(?!\S)")


def _phrase_meanings() -> Iterator[tuple[Sequence[str], dict[str, str]]]:
    for place, variants in PLACES.items():
        yield v.place_phrases(place), {"background": place}
        yield from ((v.place_phrases(place, name), {"background": place, "variant": name}) for name in variants)
    for name in NEARBY:
        yield (*v.nearby_phrases(name), *v.nearby_phrases(name, detail=True)), {"nearby": name}
        yield from ((v.nearby_phrases(name, c, True), {"nearby": name, "nearby_color": c}) for c in OBJECT_COLORS)
    for name in TIED:
        yield v.tied_phrases(name), {"tied": name}
        yield from ((v.tied_phrases(name, c), {"tied": name, "tied_color": c}) for c in OBJECT_COLORS)
    for style, (_, opening) in v.STYLE_PHRASES.items():
        yield (opening, *v.style_phrases(style)), {"style": style}
    yield from ((phrases, {"pose": pose}) for pose, phrases in v.POSE_PHRASES.items())


def _alternatives(phrases: Collection[str]) -> str:
    return "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True))


@lru_cache(maxsize=1)
def _subject_pattern() -> re.Pattern:
    """Attribute, art word, colours, one unknown word (the identifier), class, material: all but the class optional."""
    color = _alternatives(v.COLORS)
    return re.compile(
        rf"(?<!\S)(?:(?P<attribute>{_alternatives(ATTRIBUTES)}) )?"
        rf"(?:(?P<looks>{_alternatives(ART_SETS.values())}) (?:(?P<colors>(?:{color})(?: and (?:{color}))?) )?)?"
        rf"(?:\S+ )?(?P<subject>{_alternatives(subject_classes())})(?!\S)"
        rf"(?: made of (?P<material>{_alternatives(v.MATERIALS.values())})(?!\S))?"
    )


def _parse_subject(text: str) -> dict[str, str]:
    match = _subject_pattern().search(text)
    if match is None:
        return {}
    said = match.groupdict()
    materials = {material: attribute for attribute, material in v.MATERIALS.items()}
    attribute = said["attribute"] or materials.get(said["material"])
    found = {"subject": said["subject"], "attribute": attribute, "looks": said["looks"], "looks_colors": said["colors"]}
    return {factor: value for factor, value in found.items() if value}
