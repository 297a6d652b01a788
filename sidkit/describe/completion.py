"""The body that a server answers with: the model's text and what it took, or what is wrong with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sidkit.describe.answer_error import AnswerError
from sidkit.describe.server_faults import complaint, kind_of, words_of

STREAM = "the server sends a stream, which was not asked for: turn streaming off there"
NO_STATUS = 200


@dataclass(frozen=True)
class Completion:
    """What came of a question, and the tokens that were read and written, as the server counts them."""

    choice: dict[str, Any]
    tokens_in: int
    tokens_out: int

    def text(self) -> str:
        """The model's words. Raises AnswerError where it refuses, only thinks, or is cut off."""
        if self.choice.get("error"):
            raise _told_inside(self.choice)
        said = _text(self.choice).encode("utf-16", "surrogatepass")  # half of an emoji, which no file can hold
        return said.decode("utf-16", "replace")


def read_completion(body: str) -> Completion:
    """The completion in a body. Raises AnswerError, whose `kind` says what came in the place of one."""
    value = _parsed(body)
    choices = value.get("choices")
    if not isinstance(choices, list):
        raise _without_choices(value, body)
    choice = choices[0] if choices and isinstance(choices[0], dict) else {}
    usage = value.get("usage")
    return Completion(choice, _count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))


def _parsed(body: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        if body.lstrip().startswith(("data:", "event:", ":")):
            raise AnswerError("no chat", words_of(body), STREAM) from error
        begun = body.lstrip().startswith("{")  # and was cut off
        raise AnswerError("broken" if begun else "no chat", words_of(body)) from error
    if not isinstance(value, dict):
        raise AnswerError("no chat", words_of(body))
    return value


def _without_choices(value: dict[str, Any], body: str) -> AnswerError:
    """An error that came as if all were well, or the answer of another protocol."""
    if value.get("error") or value.get("errors") or value.get("object") == "error":
        return _told_inside(value)
    return AnswerError("no chat", words_of(body))


def _told_inside(value: dict[str, Any]) -> AnswerError:
    error = value.get("error")
    code = error.get("code") if isinstance(error, dict) else value.get("code")
    words = complaint(value) or json.dumps(value)
    known = str(code).isdigit() and int(code) >= 400
    kind = kind_of(int(code) if known else NO_STATUS, words)
    return AnswerError("failing" if kind == "not accepted" and not known else kind, words)


def _text(choice: dict[str, Any]) -> str:
    message = choice.get("message") or choice.get("delta") or {"content": choice.get("text")}
    if not isinstance(message, dict):
        message = {"content": message}
    content, finish = message.get("content"), choice.get("finish_reason")
    text, refusal = _joined(content, "text"), _joined(message.get("refusal"), "text") or _joined(content, "refusal")
    if refusal or finish == "content_filter":
        raise AnswerError("refused", refusal or text)
    if not text.strip():
        raise _nothing_said(message)
    if finish == "length":
        raise AnswerError("cut off", text)
    return text


def _nothing_said(message: dict[str, Any]) -> AnswerError:
    names = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
    thoughts = [_joined(message.get(name), "text") for name in names] + [_joined(message.get("content"), "thinking")]
    for thought in filter(None, thoughts):
        return AnswerError("only thoughts", thought)
    if message.get("tool_calls"):
        return AnswerError("broken", json.dumps(message["tool_calls"]))
    return AnswerError("empty")


def _joined(content: Any, name: str) -> str:
    """The texts of one kind in a content, which is one text, a part, or a list of parts.

    A part has its text under the name of its kind: {"type": "text", "text": "A dog"}.
    """
    if isinstance(content, str):
        return content if name == "text" else ""
    if isinstance(content, list):
        return "".join(_joined(part, name) for part in content)
    if not isinstance(content, dict):
        return ""
    inside = content.get(name) or (content.get("value") if name == "text" else None)
    return _joined(inside, "text")


def _count(usage: Any, name: str) -> int:
    count = usage.get(name) if isinstance(usage, dict) else 0
    return count if isinstance(count, int) and count > 0 else 0
