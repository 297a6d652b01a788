"""DreamBench (Ruiz et al., CVPR 2023) as it comes: subjects without captions, and prompts for things and for animals.

    dataset/prompts_and_classes.txt, dataset/references_and_licenses.txt, dataset/dog/00.jpg, dataset/dog/01.jpg, ...

Its pictures are not shipped (they are Unsplash's and the authors', CC BY 4.0): `sidkit fetch dreambench` gets them.
DreamBench++ (Peng et al., 2024) has one picture a subject, and beside it a text file that names the subject in its
first line and has a prompt in each of the others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sidkit.captions import CAPTIONS
from sidkit.config import check_name
from sidkit.mark import MARK, class_caption
from sidkit.picture_folder import picture_files
from sidkit.subjects import Prompt, Subject, load_subject

FOLDER = "photos/dreambench"  # where `sidkit fetch` puts it, and subjects called "dreambench/dog6" are looked for
LIST = "prompts_and_classes.txt"
LIVE = ("cat", "dog")  # classes that get the prompts for live subjects
KINDS_OF_LIVE = ("recontextualization",) * 10 + ("accessory",) * 10 + ("property",) * 5  # of its prompts, in order
KINDS_OF_OBJECTS = ("recontextualization",) * 20 + ("property",) * 5
PROMPTS = 25  # for each kind of subject
ROW = re.compile(r"^([a-z][\w]*),([a-z][\w ]*)$")
TEMPLATE = re.compile(r"^'(.*)'\.format\(unique_token, class_token\)", re.MULTILINE)
BOTH = "{0} {1}"  # the identifier and the class word in a template
HEAD = "subject_name"  # of the list's first column


@dataclass(frozen=True)
class Benchmark:
    """DreamBench's list: each subject's class, and prompts with `[v] {}`, where `{}` stands for the class word."""

    root: Path
    classes: dict[str, str]
    objects: tuple[str, ...]
    live: tuple[str, ...]

    def subject(self, name: str) -> Subject:
        """A subject by its name: its own captions where somebody wrote them, case 1 otherwise ("a photo of a [v] dog").

        Raises ValueError for an unknown name, and for a folder that is missing or has no pictures.
        """
        word = self._class_word(name)
        folder = self.root / name
        if (folder / CAPTIONS).is_file():
            return load_subject(folder)
        images = _pictures(folder)
        if not images:
            raise ValueError(f"{name}: expected pictures in {folder}, found none; sidkit fetch dreambench gets them")
        text = class_caption(word)
        return Subject(name, folder, word, (), images, {1: {path.name: text for path in images}})

    def prompts(self, name: str) -> list[Prompt]:
        """The 25 prompts of a subject, with `[v]`, by kind: recontextualization, accessory (live only), property.

        Raises ValueError for an unknown name.
        """
        word = self._class_word(name)
        is_live = word in LIVE
        templates = self.live if is_live else self.objects
        kinds = KINDS_OF_LIVE if is_live else KINDS_OF_OBJECTS
        prompts = []
        for template, kind in zip(templates, kinds, strict=True):
            prompts.append(Prompt(template.format(word), kind, {}))
        return prompts

    def _class_word(self, name: str) -> str:
        check_name("subject of DreamBench", name, self.classes)
        return self.classes[name]


def load_dreambench(root: Path | str) -> Benchmark:
    """Read DreamBench's folder `dataset`; subjects whose pictures are not there are refused when asked for.

    Raises ValueError where its list is missing or is not laid out as published.
    """
    root = Path(root)
    if not (root / LIST).is_file():
        raise ValueError(
            f"DreamBench: expected {root / LIST}, found none; name its folder dataset, or sidkit fetch dreambench"
        )
    text = (root / LIST).read_text(encoding="utf-8")
    classes = _classes(text)
    templates = _templates(text)
    if not classes or len(templates) != 2 * PROMPTS:
        counts = f"{len(classes)} subjects and {len(templates)} prompts"
        raise ValueError(f"{root / LIST}: expected subjects with classes and 2 x {PROMPTS} prompts, found {counts}")
    return Benchmark(root, classes, tuple(templates[:PROMPTS]), tuple(templates[PROMPTS:]))


def benchmark_of(folder: Path) -> Benchmark | None:
    """The benchmark that a subject's folder is of; None for any other folder.

    ValueError for one that would be of it, where `sidkit fetch` has not put it yet.
    """
    root = folder.parent
    if not (root / LIST).is_file() and root != Path(FOLDER):
        return None
    benchmark = load_dreambench(root)
    is_listed = folder.name in benchmark.classes
    return benchmark if is_listed or root == Path(FOLDER) else None


def _classes(text: str) -> dict[str, str]:
    """The class word of each subject."""
    classes = {}
    for line in text.splitlines():
        row = ROW.match(line.strip())
        if row and row[1] != HEAD:
            classes[row[1]] = row[2]
    return classes


def _templates(text: str) -> list[str]:
    """The prompts with `[v] {}` in them, those for objects first."""
    templates = []
    for template in TEMPLATE.findall(text):
        if BOTH in template:
            templates.append(template.replace(BOTH, f"{MARK} {{}}"))
    return templates


def present(benchmark: Benchmark) -> list[str]:
    """Names of the subjects whose pictures are there."""
    return [name for name in sorted(benchmark.classes) if _pictures(benchmark.root / name)]


def read_plus_prompts(path: Path | str) -> tuple[str, list[str]]:
    """A text file of DreamBench++: the subject's words, and its prompts as they stand, without an identifier.

    Raises ValueError for a file without both.
    """
    text = Path(path).read_text(encoding="utf-8")
    stripped = map(str.strip, text.splitlines())
    lines = [line for line in stripped if line]
    if len(lines) < 2:
        got = f"got {len(lines)} lines"
        raise ValueError(f"{path}: expected the subject in the first line and prompts in the others, {got}")
    return lines[0], lines[1:]


def plus_prompts(path: Path | str) -> list[Prompt]:
    """The prompts of DreamBench++ with `[v]` before the subject's words. ValueError where a prompt lacks them."""
    words, texts = read_plus_prompts(path)
    pattern = re.compile(rf"\b{re.escape(words)}\b", re.IGNORECASE)
    prompts = []
    for text in texts:
        named = pattern.search(text)
        if not named:
            raise ValueError(f"{path}: expected {words!r} in each prompt, to put {MARK} before it; not in {text!r}")
        start = named.start()
        prompts.append(Prompt(f"{text[:start]}{MARK} {text[start:]}", "given", {}))
    return prompts


def _pictures(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        return ()
    return picture_files(folder)
