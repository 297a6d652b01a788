"""A subject: a folder with one to a few pictures of one thing, and `captions.json` beside them.

    {"class_word": "cat", "bias": ["background"],
     "captions": {"00.jpg": "a photo of a [v] cat on a green sofa",
                  "01.jpg": "a photo of a [v] cat on a green sofa beside a paper bag"}}

`[v]` stands for the identifier. A picture's caption is a text, which is the paper's case 3 (SID), or, to compare
cases, one text each: `"00.jpg": {"1": "a photo of a [v] cat", "3": "a photo of a [v] cat on a green sofa"}`.
`"name"` may name the subject where the folder's name would not. A folder `masks/` may hold a mask for each picture;
other files are left alone.
"""

from __future__ import annotations

import io
import json
import unicodedata
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps

from sidkit.captions import BIASES, CAPTIONS, SID_CASE, WRITTEN_CASES
from sidkit.config import check_name
from sidkit.mark import check_length, check_mark, insert

KEYS = ("class_word", "bias", "captions")  # and, if wanted, a name

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
UNREAD = (".heic", ".heif", ".avif", ".jxl", ".gif", ".svg", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".psd")
SMALLEST = 32  # px; nothing can be learnt from less
LARGEST = 80_000_000  # pixels; more fill the memory, and a model sees a square of 1024 px at most
_TOO_LARGE = f"expected at most {LARGEST // 10**6} megapixels"
HEIC = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1")  # how such a file begins, from its fifth byte
PLAIN = ("RGB", "L", "1", "P", "CMYK", "YCbCr", "HSV", "RGBA", "LA", "PA", "RGBa", "La")


@dataclass(frozen=True)
class Subject:
    """What is personalized. `images` are sorted by name; `captions[case][file name]` is a text with `[v]`."""

    name: str
    folder: Path
    class_word: str
    bias: tuple[str, ...]
    images: tuple[Path, ...]
    captions: dict[int, dict[str, str]]


@dataclass(frozen=True)
class Prompt:
    """What to draw of a subject: text with `[v]`, the kind of request, and the value asked for by factor."""

    text: str
    kind: str
    asked: dict[str, str]


def load_subject(folder: Path | str, *, tokenizers: Sequence = (), identifier: str = "sks") -> Subject:
    """Read a subject's folder and check all of it: every picture is opened, every caption read.

    With a model's `tokenizers`, captions that it would cut are refused too. Raises ValueError that says which file,
    what was expected, and what to do.
    """
    folder = _find(Path(folder))
    images = picture_files(folder)
    check_formats(folder)
    if not images:
        raise ValueError(f"subject {folder}: expected pictures ({', '.join(SUFFIXES)}), found none")
    told = _read_captions(folder / CAPTIONS)
    told["captions"] = by_real_name(told["captions"], [path.name for path in images])
    _match_files(folder, {path.name for path in images}, set(told["captions"]))
    captions = _by_case(folder, told["captions"])
    for case, texts in captions.items():
        for file, text in texts.items():
            where = f"{folder / CAPTIONS}, case {case} of {file}"
            check_length(insert(check_mark(text, where), identifier), tokenizers, where)
    for path in images:
        load_image(path)
    return Subject(told["name"] or folder.name, folder, told["class_word"], told["bias"], images, captions)


def load_images(subject: Subject) -> list[Image.Image]:
    """The subject's pictures, RGB."""
    return [load_image(path) for path in subject.images]


def load_image(path: Path | str) -> Image.Image:
    """The picture in a file as RGB: turned as its EXIF says, its colour profile applied, on white where transparent.

    CMYK and 16-bit pictures are converted. Raises ValueError for a file that is no picture, is cut short, holds
    floating-point or 32-bit pixels, is smaller than 32 px, or has more than 80 million pixels, none of which are read.
    """
    path = Path(path)
    try:
        with _opened(path) as image:
            image.load()
            return _as_rgb(ImageOps.exif_transpose(image), path)
    except Image.DecompressionBombError as error:  # twice the size from which Pillow warns
        raise ValueError(f"{path}: {_TOO_LARGE}, got more than twice that; scale it down to 2048 px") from error
    except (OSError, SyntaxError) as error:  # PNG's decoder raises SyntaxError
        raise ValueError(
            f"{path}: expected a picture, but it cannot be read ({error}); save it again as PNG"
        ) from error


def _find(folder: Path) -> Path:
    if folder.is_dir():
        return folder.resolve()
    if folder.parent.is_dir():
        beside = [path.name for path in folder.parent.iterdir() if path.is_dir() and path.name[0] != "."]
        check_name(f"subject in {folder.parent.resolve()}:", folder.name, beside)
    raise ValueError(f"subject: expected a folder of pictures at {folder}, found none")


def picture_files(folder: Path) -> tuple[Path, ...]:
    """What is named like a picture in a folder, by name; whether it is one is not looked at."""
    named = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
    return tuple(sorted(path for path in named if not path.is_dir()))


def check_formats(folder: Path) -> None:
    """Raise ValueError for pictures of a folder in a format that is not read here, rather than leave them out."""
    foreign = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in UNREAD and path.name[0] != ".")
    if foreign:
        kinds = ", ".join(sorted({Path(name).suffix for name in foreign}))
        what = f"expected one of {', '.join(SUFFIXES)}; there is no decoder for {kinds} here"
        they = "it" if len(foreign) == 1 else f"all {len(foreign)} such files"
        raise ValueError(f"{folder / foreign[0]}: {what}; save {they} as JPEG or PNG, or move {they} away")


