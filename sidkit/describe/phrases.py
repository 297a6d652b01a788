"""Phrases that can follow "a dog" in a caption: "next to a ball" can; "a ball" is joined by a word that is always true.

after_noun("a blue ball", "dog")     ->  "with a blue ball"
in_place("a sandy beach", "dog")     ->  "with a sandy beach in the background"
in_pose("The dog is sitting", "dog") ->  "sitting"
"""

from __future__ import annotations

import re

from sidkit.inflection import pattern, with_article

WITH = "with "
_PREPOSITION = (
    "(?:about|above|across|after|against|along|alongside|amid|amidst|among|amongst|around|as|at|atop|before|behind|below|"
    "beneath|beside|besides|between|beyond|by|during|facing|for|from|in|inside|into|like|near|of|off|on|onto|opposite|"
    "indoors|outdoors|out|outside|over|past|through|to|toward|towards|under|underneath|upon|via|with|within|without|"
    "adjacent|that|which|upright|outstretched)"
)
_PLACED = "next to|close (?:to|by)|nearby to|up (?:on|in|at|against)|down (?:on|in|at)|(?:left|right|ahead|instead) of"
# Participles that take the thing itself ("wearing a hat"), and those that stand before a preposition.
_TAKING = (
    "wearing|holding|carrying|facing|eating|watching|chasing|touching|pulling|pushing|riding|wielding|licking|biting|"
    "sporting|using|reading|displaying|showing|featuring|containing|covering|overlooking|including|bearing|hugging|"
    "gripping|drinking|having|playing|surrounding"
)
_IRREGULAR = (
    "seen|taken|shown|driven|hidden|woven|worn|torn|lit|held|hung|set|put|made|caught|kept|left|laid|bound|drawn"
)
# Nouns, and a color, that end as participles do.
_NOUN = re.compile(
    "(?:ring|string|king|wing|building|painting|ceiling|clothing|earring|swing|spring|thing|evening|morning|railing|"
    "bedding|awning|icing|stocking|lightning|sling|wedding|bed|shed|seed|weed|reed|sled|bread|thread|red|seabed|flatbed|"
    r"drawing|flooring|carving|offspring)\b",
    re.IGNORECASE,
)
_JOINED = re.compile(rf"(?:{_PREPOSITION}|{_PLACED}|{_TAKING})\b", re.IGNORECASE)
_BEFORE_PREPOSITION = rf"(?=\s*$|\s+(?:\w+ly\s+)?(?:{_PREPOSITION}|up|down|next|close|and|a|an|the)\b)"
_HOW = r"(?:\w+ly\s+|half[- ]|well[- ])?"
_PARTICIPLE = re.compile(rf"{_HOW}(?:\w+(?:ing|ed)|{_IRREGULAR})\b{_BEFORE_PREPOSITION}", re.IGNORECASE)
_DETERMINED = re.compile(r"(?:an?|the|two|three|four|five|some|several|many|his|her|its|their)\s", re.IGNORECASE)
_IS = r"(?:is|are|appears? to be|seems? to be)\s+"
_FINITE = r"(?!is\b|as\b|this\b)\w+[^s\W]s\b"  # sits, wears
_ABOUT_PLACE = re.compile(
    rf"^(?:the background\s+(?:{_IS}|{_FINITE}\s+)|in the background,?\s+(?:there\s+)?(?:{_IS})?)", re.IGNORECASE
)
# What a background is, where no noun is said.
_ONLY_ADJECTIVES = re.compile(
    r"(?:(?:plain|solid|simple|neutral|blurred|blurry|light|dark|soft|natural|white|black|gr[ae]y|blue|green|red|pink|"
    r"yellow|brown|beige|orange|purple|outdoor|indoor|transparent)(?:,?\s+|$))+$",
    re.IGNORECASE,
)
_NAMED_VIEW = re.compile(r".*\b(?:view|profile|pose|position|posture|angle)$", re.IGNORECASE)
_ACTS = r"(?:holds|wears|sits|stands|carries|lies|looks|plays|rests|faces|has|hangs|leans|walks|runs|sleeps|floats)\b"
_BACKGROUND = re.compile(r"\b(?:background|backdrop)\b", re.IGNORECASE)
_LOOKS_END = re.compile(rf"(?:^|\s+)(?:{_PREPOSITION}|has|have|is|are|who)\b.*", re.IGNORECASE)


