"""The models that look at pictures: the factor reader, the image-text model and the identity encoder."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm

from sidkit.pretrain.augmentation import jitter
from sidkit.pretrain.fit import Part
from sidkit.pretrain.pool import Pool, batch_of
from sidkit.stickers import grammar
from sidkit.stickers.factors import Scene
from sidkit.stickers.heads import identity
from sidkit.stickers.sampling import altered

LOOKED_AT_ONCE = 200  # pictures
LARGEST_SCALE = 100  # of CLIP's logits
PARTIAL_SHARE = 0.25  # of captions, that leave factors out
PARTIAL_DROP = 0.3  # how often those leave a factor out

Maps = tuple[torch.Tensor, torch.Tensor]
PicturesAndTokens = tuple[torch.Tensor, torch.Tensor]


class IdentityPart(Part):
    """Two pictures of one design lie together, those of other designs apart (a symmetric InfoNCE).

    The backbone stays as the reader's; its maps of the pool's first pictures, `fine` and `coarse`, are computed once.
    A batch holds few classes, so that many of the others show the same class in another drawing or colour.
    """

    def __init__(
        self,
        net: torch.nn.Module,
        pool: Pool,
        maps: Maps,
        batch: int,
        temperature: float = 0.07,
    ) -> None:
        super().__init__()
        self.net = net
        self.pool = pool
        self.maps = maps
        self.batch = batch
        self.temperature = temperature
        net.backbone.requires_grad_(False)
        self.classes = _groups_by_class(pool.scenes[: len(maps[0])])

    def draw(self, rng: np.random.Generator) -> torch.Tensor:
        """Two pictures of each design, (2 n,): first one of each, then the other of each."""
        pairs = [rng.choice(group, 2, replace=False) for group in self._groups(rng)]
        return torch.from_numpy(np.array(pairs).T.ravel())

    def loss(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        device = next(self.parameters()).device
        fine, coarse = (maps[drawn].to(device).float() for maps in self.maps)
        vectors = self.net.head(fine, coarse).float()
        ones, others = vectors.chunk(2)
        return symmetric_cross_entropy(ones @ others.T / self.temperature)

    def _groups(self, rng: np.random.Generator) -> list[list[int]]:
        """Half a batch of designs: all those of one class, then of another, until there are enough."""
        groups = []
        for name in rng.permutation(list(self.classes)):
            groups += self.classes[name]
        return groups[: self.batch // 2]


def _groups_by_class(scenes: list[Scene]) -> dict[str, list[list[int]]]:
    """The numbers of the scenes that show the same subject, two or more, in groups by class."""
    groups: dict[tuple, list[int]] = {}
    for index, scene in enumerate(scenes):
        groups.setdefault(identity(scene), []).append(index)
    by_class: dict[str, list[list[int]]] = {}
    for who, group in groups.items():
        if len(group) > 1:
            by_class.setdefault(who[0], []).append(group)
    return by_class


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
        self.model = model
        self.pool = pool
        self.features = features
        self.batch = batch
        self.tokenize = [tokenizer]  # in a list: a tokenizer is no module
        model.visual.trunk.requires_grad_(False)

    def draw(self, rng: np.random.Generator) -> PicturesAndTokens:
        """Which pictures (n,), and tokens (2 n, length) of their captions and of captions near to them."""
        index = rng.integers(len(self.features), size=self.batch)
        scenes = [self.pool.scenes[i] for i in index]
        captions = [full_or_partial_caption(scene, rng) for scene in scenes]
        near = [grammar.caption(altered(scene, rng), grammar.FACTORS, True, rng) for scene in scenes]
        encoded = self.tokenize[0]([*captions, *near], padding="max_length", truncation=True, return_tensors="pt")
        return torch.from_numpy(index), encoded.input_ids

    def loss(self, drawn: PicturesAndTokens, generator: torch.Generator) -> torch.Tensor:
        index, tokens = drawn
        device = self.model.logit_scale.device
        projected = self.model.visual.head(self.features[index].to(device))
        image = F.normalize(projected.float(), dim=-1)
        text = self.model.encode_text(tokens.to(device), normalize=True).float()
        scale = self.model.logit_scale.exp().clamp(max=LARGEST_SCALE)
        logits = scale * image @ text.T  # (n, 2 n)
        target = torch.arange(self.batch, device=device)
        own = logits[:, : self.batch]
        return (F.cross_entropy(logits, target) + F.cross_entropy(own.T, target)) / 2


def full_or_partial_caption(scene: Scene, rng: np.random.Generator) -> str:
    """A caption in full detail, or (one time in four) one that leaves some factors out."""
    mention = grammar.FACTORS
    if rng.random() < PARTIAL_SHARE:
        mention = [factor for factor in grammar.FACTORS if rng.random() > PARTIAL_DROP]
    return grammar.caption(scene, mention, True, rng)


def pooled_features(backbone: torch.nn.Module, pool: Pool, count: int, device: str) -> torch.Tensor:
    """The backbone's features of the pool's first `count` pictures, each a little jittered, (count, features)."""
    features = [backbone(x).cpu() for x in _jittered(backbone, pool, count, device)]
    return torch.cat(features)


def feature_maps(backbone: torch.nn.Module, pool: Pool, count: int, device: str) -> Maps:
    """The backbone's two maps of the pool's first `count` pictures, each a little jittered, in half precision."""
    fine_maps, coarse_maps = [], []
    for x in _jittered(backbone, pool, count, device):
        fine, coarse = backbone.maps(x)
        fine_maps.append(fine.half().cpu())
        coarse_maps.append(coarse.half().cpu())
    return torch.cat(fine_maps), torch.cat(coarse_maps)


def _jittered(backbone: torch.nn.Module, pool: Pool, count: int, device: str) -> Iterator[torch.Tensor]:
    backbone.to(device).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    count = min(count, len(pool))
    for start in tqdm(range(0, count, LOOKED_AT_ONCE), "features"):
        index = np.arange(start, min(start + LOOKED_AT_ONCE, count))
        yield jitter(batch_of(pool, index, torch.device(device)), generator)
