"""Grounded-SAM with the true classes of transformers, tiny and random: what is found is handled, shown and kept."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    BertConfig,
    BertTokenizerFast,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
    GroundingDinoProcessor,
    SamConfig,
    SamImageProcessor,
    SamMaskDecoderConfig,
    SamModel,
    SamProcessor,
    SamPromptEncoderConfig,
    SamVisionConfig,
    SwinConfig,
)

from sidkit.config import Masks
from sidkit.masks.given import given_mask
from sidkit.masks.grounded_sam import GroundedSam, write_masks

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "cat", "dog"]
BOX = (8.0, 8.0, 40.0, 40.0)  # x0, y0, x1, y1


def tiny_detector(folder, words):
    swin = SwinConfig(embed_dim=8, depths=[1] * 4, num_heads=[1] * 4, window_size=2, out_features=["stage3", "stage4"])
    bert = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    small = dict(d_model=32, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=16, decoder_ffn_dim=16)
    heads = dict(encoder_attention_heads=2, decoder_attention_heads=2, num_queries=5, num_feature_levels=3)
    config = GroundingDinoConfig(backbone_config=swin, text_config=bert, **small, **heads)
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    (words / "vocab.txt").write_text("\n".join(WORDS))
    tokenizer = BertTokenizerFast(vocab=str(words / "vocab.txt"))
    scaled = GroundingDinoImageProcessor(size={"shortest_edge": 128, "longest_edge": 256})
    GroundingDinoProcessor(scaled, tokenizer).save_pretrained(folder)


def tiny_segmenter(folder):
    vision = dict(hidden_size=16, output_channels=16, num_hidden_layers=1, num_attention_heads=2, mlp_dim=16)
    sizes = dict(image_size=64, patch_size=16, window_size=2, num_pos_feats=8, global_attn_indexes=[0])
    prompts = SamPromptEncoderConfig(hidden_size=16, image_size=64, patch_size=16, mask_input_channels=4)
    decoder = SamMaskDecoderConfig(hidden_size=16, mlp_dim=16, num_hidden_layers=1, num_attention_heads=2)
    decoder.iou_head_hidden_dim = 16
    parts = dict(vision_config=SamVisionConfig(**vision, **sizes), mask_decoder_config=decoder)
    config = SamConfig(prompt_encoder_config=prompts, **parts)
    SamModel(config).save_pretrained(folder)
    SamProcessor(SamImageProcessor(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64})).save_pretrained(
        folder
    )


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Both models as folders, random."""
    folder = tmp_path_factory.mktemp("grounded_sam")
    torch.manual_seed(0)
    (folder / "words").mkdir()
    tiny_detector(folder / "detector", folder / "words")
    tiny_segmenter(folder / "segmenter")
    return Masks(detector=str(folder / "detector"), segmenter=str(folder / "segmenter"), text_threshold=0)


@pytest.fixture(scope="module")
def finder(settings):
    return GroundedSam(settings)


@pytest.fixture
def picture():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8))


def test_the_true_classes_find_boxes_in_the_picture_s_own_pixels(settings, picture):
    finder = GroundedSam(replace(settings, box_threshold=0.0))
    found = finder.find(picture, " Cat ")
    assert found.boxes.shape == (5, 4) and found.scores.shape == (5,)
    assert (np.diff(found.scores) <= 0).all()  # the surest first
    assert found.boxes.min() > -64 and found.boxes.max() < 128 and found.boxes.max() > 2
    assert found.mask is None or (found.mask.shape == (48, 64) and found.mask.dtype == bool)


def test_sam_cuts_in_the_picture_s_own_pixels(finder, picture):
    mask = finder._cut(picture, np.array([BOX]))
    assert mask.shape == (48, 64) and mask.dtype == bool


def test_a_threshold_that_nothing_reaches_finds_nothing(settings, picture):
    found = GroundedSam(replace(settings, box_threshold=1.0)).find(picture, "cat")
    assert (found.mask, len(found.boxes), str(found)) == (None, 0, "nothing found")


