"""Pictures' files: opened by content and by an allow-list; the rest is refused in one line."""

import io
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sidkit import image_files
from sidkit.image_files import FORMATS, READS_AVIF, load_image, opened, size_of

PACKAGE = Path(__file__).parents[1] / "sidkit"
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 64, 3), np.uint8))
SMOOTH = Image.linear_gradient("L").resize((64, 40)).convert("RGB")
OTHERS = ("GIF", "ICO", "PCX", "TGA", "SGI", "PPM", "JPEG2000", "DDS", "ICNS", "IM", "QOI", "PDF")
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n(x) print\nshowpage\n%%EOF\n"


def encoded(name, picture=NOISE, **options):
    stream = io.BytesIO()
    picture.save(stream, format=name, **options)
    return stream.getvalue()


def refused(path, words):
    for read in (load_image, opened, size_of):
        with pytest.raises(ValueError, match=words) as error:
            read(path)
        assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("name", [*FORMATS, "MPO"])
def test_a_picture_is_read_by_what_is_in_it(tmp_path, name, suffix):
    options = dict(save_all=True, append_images=[NOISE]) if name == "MPO" else {}
    (tmp_path / f"a{suffix}").write_bytes(encoded(name, SMOOTH, **options))
    image = load_image(tmp_path / f"a{suffix}")
    assert (image.mode, image.size) == ("RGB", (64, 40))
    assert np.abs(np.asarray(image).astype(int) - np.asarray(SMOOTH)).max() < 10  # of 255; some lose a little


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", *(["AVIF"] if READS_AVIF else [])])
def test_the_size_is_that_of_the_picture_as_it_is_seen(tmp_path, name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "a.png").write_bytes(encoded(name, exif=exif))
    turned = (40, 64) if orientation > 4 else (64, 40)
    assert (
        size_of(tmp_path / "a.png") == load_image(tmp_path / "a.png").size == opened(tmp_path / "a.png").size == turned
    )


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_are_refused_under_any_name(tmp_path, name, suffix):
    picture = NOISE.resize((64, 64)) if name in ("ICO", "ICNS") else NOISE
    (tmp_path / f"a{suffix}").write_bytes(encoded(name, picture))
    refused(tmp_path / f"a{suffix}", f"expected PNG, JPEG, .*got {name} in it; save|it begins with")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".eps"])
def test_postscript_starts_no_program(tmp_path, monkeypatch, suffix):
    program, trace = tmp_path / "gs", tmp_path / "ran"
    program.write_text(f"#!/bin/sh\ntouch {trace}\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / f"a{suffix}").write_bytes(EPS)
    refused(tmp_path / f"a{suffix}", "expected PNG, JPEG, .*got EPS in it")
    assert not trace.exists()


CONTENTS = {
    "empty": (b"", r"\(the file is empty\); copy it again"),
    "text": (b"not a picture", "it begins with b'not a picture', as none of PNG"),
    "a web page": (b"<!DOCTYPE html><html>", "it begins with b'<!DOCTYPE html>"),
    "a pointer of Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "it begins with b'version https"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "it begins with b'<svg"),
    "a Photoshop file": (b"8BPS\0\1" + b"\0" * 40, "got PSD in it"),
    "HEIC": (b"\0\0\0\x18ftypheic" + b"\0" * 40, "got HEIC under another name"),
    "HEIC of a general kind": (b"\0\0\0\x18ftypmif1" + b"\0" * 40, "got HEIC|cannot be read"),
    "a bare header": (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "cannot be read"),
    "half a JPEG": (encoded("JPEG")[:900], "cannot be read"),
    "half a WebP": (encoded("WEBP")[:900], "cannot be read"),
    "half a TIFF": (encoded("TIFF")[:900], "cannot be read"),
    "a PNG with a damaged chunk": (encoded("PNG")[:40] + b"\0" * 40 + encoded("PNG")[80:], "cannot be read"),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_what_is_no_picture_is_named_with_what_it_is(tmp_path, kind):
    content, words = CONTENTS[kind]
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ValueError, match=words) as error:
        load_image(tmp_path / "a.png")
    assert str(tmp_path / "a.png") in str(error.value) and "\n" not in str(error.value)


def test_a_text_that_unfolds_to_megabytes_is_refused_with_the_file(tmp_path):
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "x" * (3 << 20), zip=True)
    (tmp_path / "a.png").write_bytes(encoded("PNG", pnginfo=info))
    with pytest.raises(ValueError, match="a.png: expected a picture, but it cannot be read .*too large"):
        load_image(tmp_path / "a.png")


