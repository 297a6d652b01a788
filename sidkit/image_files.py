"""One picture's file: opened by what is in it, whatever it is called, and only in the formats that are named here.

Pillow knows about forty formats. Some of them start other programs (an EPS, named `.png`, runs Ghostscript), many have
decoders that few people test, and a photo comes in none of them.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, features

from sidkit.shown import shown

READS_AVIF = "avif" in features.modules and features.check_module("avif")  # a Pillow may be built without
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", *(("AVIF",) if READS_AVIF else ()))  # as Pillow calls them
SMALLEST = 32  # px; nothing can be learnt from less
LARGEST = 80_000_000  # pixels; more fill the memory, and a model sees a square of 1024 px at most
PLAIN = ("RGB", "L", "1", "P", "CMYK", "YCbCr", "HSV", "RGBA", "LA", "PA", "RGBa", "La")
HEIC = (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1")  # how such a file begins, from its fifth byte
AVIF = (b"ftypavif", b"ftypavis")
ORIENTATION = 0x0112  # the tag of EXIF; from 5 on, height and width change places
AMBIGUOUS = ("CUR",)  # begins like a Targa
BEGINNING = 16  # bytes by which Pillow tells formats apart
# What decoders raise for damaged files: most of Pillow's code checks little, and each format fails in its own way.
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    RuntimeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    struct.error,
    zlib.error,
)
_TOO_LARGE = f"expected at most {LARGEST // 10**6} megapixels"
_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def load_image(path: Path | str) -> Image.Image:
    """The picture in a file as RGB: turned as its EXIF says, its colour profile applied, on white where transparent.

    CMYK and 16-bit pictures are converted. Raises ValueError, in one line that names the file, for what is no file, for
    one in no format of FORMATS, that is cut short, holds floating-point or 32-bit pixels, is smaller than 32 px, or has
    more than 80 million pixels, none of which are read.
    """
    path = Path(path)
    image = opened(path)
    if min(image.size) < SMALLEST:
        got = f"{image.width} x {image.height}"
        raise ValueError(f"{path}: expected at least {SMALLEST} x {SMALLEST} px, got {got}")
    if image.mode not in PLAIN and not image.mode.startswith("I;16"):
        expected = "expected 8 or 16 bits a channel"
        raise ValueError(f"{path}: {expected}, got pixels of type {image.mode}; save it as 8-bit PNG")
    try:
        return _as_rgb(image)
    except BROKEN as error:
        raise _broken(path, error) from error


def opened(path: Path | str) -> Image.Image:
    """The picture in a file with its own type of pixels, all read, turned as its EXIF says. ValueError as above."""
    with _picture(Path(path)) as image:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return image


def size_of(path: Path | str) -> tuple[int, int]:
    """Width and height of the picture in a file as it is seen, in px, told by its header. ValueError as above."""
    with _picture(Path(path)) as image:
        orientation = image.getexif().get(ORIENTATION, 1)
        is_on_its_side = orientation in range(5, 9) and image.format != "TIFF"  # whose size Pillow turns itself
        return image.size[::-1] if is_on_its_side else image.size


def format_of(path: Path) -> str:
    """Which of FORMATS a file begins like, "" where it is none of them; it is not opened as a picture."""
    with path.open("rb") as file:
        name = _format_of(file.read(BEGINNING))
    return name if name in FORMATS else ""


def is_turned(path: Path | str) -> bool:
    """Whether the EXIF of the picture in a file turns or mirrors it: not every program does. ValueError as above."""
    with _picture(Path(path)) as image:
        return image.getexif().get(ORIENTATION, 1) != 1


class _Refused(ValueError):
    """Says already which file it is, and what to do."""


@contextmanager
def _picture(path: Path) -> Iterator[Image.Image]:
    """The picture of a file, its pixels not read yet; what fails in the block is one line that names the file."""
    _check_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of odd metadata and of sizes over which our own limit lies
        try:
            with _header(path) as image:
                yield image
        except BROKEN as error:
            raise _broken(path, error) from error


def _header(path: Path) -> Image.Image:
    """The picture of a file that is one. _Refused for a giant and for what is no picture to be read here."""
    try:
        image = Image.open(path, formats=FORMATS)
    except Image.DecompressionBombError as error:  # twice the size from which Pillow warns
        raise _Refused(f"{path}: {_TOO_LARGE}, got more than twice that; scale it down to 2048 px") from error
    except UnidentifiedImageError as error:
        raise _Refused(f"{path}: {_foreign(path)}") from error
    if image.width * image.height > LARGEST:
        size = f"{image.width} x {image.height}"
        image.close()
        raise _Refused(f"{path}: {_TOO_LARGE}, got {size}; scale it down to 2048 px")
    return image


def _check_file(path: Path) -> None:
    """_Refused for what is no file: opening a pipe would wait for ever."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except OSError as error:
        if path.is_symlink():
            expected = f"expected a picture, got a link to {os.readlink(path)}"
            raise _Refused(f"{path}: {expected}, which cannot be followed; remove the link") from error
        raise _Refused(f"{path}: expected a picture, but {error.strerror}") from error
    if kind in _SPECIAL:
        raise _Refused(f"{path}: expected a picture's file, got {_SPECIAL[kind]}; move it away")
    if not os.access(path, os.R_OK):
        raise _Refused(f"{path}: expected a picture that may be read, but you have no permission to")


def _foreign(path: Path) -> str:
    """What is said of a file in no format that is read: which one it is, where its beginning tells."""
    with path.open("rb") as file:
        beginning = file.read(BEGINNING)
    wanted = ", ".join(FORMATS)
    if not beginning:
        return "expected a picture, but it cannot be read (the file is empty); copy it again"
    if beginning[4:12] in HEIC:
        return "expected a picture, got HEIC under another name; save it as JPEG or PNG"
    if beginning[4:12] in AVIF and not READS_AVIF:
        return "expected a picture, got AVIF, which this Pillow was built without; save it as JPEG or PNG"
    if name := _format_of(beginning):
        damaged = f"expected a picture, but it cannot be read (a damaged {name}); save it again as PNG"
        return damaged if name in FORMATS else f"expected {wanted}, got {name} in it; save it as PNG"
    told = f"it begins with {shown(beginning)}, as none of {wanted} does"
    return f"expected a picture, but it cannot be read ({told}); save it again as PNG"


def _format_of(beginning: bytes) -> str:
    """The format of Pillow's that a file's first bytes belong to, "" where none knows them; nothing is opened."""
    Image.init()
    for name, (_, accepts) in Image.OPEN.items():
        if accepts is not None and name not in AMBIGUOUS and accepts(beginning) is True:
            return name
    return ""


def _broken(path: Path, error: Exception) -> ValueError:
    if isinstance(error, _Refused):
        return error
    told = str(error) or type(error).__name__
    return ValueError(f"{path}: expected a picture, but it cannot be read ({told}); save it again as PNG")


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return _in_8_bits(image)
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
