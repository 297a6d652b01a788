"""The text-to-image model: a UNet over the autoencoder's latents and a small CLIP text encoder, trained together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from sidkit.stickers import grammar
from sidkit.stickers.factors import ART_SETS, Scene
from sidkit.stickers.pretrain.autoencoder import grid, pixels
from sidkit.stickers.pretrain.looking import HEADS, labels
from sidkit.stickers.pretrain.loop import Part
from sidkit.stickers.pretrain.pool import Pool
from sidkit.stickers.pretrain.tokenizer import LENGTH

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
PLAIN = 2.0  # how much more often a scene without style or pose is drawn: shapes are learnt from these
UNSAID = -100  # a label that the cross-entropy leaves out
READING = 0.05  # weight of the text encoder's own loss


def random_caption(scene: Scene, rng: np.random.Generator, drop: float) -> tuple[str, list[str]]:
    """A caption and the factors that it names: each is left out with probability `drop`, the looks more often.

    One caption in ten is empty, as guidance needs it.
    """
    if rng.random() < 0.1:
        return "", []
    said = [factor for factor in grammar.FACTORS if rng.random() >= (max(0.3, drop) if factor == "looks" else drop)]
    mention = list(dict.fromkeys(("subject", *said)))  # the grammar always names the subject
    detail = [factor for factor in mention if rng.random() < 0.75]
    return grammar.caption(scene, mention, detail, rng), mention


class Understanding(nn.Module):
    """Reads the factors out of a caption's last token.

    It teaches the text encoder to tell the words apart long before the pictures could: the class of the subject changes
    few pixels and most of what a picture's loss says is about places.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({head: nn.Linear(width, len(values)) for head, values in HEADS.items()})
        self.looks = nn.Linear(width, len(ART_SETS))

    def loss(self, last: torch.Tensor, scenes: list[Scene], said: list[list[str]]) -> torch.Tensor:
        """Mean cross-entropy over the factors that each caption names; `last` is (n, width)."""
        losses = []
        for head, linear in (*self.heads.items(), ("looks", self.looks)):
            target = torch.tensor([_label(scene, head, mention) for scene, mention in zip(scenes, said)])
            found = F.cross_entropy(linear(last).float(), target.to(last.device), ignore_index=UNSAID, reduction="sum")
            losses.append(found / len(scenes))
        return torch.stack(losses).sum()


def _label(scene: Scene, head: str, mention: list[str]) -> int:
    if ("subject" if head == "class" else head) not in mention:
        return UNSAID
    return list(ART_SETS).index(scene.design) if head == "looks" else labels(scene)[head]


def timesteps(batch: int, count: int, generator: torch.Generator) -> torch.Tensor:
    """Timesteps (batch,) in 0..count-1: a third uniform, so that none is forgotten, the others mostly in the middle.

    The middle, where a picture's composition is decided, is drawn logit-normal as in Stable Diffusion 3 (arXiv
    2403.03206, section 3.1). Each kind is stratified, which lowers the variance of the gradient.
    """
    plain = batch // 3
    share = torch.cat([torch.arange(n) / n + torch.rand(n, generator=generator) / n for n in (plain, batch - plain)])
    share[plain:] = torch.sigmoid(torch.special.ndtri(share[plain:].clamp(1e-4, 1 - 1e-4)))
    return (share * count).long().clamp(0, count - 1)


