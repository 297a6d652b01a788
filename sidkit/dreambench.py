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
from sidkit.subjects import SUFFIXES, Prompt, Subject, load_subject

LIST = "prompts_and_classes.txt"
LIVE = ("cat", "dog")  # classes that get the prompts for live subjects
PROMPTS = 25  # for each kind of subject
ROW = re.compile(r"^([a-z][\w]*),([a-z][\w ]*)$")
TEMPLATE = re.compile(r"^'(.*)'\.format\(unique_token, class_token\)", re.MULTILINE)
BOTH = "{0} {1}"


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
        word = self.classes[check_name("subject of DreamBench", name, self.classes)]
        folder = self.root / name
        if (folder / CAPTIONS).is_file():
            return load_subject(folder)
        images = _pictures(folder)
        if not images:
            raise ValueError(f"{name}: expected pictures in {folder}, found none; sidkit fetch dreambench gets them")
        text = class_caption(word)
        return Subject(name, folder, word, (), images, {1: {path.name: text for path in images}})

    def prompts(self, name: str) -> list[Prompt]:
        """The 25 prompts of a subject, with `[v]`, by kind: recontextualization, accessory (live only), property."""
        word = self.classes[check_name("subject of DreamBench", name, self.classes)]
        live = word in LIVE
        kinds = ["recontextualization"] * (10 if live else 20) + ["accessory"] * (10 if live else 0) + ["property"] * 5
        texts = [template.format(word) for template in (self.live if live else self.objects)]
        return [Prompt(text, kind, {}) for text, kind in zip(texts, kinds, strict=True)]


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
    rows = [match.groups() for line in text.splitlines() if (match := ROW.match(line.strip()))]
    classes = {name: word for name, word in rows if name != "subject_name"}
    templates = [one.replace(BOTH, f"{MARK} {{}}") for one in TEMPLATE.findall(text) if BOTH in one]
    if not classes or len(templates) != 2 * PROMPTS:
        found = f"{len(classes)} subjects and {len(templates)} prompts"
        raise ValueError(f"{root / LIST}: expected subjects with classes and 2 x {PROMPTS} prompts, found {found}")
    return Benchmark(root, classes, tuple(templates[:PROMPTS]), tuple(templates[PROMPTS:]))


def present(benchmark: Benchmark) -> list[str]:
    """Names of the subjects whose pictures are there."""
    return [name for name in sorted(benchmark.classes) if _pictures(benchmark.root / name)]


def read_plus_prompts(path: Path | str) -> tuple[str, list[str]]:
    """A text file of DreamBench++: the subject's words, and its prompts as they stand, without an identifier.

    Raises ValueError for a file without both.
    """
    lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(lines) < 2:
        raise ValueError(
            f"{path}: expected the subject in the first line and prompts in the others, got {len(lines)} lines"
        )
    return lines[0], lines[1:]


def plus_prompts(path: Path | str) -> list[Prompt]:
    """The prompts of DreamBench++ with `[v]` before the subject's words. ValueError where a prompt lacks them."""
    words, texts = read_plus_prompts(path)
    pattern = re.compile(rf"\b{re.escape(words)}\b", re.IGNORECASE)
    for text in texts:
        if not pattern.search(text):
            raise ValueError(f"{path}: expected {words!r} in each prompt, to put {MARK} before it; not in {text!r}")
    return [Prompt(pattern.sub(lambda found: f"{MARK} {found[0]}", text, count=1), "given", {}) for text in texts]


def _pictures(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        return ()
    return tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != "."))
