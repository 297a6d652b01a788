"""The subject encoder learns to say in one word what a picture's subject looks like, so that the model can draw it.

As in ELITE and BLIP-Diffusion the picture to be drawn is the one that was looked at, with its subject cut out along its
mask, and nothing but the encoder trains. So the word may well say the subject's pose and what it wears: that is the
entanglement which the paper finds in methods of this kind (Fig. 6).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from sidkit.files import write_text
from sidkit.models import resolution
from sidkit.pretrain.augmentation import jitter
from sidkit.pretrain.autoencoder import grid
from sidkit.pretrain.fit import Part
from sidkit.pretrain.pool import share_of_cells, weights_name
from sidkit.pretrain.text_to_image import FOREGROUND, timesteps
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.nets import Backbone
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import Composition, compose
from sidkit.stickers.subject_encoder import SubjectNet, flat, pixels, seen, spelling, token_of, view

COUNT = 10_000  # scenes
CHUNK = 100
HELD_OUT = 16  # subjects of the sheet, which no training shows
LOOKS = ("looks", "attribute")  # what the word is to say, and so never the caption
REGRESSION = 0.1  # weight of the word's distance from the sum of the words for the looks
RIDGE = 300.0
ARRAYS = ("latents", "cover", "fine", "coarse")


@dataclass(frozen=True)
class Views:
    """Scenes with what training needs of each, so that no step waits for it.

    `latents` (n, c, 16, 16), `cover` (n, 16, 16) the subject's share of each cell, `fine` and `coarse` the eyes' maps
    of the subject's view; float16, but for `cover`, which is uint8 of 255.
    """

    scenes: list[Scene]
    latents: np.ndarray
    cover: np.ndarray
    fine: np.ndarray
    coarse: np.ndarray

    def __len__(self) -> int:
        return len(self.scenes)


def views_on_disk(folder: Path, count: int, eyes: Backbone, vae: nn.Module) -> Views:
    """`count` scenes rendered, encoded and looked at; made once for each encoder and backbone, then read again."""
    folder = folder / weights_name(eyes, vae.encoder, vae.quant_conv)
    done = folder / f"scenes-{count}.json"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        scenes, arrays = _made(count, eyes, vae)
        for name, array in arrays.items():
            np.save(folder / f"{name}-{count}.npy", array)
        write_text(done, json.dumps([asdict(scene) for scene in scenes]))
    scenes = [Scene(**told) for told in json.loads(done.read_text())]
    return Views(scenes, *(np.load(folder / f"{name}-{count}.npy") for name in ARRAYS))


@torch.no_grad()
def _made(count: int, eyes: Backbone, vae: nn.Module) -> tuple[list[Scene], dict[str, np.ndarray]]:
    """A subject is cut out with what it wears every other time, as a segmenter would, otherwise without."""
    rng, generator = np.random.default_rng([2, count]), torch.Generator().manual_seed(0)
    scenes, found = [], {name: [] for name in ARRAYS}
    for start in tqdm(range(0, count, CHUNK), "views"):
        chunk = [sample_scene(rng) for _ in range(min(CHUNK, count - start))]
        composed = [compose(scene, vae.config.sample_size, rng) for scene in chunk]
        whole = pixels([one.image for one in composed]).to(vae.device)
        found["latents"].append(vae.encode(whole * 2 - 1).latent_dist.mean.half().cpu().numpy())
        found["cover"].append(np.stack([share_of_cells(one.masks["subject"]) for one in composed]))
        shown = pixels([view(one.image, _outline(one, rng.random() < 0.5)) for one in composed]).to(vae.device)
        for name, part in zip(("fine", "coarse"), seen(eyes, jitter(shown, generator))):
            found[name].append(part.half().cpu().numpy())
        scenes += chunk
    return scenes, {name: np.concatenate(parts) for name, parts in found.items()}


def _outline(one: Composition, worn: bool) -> np.ndarray:
    return one.masks["subject"] | one.masks["tied"] if worn else one.masks["subject"]


class SubjectEncoderPart(Part):
    """The diffusion loss through the frozen text encoder and UNet, and a cheap one on the word itself.

    Only what `SubjectNet` learns is in the part's state: what is solved for is solved again for each text encoder.
    """

    def __init__(self, net: SubjectNet, pipe, eyes: Backbone, views: Views, batch: int, drop: float) -> None:
        super().__init__()
        self.look, self.word = net.look, net.word
        self.pool, self.batch, self.drop = views, batch, drop
        self.frozen = [net, pipe, eyes]  # in a list, so that they are no submodules and are neither trained nor saved
        for module in (pipe.unet, pipe.text_encoder, pipe.vae, eyes):
            module.requires_grad_(False).eval()
        self.wanted = torch.stack([looks_word(pipe, scene) for scene in views.scenes])

    @torch.no_grad()
    def solve(self, ridge: float = RIDGE) -> None:
        """The net's linear part, by ridge regression of the looks' words on the views."""
        net, chunks = self.frozen[0], np.array_split(np.arange(len(self.pool)), -(-len(self.pool) // 1000))
        rows = [flat(*(self._taken(part, index) for part in (self.pool.fine, self.pool.coarse))) for index in chunks]
        x, y = torch.cat(rows).double(), self.wanted.to(rows[0].device).double() / net.size
        middle, spread = x.mean(0), x.std(0).clamp(min=1e-2)
        x = (x - middle) / spread
        square = x.T @ x + ridge * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        weight = torch.linalg.solve(square, x.T @ (y - y.mean(0))) / spread[:, None]
        net.direct.weight.copy_(weight.T)
        net.direct.bias.copy_(y.mean(0) - middle @ weight)

    def draw(self, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Which scenes, and the tokens (n, length) of their captions."""
        index = rng.integers(0, len(self.pool), self.batch)
        return torch.from_numpy(index), self._tokens([caption(self.pool.scenes[i], rng, self.drop) for i in index])

    def loss(self, drawn: tuple[torch.Tensor, torch.Tensor], generator: torch.Generator) -> torch.Tensor:
        (net, pipe, _), views, index = self.frozen, self.pool, drawn[0].numpy()
        words = net(*(self._taken(part, index) for part in (views.fine, views.coarse)))
        apart = F.mse_loss(words.float(), self.wanted[index].to(words.device)) / net.size**2
        hidden = self._meaning(drawn[1], words)
        x = self._taken(views.latents, index)
        noise = torch.randn(x.shape, generator=generator).to(x)
        steps = timesteps(self.batch, pipe.scheduler.config.num_train_timesteps, generator).to(x.device)
        predicted = pipe.unet(pipe.scheduler.add_noise(x, noise, steps), steps, hidden).sample
        error = (predicted.float() - pipe.scheduler.get_velocity(x, noise, steps)) ** 2
        weight = 1 + FOREGROUND[0] * self._taken(views.cover, index)[:, None] / 255
        return (error * weight).mean() / weight.mean() + REGRESSION * apart

    def _taken(self, array: np.ndarray, index: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array[index]).float().to(self.frozen[1].unet.device)

    def _tokens(self, texts: list[str]) -> torch.Tensor:
        tokenizer = self.frozen[1].tokenizer
        return tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids

    def _meaning(self, tokens: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """Hidden states (n, length, width) of texts, in each of which the identifier has its own word."""
        pipe = self.frozen[1]
        with spelling(pipe.text_encoder, token_of(pipe.tokenizer, pipe.identifier), words):
            return pipe.text_encoder(tokens.to(pipe.unet.device)).last_hidden_state

    def sheet(self) -> Image.Image:
        """Subjects that no training shows: the view, below it "a [v] dog", and "a [v] dog on a beach"."""
        net, pipe, eyes = self.frozen
        rng, side = np.random.default_rng(0), resolution(pipe)
        scenes = [sample_scene(rng, held_out=True) for _ in range(HELD_OUT)]
        composed = [compose(scene, side, rng) for scene in scenes]
        views = [view(one.image, _outline(one, True), side) for one in composed]
        words = net(*seen(eyes, pixels(views).to(pipe.unet.device)))
        rows = []
        for where in ("", " on a beach"):
            prompts = [f"a photo of a {pipe.identifier} {scene.subject}{where}" for scene in scenes]
            hidden, empty = (self._meaning(self._tokens(texts), words) for texts in (prompts, [""] * len(prompts)))
            said = dict(prompt_embeds=hidden, negative_prompt_embeds=empty, height=side, width=side)
            noise = torch.Generator().manual_seed(0)
            rows += pipe(**said, num_inference_steps=20, guidance_scale=3, generator=noise).images
        return grid([*views, *rows], HELD_OUT, 1)


def caption(scene: Scene, rng: np.random.Generator, drop: float, identifier: str = "sks") -> str:
    """A caption with the identifier and nothing of the looks, which leaves the other factors out with `drop`."""
    others = [factor for factor in grammar.FACTORS if factor not in (*LOOKS, "subject") and rng.random() >= drop]
    return grammar.caption(scene, ["subject", *others], True, rng, identifier=identifier)


def looks_word(pipe, scene: Scene) -> torch.Tensor:
    """The sum of the embeddings of the words for a subject's looks (width,): "flat", "red" and "black"."""
    bare, told = (grammar.plainest(scene, ["subject", *more], True).split() for more in ((), LOOKS))
    words = [word for word in told if word not in (*bare, "a", "an", "and")]
    table = pipe.text_encoder.get_input_embeddings().weight.detach()
    return table[[token_of(pipe.tokenizer, word) for word in words]].sum(0).cpu()
