"""Pictures of prompts without the subject, compared with those that the base model draws from the same noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pandas as pd

from sidkit.config import ModelKey
from sidkit.files import write_text
from sidkit.measure.instruments import Instruments
from sidkit.measure.metrics import drift
from sidkit.spreadsheets import csv_of, read_csv
from sidkit.study.pieces.picture_files import open_pictures

TABLE = "drift.csv"


@dataclass(frozen=True)
class Drifted:
    """All that the table depends on."""

    before: str  # the names of the pictures' folders, which stand for all that they depend on
    after: str
    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    image_text: str
    weights: ModelKey  # the encoder's


def measure_drift(wanted: Drifted, instruments: Instruments, before: Path, after: Path, folder: Path) -> None:
    """Write the table of the pictures in two folders, a row a pair: prompt, seed, drift."""
    size = len(wanted.prompts), len(wanted.seeds)
    embeddings = []
    for pictures in (before, after):
        drawn = [picture for of_prompt in open_pictures(pictures, *size) for picture in of_prompt]
        embeddings.append(instruments.image_text.images(drawn))
    frame = pd.DataFrame(product(wanted.prompts, wanted.seeds), columns=["prompt", "seed"])
    frame = frame.assign(drift=drift(*embeddings))
    write_text(folder / TABLE, csv_of(frame))


def read_drift(folder: Path) -> pd.DataFrame:
    """The table in a folder."""
    return read_csv(folder / TABLE)
