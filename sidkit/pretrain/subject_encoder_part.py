"""The subject encoder learns to say in one word what a picture's subject looks like, so that the model can draw it.

As in ELITE and BLIP-Diffusion the picture to be drawn is the one that was looked at, with its subject cut out along its
mask, and nothing but the encoder trains. So the word may well say the subject's pose and what it wears: that is the
entanglement which the paper finds in methods of this kind (Fig. 6).
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from sidkit.pretrain.autoencoder import grid
from sidkit.pretrain.fit import Part
from sidkit.pretrain.subject_views import SIDE, Views, outline
from sidkit.pretrain.text_to_image import FOREGROUND, timesteps
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.nets import Backbone
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import compose
from sidkit.stickers.subject_encoder import SubjectNet, flat, seen, spelling, token_of, view
from sidkit.stickers.tensors import noise_like, pixels

HELD_OUT = 16  # subjects of the sheet, which no training shows
LOOKS = ("looks", "attribute")  # what the word is to say, and so never the caption
LITTLE_WORDS = ("a", "an", "and")
REGRESSION = 0.1  # weight of the word's distance from the sum of the words for the looks
RIDGE = 300.0
LEAST_SPREAD = 1e-2  # of a feature that is divided by its spread
SOLVED_AT_ONCE = 1000  # views

PicturesAndTokens = tuple[torch.Tensor, torch.Tensor]


class SubjectEncoderPart(Part):
    """The diffusion loss through the frozen text encoder and UNet, and a cheap one on the word itself.

    Only what `SubjectNet` learns is in the part's state: what is solved for is solved again for each text encoder.
    """

    def __init__(self, net: SubjectNet, pipe, eyes: Backbone, views: Views, batch: int, drop: float) -> None:
        super().__init__()
        self.look = net.look
        self.word = net.word
        self.pool = views
        self.batch = batch
        self.drop = drop
        self.frozen = [net, pipe, eyes]  # in a list, so that they are no submodules and are neither trained nor saved
        for module in (pipe.unet, pipe.text_encoder, pipe.vae, eyes):
            module.requires_grad_(False).eval()
        self.wanted = torch.stack([looks_word(pipe, scene) for scene in views.scenes])

    @torch.no_grad()
    def solve(self, ridge: float = RIDGE) -> None:
        """The net's linear part, by ridge regression of the looks' words on the views."""
        net = self.frozen[0]
        x = self._rows().double()
        y = self.wanted.to(x.device).double() / net.size
        middle = x.mean(0)
        spread = x.std(0).clamp(min=LEAST_SPREAD)
        x = (x - middle) / spread
        penalty = ridge * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        solution = torch.linalg.solve(x.T @ x + penalty, x.T @ (y - y.mean(0)))
        weight = solution / spread[:, None]
        net.direct.weight.copy_(weight.T)
        net.direct.bias.copy_(y.mean(0) - middle @ weight)

    def _rows(self) -> torch.Tensor:
        """All views as the net's linear part sees them, (n, features)."""
        count = -(-len(self.pool) // SOLVED_AT_ONCE)
        rows = []
        for index in np.array_split(np.arange(len(self.pool)), count):
            fine, coarse = self._maps(index)
            rows.append(flat(fine, coarse))
        return torch.cat(rows)

    def draw(self, rng: np.random.Generator) -> PicturesAndTokens:
        """Which scenes, and the tokens (n, length) of their captions."""
        index = rng.integers(0, len(self.pool), self.batch)
        texts = [caption(self.pool.scenes[i], rng, self.drop) for i in index]
        return torch.from_numpy(index), self._tokens(texts)

    def loss(self, drawn: PicturesAndTokens, generator: torch.Generator) -> torch.Tensor:
        net, pipe, _ = self.frozen
        scenes, tokens = drawn
        index = scenes.numpy()
        words = net(*self._maps(index))
        distance = F.mse_loss(words.float(), self.wanted[index].to(words.device)) / net.size**2
        hidden = self._meaning(tokens, words)
        x = self._taken(self.pool.latents, index)
        noise = noise_like(x, generator)
        steps = timesteps(self.batch, pipe.scheduler.config.num_train_timesteps, generator).to(x.device)
        noised = pipe.scheduler.add_noise(x, noise, steps)
        predicted = pipe.unet(noised, steps, hidden).sample
        error = (predicted.float() - pipe.scheduler.get_velocity(x, noise, steps)) ** 2
        cover = self._taken(self.pool.cover, index)[:, None]
        weight = 1 + FOREGROUND[0] * cover / 255
        return (error * weight).mean() / weight.mean() + REGRESSION * distance

    def _maps(self, index: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        return self._taken(self.pool.fine, index), self._taken(self.pool.coarse, index)

    def _taken(self, array: np.ndarray, index: np.ndarray) -> torch.Tensor:
        device = self.frozen[1].unet.device
        return torch.from_numpy(array[index]).float().to(device)

    def _tokens(self, texts: list[str]) -> torch.Tensor:
        tokenizer = self.frozen[1].tokenizer
        return tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids

    def _meaning(self, tokens: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """Hidden states (n, length, width) of texts, in each of which the identifier has its own word."""
        pipe = self.frozen[1]
        identifier = token_of(pipe.tokenizer, pipe.identifier)
        with spelling(pipe.text_encoder, identifier, words):
            return pipe.text_encoder(tokens.to(pipe.unet.device)).last_hidden_state

    def sheet(self) -> Image.Image:
        """Subjects that no training shows: the view, below it "a [v] dog", and "a [v] dog on a beach"."""
        net, pipe, eyes = self.frozen
        rng = np.random.default_rng(0)
        scenes = [sample_scene(rng, held_out=True) for _ in range(HELD_OUT)]
        views = []
        for scene in scenes:
            composed = compose(scene, SIDE, rng)
            views.append(view(composed.image, outline(composed, worn=True)))
        words = net(*seen(eyes, pixels(views).to(pipe.unet.device)))
        plain = [f"a photo of a {pipe.identifier} {scene.subject}" for scene in scenes]
        on_a_beach = [f"{text} on a beach" for text in plain]
        rows = [*self._drawn(plain, words), *self._drawn(on_a_beach, words)]
        return grid([*views, *rows], HELD_OUT, 1)

    def _drawn(self, prompts: list[str], words: torch.Tensor) -> list[Image.Image]:
        """A picture for each prompt, with its own word for the identifier."""
        pipe = self.frozen[1]
        empty = [""] * len(prompts)
        pictures = pipe(
            prompt_embeds=self._meaning(self._tokens(prompts), words),
            negative_prompt_embeds=self._meaning(self._tokens(empty), words),
            height=SIDE,
            width=SIDE,
            num_inference_steps=20,
            guidance_scale=3,
            generator=torch.Generator().manual_seed(0),
        )
        return pictures.images


def caption(scene: Scene, rng: np.random.Generator, drop: float, identifier: str = "sks") -> str:
    """A caption with the identifier and nothing of the looks, which leaves the other factors out with `drop`."""
    mention = ["subject"]
    for factor in grammar.FACTORS:
        if factor not in (*LOOKS, "subject") and rng.random() >= drop:
            mention.append(factor)
    return grammar.caption(scene, mention, True, rng, identifier=identifier)


def looks_word(pipe, scene: Scene) -> torch.Tensor:
    """The sum of the embeddings of the words for a subject's looks (width,): "flat", "red" and "black"."""
    without = grammar.plainest(scene, ["subject"], True).split()
    told = grammar.plainest(scene, ["subject", *LOOKS], True).split()
    words = [word for word in told if word not in (*without, *LITTLE_WORDS)]
    table = pipe.text_encoder.get_input_embeddings().weight.detach()
    tokens = [token_of(pipe.tokenizer, word) for word in words]
    return table[tokens].sum(0).cpu()
