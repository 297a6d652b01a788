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

from sidkit.files import write_text
from sidkit.raters.pairs import Item, Pair, arrange
from sidkit.raters.questions import ANSWERS, QUESTIONS, SIDES, SIMULATED

FORM, KEY = "form.html", "key.csv"
KEY_COLUMNS = ("form", "item", "pair", "subject", "prompt", "first", "second", "A")
LARGEST = 640  # px of a picture's longer side, so that a page with fifty pairs of photos can still be mailed
DRAWN = 256  # px up to which a picture is kept exactly, and shown with its pixels as squares
QUALITY = 92  # of JPEG, for larger ones; both of a pair lose the same


def write_form(pairs: list[Pair], folder: Path | str, *, seed: int) -> tuple[Path, Path]:
    """Write the page and its key into a folder, and return their paths; `seed` decides the order and the sides.

    Raises ValueError where the folder has the key of another form: without it, answers to that form are lost.
    """
    items, folder = arrange(pairs, seed=seed), Path(folder)
    shown = [_shown(item) for item in items]
    form = hashlib.sha256(repr(shown).encode()).hexdigest()[:12]  # of what is seen, so that it tells nothing else
    page, key = folder / FORM, folder / KEY
    if key.is_file() and set(pd.read_csv(key, dtype=str)["form"]) != {form}:
        raise ValueError(f"{key} is of another form, whose answers cannot be read without it; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_text(key, key_of(items, form).to_csv(index=False))
    html = _template().render(form=form, items=shown, questions=QUESTIONS, answers=ANSWERS, simulated=SIMULATED)
    write_text(page, html)
    return page, key


def key_of(items: list[Item], form: str) -> pd.DataFrame:
    """A row an item (`KEY_COLUMNS`): its number on the page, its pair, the two arms, and the one that is A."""
    rows = [
        (form, str(number), item.pair.name, item.pair.subject, item.pair.prompt, *item.pair.pictures, item.sides[0])
        for number, item in enumerate(items, 1)
    ]
    return pd.DataFrame(rows, columns=list(KEY_COLUMNS))


def _shown(item: Item) -> dict:
    """What the page says of an item, and nothing else."""
    sides = {side: _picture(item.pair.pictures[arm]) for side, arm in zip(SIDES, item.sides)}
    return {"prompt": item.pair.prompt, "references": [_picture(one) for one in item.pair.references], "sides": sides}


def _picture(image: Image.Image) -> dict:
    """A picture as a data URL made of its pixels alone: no file name, no metadata."""
    plain = Image.frombytes("RGB", image.size, image.convert("RGB").tobytes())
    plain.thumbnail((LARGEST, LARGEST))
    small, stream = max(plain.size) <= DRAWN, io.BytesIO()
    plain.save(stream, **({"format": "PNG"} if small else {"format": "JPEG", "quality": QUALITY}))
    data = base64.b64encode(stream.getvalue()).decode()
    width, height = plain.size
    return {
        "url": f"data:image/{'png' if small else 'jpeg'};base64,{data}",
        "small": small,
        "width": width,
        "height": height,
    }


def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    options = dict(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return jinja2.Environment(loader=loader, **options).get_template(FORM)
