"""What is wrong between us and a server, by the status and the words that it answers with."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

from sidkit.describe.answer_error import Kind
from sidkit.describe.plain_words import clean

WORDS = 2_000  # letters of a server's message that are read

# Words of each kind, a pattern a line. The first kind whose words are said; the status decides only where none is.
BY_WORDS: dict[Kind, str] = {
    "refused": r"""
content[ _](policy|management|filter)
violat\w* (\w+ ){0,4}polic|PolicyViolation|\bprohibited content
safety (system|filter|settings)|\bmoderation\b|\bflagged\b|legal reasons
""",
    "busy": r"""
rate[ _-]?limit|per (minute|second)|too many (concurrent )?requests|overloaded|at capacity
""",
    "quota": r"""
(insufficient|not enough|out of|no|more)[ _]?(quota|credit|balance|fund)
current quota|quota (exceeded|exhausted)|resource[ _]exhausted|\bbilling\b|payment required
(credit|balance)\w* (\w+ ){0,3}(too )?low|(spend\w*|budget|usage|key) (limit|cap)\b|budget has been exceeded
""",
    "no vision": r"""
(not|n't) (\w+ ){0,2}(support|supporting|accept|allow|a|have|take) (\w+ ){0,2}(images?|image_url|vision|multi-?modal)\b
image(s|_url)?( inputs?| content)?( is| are)? (not |un)(supported|allowed|available)
no endpoints found that support image|only (supports?|accepts?) text|text[- ]only|at most 0 image
multi-?modal \w+ (is|are) (not|disabled)|mmproj|image_url is only supported|invalid content type.*image_url
unknown variant `?image_url|unsupported content part|unexpected item type in content
(content|value)\W+must be a string|input should be a valid string
""",
    "too large": r"""
too (large|big|long|many tokens)|context[ _](length|window|size)|maximum context|entity too large|payload
exceed(s|ed)? (\w+ ){0,5}(context|size|limit|maximum|max\w*|length|\d+ ?MB)
""",
    "key": r"""
(invalid|incorrect|wrong|missing|no|bad|expired|revoked|malformed)[ _]([\w-]+[ _])?(x-)?(api[ _-]?key|auth\w*|token)\b
api[ _-]?key[ _](\w+ ){0,4}(not valid|invalid|incorrect|expired|missing|required|not provided)
(not|un)[ -]?auth(enticated|orized)\b|provide (an|your) api[ _-]?key
""",
    "unknown model": r"""
models?\b.{0,120}?(\bnot (be |currently )?(found|exist|available|loaded|served|recogni[sz]ed)|n't (exist|found))
model\b.{0,120}?\b(is not (a valid|available|found|supported)|unknown|unavailable|deprecated|decommissioned|retired)\b
(unknown|no such|invalid|no|unsupported|unrecogni[sz]ed|not found:|not_found:|not find) model\b|model is required
no models? loaded|deployment\b.*not exist|not a valid model|model_not_found|pulling it first
""",
}
BY_STATUS: dict[int, Kind] = {
    401: "key",
    402: "quota",
    403: "forbidden",
    404: "address",
    405: "address",
    407: "proxy",
    408: "too slow",
    410: "address",
    413: "too large",
    429: "busy",
    451: "refused",
    504: "too slow",
    529: "busy",
}
LIMIT = re.compile(r"max_(completion_)?tokens", re.IGNORECASE)
FORMAT = re.compile(r"response_format|json_schema|structured output|grammar|guided", re.IGNORECASE)
NOT_TAKEN = re.compile(
    r"(not|n't|un)[ -]?(supported|recogni[sz]ed|permitted|allowed|known|expected|accepted)|not support|\bextra\b|"
    r"instead|replaced|please use|no longer|deprecated|invalid (param|arg|field|request arg)",
    re.IGNORECASE,
)


def kind_of(status: int, words: str) -> Kind:
    """The kind of a fault: told by the words where they tell it, else by the status."""
    if status in (401, 407):
        return BY_STATUS[status]
    for kind, patterns in BY_WORDS.items():
        if any(re.search(pattern, words[:WORDS], re.IGNORECASE) for pattern in patterns.split("\n") if pattern):
            return kind
    return BY_STATUS.get(status) or ("failing" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "not accepted")


def is_of_limit(words: str) -> bool:
    """Whether a server says that it does not take the limit of tokens under this name."""
    return bool(LIMIT.search(words) and NOT_TAKEN.search(words))


def is_of_format(words: str) -> bool:
    """Whether a server speaks of the structured output that it was asked for."""
    return bool(FORMAT.search(words))


def is_page(body: str) -> bool:
    """Whether a web page came back."""
    return bool(re.match(r"\s*<(!doctype|html|head|body|\?xml|h1|center)\b", body, re.IGNORECASE))


def words_of(body: str) -> str:
    """What a server says in a body: the message in its JSON, the text of a page, or all of it."""
    try:
        told = complaint(json.loads(body))
    except (ValueError, RecursionError):
        told = clean(body[:WORDS]) if is_page(body) else ""
    return told or " ".join(body[:WORDS].split())


def complaint(value: Any) -> str:
    """The message of an error object, wherever servers have it; "" for what is none."""
    if isinstance(value, str):
        return " ".join(value[:WORDS].split())
    if isinstance(value, list):
        return " ".join(filter(None, map(complaint, value[:3])))
    if not isinstance(value, dict):
        return ""
    said = [complaint(value.get(name)) for name in ("error", "errors", "message", "detail", "msg")]
    told = " ".join(filter(None, said))
    code = value.get("code") or value.get("type")
    return f"{told} ({code})" if told and isinstance(code, str) else told
