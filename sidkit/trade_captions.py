"""Captions in the forms of other trainers: a text file beside each picture, or one table for a folder.

    00.txt, 00.caption                  beside 00.png: kohya's sd-scripts, OneTrainer, ai-toolkit
    metadata.jsonl, metadata.csv        {"file_name": "00.png", "text": "a photo of ..."}: Hugging Face's imagefolder

They are read and never written here. A picture without one has none; where two say different things, nobody can tell
which is meant, and both are refused.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sidkit.captions import CAPTIONS
from sidkit.files import name_key, parse_json, read_text
from sidkit.inflection import counted
from sidkit.picture_folder import named, visible
from sidkit.shown import shown, shown_names

SIDECARS = (".txt", ".caption")
TABLES = ("metadata.jsonl", "metadata.csv")
UNREAD_TABLES = ("metadata.parquet",)
FILE_COLUMNS = ("file_name", "image", "image_path", "filename", "file", "path")  # imagefolder's, and what others write
TEXT_COLUMNS = ("text", "caption", "prompt", "description")
SEPARATORS = ",;\t"  # of a table in CSV


@dataclass(frozen=True)
class Written:
    """A caption as it stands in a file of another trainer's."""

    text: str
    file: Path
    more_lines: int = 0  # below it, which such a trainer does not read either


def captions_beside(folder: Path, pictures: Sequence[Path]) -> dict[Path, Written]:
    """The captions, none of them empty, of those pictures of a folder, or of folders in it, that have one.

    Raises ValueError, which names the file, for one that cannot be read, for a table that names a picture that is not
    there, and for two captions of one picture that differ.
    """
    found: dict[Path, Written] = {}
    for picture, written in [*_sidecars(pictures), *_tables(folder, pictures)]:
        other = found.setdefault(picture, written)
        if other.text != written.text:
            files = " and ".join(dict.fromkeys((other.file.name, written.file.name)))
            raise ValueError(f"{picture}: expected one caption, got two that differ, in {files}; take one away")
    return found


def check_none_beside(folder: Path, waiting: Iterable[str]) -> None:
    """Raise ValueError where captions of pictures that wait for one lie in the folder already, in another's form."""
    found = captions_beside(folder, [folder / name for name in waiting])
    if not found:
        return
    files = named(dict.fromkeys(written.file.name for written in found.values()))
    told = f"expected no captions yet, but {counted(len(found), 'caption')} found in {files}"
    take = f"write them into {CAPTIONS}" if (folder / CAPTIONS).exists() else "`sidkit new` takes them over"
    raise ValueError(f"{folder}: {told}; {take}, or move these files away to have others written")


def _sidecars(pictures: Sequence[Path]) -> Iterator[tuple[Path, Written]]:
    files = {folder: _by_name(folder) for folder in {picture.parent for picture in pictures}}
    for picture in pictures:
        for base in dict.fromkeys((picture.stem, picture.name)):
            for suffix in SIDECARS:
                file = files[picture.parent].get(name_key(base + suffix))
                lines = _lines(file) if file else []
                if lines:
                    yield picture, Written(lines[0], file, len(lines) - 1)


def _by_name(folder: Path) -> dict[str, Path]:
    return {name_key(path.name): path for path in visible(folder)}


def _lines(file: Path) -> list[str]:
    return [line.strip() for line in read_text(file).splitlines() if line.strip()]


def _tables(folder: Path, pictures: Sequence[Path]) -> Iterator[tuple[Path, Written]]:
    """From the tables of a folder, and of those in it where pictures lie."""
    for place in sorted({folder, *(picture.parent for picture in pictures)}):
        by_path = {
            name_key(path.relative_to(place).as_posix()): path for path in pictures if path.is_relative_to(place)
        }
        for name in TABLES:
            if (place / name).exists():
                yield from _in_table(place / name, by_path)
        for name in UNREAD_TABLES:
            if (place / name).exists():
                raise ValueError(f"{place / name}: expected one of {', '.join(TABLES)}; save it as one of them")


def _in_table(table: Path, by_path: Mapping[str, Path]) -> Iterator[tuple[Path, Written]]:
    rows = _json_rows(table) if table.suffix == ".jsonl" else _csv_rows(table)
    for number, row in rows:
        where = f"{table}: line {number}"
        _check_columns(list(row), where)
        file = _one_of(row, FILE_COLUMNS, where)
        picture = by_path.get(name_key(PurePosixPath(file.replace("\\", "/")).as_posix()))
        if picture is None:
            told = f"expected a picture that is in {table.parent}, got {shown(file)}"
            raise ValueError(f"{where}: {told}; put it there, or take the line out")
        text = _one_of(row, TEXT_COLUMNS, where)
        if text:
            yield picture, Written(text, table)


def _check_columns(columns: Sequence[str], where: str) -> None:
    """ValueError for a table whose pictures or captions would be passed over."""
    for wanted, role in ((FILE_COLUMNS, "a picture's name"), (TEXT_COLUMNS, "a caption")):
        if not set(wanted) & set(columns):
            told = f"expected {role} under one of {', '.join(wanted)}, got {shown_names(columns)}"
            raise ValueError(f"{where}: {told}; call its column {wanted[0]}")
    twice = [name for name in columns if columns.count(name) > 1]
    if twice:
        raise ValueError(f"{where}: expected each column once, got {shown(twice[0])} twice; take one out")
    further = [name for name in columns if name.endswith("_file_name")]  # imagefolder's for masks and others
    if further:
        told = f"expected one picture a line, got {shown(further[0])} too"
        raise ValueError(
            f"{where}: {told}; put masks into the folder masks, under the pictures' names, and take it out"
        )


def _one_of(row: Mapping[str, Any], columns: Sequence[str], where: str) -> str:
    """The text under one of these columns, "" where there is none."""
    filled = {name: row[name] for name in columns if row.get(name) not in (None, "")}
    if len({str(value) for value in filled.values()}) > 1:
        raise ValueError(f"{where}: expected one of {', '.join(columns)}, got {', '.join(filled)}; take out the others")
    value = next(iter(filled.values()), "")
    if not isinstance(value, str):
        raise ValueError(f"{where}: expected {next(iter(filled))} to be a text, got {shown(value)}; write one")
    return " ".join(value.split())


def _json_rows(table: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(read_text(table).split("\n"), 1):  # splitlines would break at U+2028 in a text
        if not line.strip():
            continue
        row = parse_json(line, f"{table}: line {number}")
        if not isinstance(row, dict):
            example = '{"file_name": "00.png", "text": "a photo of ..."}'
            raise ValueError(f"{table}: line {number}: expected an object {example}, got {shown(row)}; write it so")
        yield number, row


def _csv_rows(table: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    text = read_text(table)
    first, _, _ = text.partition("\n")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(SEPARATORS, key=first.count), strict=True)
    try:
        columns = [name.strip() for name in next(reader, [])]
        if columns:
            _check_columns(columns, f"{table}: line 1")
        for row in reader:
            if not row:
                continue
            if len(row) != len(columns):
                told = f"expected {len(columns)} values ({shown_names(columns)}), got {len(row)}"
                raise ValueError(f"{table}: line {reader.line_num}: {told}; put a text with a comma into quotes")
            yield reader.line_num, dict(zip(columns, row, strict=True))
    except csv.Error as error:
        raise ValueError(f"{table}: line {reader.line_num}: expected CSV, but {error}; save it again") from error
