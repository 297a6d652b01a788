"""The models that look at pictures: the factor reader, the image-text model and the identity encoder."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm

from sidkit.pretrain.fit import Part
from sidkit.pretrain.pool import Pool
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.heads import HEADS, identity, labels
from sidkit.stickers.sampling import altered

Maps = tuple[torch.Tensor, torch.Tensor]


def jitter(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Pictures in [0, 1] moved, scaled, blurred by rescaling, recoloured and mixed with noise, each a little.

    Sampled pictures are softer and noisier than rendered ones; a reader must not mind.
    """
    n = len(x)
    r = torch.rand(8, n, generator=generator).to(x.device) * 2 - 1
    zoom = 1 + 0.08 * r[0]
    turn = torch.stack([zoom, 0.05 * r[1], 0.08 * r[2], -0.05 * r[1], zoom, 0.08 * r[3]], 1).view(n, 2, 3)
    x = F.grid_sample(
        x, F.affine_grid(turn, list(x.shape), align_corners=False), padding_mode="reflection", align_corners=False
    )
    soft = F.interpolate(F.avg_pool2d(x, 2), x.shape[-2:], mode="bilinear")
    x = torch.lerp(x, soft, r[4].clamp(0)[:, None, None, None])
    x = x * (1 + 0.12 * r[5][:, None, None, None]) + 0.06 * r[6][:, None, None, None]
    noise = torch.randn(x.shape, generator=generator).to(x.device)
    return (x + 0.05 * r[7].clamp(0)[:, None, None, None] * noise).clamp(0, 1)


