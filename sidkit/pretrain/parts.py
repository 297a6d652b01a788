"""How each part is put together, trained and written: pool in, weights and model card out.

A part goes on from its checkpoint in the work folder; without one from the shipped weights; without those from nothing
(the models that look: from ImageNet).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from sidkit.pretrain.card import write_card
from sidkit.pretrain.fit import Part
from sidkit.pretrain.job import Job

LOOK = 96  # px; what the looking models scale a picture to
FEATURES = 20_000  # pictures that the image-text model and the identity encoder learn from
DESCRIBED = 12_000  # and the captioner
AUTOENCODER = "Pictures of 128 x 128 px to latents of 8 x 16 x 16 and back."


def train_autoencoder(job: Job) -> Path:
    """Leaves the autoencoder in the work folder; the pipeline is what ships it."""
    from diffusers import AutoencoderKL

    from sidkit.pretrain.autoencoder import Autoencoder, pixels, standardize

    part = Autoencoder(job.pool(), job.plan.batch)

    def begin(shipped: Path | None) -> None:
        before = AutoencoderKL.from_pretrained(shipped) if shipped else part.vae
        if before.config.sample_size == part.vae.config.sample_size:
            _copy(before, part.vae)

    record = job.run("autoencoder", part, begin)
    standardize(part.vae, pixels(part.pool, np.arange(min(512, len(part.pool))), part.vae.device))
    folder = job.work / "autoencoder" / "weights"
    part.vae.save_pretrained(folder)
    _card(folder, "autoencoder", "diffusers", AUTOENCODER, part, record)
    return folder


def train_doubling(job: Job) -> Path:
    """Begin an autoencoder where that for pictures of half the side stopped, and teach it the same latents.

    Leaves it in the work folder, as `train_autoencoder` does.
    """
    from diffusers import AutoencoderKL

    from sidkit.pretrain.autoencoder import CONFIG
    from sidkit.pretrain.doubling import begin_doubled
    from sidkit.pretrain.doubling_part import DoublingPart

    small, vae = job.small_autoencoder(), AutoencoderKL(**CONFIG)
    begin_doubled(vae, small, torch.Generator().manual_seed(job.plan.seed))
    part = DoublingPart(vae, small, job.wider_pool(), job.wider_latents(small), job.plan.batch)
    record = job.run("doubling", part, lambda shipped: None)
    folder = job.work / "autoencoder" / "weights"
    vae.save_pretrained(folder)
    _card(folder, "doubling", "diffusers", AUTOENCODER, part, record)
    return folder


def train_decoder(job: Job) -> Path:
    """Go on with the autoencoder's decoder; leaves the autoencoder in the work folder, as `train_autoencoder` does."""
    from sidkit.pretrain.autoencoder import Decoder

    vae = job.autoencoder()
    part = Decoder(vae, job.wider_pool(), job.wider_latents(vae), job.plan.batch)
    record = job.run("decoder", part, lambda shipped: None)
    folder = job.work / "autoencoder" / "weights"
    vae.save_pretrained(folder)
    _card(folder, "autoencoder", "diffusers", AUTOENCODER, part, record)
    return folder


def train_latent_reader(job: Job) -> Path:
    """Leaves the latent reader in the work folder, where the text-to-image model finds it; nothing ships it."""
    from sidkit.pretrain.latent_reader import READS, LatentReader, LatentReaderPart

    vae = job.autoencoder()
    reader = LatentReader(vae.config.latent_channels, READS)
    part = LatentReaderPart(reader, job.lives(), job.latents_of_lives(vae), job.plan.batch)
    record = job.run("latent_reader", part, lambda shipped: None)
    folder = job.work / "latent_reader" / "weights"
    reader.cpu().save(folder)
    _card(folder, "latent_reader", "torch", "A picture's latents to the factors of its scene.", part, record)
    return folder


