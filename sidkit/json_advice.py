"""What to do where JSON that a person wrote ends to be JSON: editors, other formats and people have their habits."""

from __future__ import annotations

import json
import re

from sidkit.shown import shown

SHOWN = 30  # letters of what stands there
HABITS = {  # what stands at the place, and what to do
    r"\Z": "it ends too early: write the rest, or take the file from a backup",
    r".?\0": "save it as UTF-8",
    "```": "take the fence out",
    r"[“”„‟«»‘’‚'`]": 'write straight double quotes, "',
    r"//|/\*|#": "take the comment out: JSON has none",
    r",\s*[\]}]": "take out the comma before the bracket",
    r"[\x01-\x1f]": r"write \n for an end of line and \t for a tab",
    r"(?:None|True|False|undefined|yes|no)\b": "write null, true or false",
}


def json_advice(error: json.JSONDecodeError) -> str:
    """What to do at the place where `json` met what it did not expect."""
    text, place = error.doc, error.pos
    there = text[place:]
    shown_there = shown(there[:SHOWN])
    if error.msg.startswith("Unterminated string"):
        return f"close the text {shown_there}"
    if error.msg == "Extra data":
        return f"take out what follows, {shown_there}"
    if text[:place].rstrip().endswith(",") and there.lstrip()[:1] in ("]", "}"):
        there = f",{there}"  # Python 3.13 names the comma by itself
    advice = (told for pattern, told in HABITS.items() if re.match(pattern, there) or re.match(pattern, there.lstrip()))
    return next(advice, f"mend what is before {shown_there}")