@pytest.mark.parametrize(("several", "count"), [("best", 1), ("all", 2)])
def test_of_several_detections_the_profile_chooses(finder, picture, monkeypatch, several, count):
    asked = []
    boxes, scores = np.array([BOX, (0.0, 0, 4, 4)]), np.array([0.9, 0.5])
    monkeypatch.setattr(finder, "settings", replace(finder.settings, several=several))
    monkeypatch.setattr(finder, "_detect", lambda *_: (boxes, scores))
    monkeypatch.setattr(finder, "_cut", lambda _, wanted: asked.append(len(wanted)) or np.eye(48, 64, dtype=bool))
    found = finder.find(picture, "cat")
    assert asked == [count] and str(found) == "2 found, scores 0.90, 0.50"


def test_detections_are_sorted_and_those_without_a_label_dropped(finder, picture, monkeypatch):
    told = {
        "scores": torch.tensor([0.4, 0.9, 0.8]),
        "boxes": torch.arange(12.0).reshape(3, 4),
        "text_labels": ["cat", "", "cat"],
    }
    monkeypatch.setattr(finder.detector_processor, "post_process_grounded_object_detection", lambda *_, **__: [told])
    boxes, scores = finder._detect(picture, "cat")
    assert np.allclose(scores, [0.8, 0.4]) and boxes[0].tolist() == [8, 9, 10, 11]


def test_a_mask_that_parts_nothing_counts_as_none(finder, picture, monkeypatch):
    monkeypatch.setattr(finder, "_detect", lambda *_: (np.array([BOX]), np.array([0.9])))
    monkeypatch.setattr(finder, "_cut", lambda *_: np.ones((48, 64), bool))
    found = finder.find(picture, "cat")
    assert found.mask is None and "covers nothing or everything" in str(found)


class Finder:
    """Finds the left half of whatever is light."""

    def find(self, picture, class_word):
        light = np.asarray(picture.convert("L")) > 127
        mask = np.arange(picture.width)[None] < picture.width // 2
        none = SimpleNamespace(mask=None, boxes=np.zeros((0, 4)), scores=np.zeros(0), __str__=lambda: "nothing found")
        found = SimpleNamespace(mask=np.broadcast_to(mask, light.shape), boxes=np.array([BOX]), scores=np.array([1.0]))
        return found if light.any() else none


def test_masks_are_written_beside_the_pictures_and_shown_on_a_sheet(tmp_path):
    for name, shade in (("00.jpg", 255), ("01.jpg", 0), ("02.jpg", 255)):
        Image.new("RGB", (64, 48), (shade,) * 3).save(tmp_path / name)
    (tmp_path / "masks").mkdir()
    drawn = np.zeros((48, 64), bool)
    drawn[:10] = True
    Image.fromarray(np.uint8(drawn) * 255).save(tmp_path / "masks" / "02.png")
    shown = write_masks(tmp_path, "cat", Finder(), progress=False)
    assert [masked.mask is not None for masked in shown] == [True, False, True]
    assert given_mask(tmp_path / "00.jpg")[:, :32].all() and not given_mask(tmp_path / "00.jpg")[:, 32:].any()
    assert given_mask(tmp_path / "01.jpg") is None
    assert (given_mask(tmp_path / "02.jpg") == drawn).all() and shown[2].remark == "given"
    sheet = np.asarray(Image.open(tmp_path / "masks" / "contact_sheet.png"))
    assert sheet.shape == (256 + 40, 3 * 256, 3)
    left, right = sheet[128, 60].astype(int), sheet[128, 200].astype(int)
    assert left.min() > 250 and right.max() < 80  # the masked half is seen, the rest dimmed


def test_a_folder_of_cut_outs_gets_its_sheet_too(tmp_path):
    cut_out = Image.new("RGBA", (64, 48), "red")
    cut_out.paste((0, 0, 0, 0), (0, 0, 32, 48))
    cut_out.save(tmp_path / "00.png")
    (shown,) = write_masks(tmp_path, "cat", Finder(), progress=False)
    assert shown.remark == "given" and [path.name for path in (tmp_path / "masks").iterdir()] == ["contact_sheet.png"]


def test_missing_weights_are_told(settings, tmp_path):
    with pytest.raises(ValueError, match="expected a model at .*nowhere.*masks to another hub id or to a local folder"):
        GroundedSam(replace(settings, detector=str(tmp_path / "nowhere")))


def test_a_folder_without_pictures_is_refused(finder, tmp_path):
    with pytest.raises(ValueError, match="masks: expected pictures"):
        write_masks(tmp_path, "cat", finder)