def after_noun(phrase: str, class_word: str) -> str:
    """A phrase for a thing, to stand behind the class word; a bare noun phrase gets "with" before it."""
    phrase = without_subject(phrase, class_word)
    return phrase if not phrase or _joins(phrase) else WITH + phrase


def in_place(phrase: str, class_word: str) -> str:
    """A phrase for the place; a bare noun phrase is said to be in the background, which it is wherever it is."""
    phrase = _ABOUT_PLACE.sub("", without_subject(phrase, class_word))
    if not phrase or _joins(phrase):
        return phrase
    if _BACKGROUND.search(phrase):
        return WITH + phrase
    if _ONLY_ADJECTIVES.match(phrase):
        return WITH + with_article(f"{phrase} background")
    place, comma, more = phrase.partition(",")
    return f"{WITH}{place} in the background{comma}{more}"


def in_pose(phrase: str, class_word: str) -> str:
    """A phrase for what the subject does: "a sitting pose" is "in a sitting pose"."""
    phrase = without_subject(phrase, class_word)
    named = _DETERMINED.match(phrase) or (_NAMED_VIEW.match(phrase) and not _joins(phrase))
    return f"in {phrase}" if named else phrase


def in_style(phrase: str) -> str:
    """A phrase for how the picture is made: "cartoon" is "in cartoon style"."""
    if not phrase or _joins(phrase) or _DETERMINED.match(phrase):
        return phrase
    return f"in {phrase}" if phrase.lower().endswith("style") else f"in {phrase} style"


def in_list(phrases: list[str]) -> tuple[str, ...]:
    """Phrases one behind the other; "with a ball", "with a kite" become "with a ball", "and a kite"."""
    listed: list[str] = []
    for before, phrase in zip(["", *phrases], phrases):
        phrase = re.sub(rf"^{WITH}and ", WITH, phrase)
        again = before.startswith(WITH) and phrase.startswith(WITH)
        listed.append("and " + phrase.removeprefix(WITH) if again else phrase)
    return tuple(listed)


def looks(text: str, class_word: str) -> str:
    """Looks that can stand before the class word: "a small brown dog with long ears" becomes "small brown"."""
    alone = without_subject(text, class_word)
    without_article = re.sub(r"^(an?|the)\s+", "", alone, flags=re.IGNORECASE)
    before, *_ = re.split(pattern(class_word), without_article, maxsplit=1, flags=re.IGNORECASE)
    return _LOOKS_END.sub("", before).strip(" ,")


def without_subject(phrase: str, class_word: str) -> str:
    """A phrase that is a sentence on the subject, without it: "The dog is sitting" is "sitting"."""
    if re.fullmatch(rf"(?:(?:the|this|an?)\s+)?{pattern(class_word)}", phrase, re.IGNORECASE):
        return ""
    subject = rf"^(?:(?:(?:the|this|an?|its?)\s+)?{pattern(class_word)}\s+|it\s+)?"
    phrase = re.sub(rf"{subject}{_IS}", "", phrase, flags=re.IGNORECASE)
    subject = subject.removesuffix("?")
    phrase = re.sub(rf"{subject}(?={_FINITE})", "that ", phrase, flags=re.IGNORECASE)
    phrase = re.sub(rf"^(?={_ACTS})", "that ", phrase, flags=re.IGNORECASE)
    phrase = re.sub(rf"{subject}(?=\w+ing\b)", "", phrase, flags=re.IGNORECASE)
    begins_small = _joins(phrase) or _DETERMINED.match(phrase)
    return phrase[:1].lower() + phrase[1:] if begins_small else phrase


def _joins(phrase: str) -> bool:
    """Whether a phrase can follow a noun as it is."""
    if _DETERMINED.match(phrase) or _NOUN.match(phrase):
        return False
    return bool(_JOINED.match(phrase) or _PARTICIPLE.match(phrase))
