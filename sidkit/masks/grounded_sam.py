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
from sidkit.files import whole_file
from sidkit.image_files import load_image
from sidkit.masks.contact_sheet import MaskedPicture, contact_sheet, shrunk
from sidkit.masks.given import given_mask, write_mask
from sidkit.picture_folder import CONTACT_SHEET, MASKS_FOLDER, readable_pictures

BROKEN = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError)  # what loading raises


@dataclass(frozen=True)
class Detection:
    """What was found in a picture: boxes (n, 4) as x0, y0, x1, y1 in px with scores (n,) in [0, 1], the surest first.

    `mask`, boolean (height, width), is None where nothing was found, or where it would part nothing from nothing.
    """

    mask: np.ndarray | None
    boxes: np.ndarray
    scores: np.ndarray

    def __str__(self) -> str:
        if not len(self.scores):
            return "nothing found"
        scores = ", ".join(f"{score:.2f}" for score in self.scores)
        summary = f"{len(self.scores)} found, scores {scores}"
        if self.mask is None:
            return f"{summary}, but the mask covers nothing or everything"
        return summary


class GroundedSam:
    """The two models, loaded together: `settings` say which, and how sure they have to be."""

    def __init__(self, settings: Masks, device: str = "cpu") -> None:
        """Raises ValueError for weights that are missing, damaged or not to be had, with what to do."""
        self.settings = settings
        self.device = device
        self.detector_processor, self.detector = _loaded(
            GroundingDinoProcessor,
            GroundingDinoForObjectDetection,
            settings.detector,
            settings.detector_revision,
            device,
        )
        self.segmenter_processor, self.segmenter = _loaded(
            SamProcessor,
            SamModel,
            settings.segmenter,
            settings.segmenter_revision,
            device,
        )

    def find(self, picture: Image.Image, class_word: str) -> Detection:
        """The class word's mask in an RGB picture: of its surest detection, or of all (`settings.several`)."""
        boxes, scores = self._detect(picture, class_word)
        if not len(boxes):
            return Detection(None, boxes, scores)
        wanted = boxes if self.settings.several == "all" else boxes[:1]
        mask = self._cut(picture, wanted)
        if mask.all() or not mask.any():
            return Detection(None, boxes, scores)
        return Detection(mask, boxes, scores)

    @torch.inference_mode()
    def _detect(self, picture: Image.Image, class_word: str) -> tuple[np.ndarray, np.ndarray]:
        """Boxes and scores above the thresholds, the surest first."""
        question = f"{class_word.lower().strip()}."  # as Grounding DINO was trained to be asked
        inputs = self.detector_processor(images=picture, text=question, return_tensors="pt").to(self.device)
        (detections,) = self.detector_processor.post_process_grounded_object_detection(
            self.detector(**inputs),
            inputs["input_ids"],
            target_sizes=[(picture.height, picture.width)],
            threshold=self.settings.box_threshold,
            text_threshold=self.settings.text_threshold,
        )
        count = len(detections["scores"])
        labels = detections["text_labels"][:count]  # transformers gives one label where nothing was found
        is_labelled = torch.tensor([bool(label) for label in labels], dtype=torch.bool)
        scores = detections["scores"].cpu()[is_labelled]
        boxes = detections["boxes"].cpu()[is_labelled]
        order = scores.argsort(descending=True)
        return boxes[order].numpy(), scores[order].numpy()

    @torch.inference_mode()
    def _cut(self, picture: Image.Image, boxes: np.ndarray) -> np.ndarray:
        """The union of SAM's mask of each box."""
        processor = self.segmenter_processor
        inputs = processor(picture, input_boxes=[boxes.tolist()], return_tensors="pt").to(self.device)
        masks = self.segmenter(**inputs, multimask_output=False).pred_masks
        (masks_of_boxes,) = processor.post_process_masks(
            masks.cpu(),
            inputs["original_sizes"].cpu(),
            inputs["reshaped_input_sizes"].cpu(),
        )
        return masks_of_boxes.flatten(0, 1).any(0).numpy()


def write_masks(
    folder: Path,
    class_word: str,
    finder: GroundedSam,
    *,
    progress: bool = True,
) -> list[MaskedPicture]:
    """Find a mask for each picture of a subject's folder that has none, and write it into its folder `masks`.

    Given masks and alpha channels stay as they are. `masks/contact_sheet.png` shows all of them, with what was found,
    to be checked by eye before anything is measured. Returns what the sheet shows, as small as it shows it; where
    nothing was found, the mask is None, and the picture has to be given one by hand or asked for with lower thresholds.
    Raises ValueError, before anything is looked for, for a folder without pictures, and for masks and pictures that
    cannot be read.
    """
    folder = Path(folder)
    paths = readable_pictures(folder, "masks")
    for path in paths:
        given_mask(path)
    (folder / MASKS_FOLDER).mkdir(exist_ok=True)
    pictures = []
    for path in tqdm(paths, desc="masks", unit="picture", delay=5, disable=not progress):
        pictures.append(shrunk(_masked(path, class_word, finder)))
    with whole_file(folder / MASKS_FOLDER / CONTACT_SHEET) as partial:
        contact_sheet(pictures).save(partial, format="PNG")
    return pictures


def _masked(path: Path, class_word: str, finder: GroundedSam) -> MaskedPicture:
    """A picture with the mask that it has or, where it has none, the one that is found and written."""
    picture = load_image(path)
    given = given_mask(path)
    if given is not None:
        return MaskedPicture(path.name, picture, given, remark="given")
    detection = finder.find(picture, class_word)
    if detection.mask is not None:
        write_mask(path, detection.mask)
    boxes = tuple(map(tuple, detection.boxes.tolist()))
    return MaskedPicture(path.name, picture, detection.mask, boxes, str(detection))


def _loaded(
    processor_class: type,
    model_class: type,
    where: str,
    revision: str | None,
    device: str,
) -> tuple[Any, torch.nn.Module]:
    """A processor and its model, single precision; their errors as one that says what to do."""
    if Path(where).is_dir():
        revision = None  # a folder has none
    pinned = {"revision": revision} if revision else {}
    try:
        model = model_class.from_pretrained(where, use_safetensors=True, dtype=torch.float32, **pinned)
        processor = processor_class.from_pretrained(where, **pinned)
        return processor, model.eval().to(device)
    except BROKEN as error:
        remedy = hub.advice(error, where, "set the profile's masks to another hub id or to a local folder")
        fault = f"Grounded-SAM: expected a model at {where}, which cannot be loaded"
        raise ValueError(f"{fault}: {error}; {remedy}") from error
