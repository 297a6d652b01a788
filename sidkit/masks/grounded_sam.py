"""Grounded-SAM (Ren et al., 2024), as the paper takes its masks (section 6): the class word's pixels in a photo.

Grounding DINO finds boxes for the class word, SAM cuts out what is in them. The paper names neither checkpoints nor
thresholds, nor what happens with several detections: the profile's `masks` say it here. Look at the masks before you
measure with them: `write_masks` leaves a contact sheet, and a mask that you draw yourself is never written over.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from tqdm import tqdm
from transformers import GroundingDinoForObjectDetection, GroundingDinoProcessor, SamModel, SamProcessor

from sidkit import hub
from sidkit.config import Masks
from sidkit.masks.files import FOLDER, SHEET, Shown, contact_sheet, given_mask, write_mask
from sidkit.subjects import SUFFIXES, load_image

BROKEN = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError)  # what loading raises


@dataclass(frozen=True)
class Found:
    """What was found in a picture: boxes (n, 4) as x0, y0, x1, y1 in px with scores (n,), the surest first.

    `mask` (height, width) is None where nothing was found, or where it would part nothing from nothing.
    """

    mask: np.ndarray | None
    boxes: np.ndarray
    scores: np.ndarray

    def __str__(self) -> str:
        if not len(self.scores):
            return "nothing found"
        told = f"{len(self.scores)} found, scores {', '.join(f'{score:.2f}' for score in self.scores)}"
        return told if self.mask is not None else f"{told}, but the mask covers nothing or everything"


class GroundedSam:
    """The two models, loaded together: `settings` say which, and how sure they have to be."""

    def __init__(self, settings: Masks, device: str = "cpu") -> None:
        """Raises ValueError for weights that are missing, damaged or not to be had, with what to do."""
        self.settings, self.device = settings, device
        detector, segmenter = (GroundingDinoProcessor, GroundingDinoForObjectDetection), (SamProcessor, SamModel)
        self.reader, self.detector = _loaded(*detector, settings.detector, settings.detector_revision, device)
        self.cutter, self.segmenter = _loaded(*segmenter, settings.segmenter, settings.segmenter_revision, device)

    def find(self, picture: Image.Image, class_word: str) -> Found:
        """The class word's mask in an RGB picture: of its surest detection, or of all (`settings.several`)."""
        boxes, scores = self._detect(picture, class_word)
        if not len(boxes):
            return Found(None, boxes, scores)
        wanted = boxes if self.settings.several == "all" else boxes[:1]
        mask = self._cut(picture, wanted)
        return Found(None if mask.all() or not mask.any() else mask, boxes, scores)

    @torch.inference_mode()
    def _detect(self, picture: Image.Image, class_word: str) -> tuple[np.ndarray, np.ndarray]:
        """Boxes and scores above the thresholds, the surest first."""
        text = f"{class_word.lower().strip()}."  # as Grounding DINO was trained to be asked
        inputs = self.reader(images=picture, text=text, return_tensors="pt").to(self.device)
        limits = dict(threshold=self.settings.box_threshold, text_threshold=self.settings.text_threshold)
        (found,) = self.reader.post_process_grounded_object_detection(
            self.detector(**inputs), inputs["input_ids"], target_sizes=[picture.size[::-1]], **limits
        )
        labels = found["text_labels"][: len(found["scores"])]  # transformers gives one label where nothing was found
        labelled = torch.tensor([bool(label) for label in labels], dtype=torch.bool)
        scores, boxes = found["scores"].cpu()[labelled], found["boxes"].cpu()[labelled]
        order = scores.argsort(descending=True)
        return boxes[order].numpy(), scores[order].numpy()

    @torch.inference_mode()
    def _cut(self, picture: Image.Image, boxes: np.ndarray) -> np.ndarray:
        """The union of SAM's mask of each box."""
        inputs = self.cutter(picture, input_boxes=[boxes.tolist()], return_tensors="pt").to(self.device)
        masks = self.segmenter(**inputs, multimask_output=False).pred_masks
        sizes = (inputs["original_sizes"].cpu(), inputs["reshaped_input_sizes"].cpu())
        (whole,) = self.cutter.post_process_masks(masks.cpu(), *sizes)
        return whole.flatten(0, 1).any(0).numpy()


def write_masks(folder: Path, class_word: str, finder: GroundedSam, *, progress: bool = True) -> list[Shown]:
    """Find a mask for each picture of a subject's folder that has none, and write it into its folder `masks`.

    Given masks and alpha channels stay as they are. `masks/contact_sheet.png` shows all of them, with what was found,
    to be checked by eye before anything is measured. Returns what the sheet shows; where nothing was found, the mask is
    None, and the picture has to be given one by hand or asked for with lower thresholds.
    """
    folder = Path(folder)
    paths = sorted(path for path in folder.iterdir() if _is_picture(path))
    if not paths:
        raise ValueError(f"masks: expected pictures in {folder}, found none")
    shown = []
    for path in tqdm(paths, desc="masks", unit="picture", delay=5, disable=not progress):
        shown.append(_shown(path, class_word, finder))
    contact_sheet(shown).save(folder / FOLDER / SHEET)
    return shown


def _shown(path: Path, class_word: str, finder: GroundedSam) -> Shown:
    given = given_mask(path)
    if given is not None:
        return Shown(path.name, load_image(path), given, (), "given")
    picture = load_image(path)
    found = finder.find(picture, class_word)
    if found.mask is not None:
        write_mask(path, found.mask)
    else:
        (path.parent / FOLDER).mkdir(exist_ok=True)
    return Shown(path.name, picture, found.mask, tuple(map(tuple, found.boxes.tolist())), str(found))


def _is_picture(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in SUFFIXES and path.name[0] != "."


def _loaded(reads: type, kind: type, where: str, revision: str | None, device: str) -> tuple[Any, torch.nn.Module]:
    """A processor and its model, single precision; their errors as one that says what to do."""
    pinned = dict(revision=revision) if revision and not Path(where).is_dir() else {}  # a folder has no revisions
    try:
        model = kind.from_pretrained(where, use_safetensors=True, dtype=torch.float32, **pinned)
        return reads.from_pretrained(where, **pinned), model.eval().to(device)
    except BROKEN as error:
        remedy = hub.advice(error, where, "set the profile's masks to another hub id or to a local folder")
        told = f"Grounded-SAM: expected a model at {where}, which cannot be loaded"
        raise ValueError(f"{told}: {error}; {remedy}") from error