def recolor(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Half of the pictures in [0, 1] with their colours mixed at random, some of these as a negative.

    A design that the reader never saw may be a black cat where all others are orange: it must read shapes.
    """
    mix = torch.eye(3) + 0.6 * torch.randn(len(x), 3, 3, generator=generator)
    mix = mix / mix.abs().sum(dim=2, keepdim=True)
    negative, kept = (torch.rand(2, len(x), generator=generator) < torch.tensor([[0.3], [0.5]])).to(x.device)
    mixed = torch.einsum("nij,njhw->nihw", mix.to(x.device), x - 0.5)
    mixed = torch.where(negative[:, None, None, None], -mixed, mixed) + 0.5
    return torch.where(kept[:, None, None, None], x, mixed.clamp(0, 1))


def batch_of(pool: Pool, index: np.ndarray, device: torch.device) -> torch.Tensor:
    """Pictures of the pool, in the order of `index`, as (n, 3, size, size) in [0, 1]."""
    return torch.from_numpy(pool.pictures[index]).to(device).permute(0, 3, 1, 2).float() / 255


class ReaderPart(Part):
    """Cross-entropy over every factor."""

    def __init__(self, reader: torch.nn.Module, pool: Pool, batch: int) -> None:
        super().__init__()
        self.reader, self.pool, self.batch = reader, pool, batch
        self.labels = {head: torch.tensor([labels(scene)[head] for scene in pool.scenes]) for head in HEADS}

    def loss(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        device = next(self.parameters()).device
        x = recolor(jitter(batch_of(self.pool, drawn.numpy(), device), generator), generator)
        logits = self.reader(x)
        losses = [
            F.cross_entropy(logits[head].float(), self.labels[head][drawn].to(device), label_smoothing=0.05)
            for head in HEADS
        ]
        return torch.stack(losses).sum()


class IdentityPart(Part):
    """Two pictures of one design lie together, those of other designs apart (a symmetric InfoNCE).

    The backbone stays as the reader's; its maps of the pool's first pictures, `fine` and `coarse`, are computed once.
    A batch holds few classes, so that many of the others show the same class in another drawing or colour.
    """

    def __init__(self, net: torch.nn.Module, pool: Pool, maps: Maps, batch: int, temperature: float = 0.07) -> None:
        super().__init__()
        self.net, self.pool, self.maps, self.batch, self.temperature = net, pool, maps, batch, temperature
        net.backbone.requires_grad_(False)
        groups: dict[tuple, list[int]] = {}
        for index, scene in enumerate(pool.scenes[: len(maps[0])]):
            groups.setdefault(identity(scene), []).append(index)
        self.classes: dict[str, list[list[int]]] = {}
        for who, group in groups.items():
            if len(group) > 1:
                self.classes.setdefault(who[0], []).append(group)

    def draw(self, rng: np.random.Generator) -> torch.Tensor:
        """Two pictures of each design, (2 n,): first one of each, then the other of each."""
        pairs = [rng.choice(group, 2, replace=False) for group in self._groups(rng)]
        return torch.from_numpy(np.array(pairs).T.ravel())

    def loss(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        device = next(self.parameters()).device
        z = self.net.head(*(maps[drawn].to(device).float() for maps in self.maps)).float()
        a, b = z.chunk(2)
        return symmetric_cross_entropy(a @ b.T / self.temperature)

    def _groups(self, rng: np.random.Generator) -> list[list[int]]:
        """Half a batch of designs: all those of one class, then of another, until there are enough."""
        classes = rng.permutation(list(self.classes))
        return [group for name in classes for group in self.classes[name]][: self.batch // 2]


def symmetric_cross_entropy(logits: torch.Tensor) -> torch.Tensor:
    """CLIP's loss for (n, n) logits whose diagonal holds the true pairs."""
    target = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


class ImageTextPart(Part):
    """CLIP's loss, with captions that differ in one to three factors among the others of each batch.

    The image tower keeps the reader's backbone: its `features` of the pool's first pictures are computed once, and what
    trains is the projection and the text tower.
    """

    def __init__(self, model: torch.nn.Module, tokenizer, pool: Pool, features: torch.Tensor, batch: int) -> None:
        super().__init__()
        self.model, self.pool, self.features, self.batch = model, pool, features, batch
        self.tokenize = [tokenizer]  # in a list: a tokenizer is no module
        model.visual.trunk.requires_grad_(False)

    def draw(self, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Which pictures (n,), and tokens (2 n, length) of their captions and of captions near to them."""
        index = rng.integers(len(self.features), size=self.batch)
        scenes = [self.pool.scenes[i] for i in index]
        told = [told_caption(scene, rng) for scene in scenes]
        near = [grammar.caption(altered(scene, rng), grammar.FACTORS, True, rng) for scene in scenes]
        tokens = self.tokenize[0]([*told, *near], padding="max_length", truncation=True, return_tensors="pt").input_ids
        return torch.from_numpy(index), tokens

    def loss(self, drawn: tuple[torch.Tensor, torch.Tensor], generator: torch.Generator) -> torch.Tensor:
        (index, tokens), device = drawn, self.model.logit_scale.device
        image = F.normalize(self.model.visual.head(self.features[index].to(device)).float(), dim=-1)
        text = self.model.encode_text(tokens.to(device), normalize=True).float()
        logits = self.model.logit_scale.exp().clamp(max=100) * image @ text.T  # (n, 2 n)
        target = torch.arange(self.batch, device=device)
        return (F.cross_entropy(logits, target) + F.cross_entropy(logits[:, : self.batch].T, target)) / 2


def pooled_features(backbone: torch.nn.Module, pool: Pool, count: int, device: str) -> torch.Tensor:
    """The backbone's features of the pool's first `count` pictures, each a little jittered, (count, features)."""
    return torch.cat([backbone(x).cpu() for x in _jittered(backbone, pool, count, device)])


def feature_maps(backbone: torch.nn.Module, pool: Pool, count: int, device: str) -> Maps:
    """The backbone's two maps of the pool's first `count` pictures, each a little jittered, in half precision."""
    found = (backbone.maps(x) for x in _jittered(backbone, pool, count, device))
    fine, coarse = zip(*((a.half().cpu(), b.half().cpu()) for a, b in found))
    return torch.cat(fine), torch.cat(coarse)


def _jittered(backbone: torch.nn.Module, pool: Pool, count: int, device: str) -> Iterator[torch.Tensor]:
    backbone.to(device).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for start in tqdm(range(0, min(count, len(pool)), 200), "features"):
        index = np.arange(start, min(start + 200, count, len(pool)))
        yield jitter(batch_of(pool, index, torch.device(device)), generator)


def told_caption(scene: Scene, rng: np.random.Generator) -> str:
    """A caption in full detail, or (one time in four) one that leaves some factors out."""
    mention = [factor for factor in grammar.FACTORS if rng.random() > 0.3] if rng.random() < 0.25 else grammar.FACTORS
    return grammar.caption(scene, mention, True, rng)