def _opened(path: Path) -> Image.Image:
    """The opened file, its pixels not read yet. ValueError for a HEIC under another name and for a giant."""
    with path.open("rb") as file:
        if file.read(12)[4:] in HEIC:
            raise ValueError(f"{path}: expected a picture, got HEIC under another name; save it as JPEG or PNG")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower, and says more
        image = Image.open(path)
    if image.width * image.height > LARGEST:
        size = f"{image.width} x {image.height}"
        image.close()
        raise ValueError(f"{path}: {_TOO_LARGE}, got {size}; scale it down to 2048 px")
    return image


def by_real_name(captions: Mapping[str, Any], files: Iterable[str]) -> dict[str, Any]:
    """Captions by the names that the files have: a letter with an accent may be spelt as one character or as two."""
    real = {unicodedata.normalize("NFC", name): name for name in files}
    return {real.get(unicodedata.normalize("NFC", name), name): told for name, told in captions.items()}


def _read_captions(path: Path) -> dict[str, Any]:
    """The file's three values, checked but for the captions' own text."""
    if not path.is_file():
        example = (
            '{"class_word": "dog", "bias": ["background"], "captions": {"00.png": "a photo of a [v] dog on a beach"}}'
        )
        raise ValueError(f"subject: expected {path} with a caption for each picture, found none; write {example}")
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_no_repeats)
    except ValueError as error:  # not JSON, not UTF-8, or a key twice
        raise ValueError(f"{path}: expected JSON, {error}") from error
    _expect(isinstance(told, dict), path, 'an object {"class_word": ..., "bias": ..., "captions": ...}', told)
    for key in told:
        check_name(f"key in {path}:", key, (*KEYS, "name"))
    if missing := [key for key in KEYS if key not in told]:
        raise ValueError(f"{path}: expected the keys {', '.join(KEYS)}; {', '.join(missing)} is not there")
    _expect(isinstance(told["captions"], dict), path, "captions to map file names to captions", told["captions"])
    for key in ("class_word", "name"):
        word = told.get(key, "it")
        _expect(isinstance(word, str) and word.strip(), path, f'{key} to be a text such as "dog"', word)
    return {"name": None, **told, "class_word": told["class_word"].strip(), "bias": _biases(path, told["bias"])}


def _biases(path: Path, bias: Any) -> tuple[str, ...]:
    bias = [bias] if isinstance(bias, str) else bias
    _expect(isinstance(bias, list) and bias, path, f"bias to be a list of {', '.join(BIASES)}", bias)
    return tuple(check_name(f"bias in {path}:", str(one), BIASES) for one in bias)


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"but {next(key for key in keys if keys.count(key) > 1)!r} is there twice")
    return found


def _expect(holds: Any, path: Path, expected: str, got: Any) -> None:
    if not holds:
        raise ValueError(f"{path}: expected {expected}, got {got!r}")


def _match_files(folder: Path, images: set[str], captioned: set[str]) -> None:
    """Every picture has a caption, and every caption a picture."""
    for name in sorted(captioned - images):
        check_name(f"picture in {folder / CAPTIONS}:", name, images)
    if bare := sorted(images - captioned):
        raise ValueError(f"{folder / CAPTIONS}: expected a caption for each picture, got none for {', '.join(bare)}")


def _by_case(folder: Path, captions: Mapping[str, Any]) -> dict[int, dict[str, str]]:
    """Captions by file, turned into captions by case."""
    by_file = {file: _cases_of(folder, file, told) for file, told in captions.items()}
    cases = {case for told in by_file.values() for case in told}
    for file, told in by_file.items():
        if lacking := sorted(cases - set(told)):
            raise ValueError(
                f"{folder / CAPTIONS}: expected the same cases for every picture, but {file} lacks case {lacking[0]}"
            )
    return {case: {file: told[case] for file, told in by_file.items()} for case in sorted(cases)}


def _cases_of(folder: Path, file: str, told: Any) -> dict[int, str]:
    told = {str(SID_CASE): told} if isinstance(told, str) else told
    good = isinstance(told, dict) and told and all(isinstance(text, str) for text in told.values())
    _expect(good, folder / CAPTIONS, f'{file} to have a caption or {{"1": caption, "3": caption}}', told)
    return {int(check_name(f"case of {file}", case, map(str, WRITTEN_CASES))): text for case, text in told.items()}


def _as_rgb(image: Image.Image, path: Path) -> Image.Image:
    if min(image.size) < SMALLEST:
        raise ValueError(f"{path}: expected at least {SMALLEST} x {SMALLEST} px, got {image.width} x {image.height}")
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.uint16) / 257).round().astype(np.uint8)).convert("RGB")
    if image.mode not in PLAIN:
        raise ValueError(
            f"{path}: expected 8 or 16 bits a channel, got pixels of type {image.mode}; save it as 8-bit PNG"
        )
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return _standard_colors(image)


def _standard_colors(image: Image.Image) -> Image.Image:
    """sRGB by the picture's own colour profile; a profile that does not fit its pixels counts as none."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            return image.convert("RGB")
    return image.convert("RGB")
