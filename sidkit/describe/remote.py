"""Describing by the OpenAI protocol: OpenAI itself, or vLLM, Ollama, llama.cpp and others behind `base_url`.

The key comes from the environment variable OPENAI_API_KEY and goes into the request's header and nowhere else.
"""

from __future__ import annotations

import base64
import io
import os
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from PIL import Image

from sidkit.describe.address import KEY, host_of, read_address, read_key
from sidkit.describe.answers import read_answer
from sidkit.describe.chat import Chat
from sidkit.describe.description import Description
from sidkit.describe.instructions import Instruction
from sidkit.describe.spend import Cost, Price, Prices, estimate, read_prices

ADDRESS = "OPENAI_BASE_URL"
OPENAI = "https://api.openai.com/v1"
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1", "0.0.0.0")
LONGEST_SIDE = 1024  # px; larger pictures are scaled down before they are sent
SMALL = 256  # px; up to here a picture is sent as PNG, above as JPEG
QUALITY = 90  # of JPEG


@dataclass
class Remote:
    """A model behind the OpenAI protocol. Nothing is sent before the first picture.

    Raises ValueError without a model, and without a key where OpenAI itself is asked.
    """

    model: str = ""
    base_url: str | None = field(default=None, repr=False)  # of another server; OPENAI_BASE_URL says it too
    tokens: int = 400  # of an answer at most
    timeout: float = 60.0  # seconds for one try
    retries: int = 4
    prices: str | None = None  # a price table of one's own

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("openai: expected the model's name, got none; say --model gpt-4.1-mini, or your server's")
        self._address = read_address(self.base_url or os.environ.get(ADDRESS) or OPENAI)
        if not read_key() and self._is_openai:
            raise ValueError(f"openai: expected a key in the environment variable {KEY}, found none; export it")

    @property
    def _is_openai(self) -> bool:
        return str(urlsplit(self._address).hostname).endswith("openai.com")

    @property
    def name(self) -> str:
        """The model, and the server if it is not OpenAI's."""
        return f"openai:{self.model}" + ("" if self._is_openai else f" at {host_of(self._address)}")

    @cached_property
    def _chat(self) -> Chat:
        limit = "max_completion_tokens" if self._is_openai else "max_tokens"
        return Chat(self._address, self.model, self.tokens, self.timeout, self.retries, limit)

    def fits(self, instruction: Instruction) -> Instruction:
        """Any instruction, but not a bare beginning, which a chat does not go on with."""
        if instruction.answer == "start":
            raise ValueError(
                "openai: expected an instruction, got the beginning 'A {class}'; use sentence or structure"
            )
        return instruction

    def describe(self, image: Image.Image, class_word: str, instruction: Instruction) -> Description:
        """Ask once. Raises AnswerError for an answer of no use, or if there is none after all retries."""
        content = [
            {"type": "text", "text": instruction.text},
            {"type": "image_url", "image_url": {"url": data_url(image), "detail": "high"}},
        ]
        answer = self._chat.ask(content, structured=instruction.answer == "structure")
        return read_answer(answer, class_word, instruction, self.name)

    def cost(self, sizes: list[tuple[int, int]], instruction: Instruction) -> Cost | None:
        """The most that pictures of these sizes cost, by the price table; None for a server on this machine."""
        if urlsplit(self._address).hostname in LOCAL_HOSTS and self.prices is None:
            return None
        sent = map(_sent_size, sizes)
        return estimate(sent, instruction.text, self.tokens, self._price, self._prices.as_of)

    @property
    def paid(self) -> float:
        """Dollars so far, by the server's count of tokens and the price table; 0 where no price is known."""
        return self._price.dollars(self._chat.spent_in, self._chat.spent_out) if self._price else 0.0

    @cached_property
    def _prices(self) -> Prices:
        return read_prices(self.prices)

    @property
    def _price(self) -> Price | None:
        """The shipped prices are OpenAI's; for another server they say nothing."""
        priced = self._is_openai or self.prices
        return self._prices.models.get(self.model) if priced else None


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
