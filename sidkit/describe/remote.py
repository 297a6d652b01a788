"""Describing by the OpenAI protocol: OpenAI itself, or vLLM, Ollama, llama.cpp and others behind `base_url`.

The key comes from the environment variable OPENAI_API_KEY and goes into the request's header and nowhere else.
Retries (after 408, 409, 429, 5xx and lost connections, with growing pauses) and time-outs are the client's own.
"""

from __future__ import annotations

import base64
import io
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from sidkit.describe.answer_error import AnswerError
from sidkit.describe.answers import read_answer
from sidkit.describe.description import Description
from sidkit.describe.instructions import Instruction
from sidkit.describe.spend import Cost, Price, Prices, estimate, read_prices
from sidkit.describe.structure import schema

KEY = "OPENAI_API_KEY"
ADDRESS = "OPENAI_BASE_URL"
OPENAI = "https://api.openai.com/v1"
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
LONGEST_SIDE = 1024  # px; larger pictures are scaled down before they are sent
SMALL = 256  # px; up to here a picture is sent as PNG, above as JPEG
QUALITY = 90  # of JPEG

STRUCTURED = {"type": "json_schema", "json_schema": {"name": "description", "strict": True, "schema": schema()}}


@dataclass
class Remote:
    """A model behind the OpenAI protocol. Nothing is sent before the first picture.

    Raises ValueError without a model, and without a key where OpenAI itself is asked.
    """

    model: str = ""
    base_url: str | None = None  # of another server; OPENAI_BASE_URL says it too
    tokens: int = 400  # of an answer at most
    timeout: float = 60.0  # seconds for one try
    retries: int = 4
    prices: str | None = None  # a price table of one's own
    spent_in: int = field(default=0, init=False)  # tokens, as the server counts them
    spent_out: int = field(default=0, init=False)
    _plain: bool = field(default=False, init=False)  # the server knows no structured output

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("openai: expected the model's name, got none; say --model gpt-4.1-mini, or your server's")
        self._address = self.base_url or os.environ.get(ADDRESS) or OPENAI
        if self._is_openai and not os.environ.get(KEY):
            raise ValueError(f"openai: expected a key in the environment variable {KEY}, found none; export it")

    @property
    def _host(self) -> str:
        """The server without a user or password that its address may hold."""
        parts = urlsplit(self._address)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    @property
    def _is_openai(self) -> bool:
        return str(urlsplit(self._address).hostname).endswith("openai.com")

    @property
    def name(self) -> str:
        """The model, and the server if it is not OpenAI's."""
        return f"openai:{self.model}" + ("" if self._is_openai else f" at {self._host}")

    @cached_property
    def _client(self) -> Any:
        from openai import OpenAI

        key = os.environ.get(KEY) or "none"  # servers of one's own ask for none, the client insists
        return OpenAI(api_key=key, base_url=self._address, timeout=self.timeout, max_retries=self.retries)

    def fits(self, instruction: Instruction) -> Instruction:
        """Any instruction, but not a bare beginning, which a chat does not go on with."""
        if instruction.answer == "start":
            raise ValueError(
                "openai: expected an instruction, got the beginning 'A {class}'; use sentence or structure"
            )
        return instruction

    def describe(self, image: Image.Image, class_word: str, instruction: Instruction) -> Description:
        """Ask once. Raises AnswerError for an answer of no use, or if there is none after all retries."""
        answer = self._ask(image, instruction)
        choices = getattr(answer, "choices", None)
        message = getattr(choices[0], "message", None) if choices else None
        if message is None:
            raise AnswerError("broken")
        self._count(getattr(answer, "usage", None))
        content = self._hidden(message.content or "")
        if message.refusal or choices[0].finish_reason == "content_filter":
            raise AnswerError("refused", self._hidden(message.refusal or ""))
        if choices[0].finish_reason == "length":
            raise AnswerError("cut off", content)
        return read_answer(content, class_word, instruction, self.name)

    def cost(self, sizes: list[tuple[int, int]], instruction: Instruction) -> Cost | None:
        """The most that pictures of these sizes cost, by the price table; None for a server on this machine."""
        if urlsplit(self._address).hostname in LOCAL_HOSTS and self.prices is None:
            return None
        sent = map(_sent_size, sizes)
        return estimate(sent, instruction.text, self.tokens, self._price, self._prices.as_of)

    @property
    def paid(self) -> float:
        """Dollars so far, by the server's count of tokens and the price table; 0 where no price is known."""
        return self._price.dollars(self.spent_in, self.spent_out) if self._price else 0.0

    @cached_property
    def _prices(self) -> Prices:
        return read_prices(self.prices)

    @property
    def _price(self) -> Price | None:
        """The shipped prices are OpenAI's; for another server they say nothing."""
        priced = self._is_openai or self.prices
        return self._prices.models.get(self.model) if priced else None

    def _ask(self, image: Image.Image, instruction: Instruction) -> Any:
        import openai

        content = [
            {"type": "text", "text": instruction.text},
            {"type": "image_url", "image_url": {"url": data_url(image), "detail": "high"}},
        ]
        limit = "max_completion_tokens" if self._is_openai else "max_tokens"  # other servers know the older name
        asked = {"model": self.model, "messages": [{"role": "user", "content": content}], limit: self.tokens}
        try:
            return self._create(asked, structured=instruction.answer == "structure")
        except (openai.APIConnectionError, openai.APIStatusError) as error:
            raise AnswerError("unreachable", self._hidden(str(error))) from None  # the cause holds the request's header
        except (openai.OpenAIError, ValueError) as error:  # a body that is no JSON
            raise AnswerError("broken", self._hidden(str(error))) from None

    def _create(self, asked: dict[str, Any], *, structured: bool) -> Any:
        import openai

        if not structured or self._plain:
            return self._client.chat.completions.create(**asked)
        try:
            return self._client.chat.completions.create(**asked, response_format=STRUCTURED)
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            answer = self._client.chat.completions.create(**asked)  # if this is refused too, it was not the format
            self._plain = True
            return answer

    def _count(self, usage: Any) -> None:
        self.spent_in += getattr(usage, "prompt_tokens", 0) or 0
        self.spent_out += getattr(usage, "completion_tokens", 0) or 0

    def _hidden(self, text: str) -> str:
        """The text without the key, should a server have sent it back."""
        key = os.environ.get(KEY)
        return text.replace(key, "***") if key else text


def data_url(image: Image.Image) -> str:
    """An RGB picture as a data URL, scaled to at most 1024 px a side."""
    if max(image.size) > LONGEST_SIDE:
        image = image.resize(_sent_size(image.size))
    stream = io.BytesIO()
    kind = "png" if max(image.size) <= SMALL else "jpeg"
    image.convert("RGB").save(stream, kind, quality=QUALITY)
    data = base64.b64encode(stream.getvalue())
    return f"data:image/{kind};base64,{data.decode()}"


def _sent_size(size: tuple[int, int]) -> tuple[int, int]:
    shrink = min(1.0, LONGEST_SIDE / max(size))
    width, height = (max(1, round(side * shrink)) for side in size)
    return width, height