@torch.no_grad()
def encode_pool(pool: Pool, vae: AutoencoderKL, path: Path) -> np.ndarray:
    """The latents of the whole pool, (n, 8, 16, 16) float16, kept in a file beside it."""
    if not path.exists():
        chunks = np.array_split(np.arange(len(pool)), -(-len(pool) // 100))
        latents = [
            vae.encode(pixels(pool, chunk, vae.device)).latent_dist.mean.half().cpu().numpy()
            for chunk in tqdm(chunks, "encode")
        ]
        np.save(path, np.concatenate(latents))
    return np.load(path)


class TextToImage(Part):
    """v-prediction on latents; captions are drawn afresh for every picture of every batch.

    The loss weighs a subject's place in the picture more than the background, which is learnt soon: that changes how
    fast each is learnt, and not what the best prediction is.
    """

    def __init__(
        self, pool: Pool, latents: np.ndarray, vae: AutoencoderKL, tokenizer: CLIPTokenizer, batch: int, drop: float
    ) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        special = dict(bos_token_id=0, eos_token_id=1, pad_token_id=1)
        self.text_encoder = CLIPTextModel(CLIPTextConfig(vocab_size=len(self.tokenizer), **TEXT, **special))
        self.unet = UNet2DConditionModel(**UNET)
        nn.init.zeros_(self.unet.add_embedding.norm2.weight)  # the caption's share grows from nothing
        self.scheduler = DDIMScheduler(**SCHEDULER)
        self.understanding = Understanding(TEXT["hidden_size"])
        self.pool, self.latents, self.batch, self.drop = pool, latents, batch, drop
        plain = [scene.style is None and scene.pose == "standing" for scene in pool.scenes]
        self.chance = np.where(plain, PLAIN, 1.0) / np.where(plain, PLAIN, 1.0).sum()
        self.frozen = [vae]  # in a list, so that it is no submodule and is not trained

    def loss(self, generator: torch.Generator) -> torch.Tensor:
        device = self.unet.device
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        index = rng.choice(len(self.pool), self.batch, p=self.chance)
        hidden, reading = self._read(index, rng)
        x = torch.from_numpy(self.latents[index]).float().to(device)
        noise = torch.randn(x.shape, generator=generator).to(device)
        steps = timesteps(self.batch, self.scheduler.config.num_train_timesteps, generator).to(device)
        predicted = self.unet(self.scheduler.add_noise(x, noise, steps), steps, hidden).sample
        error = (predicted.float() - self.scheduler.get_velocity(x, noise, steps)) ** 2
        weight = 1 + FOREGROUND * torch.from_numpy(self.pool.cover[index]).to(device)[:, None] / 255
        return (error * weight).mean() / weight.mean() + READING * reading

    def _read(self, index: np.ndarray, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Fresh captions of the pool's scenes as the UNet reads them, and the text encoder's own loss."""
        scenes = [self.pool.scenes[i] for i in index]
        captions, said = zip(*(random_caption(scene, rng, self.drop) for scene in scenes))
        tokens = self.tokenizer(list(captions), padding="max_length", truncation=True, return_tensors="pt").input_ids
        hidden = self.text_encoder(tokens.to(self.unet.device)).last_hidden_state
        last = (tokens == self.tokenizer.eos_token_id).int().argmax(dim=1).to(hidden.device)
        return hidden, self.understanding.loss(hidden[torch.arange(len(last)), last], scenes, list(said))

    def pipeline(self) -> StableDiffusionPipeline:
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
        captions = [grammar.caption(scene, grammar.FACTORS, True, rng) for scene in self.pool.scenes[:32]]
        noise = torch.Generator().manual_seed(0)
        sampled = self.pipeline()(
            captions, height=64, width=64, num_inference_steps=20, guidance_scale=3, generator=noise
        ).images
        truth = [Image.fromarray(self.pool.pictures[i]) for i in range(32)]
        return grid([*sampled[:16], *truth[:16], *sampled[16:], *truth[16:]], 16, 1)

    def begin(self, shipped: Path | None) -> None:
        """Start from the shipped weights, if there are any."""
        if shipped:
            self.unet.load_state_dict(UNet2DConditionModel.from_pretrained(shipped / "unet").state_dict())
            self.text_encoder.load_state_dict(CLIPTextModel.from_pretrained(shipped / "text_encoder").state_dict())

    def export(self, folder: Path) -> None:
        """Write the pipeline in half precision, in shards that git can hold."""
        self.frozen[0].register_to_config(_name_or_path="")  # where it lay on this machine
        self.pipeline().to(dtype=torch.float16).save_pretrained(folder, max_shard_size=SHARD)
