"""What describing costs, known before the first call: pictures x tokens x price.

Prices change: `prices.yaml` says from when its are, and a file of one's own takes its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sidkit.inflection import counted

PRICES = Path(__file__).parent / "prices.yaml"
LETTERS_A_TOKEN = 3.5  # of English, on the safe side
OVERHEAD = 30  # tokens around a question
LONGEST_SIDE, SHORTER_SIDE, TILE, PATCH = 2048, 768, 512, 32  # px, as the pricing pages say


@dataclass(frozen=True)
class Cost:
    """What a number of questions takes at most. `dollars` is None where no price is known."""

    pictures: int
    tokens_in: int
    tokens_out: int
    dollars: float | None
    as_of: str = ""

    def __str__(self) -> str:
        many = counted(self.pictures, "picture")
        tokens = f"about {self.tokens_in:,} tokens to read and at most {self.tokens_out:,} to write"
        if self.dollars is None:
            return f"{many}: {tokens}; no price is known for this model (give one with --prices)"
        return f"{many}: {tokens}, at most ${self.dollars:.4f} by the prices of {self.as_of}"


@dataclass(frozen=True)
class Price:
    """Of one model: dollars for a million tokens, and how pictures are counted."""

    input: float
    output: float
    tiles: Mapping[str, float] | None = None
    patches: Mapping[str, float] | None = None

    def dollars(self, tokens_in: int, tokens_out: int) -> float:
        """What so many tokens cost."""
        return (tokens_in * self.input + tokens_out * self.output) / 1e6

    def picture(self, width: int, height: int) -> int:
        """Tokens that a picture counts as."""
        shrink = min(1, LONGEST_SIDE / max(width, height))
        width, height = width * shrink, height * shrink
        if self.patches:
            count = math.ceil(width / PATCH) * math.ceil(height / PATCH)
            return math.ceil(min(count, self.patches["most"]) * self.patches["factor"])
        if self.tiles:
            shrink = min(1, SHORTER_SIDE / min(width, height))
            tiles = math.ceil(width * shrink / TILE) * math.ceil(height * shrink / TILE)
            return math.ceil(self.tiles["base"] + self.tiles["each"] * tiles)
        return 0


def read_prices(path: Path | str | None = None) -> tuple[dict[str, Price], str]:
    """Prices by model, and their date. Raises ValueError for a file that cannot be read so."""
    path = Path(path or PRICES)
    if not path.is_file():
        raise ValueError(f"prices: expected a YAML file at {path}, found none")
    told: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        return {str(name): Price(**price) for name, price in told["models"].items()}, str(told.get("as_of", "?"))
    except (TypeError, KeyError, AttributeError) as error:
        example = "{models: {NAME: {input: 2.5, output: 10, tiles: {base: 85, each: 170}}}}"
        raise ValueError(f"{path}: expected {example}, {error}") from error


def estimate(
    sizes: Iterable[tuple[int, int]], instruction: str, answer_tokens: int, price: Price | None, as_of: str = ""
) -> Cost:
    """The most that one question about each picture takes. `sizes` are (width, height) in px, as they are sent."""
    sizes = list(sizes)
    words = math.ceil(len(instruction) / LETTERS_A_TOKEN) + OVERHEAD
    seen = sum(price.picture(*size) for size in sizes) if price else 0
    tokens_in, tokens_out = seen + words * len(sizes), answer_tokens * len(sizes)
    return Cost(len(sizes), tokens_in, tokens_out, price.dollars(tokens_in, tokens_out) if price else None, as_of)


def check_spend(cost: Cost, limit: float | None) -> None:
    """Raise ValueError if the cost is over `limit` dollars, or if it is not known and no limit was given."""
    if cost.dollars is None:
        if limit is None:
            raise ValueError(f"{cost}; say --spend-at-most DOLLARS to go on all the same, or give its price")
        return
    if limit is None and cost.dollars > 0:
        raise ValueError(
            f"{cost}; expected a limit, got none: say --spend-at-most {math.ceil(cost.dollars * 100) / 100:.2f}"
        )
    if limit is not None and cost.dollars > limit:
        raise ValueError(
            f"{cost}; expected at most ${limit:.4f}: take fewer pictures, another model, or a higher limit"
        )
