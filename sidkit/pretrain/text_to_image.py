"""The text-to-image model: a UNet over the autoencoder's latents and a small CLIP text encoder, trained together."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from sidkit.pretrain.architecture import SCHEDULER, TEXT, UNET, text_config
from sidkit.pretrain.autoencoder import grid
from sidkit.pretrain.fit import Part
from sidkit.pretrain.grounding import LIFTED, Grounding
from sidkit.pretrain.latent_reader import LatentReaderPart
from sidkit.pretrain.pool import Pool
from sidkit.pretrain.teacher import Teacher
from sidkit.pretrain.telling import Captions, tell, with_other_ends
from sidkit.pretrain.understanding import Lesson, Understanding
from sidkit.stickers import grammar
from sidkit.stickers.tensors import noise_like

SHARD = "15MB"  # no file in git over 16 MB

FOREGROUND = (4.0, 4.0, 8.0)  # added to the weight of a place in the loss that subject, nearby or tied thing cover
UNDERSTANDING = 0.05  # weight of the text encoder's own loss
WORD_LENGTH = 1.3  # of an embedding: what trained words have; words that no caption says keep the one they start with
TAUGHT = 0.7  # share of what is learnt that a teacher says, if there is one
MISSED_IN_NOISED = 0.01  # weight of what a reader of latents misses in what the model makes of a noised picture
MISSED_IN_DRAWN = 0.02  # and in what it draws from noise, on its way there
JUDGING = 0.02  # weight of that reader's own loss
DRAWING_STEPS = 8
ON_SHEET = 32  # pictures


def timesteps(batch: int, count: int, generator: torch.Generator) -> torch.Tensor:
    """Timesteps (batch,) in 0..count-1: a third uniform, so that none is forgotten, the others mostly in the middle.

    The middle, where a picture's composition is decided, is drawn logit-normal as in Stable Diffusion 3 (arXiv
    2403.03206, section 3.1). Each kind is stratified, which lowers the variance of the gradient.
    """
    uniform = _stratified(batch // 3, generator)
    others = _stratified(batch - batch // 3, generator)
    normal = torch.special.ndtri(others.clamp(1e-4, 1 - 1e-4))
    share = torch.cat([uniform, torch.sigmoid(normal)])
    return (share * count).long().clamp(0, count - 1)


def _stratified(count: int, generator: torch.Generator) -> torch.Tensor:
    """Numbers (count,) in [0, 1), one in each of as many strips."""
    return torch.arange(count) / count + torch.rand(count, generator=generator) / count


class Drawn(NamedTuple):
    """What a step learns from: scenes (n,) of the pool and their captions.

    With a teacher also what it is told of them, (n, length) tokens; with a judge captions to paint, and the scenes that
    the judge learns from.
    """

    scenes: torch.Tensor
    captions: Captions
    to_teacher: torch.Tensor | None = None
    to_paint: Captions | None = None
    to_judge: torch.Tensor | None = None


class TextToImage(Part):
    """v-prediction on latents; captions are drawn afresh for every picture of every batch.

    The loss weighs a subject's place in the picture more than the background, which is learnt soon: that changes how
    fast each is learnt, and not what the best prediction is.

    With a `judge` the model is also told what is missing in its own drawings (as ReFL does with a reward, arXiv
    2304.05977, section 3): a hat takes few pixels, and little of the loss above, but it is one of the things asked for.
    """

    def __init__(
        self,
        pool: Pool,
        latents: np.ndarray,
        vae: AutoencoderKL,
        tokenizer: CLIPTokenizer,
        batch: int,
        drop: float,
        judge: LatentReaderPart | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.text_encoder = CLIPTextModel(text_config(len(tokenizer)))
        embeddings = self.text_encoder.get_input_embeddings()
        nn.init.normal_(embeddings.weight, std=WORD_LENGTH / embeddings.embedding_dim**0.5)
        self.unet = UNet2DConditionModel(**UNET)
        self.grounding = Grounding(self.unet)
        self.scheduler = DDIMScheduler(**SCHEDULER)
        self.drawing = DDIMScheduler(**SCHEDULER)
        self.drawing.set_timesteps(DRAWING_STEPS)
        self.understanding = Understanding(TEXT["hidden_size"])
        self.pool = pool
        self.latents = latents
        self.batch = batch
        self.drop = drop
        self.frozen = [vae]  # in lists, so that they are no submodules and are not trained
        self.judge = judge
        self.teacher = teacher
        self.empty = tokenizer("", padding="max_length", return_tensors="pt").input_ids

    def draw(self, rng: np.random.Generator) -> Drawn:
        index, captions = self._tell(self.batch, rng)
        scenes = torch.from_numpy(index)
        drawn = Drawn(scenes, captions)
        if self.teacher:
            shown = [self.pool.scenes[number] for number in index]
            drawn = drawn._replace(to_teacher=self.teacher.tell(shown, rng))
        if self.judge:
            _, to_paint = self._tell(self.batch // 2, rng)
            drawn = drawn._replace(to_paint=to_paint, to_judge=self.judge.draw(rng))
        return drawn

    def loss(self, drawn: Drawn, generator: torch.Generator) -> torch.Tensor:
        index = drawn.scenes.numpy()
        device = self.unet.device
        x = torch.from_numpy(self.latents[index]).to(device).float()
        cover = torch.from_numpy(self.pool.cover[index]).to(device) / 255
        hidden = self._read(drawn.captions)
        noise = noise_like(x, generator)
        steps = timesteps(self.batch, self.scheduler.config.num_train_timesteps, generator).to(device)
        noised = self.scheduler.add_noise(x, noise, steps)
        with self.grounding.watching() as maps:
            predicted = self.unet(noised, steps, self._heard(hidden, drawn.captions, generator)).sample.float()
        target = self.scheduler.get_velocity(x, noise, steps)
        if self.teacher:
            target = target.lerp(self.teacher.velocity(noised, steps, drawn.to_teacher), TAUGHT)
        denoising = _weighted_error(predicted, target, cover)
        loss = denoising + self._of_words(drawn.captions, hidden, maps, cover, steps)
        if self.judge:
            clean = self._clean(noised, predicted, steps)
            asked = self._asked(drawn.captions)
            loss = loss + MISSED_IN_NOISED * self.judge.missed(clean, asked, generator, doubt=False)
            loss = loss + self._judged(drawn, generator)
        self.numbers["denoising"] = denoising
        return loss

    def _of_words(
        self,
        captions: Captions,
        hidden: torch.Tensor,
        maps: list[torch.Tensor],
        cover: torch.Tensor,
        steps: torch.Tensor,
    ) -> torch.Tensor:
        """What the text encoder does not tell apart at its words, and what the words do not look at."""
        device = hidden.device
        understanding = self.understanding.loss(hidden, _on(device, captions.lesson))
        signal = self.scheduler.alphas_cumprod.to(device)[steps].sqrt()
        grounding = self.grounding.loss(maps, captions.parts.to(device), cover, signal)
        self.numbers = dict(understanding=understanding, grounding=grounding)
        self.numbers |= {f"lift_{word}": lift for word, lift in zip(LIFTED, self.grounding.lift)}
        return UNDERSTANDING * understanding + self.grounding.weight() * grounding

    def _judged(self, drawn: Drawn, generator: torch.Generator) -> torch.Tensor:
        """What the judge misses in drawings, and what it learns of them and of pictures."""
        painted = self._paint(self._read(drawn.to_paint), generator)
        on_pictures = self.judge.loss(drawn.to_judge, generator)
        on_drawn = self.judge.loss_on_drawn(painted, generator)
        missed = self.judge.missed(painted, self._asked(drawn.to_paint), generator, doubt=True)
        return MISSED_IN_DRAWN * missed + JUDGING * (on_pictures + on_drawn)

    def _tell(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, Captions]:
        """Scenes of the pool, as indices, and fresh captions of them."""
        index = rng.integers(len(self.pool), size=count)
        scenes = [self.pool.scenes[i] for i in index]
        return index, tell(scenes, self.tokenizer, rng, self.drop)

    def _read(self, captions: Captions) -> torch.Tensor:
        """Captions as the text encoder reads them, (n, length, width)."""
        return self.text_encoder(captions.tokens.to(self.unet.device)).last_hidden_state

    def _heard(self, hidden: torch.Tensor, captions: Captions, generator: torch.Generator) -> torch.Tensor:
        """Captions as the UNet hears them in training: many with ends that are not their own."""
        empty = self.text_encoder(self.empty.to(hidden.device)).last_hidden_state[0]
        is_end = captions.tokens == self.tokenizer.eos_token_id
        ends = is_end.int().argmax(dim=1).to(hidden.device)
        return with_other_ends(hidden, ends, empty.to(hidden.dtype), generator)

    def _asked(self, captions: Captions) -> dict[str, torch.Tensor]:
        return {head: labels.to(self.unet.device) for head, labels in captions.asked.items()}

    def _clean(self, noised: torch.Tensor, velocity: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        """The latents that a predicted velocity leads back to."""
        kept = self.scheduler.alphas_cumprod.to(noised.device)[steps]
        kept = kept.view(-1, 1, 1, 1)
        return kept.sqrt() * noised - (1 - kept).sqrt() * velocity

    def _paint(self, hidden: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Latents as they appear in the second half of the way from noise; only the last step can be learnt from."""
        stop = int(torch.randint(DRAWING_STEPS // 2, DRAWING_STEPS, (1,), generator=generator))
        shape = (len(hidden), *self.latents.shape[1:])
        x = torch.randn(shape, generator=generator).to(self.unet.device)
        for number, step in enumerate(self.drawing.timesteps[: stop + 1]):
            with torch.set_grad_enabled(number == stop):
                velocity = self.unet(x, step, hidden).sample.float()
                painted = self.drawing.step(velocity, step, x)
            x = painted.prev_sample
        return painted.pred_original_sample

    def pipeline(self) -> StableDiffusionPipeline:
        """The model as diffusers knows it, for captions in and pictures out."""
        pipe = StableDiffusionPipeline(
            vae=self.frozen[0],
            text_encoder=self.text_encoder,
            tokenizer=self.tokenizer,
            unet=self.unet,
            scheduler=self.scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def sheet(self) -> Image.Image:
        """Sampled pictures above rendered ones, from the same full captions."""
        rng = np.random.default_rng(0)
        scenes = self.pool.scenes[:ON_SHEET]
        captions = [grammar.caption(scene, grammar.FACTORS, True, rng) for scene in scenes]
        sampled = self.pipeline()(
            captions,
            height=64,
            width=64,
            num_inference_steps=20,
            guidance_scale=3,
            generator=torch.Generator().manual_seed(0),
        ).images
        truth = [Image.fromarray(picture) for picture in self.pool.pictures[:ON_SHEET]]
        half = ON_SHEET // 2
        return grid([*sampled[:half], *truth[:half], *sampled[half:], *truth[half:]], half, 1)

    def begin(self, shipped: Path | None) -> None:
        """Start from the shipped weights, if there are any."""
        if shipped:
            unet = UNet2DConditionModel.from_pretrained(shipped / "unet")
            text_encoder = CLIPTextModel.from_pretrained(shipped / "text_encoder")
            self.unet.load_state_dict(unet.state_dict())
            self.text_encoder.load_state_dict(text_encoder.state_dict())

    def matrices(self) -> set[str]:
        inner = {name for name, weight in self.named_parameters() if weight.ndim >= 2 and not _is_outer(name)}
        return {name for name in inner if name.startswith(("unet.", "text_encoder."))}

    def undecayed(self) -> set[str]:
        return {name for name, _ in self.named_parameters() if "token_embedding" in name}

    def export(self, folder: Path) -> None:
        """Write the pipeline in half precision, in shards that git can hold."""
        self.frozen[0].register_to_config(_name_or_path="")  # where it lay on this machine
        self.pipeline().to(dtype=torch.float16).save_pretrained(folder, max_shard_size=SHARD)


def _weighted_error(predicted: torch.Tensor, target: torch.Tensor, cover: torch.Tensor) -> torch.Tensor:
    """Mean squared error, weighed by what covers a place: `cover` (n, 3, h, w) in 0 to 1, as in `Pool`."""
    weight = 1 + torch.einsum("nphw,p->nhw", cover, cover.new_tensor(FOREGROUND))[:, None]
    error = (predicted - target) ** 2
    return (error * weight).mean() / weight.mean()


def _is_outer(name: str) -> bool:
    """Whether a weight is a table, or where latents or time come in or go out."""
    return any(part in name for part in ("embed", "conv_in", "conv_out"))


def _on(device: torch.device, lesson: Lesson) -> Lesson:
    places = {factor: places.to(device) for factor, places in lesson.places.items()}
    labels = {factor: labels.to(device) for factor, labels in lesson.labels.items()}
    return Lesson(places, labels)
