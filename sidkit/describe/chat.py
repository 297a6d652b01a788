"""One question to a server of the OpenAI protocol: tries, pauses, and the forms in which servers take a question.

The client's own time-out is between two bytes, so that a server which sends blanks is never given up; here it is one of
a whole try. What stays as it is (no key, no credit, no such model) is asked once; what may pass is asked again.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sidkit.describe.address import (
    gives_away,
    host_of,
    masked,
    password_header,
    proxy_of,
    read_key,
    secrets_for,
    without_password,
)
from sidkit.describe.answer_error import AnswerError, Kind
from sidkit.describe.completion import read_completion
from sidkit.describe.server_faults import is_of_format, is_of_limit, is_page, kind_of, words_of
from sidkit.describe.structure import schema

STRUCTURED = {"type": "json_schema", "json_schema": {"name": "description", "strict": True, "schema": schema()}}
PASSING = ("busy", "failing", "too slow", "unreachable")
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds between two tries
CONNECT = 10.0  # seconds until somebody has to be there


class _Failed(AnswerError):
    """One try, with its HTTP status (0: there was none) and the seconds after which the server wants the next."""

    def __init__(self, kind: Kind, words: str, advice: str = "", *, status: int = 0, pause: float | None = None):
        super().__init__(kind, words, advice)
        self.status, self.pause = status, pause


@dataclass(frozen=True)
class _Form:
    """How a question is put."""

    limit: str  # "max_tokens", which most servers know, or OpenAI's "max_completion_tokens"
    with_schema: bool

    def other(self, error: AnswerError) -> _Form:
        """The form to try next, by what a server says of this one; the same where it says nothing of it."""
        status = getattr(error, "status", 0)
        if status and is_of_limit(error.words):
            names = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
            return _Form(names[self.limit], self.with_schema)
        if status and (is_of_format(error.words) or error.kind in ("not accepted", "failing")):
            return _Form(self.limit, with_schema=False)
        return self


@dataclass
class Chat:
    """A server, what it was found to take, and the tokens that it counted so far."""

    address: str = field(repr=False)
    model: str
    tokens: int  # of an answer at most
    timeout: float  # seconds for one try
    retries: int
    limit: str
    schema_works: bool | None = None  # None: not tried yet
    spent_in: int = field(default=0, init=False)
    spent_out: int = field(default=0, init=False)

    def ask(self, content: list[dict[str, Any]], *, structured: bool) -> str:
        """The answer to a text and a picture. Raises AnswerError, its words without what is secret."""
        from anyio.from_thread import start_blocking_portal  # in a thread: a notebook runs a loop of its own

        secrets = secrets_for(self.address)
        try:
            with start_blocking_portal() as portal:
                answer = portal.call(self._ask, content, structured)
        except AnswerError as error:
            advice = error.advice or self._advice(error.kind)
            raise AnswerError(error.kind, masked(error.words, secrets), advice) from None  # the cause has the header
        if gives_away(answer, secrets):
            raise AnswerError("secret")
        return answer

    async def _ask(self, content: list[dict[str, Any]], structured: bool) -> str:
        """In one form after the other, as long as the server says that it does not take this one."""
        async with self._client() as client:
            form, seen = _Form(self.limit, structured and self.schema_works is not False), set()
            while True:
                seen.add(form)
                try:
                    answer = await self._tries(client, self._question(content, form), form)
                except AnswerError as error:
                    form = form.other(error)
                    if form in seen:
                        raise
                else:
                    self.limit = form.limit
                    self.schema_works = form.with_schema if structured else self.schema_works
                    return answer

    def _client(self) -> Any:
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

        options = dict(
            api_key=read_key() or "none",  # servers of one's own ask for none, the client insists
            base_url=without_password(self.address),
            default_headers=password_header(self.address),
            timeout=Timeout(self.timeout, connect=min(self.timeout, CONNECT)),
            max_retries=0,
        )
        try:
            return AsyncOpenAI(**options)
        except (ImportError, ValueError) as error:  # of a proxy in the environment that the client cannot use
            if proxy_of(self.address):
                raise _Failed("proxy", f"proxy {proxy_of(self.address)}: {error}") from error
        return AsyncOpenAI(**options, http_client=DefaultAsyncHttpxClient(trust_env=False))

    def _question(self, content: list[dict[str, Any]], form: _Form) -> dict[str, Any]:
        question = {"model": self.model, "messages": [{"role": "user", "content": content}], form.limit: self.tokens}
        return question | ({"response_format": STRUCTURED} if form.with_schema else {})

    async def _tries(self, client: Any, question: dict[str, Any], form: _Form) -> str:
        """Again after a pause, as often as `retries` says, where the fault may pass."""
        import anyio

        for pause in self._pauses():
            try:
                return await self._try(client, question)
            except AnswerError as error:
                pause = _asked_for(error, pause)
                for_good = error.kind not in PASSING or error.advice
                unproven = form.with_schema and not self.schema_works and form.other(error) != form
                if for_good or unproven or pause > LONGEST_PAUSE:
                    raise
            await anyio.sleep(pause)
        return await self._try(client, question)

    def _pauses(self) -> Iterator[float]:
        for number in range(self.retries):
            yield min(FIRST_PAUSE * 2**number, LONGEST_PAUSE)

    async def _try(self, client: Any, question: dict[str, Any]) -> str:
        """One try. The client's time-out is one between two bytes, ours is one of the whole."""
        import anyio
        import openai

        try:
            with anyio.fail_after(self.timeout):
                response = await client.chat.completions.with_raw_response.create(**question)
        except TimeoutError as error:
            raise _Failed("too slow", "") from error
        except openai.APIStatusError as error:
            raise self._answered(error.response) from error
        except openai.APIConnectionError as error:
            raise self._unreached(error) from error
        completion = read_completion(response.text)
        self.spent_in += completion.tokens_in
        self.spent_out += completion.tokens_out
        return completion.text()

    def _answered(self, response: Any) -> _Failed:
        """What a status that is none of success says."""
        status, words = response.status_code, words_of(response.text)
        kind = kind_of(status, words)
        if is_page(response.text) and proxy_of(self.address):
            kind = "proxy"
        return _Failed(kind, f"{status} {words or response.reason_phrase}", status=status, pause=_pause_in(response))

    def _unreached(self, error: Exception) -> _Failed:
        """What kept a question from its server, told by the innermost of the errors."""
        causes = list(_causes(error))
        names = {type(cause).__name__ for cause in causes}
        words = next((str(cause) for cause in reversed(causes) if str(cause)), "")
        proxy = proxy_of(self.address)
        if proxy:
            return _Failed("proxy", f"proxy {proxy}: {words}")
        words = f"{host_of(self.address)}: {words}"
        if any(isinstance(cause, ssl.SSLError) for cause in causes) or "SSL" in words:
            return _Failed("unreachable", words, "no safe connection: look at its certificate, or say http://")
        late = any("Timeout" in name for name in names) and "ConnectTimeout" not in names
        return _Failed("too slow" if late else "unreachable", words)

    def _advice(self, kind: Kind) -> str:
        """The address that is most likely meant, where this one has no /v1 at its end."""
        parts = urlsplit(self.address)
        if kind in ("address", "no chat") and "/v" not in parts.path:
            path = parts.path.rstrip("/")
            meant = f"{parts.scheme}://{host_of(self.address)}{path}/v1"
            return f"no chat of OpenAI's protocol is at this address: try --base-url {meant}"
        return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _asked_for(error: AnswerError, pause: float) -> float:
    """The seconds that a server asks to wait, else `pause`."""
    asked = getattr(error, "pause", None)
    return pause if asked is None else asked


def _pause_in(response: Any) -> float | None:
    """Seconds, by the headers that servers have for it."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with suppress(ValueError, KeyError):  # a date; none
            return max(0.0, float(response.headers[name]) * unit)
    return None
