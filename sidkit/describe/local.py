"""Describing with weights on this machine: any model that transformers loads for image-text-to-text.

Nothing of a model repository is executed (`trust_remote_code` stays off), and only safetensors are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from PIL import Image

from sidkit.describe.answer_error import AnswerError
from sidkit.describe.answers import read_answer
from sidkit.describe.description import Description
from sidkit.describe.instructions import Instruction


@dataclass(frozen=True)
class Local:
    """A model by hub id or folder. On a GPU it runs in the precision that its checkpoint says, on a CPU in fp32.

    Not in fp16 come what may: Qwen2-VL and its successors then say nothing but "!" (transformers issue 33294). A card
    without bf16 computes such a checkpoint all the same, slowly.

    Weights are loaded (and, by id, downloaded) with the first picture. `tokens` is the most of an answer.
    """

    model: str
    revision: str | None = None
    tokens: int = 200
    device: str = ""  # "" takes a GPU if there is one

    @property
    def name(self) -> str:
        """The model as it is kept with its answers."""
        return f"{self.model}@{self.revision}" if self.revision else self.model

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """The processor, and the model on its device."""
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor

        device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.float32 if device == "cpu" else "auto"
        try:
            processor = AutoProcessor.from_pretrained(self.model, revision=self.revision)
            model = AutoModelForImageTextToText.from_pretrained(
                self.model, revision=self.revision, dtype=dtype, use_safetensors=True
            )
        except (OSError, ValueError) as error:
            first = str(error).strip().splitlines()[0]
            raise ValueError(
                f"{self.model}: expected an image-text-to-text model, a folder or a hub id, but {first}; "
                "check the name, or fetch it where there is a network"
            ) from error
        return processor, model.to(device).eval()

    def fits(self, instruction: Instruction) -> Instruction:
        """A chat model takes any instruction; one without a chat template goes on with a beginning, or answers."""
        return instruction

    def describe(self, image: Image.Image, class_word: str, instruction: Instruction) -> Description:
        """Ask once, taking the likeliest word at a time. Raises AnswerError for an answer of no use."""
        import torch

        processor, model = self._loaded
        inputs = _inputs(processor, image, instruction).to(model.device)
        if "pixel_values" in inputs:
            inputs["pixel_values"] = inputs["pixel_values"].to(model.dtype)
        with torch.no_grad():
            (tokens,) = model.generate(**inputs, max_new_tokens=self.tokens, do_sample=False)
        asked = inputs["input_ids"].shape[1]
        answer = tokens[asked:] if len(tokens) > asked else tokens  # some models leave the question out themselves
        text = processor.decode(answer, skip_special_tokens=True)
        if len(answer) >= self.tokens and instruction.answer != "start":
            raise AnswerError("cut off", text)
        return read_answer(text, class_word, instruction, self.name)

    @property
    def paid(self) -> float:
        """Nothing is."""
        return 0.0

    def cost(self, sizes: list[tuple[int, int]], instruction: Instruction) -> None:
        """Nothing."""


def _inputs(processor: Any, image: Image.Image, instruction: Instruction) -> Any:
    """A chat of one question for chat models; for the others the text beside the picture."""
    if getattr(processor, "chat_template", None):
        content = [{"type": "image", "image": image}, {"type": "text", "text": instruction.text}]
        chat = [{"role": "user", "content": content}]
        options = dict(add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt")
        return processor.apply_chat_template(chat, **options)
    asked = instruction.text if instruction.answer == "start" else f"Question: {instruction.text} Answer:"
    return processor(images=image, text=asked, return_tensors="pt")
