"""Answers that are about the question and not about the picture: refusals, a picture not seen, words to the asker.

English only, as the instructions are. What stands in quotation marks in a caption (a sign that says "I can't see you")
is a part of the picture and is not read.
"""

from __future__ import annotations

import re
from typing import Literal


def _any_of(*patterns: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile("|".join(patterns), flags)


_PICTURE = r"(?:images?|pictures?|photo(?:graph)?s?|attachments?|files?|visuals?|visual content|links?)"
_NOT = (
    r"(?:can ?not|can't|couldn't|could not|unable to|not able to|do not|does not|don't|doesn't|no way to|never|"
    r"incapable of)"
)
_SEE = (
    r"(?:see|seeing|view|viewing|access|open|load|process|display|perceive|look at|analy[sz]e|receive|find|interpret|"
    r"have access to|have (?:the )?(?:ability|capability|capacity) to)"
)
_COME = (
    r"(?:attached|provided|uploaded|included|shared|given|received|visible|sent|supplied|available|come through|"
    r"load(?:ed)?|display(?:ed)?|supported|here)"
)
_FAILED = r"(?:did not|didn't|failed to|has not|hasn't|was not|wasn't|is not|isn't)"
_SENT = r"(?:share|upload|attach|provide|send|resend|re-upload|paste)"
_FEW = r"(?:[\w'-]+ ){0,4}"  # words between

NO_PICTURE = _any_of(
    rf"\b{_NOT} {_FEW}{_SEE} {_FEW}{_PICTURE}\b",
    rf"\b(?:no|not? any|any) {_PICTURE} {_FEW}{_COME}\b",
    rf"\b{_PICTURE} (?:could|can)(?: not|not|n't) be (?:loaded|opened|displayed|seen|viewed|processed|accessed|read)\b",
    rf"\bthere (?:is|was|seems to be|appears to be) no {_PICTURE}(?:$|[.,;!?])",
    rf"\bwithout {_FEW}(?:seeing|access to|the) {_FEW}{_PICTURE}\b",
    rf"\b{_PICTURE} {_FEW}{_FAILED} {_FEW}{_COME}\b",
    rf"\b{_PICTURE} (?:(?:is|was|seems|appears)(?: to be)? )?(?:missing|corrupted|broken|unavailable|not there)\b",
    rf"\b(?:please|could you|can you|kindly)\b[^.?!]{{0,40}}\b{_SENT}\b",
    r"\btext[- ](?:based|only)\b[^.?!]{0,30}\b(?:ai|model|assistant|language)\b",
)

_DO = (
    r"(?:describ|assist|help|provid|comply|identif|discuss|fulfil|process|generat|analy[sz]|answer|continu|produc|creat|"
    r"shar|respond|caption|see|engag|recogni[sz]|determin|tell|comment|complet|writ|view|do that|do this)\w*"
)
_WILL_NOT = (
    r"(?:can ?not|can't|could not|couldn't|not able to|unable to|not possible to|won't|will not|must not|may not|"
    r"would rather not|not going to|decline to|refuse to|prefer not to)"
)
_NOT_FIT = r"not (?:appropriate|comfortable|allowed|permitted|safe)"

REFUSED = _any_of(
    r"^\W*(?:i am|i'm|we are|we're) (?:\w+ )?(?:sorry|unable|afraid|not able|not allowed)\b",
    r"^\W*(?:sorry|(?:my |our )?(?:\w+ )?apologies|unfortunately|regrettably|cannot|can not|can't)\b",
    r"^\W*(?:(?:unable|not able) to|error|n/?a|no (?:description|caption|comment)|no[.,!]? (?:i|sorry))\b",
    r"^\W*request (?:was )?(?:denied|refused|blocked|rejected)\b",
    r"^\W*(?:content|safety) (?:policy|warning|filter|violation|removed|blocked|hidden)\b",
    r"\bprevent\w* me\b",
    r"\bas an? (?:\w+ ){0,3}(?:ai|language model|assistant|chatbot)\b",
    r"\b(?:i|we) (?:must |have to )?(?:decline|refuse|refrain|apologi[sz]e)\b",
    rf"\b{_WILL_NOT} {_FEW}{_DO}\b",
    rf"\b{_NOT_FIT} {_FEW}{_DO}\b",
    r"\b(?:cannot|can't|not) (?:be )?(?:\w+ )?(?:described|identified|fulfilled|shared|shown|discern\w+|made out)\b",
    r"\b(?:against|violat\w+|breach\w*|due to|under|by) (?:\w+ ){0,3}(?:policy|policies|guidelines)\b",
)

_OF_MIND = (
    r"(?:am|can|can't|cannot|could|do|don't|did|didn't|have|haven't|will|won't|would|was|see|think|believe|hope|must|"
    r"should|need|want|understand|notice|regret|wish|know|may|might|assume|guess|left|avoided|tried|described|kept|made|"
    r"wrote)"
)
_NOT_LOOKED_AT = r"(?<!thank )(?<!thank-)(?<!\bat )(?<!toward )(?<!towards )(?<!\bto )(?<!facing )"

TO_ASKER = _any_of(
    rf"\b(?:I'(?:m|ve|d|ll)|I {_OF_MIND})\b",
    r"\b(?:as|let) me\b",
    rf"{_NOT_LOOKED_AT}\b[Yy]ou(?:r|'re|'d|'ll|'ve)?\b",
    r"^\W*(?:[Hh]ope (?:this|that|it)|[Ff]eel free|[Pp]lease|[Nn]ote|[Ii]f needed|[Dd]isclaimer|[Ee]njoy|[Tt]hanks?)\b",
    r"^\W*(?:[Ii]s there anything|[Nn]eed (?:anything|more)|[Hh]ere(?: is|'s| are))\b",
    r"^\W*(?:[Tt]his (?:caption|description|sentence|answer)|[Tt]he (?:above|caption|description|sentence))\b",
    r"^\W*(?:\d+ words|[Ww]ord count|[Ee]nd of|[Aa]s (?:requested|instructed|asked)|[Pp]er the instruction\w*)\b",
    flags=re.NOFLAG,  # "I" is the model, "i" may be anything
)

# What stands in the place of words that were never put in.
UNFILLED = re.compile(
    r"\[[\w' ]+\]|\{[\w' ]+\}|\((?:insert|your|see) [^)]*\)",
    re.IGNORECASE,
)

_QUOTED = re.compile(r"\"[^\"]{1,200}\"|(?<!\w)'(?=\w)[^'\"]{1,200}(?<=[\w.!?,])'(?!\w)")
_WRITTEN = re.compile(
    r"\b(?:say\w*|read\w*|label\w*|writ\w+|titled?|words?|sign|text|inscri\w+|letter\w*|phrase|slogan|message|logo|poster|"
    r"print\w*|spell\w*|mark\w*|name\w*|called|caption\w*|book|card|shirt|mug|banner)\b[^\"]{0,25}$",
    re.IGNORECASE,
)
SHORT = 3  # words in quotation marks that may stand anywhere: a "thank you" card
PLAIN_QUOTES = str.maketrans("’‘ʼ´`′“”„«»", "''''''" + '"' * 5)


def objection(text: str) -> Literal["no picture", "refused"] | None:
    """Whether a text says that no picture was seen, or that the model will not do it; None for one that does not."""
    read = _unquoted(text)
    if NO_PICTURE.search(read):
        return "no picture"
    return "refused" if REFUSED.search(read) else None


def to_asker(text: str) -> bool:
    """Whether a sentence speaks to who asks, or of the model: "Let me know ...", "I left out ...", "Would you ...?"."""
    return TO_ASKER.search(_unquoted(text)) is not None


def denies(text: str, class_noun: str) -> bool:
    """Whether a text says that the subject, a pattern, is not in the picture."""
    absent = r"(?:present|visible|shown|seen|depicted|pictured|there|in (?:the|this) (?:image|picture|photo))"
    denial = (
        rf"\b(?:no|not|n't|without)\b(?: \w+){{0,2}} (?:an? |any |the )?{class_noun}|\bno {class_noun}|"
        rf"{class_noun} (?:is|are|was|were|can)(?: not|n't|not) (?:\w+ )?(?:be )?{absent}\b"
    )
    first, *_ = re.split(r"[.!?]\s", text)
    found = re.search(class_noun, first, re.IGNORECASE)
    denied = re.search(denial, first.translate(PLAIN_QUOTES), re.IGNORECASE)
    return bool(found and denied and denied.start() <= found.start() <= denied.end())


def _unquoted(text: str) -> str:
    """In plain quotation marks; those around the whole are gone, and so is what is written in the picture."""
    text = text.translate(PLAIN_QUOTES).strip()
    if len(text) > 1 and text[0] in "\"'" and text.rstrip(".!")[-1:] == text[0]:
        text = text.strip("\"'. ")
    return _QUOTED.sub(lambda quoted: _read(quoted, text), text)


def _read(quoted: re.Match[str], text: str) -> str:
    short = len(quoted.group().split()) <= SHORT
    in_the_picture = short or _WRITTEN.search(text[: quoted.start()])
    return '""' if in_the_picture else quoted.group()
