"""The shipped captioner: transformers' `VisionEncoderDecoderModel` with eyes of our own and a small GPT-2.

The eyes are the factor reader's backbone, frozen, whose two maps become 45 cells for the decoder to look at. The
decoder reads `<start> instruction <start>` and writes a caption. Importing this module tells transformers of the
eyes; after that `VisionEncoderDecoderModel.from_pretrained(FOLDER)` loads the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from PIL import Image
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    CLIPTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    PretrainedConfig,
    PreTrainedModel,
    VisionEncoderDecoderModel,
)
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils import logging

from sidkit.files import write_bytes
from sidkit.stickers.nets import COARSE, FINE, SHADES, Backbone, as_cells, with_colors
from sidkit.stickers.tensors import pixels

LENGTH = 112  # tokens of instruction and caption together
ANSWER = 56  # tokens of a caption at most
WIDTH, LAYERS, HEADS = 192, 3, 6


class EyesConfig(PretrainedConfig):
    """How large the eyes are."""

    model_type = "sticker_eyes"

    def __init__(
        self,
        architecture: str = "tf_efficientnet_lite0",
        size: int = 96,
        hidden_size: int = WIDTH,
        **others,
    ):
        super().__init__(**others)
        self.architecture = architecture
        self.size = size
        self.hidden_size = hidden_size


class Eyes(PreTrainedModel):
    """Pictures (n, 3, h, w) in [0, 1] to cells (n, 45, width): 36 of a fine map, then 9 of a coarse one."""

    config_class = EyesConfig
    main_input_name = "pixel_values"
    base_model_prefix = "eyes"

    def __init__(self, config: EyesConfig):
        super().__init__(config)
        self.backbone = Backbone(config.architecture, config.size)
        shapes, fine, coarse = self.backbone.channels()
        self.fine = nn.Linear(shapes + fine + 3 * SHADES**2, config.hidden_size)
        self.coarse = nn.Linear(coarse, config.hidden_size)
        self.places = nn.Parameter(torch.randn(FINE**2 + COARSE**2, config.hidden_size) * 0.02)
        self.norm = nn.LayerNorm(config.hidden_size)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """The modules' own first weights stay."""

    def forward(self, pixel_values: torch.Tensor, **unused) -> BaseModelOutput:
        """What the decoder looks at."""
        fine, coarse = self.maps(pixel_values)
        return BaseModelOutput(last_hidden_state=self.look(fine, coarse))

    def maps(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The backbone's maps (n, c, 6, 6) and (n, d, 3, 3); each fine cell with its own colours beside them."""
        fine, coarse = self.backbone.maps(pixels)
        return with_colors(fine, pixels), coarse

    def look(self, fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        """Maps to cells."""
        cells = [self.fine(as_cells(fine)), self.coarse(as_cells(coarse))]
        return self.norm(torch.cat(cells, dim=1) + self.places)


AutoConfig.register(EyesConfig.model_type, EyesConfig)
AutoModel.register(EyesConfig, Eyes)


def make_captioner(architecture: str, size: int, tokenizer: CLIPTokenizer) -> VisionEncoderDecoderModel:
    """An untrained captioner for a tokenizer, whose <start> also ends the instruction."""
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    written = GPT2Config(
        vocab_size=len(tokenizer),
        add_cross_attention=True,
        is_decoder=True,
        n_positions=LENGTH,
        n_embd=WIDTH,
        n_layer=LAYERS,
        n_head=HEADS,
        n_inner=2 * WIDTH,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=start,
        eos_token_id=end,
        pad_token_id=end,
    )
    eyes = Eyes(EyesConfig(architecture, size))
    model = VisionEncoderDecoderModel(encoder=eyes, decoder=GPT2LMHeadModel(written))
    for config in (model.config, model.generation_config):
        config.decoder_start_token_id = start
        config.eos_token_id = end
        config.pad_token_id = end
    return model


class Captioner:
    """The saved captioner with its tokenizer: pictures and one instruction in, captions out."""

    def __init__(self, folder: Path, device: str = "cpu"):
        self.tokenizer = CLIPTokenizer.from_pretrained(folder)
        with _without_bars():
            model = VisionEncoderDecoderModel.from_pretrained(folder, dtype=torch.float32)
        self.model = model.to(device).eval()

    @torch.no_grad()
    def tell(self, images: Sequence[Image.Image], instruction: str, start: str = "") -> list[str]:
        """A caption for each picture, the likeliest word at a time; with `start`, it goes on from there.

        ValueError for an instruction that leaves no room for an answer.
        """
        question = question_tokens(self.tokenizer, instruction, start)
        if len(question) > LENGTH - ANSWER:
            raise ValueError(
                f"instruction: expected at most {LENGTH - ANSWER} tokens for this captioner, got {len(question)}; it "
                f"knows few words and spells the others out; shorten {instruction[:80]!r}"
            )
        answers = [self._answer(image, question) for image in images]
        return [f"{start} {answer}".strip() for answer in answers]

    def _answer(self, image: Image.Image, question: list[int]) -> str:
        device = self.model.device
        tokens = self.model.generate(
            pixels([image]).to(device),
            decoder_input_ids=torch.tensor([question], device=device),
            max_new_tokens=ANSWER,
            do_sample=False,
            num_beams=1,
        )
        answer = tokens[0, len(question) :]
        return self.tokenizer.decode(answer, skip_special_tokens=True).strip()


@contextmanager
def _without_bars() -> Iterator[None]:
    """Without transformers' bar for a small file, which a notebook keeps as a widget that needs a network."""
    was_enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_enabled:
            logging.enable_progress_bar()


def question_tokens(tokenizer: CLIPTokenizer, instruction: str, start: str = "") -> list[int]:
    """`<start> instruction <start> start of the caption`, as the decoder reads it."""
    tokens: list[int] = []
    for text in (instruction, start):
        tokens.append(tokenizer.bos_token_id)
        if text:
            tokens += tokenizer(text, add_special_tokens=False, verbose=False).input_ids
    return tokens


def save_captioner(model: VisionEncoderDecoderModel, tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Write what `Captioner` reads, the weights in half precision; they take their name only when they are whole."""
    with TemporaryDirectory() as scratch:
        model.half().save_pretrained(scratch)
        tokenizer.save_pretrained(scratch)
        for path in sorted(Path(scratch).iterdir()):
            write_bytes(folder / path.name, path.read_bytes())
    model.float()
