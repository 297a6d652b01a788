"""Negative prompts from SIDs: the words that a SID has for what is not the subject (section 7.1 of the paper).

Its two examples, "sitting on the fluffy blanket and green couch" for a dog and "next to a black Prada purse with silver
hardware on a bed of white sheets" for a perfume, are what stands behind the subject in their SIDs.
"""

from __future__ import annotations

import re

from sidkit.captions import SID_CASE
from sidkit.describe.cases import captions_of_case
from sidkit.inflection import pattern
from sidkit.mark import MARK, check_mark
from sidkit.subjects import Subject

_KINDS = "photo|photograph|picture|image|shot|view|close-up|painting|drawing|illustration|cartoon|sketch"
_OPENING = re.compile(rf"^(?:(?:a|an|the|this)\s+)?(?:[\w-]+\s+){{0,2}}?(?:{_KINDS})(?:\s+of\b\s*|$)", re.IGNORECASE)
_NOUN_PHRASE = re.compile(r"(?:^|\s)(?:a|an|the|my|this)(?:\s+[\w-]+){0,3}\s*$", re.IGNORECASE)  # up to [v]
_OF_STYLE = re.compile(r"\s*\bin the style of\s*$", re.IGNORECASE)


def non_subject(caption: str, class_word: str) -> str:
    """What a caption with `[v]` says of anything but the subject: "a photo of a [v] dog on a sofa" gives "on a sofa".

    What describes the subject before its class word goes with it. Of a style, "a painting of a cat in the style of [v]
    art", all that is painted is not the subject: "a cat". Raises ValueError for a caption that says nothing else.
    """
    before, behind = check_mark(caption, "caption").split(MARK)
    of_style = _OF_STYLE.search(before)
    before = _OF_STYLE.sub("", before).strip()
    before = _OPENING.sub("", before)
    if not of_style:
        before = _NOUN_PHRASE.sub("", before)
    behind = re.sub(rf"^\s*{pattern(class_word)}", "", behind, flags=re.IGNORECASE)
    rest = " ".join(f"{before} {behind}".split()).strip(" ,.;:")
    if not rest:
        raise ValueError(f"negative prompt: expected a caption that also says what is not the subject, got {caption!r}")
    return rest


def negative_prompt(subject: Subject, image: int = 0) -> str:
    """The non-subject part of the SID of one of a subject's images, counted from 0.

    One image's is enough where the images share what is undesired, as in the paper's examples, and all of them together
    would not fit into 77 tokens. ValueError for a subject without SIDs.
    """
    captions = captions_of_case(subject, SID_CASE)
    return non_subject(captions[image], subject.class_word)
