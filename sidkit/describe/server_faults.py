"""What is wrong between us and a server, by the status and the words that it answers with."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

from sidkit.describe.answer_error import Kind
from sidkit.describe.plain_words import clean

WORDS = 2_000  # letters of a server's message that are read

# The first whose words are said; the status decides only where none is.
BY_WORDS: tuple[tuple[Kind, str], ...] = (
    ("refused", r"content[ _](policy|management|filter)|safety system|moderation|\bflagged\b|prohibited content"),
    (
        "quota",
        r"insufficient[ _]?(quota|credit|balance|fund)|current quota|quota (exceeded|exhausted)|\bbilling\b|"
        r"out of credit|(credit|balance)\w* (\w+ ){0,3}(too )?low|no credits|payment required|"
        r"(spend\w*|budget|usage) (limit|cap)|budget has been exceeded",
    ),
    (
        "no vision",
        r"(not|n't) (\w+ ){0,2}(supporting|support|accept|allow|a|have|take|capable of) (\w+ ){0,2}"
        r"(images?|vision|multi-?modal|pictures?)\b|no endpoints found that support image|only supports? text|"
        r"text[- ]only|unknown variant `?image_url|mmproj|image_url is only supported|content must be a string|"
        r"input should be a valid string|invalid content type.*image_url|"
        r"image(s|_url)?( inputs?| content)?( is| are)? (not |un)(supported|allowed|available)",
    ),
    (
        "too large",
        r"too (large|big|long|many tokens)|context[ _](length|window|size)|maximum context|exceeds? (\w+ ){0,5}"
        r"(context|size|limit|maximum|length)|entity too large|payload",
    ),
    (
        "key",
        r"(invalid|incorrect|wrong|missing|no|bad|expired|revoked|malformed)[ _](\w+[ _])?"
        r"(api[ _-]?key|auth\w*|token)\b|"
        r"api[ _-]?key (\w+ ){0,4}(not valid|invalid|incorrect|expired|missing|required|not provided)|"
        r"(not|un)[ -]?auth(enticated|orized)\b|provide (an|your) api[ _-]?key",
    ),
    (
        "unknown model",
        r"models?\b.{0,120}?(\bnot (be )?(found|exist|available|loaded|served|recogni[sz]ed)|n't (exist|found)|"
        r"\bis not (a valid|available|found)|\b(unknown|unavailable|deprecated|decommissioned|retired)\b)|"
        r"(unknown|no such|invalid|no|unsupported|unrecogni[sz]ed) model\b|no models? loaded|deployment\b.*not exist|"
        r"not a valid model|model_not_found|pulling it first",
    ),
    ("busy", r"rate[ _-]?limit|too many requests|overloaded|at capacity|resource[ _]exhausted"),
)
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
    504: "too slow",
    529: "busy",
}
LIMIT = re.compile(r"max_(completion_)?tokens", re.IGNORECASE)
FORMAT = re.compile(r"response_format|json_schema|structured output|grammar|guided", re.IGNORECASE)
NOT_TAKEN = re.compile(
    r"(not|n't|un)[ -]?(supported|recogni[sz]ed|permitted|allowed|known|expected|accepted)|not support|\bextra\b|"
    r"instead|no longer|deprecated|invalid (param|arg|field|request arg)",
    re.IGNORECASE,
)


def kind_of(status: int, words: str) -> Kind:
    """The kind of a fault: told by the words where they tell it, else by the status."""
    if status in (401, 407):
        return BY_STATUS[status]
    for kind, pattern in BY_WORDS:
        if re.search(pattern, words[:WORDS], re.IGNORECASE):
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
