"""A subject: a folder with one to a few pictures of one thing, and `captions.json` (`sidkit.captions`) beside them.

A folder `masks/` may hold a mask for each picture; other files are left alone.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from sidkit.captions import CAPTIONS, read_captions
from sidkit.config import check_name
from sidkit.mark import check_length, insert

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

    @property
    def of_style(self) -> bool:
        """Whether it is a style, whose pictures all show what is undesired (Fig. 3, example 2)."""
        return "substance" in self.bias


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
    names = [path.name for path in images]
    captions = read_captions(folder).named_as(names)
    for fault in captions.faults(names):
        raise ValueError(f"{folder / CAPTIONS}: {fault.message}")
    by_case = {case: captions.of_case(case) for case in captions.cases}
    for case, texts in by_case.items():
        for file, text in texts.items():
            where = f"{folder / CAPTIONS}: case {case} of {file}"
            check_length(insert(text, identifier), tokenizers, where)
    for path in images:
        load_image(path)
    name = captions.name or folder.name
    return Subject(name, folder, captions.class_word, captions.bias, images, by_case)


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
        beside = [path.name for path in _visible(folder.parent) if path.is_dir()]
        check_name(f"subject in {folder.parent.resolve()}:", folder.name, beside)
    raise ValueError(f"subject: expected a folder of pictures at {folder}, found none")


def readable_pictures(folder: Path, asker: str) -> tuple[Path, ...]:
    """The picture files of a folder, by name, each opened once.

    Raises ValueError, which begins with the `asker`, for a path that is no folder and a folder without pictures; and,
    with the file, for a picture that cannot be read.
    """
    if not folder.is_dir():
        raise ValueError(f"{asker}: expected a folder of pictures at {folder}, found none")
    check_formats(folder)
    pictures = picture_files(folder)
    if not pictures:
        raise ValueError(f"{asker}: expected pictures in {folder} ({', '.join(SUFFIXES)}), found none")
    for picture in pictures:
        load_image(picture)
    return pictures


def picture_files(folder: Path) -> tuple[Path, ...]:
    """What is named like a picture in a folder, by name; whether it is one is not looked at."""
    files = [path for path in _visible(folder) if not path.is_dir()]
    return tuple(path for path in files if path.suffix.lower() in SUFFIXES)


def check_formats(folder: Path) -> None:
    """Raise ValueError for pictures of a folder in a format that is not read here, rather than leave them out."""
    foreign = [path for path in _visible(folder) if path.suffix.lower() in UNREAD]
    if not foreign:
        return
    suffixes = sorted({path.suffix for path in foreign})
    expected = f"expected one of {', '.join(SUFFIXES)}; there is no decoder for {', '.join(suffixes)} here"
    they = "it" if len(foreign) == 1 else f"all {len(foreign)} such files"
    raise ValueError(f"{foreign[0]}: {expected}; save {they} as JPEG or PNG, or move {they} away")


def _visible(folder: Path) -> list[Path]:
    """What is in a folder, by name, but for what systems hide there."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


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


def _as_rgb(image: Image.Image, path: Path) -> Image.Image:
    if min(image.size) < SMALLEST:
        raise ValueError(f"{path}: expected at least {SMALLEST} x {SMALLEST} px, got {image.width} x {image.height}")
    if image.mode.startswith("I;16"):
        return _in_8_bits(image)
    if image.mode not in PLAIN:
        expected = "expected 8 or 16 bits a channel"
        raise ValueError(f"{path}: {expected}, got pixels of type {image.mode}; save it as 8-bit PNG")
    if image.has_transparency_data:
        return _on_white(image)
    return _standard_colors(image)


def _in_8_bits(image: Image.Image) -> Image.Image:
    """A grey picture of 16 bits a pixel as RGB."""
    pixels = np.asarray(image).astype(np.uint16)
    eighth = (pixels / 257).round()
    return Image.fromarray(eighth.astype(np.uint8)).convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, "white")
    composed = Image.alpha_composite(white, image.convert("RGBA"))
    return composed.convert("RGB")


def _standard_colors(image: Image.Image) -> Image.Image:
    """sRGB by the picture's own colour profile; a profile that does not fit its pixels counts as none."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "CMYK", "L"):
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        standard = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, standard, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB")