def make_pipe(path):
    os.mkfifo(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(path.parent)  # a socket's path must be short
        server.bind(path.name)


SPECIAL = {
    "a named pipe": (make_pipe, "got a named pipe; move it away"),
    "a link to a pipe": (lambda path: make_pipe(path.with_name("p")) or path.symlink_to("p"), "got a named pipe"),
    "a socket": (make_socket, "got a socket"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "got a device"),
    "a terminal": (lambda path: path.symlink_to("/dev/null"), "got a device"),
    "a folder": (lambda path: path.mkdir(), "got a folder"),
    "a dangling link": (lambda path: path.symlink_to("nowhere.png"), "got a link to nowhere.png, which cannot be foll"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "got a link to a.png, which cannot be followed"),
    "nothing": (lambda path: None, "No such file"),
}


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.timeout(5)
def test_what_is_no_file_is_refused_and_does_not_hang(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    make, words = SPECIAL[kind]
    make(tmp_path / "a.png")
    refused(tmp_path / "a.png", words)


def test_whatever_is_spoilt_the_error_is_one_line(tmp_path):
    """Bytes changed at random, in every format: a picture comes out, or a ValueError that names the file."""
    random = np.random.default_rng(0)
    whole = [np.frombuffer(encoded(name), np.uint8) for name in FORMATS]
    outcomes = set()
    for _ in range(60):
        for content in whole:
            spoilt = content.copy()
            places = random.integers(0, min(len(spoilt), 200), 3)
            spoilt[places] = random.integers(0, 256, 3)
            (tmp_path / "a.png").write_bytes(spoilt.tobytes())
            try:
                outcomes.add(load_image(tmp_path / "a.png").mode)
            except ValueError as error:
                outcomes.add("refused")
                assert str(error).startswith(str(tmp_path / "a.png")) and "\n" not in str(error)
    assert outcomes == {"RGB", "refused"}


def test_avif_that_this_pillow_cannot_read_is_told_truly(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "READS_AVIF", False)
    monkeypatch.setattr(image_files, "FORMATS", ("PNG", "JPEG"))
    (tmp_path / "a.png").write_bytes(b"\0\0\0\x20ftypavif" + b"\0" * 40)
    with pytest.raises(ValueError, match="got AVIF, which this Pillow was built without; save it as JPEG or PNG"):
        load_image(tmp_path / "a.png")


def test_nothing_else_opens_pictures():
    """Image.open without `formats` would bring the other decoders back."""
    opening = {}
    for path in PACKAGE.rglob("*.py"):
        calls = re.findall(r"Image\.open\((.*)", path.read_text())
        opening |= {path.name: calls} if calls else {}
    assert set(opening) == {"image_files.py", "make_art.py"}
    assert all("formats=" in call for calls in opening.values() for call in calls)


def test_many_photos_take_the_memory_of_few(tmp_path):
    """The peak above that of one photo, in a process of its own: checked, loaded, and looked at one after the other."""
    photo = Image.new("RGB", (3000, 2000), "gray")
    names = [f"{index:02}.jpg" for index in range(12)]
    photo.save(tmp_path / names[0])
    for name in names[1:]:
        os.link(tmp_path / names[0], tmp_path / name)
    captions = ", ".join(f'"{name}": "a [v] dog on a rug"' for name in names)
    (tmp_path / "captions.json").write_text(f'{{"class_word": "dog", "bias": "pose", "captions": {{{captions}}}}}')
    code = f"""
import resource
from sidkit.check.check import check
from sidkit.runs import fingerprint
from sidkit.image_files import load_image
from sidkit.subjects import load_images, load_subject
load_image("{tmp_path}/00.jpg")
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
fingerprint(load_images(load_subject("{tmp_path}")))
check("{tmp_path}")
print(peak() - before)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=True)
    assert float(run.stdout) < 4 * 24  # MB; a photo takes 24, all of them would take 288