def train_text_to_image(job: Job) -> Path:
    """Train the diffusion model on the autoencoder's latents and write the whole pipeline.

    It is told what its drawings lack if there is a latent reader to tell it, which then learns beside it, and learns
    from a teacher if there is one.
    """
    from sidkit.pretrain.latent_reader import LatentReaderPart
    from sidkit.pretrain.text_to_image import TextToImage
    from sidkit.stickers.individuals import NAMES

    vae = job.autoencoder().requires_grad_(False)
    tokenizer = job.tokenizer("text_to_image", "tokenizer", more=NAMES)
    pool, latents, reader = job.lives(), job.latents_of_lives(vae), job.latent_reader()
    judge = LatentReaderPart(reader, pool, latents, job.plan.batch // 2) if reader else None
    part = TextToImage(pool, latents, vae, tokenizer, job.plan.batch, job.drop, judge, job.teacher())
    record = job.run("text_to_image", part, part.begin)
    folder = job.shipped("text_to_image")
    part.export(folder)
    what = "A small Stable Diffusion: captions to pictures of 64 x 64 px."
    _card(folder, "text_to_image", "diffusers", what, part, record)
    return folder


def train_reader(job: Job) -> Path:
    """Train the factor reader, at first from ImageNet weights, on more drawings of a class than the world has.

    What is written lies halfway between the weights shipped before and the trained ones, as in arXiv 2109.01903: it
    reads drawings that it never saw as well as the trained ones do, and drawn pictures as well as those before. Of a
    reader shipped before that answers other questions, the eyes alone are taken.
    """
    from sidkit.pretrain.backbone import ARCHITECTURE, load_imagenet
    from sidkit.pretrain.reader_part import ReaderPart
    from sidkit.stickers.heads import ANSWERS, THINGS
    from sidkit.stickers.nets import Reader, move_halfway

    reader, folder = Reader(ARCHITECTURE, LOOK, ANSWERS, THINGS), job.shipped("reader")
    before = Reader.load(folder) if (folder / "model.safetensors").exists() else None
    alike = before is not None and before.config == reader.config
    part = ReaderPart(reader, job.wider_pool(), job.plan.batch)

    def begin(shipped: Path | None) -> None:
        if alike:
            _copy(before, reader)
        elif before is not None:
            _copy(before.backbone, reader.backbone)
        else:
            load_imagenet(reader.backbone.net)

    record = job.run("reader", part, begin)
    reader.cpu()
    if alike:
        move_halfway(reader, before)
    reader.save(folder)
    what = "A picture to the factors of its scene, one head a factor, and of things each by itself."
    what += " Half of the scenes show drawings of other sets."
    what += " Halfway between the weights shipped before and those trained." if alike else ""
    _card(folder, "reader", "timm", what, part, record)
    return folder


def train_identity(job: Job) -> Path:
    """Train the identity encoder on the maps of the reader's backbone."""
    from sidkit.pretrain.looking import IdentityPart, feature_maps
    from sidkit.stickers.nets import IdentityNet, Reader

    reader, data = Reader.load(job.shipped("reader")), job.pool()
    net = IdentityNet(reader.config["architecture"], LOOK)
    part = IdentityPart(net, data, feature_maps(reader.backbone, data, FEATURES, job.plan.device), job.plan.batch)

    def begin(shipped: Path | None) -> None:
        if shipped:
            _copy(IdentityNet.load(shipped), net)
        _copy(reader.backbone, net.backbone)

    record = job.run("identity", part, begin)
    folder = job.shipped("identity")
    net.save(folder)
    _card(folder, "identity", "timm", "A picture to a unit vector that says which subject it shows.", part, record)
    return folder


def train_image_text(job: Job) -> Path:
    """Train the image-text model on the features of the reader's backbone."""
    from sidkit.pretrain.image_text import load_image_text, make_image_text, save_image_text
    from sidkit.pretrain.looking import ImageTextPart, pooled_features
    from sidkit.stickers.nets import Reader

    tokenizer, reader = job.tokenizer("image_text"), Reader.load(job.shipped("reader"))
    model = make_image_text(reader.config["architecture"], LOOK, len(tokenizer))
    data = job.pool()
    features = pooled_features(reader.backbone, data, FEATURES, job.plan.device)
    part = ImageTextPart(model, tokenizer, data, features, job.plan.batch)

    def begin(shipped: Path | None) -> None:
        if shipped:
            _copy(load_image_text(shipped), model)
        _copy(reader.backbone.net, model.visual.trunk)

    record = job.run("image_text", part, begin)
    folder = job.shipped("image_text")
    save_image_text(model, tokenizer, folder)
    _card(folder, "image_text", "open_clip", "A small CLIP: pictures and captions in one space.", part, record)
    return folder


def train_captioner(job: Job) -> Path:
    """Train the captioner on the maps of the reader's backbone."""
    from transformers import VisionEncoderDecoderModel

    from sidkit.pretrain.captioner_part import CaptionerPart, instruction_words, maps_on_disk
    from sidkit.stickers.captioner import LENGTH, make_captioner, save_captioner
    from sidkit.stickers.nets import Reader

    reader, data = Reader.load(job.shipped("reader")), job.pool()
    tokenizer = job.tokenizer("captioner", more=instruction_words())
    tokenizer.model_max_length = LENGTH
    model = make_captioner(reader.config["architecture"], LOOK, tokenizer)
    _copy(reader.backbone, model.encoder.backbone)
    maps = maps_on_disk(model.encoder, data, DESCRIBED, job.work / "captioner" / "maps", job.plan.device)
    part = CaptionerPart(model, tokenizer, data, maps, job.plan.batch)

    def begin(shipped: Path | None) -> None:
        if shipped:
            _copy(VisionEncoderDecoderModel.from_pretrained(shipped, dtype=torch.float32), model)
            _copy(reader.backbone, model.encoder.backbone)

    record = job.run("captioner", part, begin)
    folder = job.shipped("captioner")
    save_captioner(model, tokenizer, folder)
    what = "Describes a scene as an instruction asks: closely or briefly, and leaving the subject or the style out."
    _card(folder, "captioner", "transformers", what, part, record)
    return folder


def train_subject_encoder(job: Job) -> Path:
    """Train the subject encoder through the shipped text-to-image model, with the shipped reader's eyes."""
    from sidkit.config import load_profile
    from sidkit.models import load_pipeline
    from sidkit.pretrain.subject_encoder_part import COUNT, SubjectEncoderPart, views_on_disk
    from sidkit.stickers.nets import Reader
    from sidkit.stickers.subject_encoder import SubjectNet, eyes_name, make_net

    profile, device = load_profile("stickers", pipeline=str(job.shipped("text_to_image"))), job.plan.device
    pipe, eyes = load_pipeline(profile, device), Reader.load(job.shipped("reader")).backbone.to(device)
    views = views_on_disk(job.work / "subject_encoder" / "views", min(COUNT, job.scenes), eyes, pipe.vae)
    net = make_net(eyes, eyes_name(job.shipped("reader")), pipe.text_encoder.get_input_embeddings().weight.detach())
    part = SubjectEncoderPart(net.to(device), pipe, eyes, views, job.plan.batch, job.drop)

    def begin(shipped: Path | None) -> None:
        if shipped:
            _copy(SubjectNet.load(shipped), net)
        part.solve()  # for the text encoder as it is now

    record = job.run("subject_encoder", part, begin)
    folder = job.shipped("subject_encoder")
    net.save(folder)
    what = "A picture's subject, cut out along its mask, to the embedding of one word; with the reader's eyes."
    _card(folder, "subject_encoder", "torch", what, part, record)
    return folder


def train_segmenter(job: Job) -> Path:
    """Train the segmenter on its own scenes, whose masks are needed at full size."""
    from sidkit.pretrain.segmenter_part import HELD_OUT, SCENES, SegmenterPart, overlap, scenes
    from sidkit.stickers.segmenter import Segmenter

    part = SegmenterPart(Segmenter(), *scenes(min(SCENES, job.scenes), seed=1), job.plan.batch)

    def begin(shipped: Path | None) -> None:
        before = Segmenter.load(shipped) if shipped else part.net
        if before.config == part.net.config:
            _copy(before, part.net)

    record = job.run("segmenter", part, begin)
    folder = job.shipped("segmenter")
    part.net.cpu().save(folder)
    score = overlap(Segmenter.load(folder), *scenes(HELD_OUT, seed=2, held_out=True)).mean()
    what = "A picture to its subject's pixels, without what it wears; overlap (IoU) on held-out designs"
    _card(folder, "segmenter", "torch", f"{what} {score:.3f}.", part, record)
    return folder


def _copy(source: torch.nn.Module, target: torch.nn.Module) -> None:
    target.load_state_dict(source.state_dict())


def _card(folder: Path, part: str, library: str, what: str, trained: Part, record: dict) -> None:
    parameters = sum(p.numel() for p in trained.parameters())
    write_card(folder, part, library, what, len(trained.pool), parameters, record)


TRAINERS = {
    "doubling": train_doubling,
    "autoencoder": train_autoencoder,
    "decoder": train_decoder,
    "latent_reader": train_latent_reader,
    "text_to_image": train_text_to_image,
    "reader": train_reader,
    "image_text": train_image_text,
    "identity": train_identity,
    "captioner": train_captioner,
    "subject_encoder": train_subject_encoder,
    "segmenter": train_segmenter,
}
