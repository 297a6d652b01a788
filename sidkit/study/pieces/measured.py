"""The pictures of a subject and arm, measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.config import Encoders, ModelKey
from sidkit.files import write_text
from sidkit.measure.instruments import Instruments
from sidkit.measure.pictures import measure
from sidkit.spreadsheets import csv_of, read_csv
from sidkit.study.pieces.picture_files import open_pictures
from sidkit.subjects import Prompt

TABLE = "measures.csv"


@dataclass(frozen=True)
class Measured:
    """All that the table of a subject's and arm's pictures depends on."""

    pictures: str  # the name of their folder, which stands for all that they depend on
    prompts: tuple[Prompt, ...]
    seeds: tuple[int, ...]
    references: Sequence[Image.Image]
    masks: Sequence[np.ndarray] | None  # boolean (height, width), one a reference
    undesired: Mapping[str, str]  # value by factor
    line_up: Sequence[Sequence[Image.Image]]  # the subject, then its look-alikes
    encoders: Encoders
    models: tuple[ModelKey, ...]  # the encoders' weights


def measure_pictures(wanted: Measured, instruments: Instruments, pictures: Path, folder: Path) -> None:
    """Write the table of the pictures in the folder `pictures`, a row a picture."""
    drawn = open_pictures(pictures, len(wanted.prompts), len(wanted.seeds))
    frame = measure(
        instruments,
        wanted.references,
        wanted.masks,
        wanted.prompts,
        drawn,
        wanted.undesired,
        wanted.line_up,
    )
    frame = frame.assign(seed=list(wanted.seeds) * len(drawn))
    write_text(folder / TABLE, csv_of(frame))


def read_measures(folder: Path) -> pd.DataFrame:
    """The table in a folder."""
    return read_csv(folder / TABLE)
