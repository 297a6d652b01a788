"""What describing costs, known before the first call: pictures x tokens x price.

Prices change: `prices.yaml` says from when its are, and a file of one's own takes its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

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


class Tiles(BaseModel):
    """Tokens of a picture by its tiles of 512 px, after it is scaled to 768 px at its shorter side."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: float  # of any picture
    each: float  # of a tile

    def tokens(self, width: float, height: float) -> int:
        """Of a picture of this size in px."""
        shrink = min(1, SHORTER_SIDE / min(width, height))
        across = math.ceil(width * shrink / TILE)
        down = math.ceil(height * shrink / TILE)
        return math.ceil(self.base + self.each * across * down)


class Patches(BaseModel):
    """Tokens of a picture by its patches of 32 px."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    most: float  # patches that count
    factor: float  # tokens of a patch

    def tokens(self, width: float, height: float) -> int:
        """Of a picture of this size in px."""
        across = math.ceil(width / PATCH)
        down = math.ceil(height / PATCH)
        return math.ceil(self.factor * min(across * down, self.most))


class Price(BaseModel):
    """Of one model: dollars for a million tokens, and how pictures are counted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float
    output: float
    tiles: Tiles | None = None
    patches: Patches | None = None

    def dollars(self, tokens_in: int, tokens_out: int) -> float:
        """What so many tokens cost."""
        return (tokens_in * self.input + tokens_out * self.output) / 1e6

    def picture(self, width: int, height: int) -> int:
        """Tokens that a picture counts as."""
        count = self.patches or self.tiles
        if count is None:
            return 0
        shrink = min(1, LONGEST_SIDE / max(width, height))
        return count.tokens(width * shrink, height * shrink)


class Prices(BaseModel):
    """A price table: a YAML file, whose prices are those of one day."""

    as_of: str = "?"
    models: dict[str, Price]

    @field_validator("as_of", mode="before")
    @classmethod
    def _written(cls, day: Any) -> str:
        return str(day)  # YAML reads a date


def read_prices(path: Path | str | None = None) -> Prices:
    """The shipped price table, or one of your own. Raises ValueError for a file that is none."""
    path = Path(path or PRICES)
    if not path.is_file():
        raise ValueError(f"prices: expected a YAML file at {path}, found none")
    try:
        return Prices.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        example = "{models: {NAME: {input: 2.5, output: 10, tiles: {base: 85, each: 170}}}}"
        raise ValueError(f"{path}: expected {example}, {_first_line(error)}") from error


def estimate(
    sizes: Iterable[tuple[int, int]], instruction: str, answer_tokens: int, price: Price | None, as_of: str = ""
) -> Cost:
    """The most that one question about each picture takes. `sizes` are (width, height) in px, as they are sent."""
    sizes = list(sizes)
    words = OVERHEAD + math.ceil(len(instruction) / LETTERS_A_TOKEN)
    tokens_in = words * len(sizes)
    tokens_out = answer_tokens * len(sizes)
    if price is None:
        return Cost(len(sizes), tokens_in, tokens_out, None, as_of)
    tokens_in += sum(price.picture(*size) for size in sizes)
    return Cost(len(sizes), tokens_in, tokens_out, price.dollars(tokens_in, tokens_out), as_of)


def check_spend(cost: Cost, limit: float | None) -> None:
    """Raise ValueError if the cost is over `limit` dollars, or if it is not known and no limit was given."""
    if cost.dollars is None:
        if limit is None:
            raise ValueError(f"{cost}; say --spend-at-most DOLLARS to go on all the same, or give its price")
        return
    if limit is None and cost.dollars > 0:
        enough = math.ceil(cost.dollars * 100) / 100
        raise ValueError(f"{cost}; expected a limit, got none: say --spend-at-most {enough:.2f}")
    if limit is not None and cost.dollars > limit:
        instead = "take fewer pictures, another model, or a higher limit"
        raise ValueError(f"{cost}; expected at most ${limit:.4f}: {instead}")


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ": ".join(map(str, first["loc"]))
        return f"{where}: {first['msg']}" if where else first["msg"]
    return str(error).splitlines()[0]
