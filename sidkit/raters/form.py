"""The form: one page that needs nothing beside it, and the key to it, which raters must not see.

The page holds the pictures without their names, and A and B in an order that only the key knows. It asks for no network
(its content security policy forbids any), keeps what was answered in the browser, and saves it as a CSV.
"""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path

import jinja2
import pandas as pd
from PIL import Image

from sidkit.csv_files import read_csv
from sidkit.files import write_text
from sidkit.raters.pairs import Item, Pair, arrange
from sidkit.raters.questions import ANSWERS, QUESTIONS, SIDES, SIMULATED
from sidkit.spreadsheets import csv_of

FORM, KEY = "form.html", "key.csv"
KEY_COLUMNS = ("form", "item", "pair", "subject", "prompt", "first", "second", "A")
LARGEST = 640  # px of a picture's longer side, so that a page with fifty pairs of photos can still be mailed
DRAWN = 256  # px up to which a picture is kept exactly, and shown with its pixels as squares
QUALITY = 92  # of JPEG, for larger ones; both of a pair lose the same


def write_form(pairs: list[Pair], folder: Path | str, *, seed: int) -> tuple[Path, Path]:
    """Write the page and its key into a folder, and return their paths; `seed` decides the order and the sides.

    Raises ValueError where the folder has the key of another form: without it, answers to that form are lost.
    """
    items = arrange(pairs, seed=seed)
    on_page = [_on_page(item) for item in items]
    form = _name_of(on_page)
    folder = Path(folder)
    page = folder / FORM
    key = folder / KEY
    if key.is_file() and set(read_csv(key, ("form",))["form"]) != {form}:
        raise ValueError(f"{key} is of another form, whose answers cannot be read without it; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_text(key, csv_of(key_of(items, form)))
    html = _template().render(
        form=form,
        items=on_page,
        questions=QUESTIONS,
        answers=ANSWERS,
        simulated=SIMULATED,
    )
    write_text(page, html)
    return page, key


def key_of(items: list[Item], form: str) -> pd.DataFrame:
    """A row an item (`KEY_COLUMNS`): its number on the page, its pair, the two arms, and the one that is A."""
    rows = []
    for number, item in enumerate(items, 1):
        pair = item.pair
        first, second = pair.pictures
        row = (form, str(number), pair.name, pair.subject, pair.prompt, first, second, item.sides[0])
        rows.append(row)
    return pd.DataFrame(rows, columns=list(KEY_COLUMNS))


def _on_page(item: Item) -> dict:
    """What the page says of an item, and nothing else."""
    pictures_by_side = {}
    for side, arm in zip(SIDES, item.sides):
        pictures_by_side[side] = _picture(item.pair.pictures[arm])
    return {
        "prompt": item.pair.prompt,
        "references": [_picture(reference) for reference in item.pair.references],
        "sides": pictures_by_side,
    }


def _name_of(on_page: list[dict]) -> str:
    """A form's name is made of what is seen, so that it tells nothing else.

    It begins with a letter: a spreadsheet takes 12e456 for a number, and saves another one.
    """
    digest = hashlib.sha256(repr(on_page).encode())
    return f"f{digest.hexdigest()[:11]}"


def _picture(image: Image.Image) -> dict:
    """A picture as a data URL made of its pixels alone: no file name, no metadata."""
    plain = Image.frombytes("RGB", image.size, image.convert("RGB").tobytes())
    plain.thumbnail((LARGEST, LARGEST))
    is_small = max(plain.size) <= DRAWN
    stream = io.BytesIO()
    if is_small:
        plain.save(stream, format="PNG")
    else:
        plain.save(stream, format="JPEG", quality=QUALITY)
    kind = "png" if is_small else "jpeg"
    data = base64.b64encode(stream.getvalue()).decode()
    return {
        "url": f"data:image/{kind};base64,{data}",
        "small": is_small,
        "width": plain.width,
        "height": plain.height,
    }


def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(FORM)
