"""The text-to-image model: a UNet over the autoencoder's latents and a small CLIP text encoder, trained together."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from sidkit.pretrain.autoencoder import grid
from sidkit.pretrain.fit import Part
from sidkit.pretrain.latent_reader import LatentReaderPart
from sidkit.pretrain.pool import Pool
from sidkit.pretrain.telling import Captions, tell
from sidkit.pretrain.tokenizer import LENGTH
from sidkit.pretrain.understanding import Understanding
from sidkit.stickers import grammar
from sidkit.stickers.tensors import noise_like

SHARD = "15MB"  # no file in git over 16 MB

UNET = dict(
    sample_size=16,
    in_channels=8,
    out_channels=8,
    block_out_channels=(64, 128, 192),
    down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    layers_per_block=1,
    attention_head_dim=4,  # in diffusers, for this class, the number of heads
    norm_num_groups=16,
    cross_attention_dim=160,
    addition_embed_type="text",  # the whole caption beside the time, as in XL: cross-attention alone learns words late
    addition_embed_type_num_heads=4,
)
TEXT = dict(
    hidden_size=160,
    intermediate_size=640,
    num_hidden_layers=3,
    num_attention_heads=4,
    max_position_embeddings=LENGTH,
    projection_dim=160,
)
SCHEDULER = dict(
    num_train_timesteps=1000,
    beta_schedule="scaled_linear",
    beta_start=0.00085,
    beta_end=0.012,
    prediction_type="v_prediction",
    rescale_betas_zero_snr=True,
    timestep_spacing="trailing",
    clip_sample=False,
    set_alpha_to_one=True,
    steps_offset=1,  # as Stable Diffusion pipelines expect; trailing spacing does not use it
)


FOREGROUND = 4.0  # added to the weight of a place in the loss that the subject or a thing covers
READING = 0.05  # weight of the text encoder's own loss
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

    With a judge also captions to paint, and the scenes that the judge learns from.
    """

    scenes: torch.Tensor
    captions: Captions
    to_paint: Captions | None
    to_judge: torch.Tensor | None


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
    ) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.text_encoder = CLIPTextModel(_text_config(len(tokenizer)))
        self.unet = UNet2DConditionModel(**UNET)
        nn.init.zeros_(self.unet.add_embedding.norm2.weight)  # the caption's share grows from nothing
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

    def draw(self, rng: np.random.Generator) -> Drawn:
        index, captions = self._tell(self.batch, rng)
        scenes = torch.from_numpy(index)
        if self.judge is None:
            return Drawn(scenes, captions, None, None)
        _, to_paint = self._tell(self.batch // 2, rng)
        return Drawn(scenes, captions, to_paint, self.judge.draw(rng))

    def loss(self, drawn: Drawn, generator: torch.Generator) -> torch.Tensor:
        index = drawn.scenes.numpy()
        device = self.unet.device
        x = torch.from_numpy(self.latents[index]).to(device).float()
        cover = torch.from_numpy(self.pool.cover[index]).to(device)[:, None] / 255
        weight = 1 + FOREGROUND * cover
        asked = self._asked(drawn.captions)
        hidden, last = self._read(drawn.captions)
        noise = noise_like(x, generator)
        steps = timesteps(self.batch, self.scheduler.config.num_train_timesteps, generator).to(device)
        noised = self.scheduler.add_noise(x, noise, steps)
        predicted = self.unet(noised, steps, hidden).sample.float()
        error = (predicted - self.scheduler.get_velocity(x, noise, steps)) ** 2
        denoising = (error * weight).mean() / weight.mean()
        loss = denoising + READING * self.understanding.loss(last, asked)
        if self.judge:
            clean = self._clean(noised, predicted, steps)
            loss = loss + MISSED_IN_NOISED * self.judge.missed(clean, asked, generator, doubt=False)
            loss = loss + self._judged(drawn, generator)
        return loss

    def _judged(self, drawn: Drawn, generator: torch.Generator) -> torch.Tensor:
        """What the judge misses in drawings, and what it learns of them and of pictures."""
        hidden, _ = self._read(drawn.to_paint)
        painted = self._paint(hidden, generator)
        on_pictures = self.judge.loss(drawn.to_judge, generator)
        on_drawn = self.judge.loss_on_drawn(painted, generator)
        missed = self.judge.missed(painted, self._asked(drawn.to_paint), generator, doubt=True)
        return MISSED_IN_DRAWN * missed + JUDGING * (on_pictures + on_drawn)

    def _tell(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, Captions]:
        """Scenes of the pool, as indices, and fresh captions of them."""
        index = rng.integers(len(self.pool), size=count)
        scenes = [self.pool.scenes[i] for i in index]
        return index, tell(scenes, self.tokenizer, rng, self.drop)

    def _read(self, captions: Captions) -> tuple[torch.Tensor, torch.Tensor]:
        """Captions as the UNet reads them (n, length, width), and their last tokens alone (n, width)."""
        tokens = captions.tokens.to(self.unet.device)
        hidden = self.text_encoder(tokens).last_hidden_state
        is_end = tokens == self.tokenizer.eos_token_id
        last = is_end.int().argmax(dim=1)
        rows = torch.arange(len(tokens), device=tokens.device)
        return hidden, hidden[rows, last]

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

    def export(self, folder: Path) -> None:
        """Write the pipeline in half precision, in shards that git can hold."""
        self.frozen[0].register_to_config(_name_or_path="")  # where it lay on this machine
        self.pipeline().to(dtype=torch.float16).save_pretrained(folder, max_shard_size=SHARD)


def _text_config(vocabulary: int) -> CLIPTextConfig:
    return CLIPTextConfig(vocab_size=vocabulary, bos_token_id=0, eos_token_id=1, pad_token_id=1, **TEXT)
