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
STANDARD = 512  # pictures whose latents become standard


def train_autoencoder(job: Job) -> Path:
    """Leaves the autoencoder in the work folder; the pipeline is what ships it."""
    from diffusers import AutoencoderKL

    from sidkit.pretrain.autoencoder import Autoencoder, pixels, standardize

    part = Autoencoder(job.pool(), job.plan.batch)

    def begin(shipped: Path | None) -> None:
        if shipped:
            _copy(AutoencoderKL.from_pretrained(shipped), part.vae)

    record = job.run("autoencoder", part, begin)
    first = np.arange(min(STANDARD, len(part.pool)))
    standardize(part.vae, pixels(part.pool, first, part.vae.device))
    folder = job.trained("autoencoder")
    part.vae.save_pretrained(folder)
    _card(folder, "autoencoder", part, record)
    return folder


def train_decoder(job: Job) -> Path:
    """Go on with the autoencoder's decoder; leaves the autoencoder in the work folder, as `train_autoencoder` does."""
    from sidkit.pretrain.autoencoder import Decoder

    vae = job.autoencoder()
    part = Decoder(vae, job.pool(), job.latents(vae), job.plan.batch)
    record = job.run("decoder", part, _from_nothing)
    folder = job.trained("autoencoder")
    vae.save_pretrained(folder)
    _card(folder, "autoencoder", part, record)
    return folder


def train_latent_reader(job: Job) -> Path:
    """Leaves the latent reader in the work folder, where the text-to-image model finds it; nothing ships it."""
    from sidkit.pretrain.latent_reader import READS, LatentReader, LatentReaderPart

    vae = job.autoencoder()
    reader = LatentReader(vae.config.latent_channels, READS)
    part = LatentReaderPart(reader, job.lives(), job.latents_of_lives(vae), job.plan.batch)
    record = job.run("latent_reader", part, _from_nothing)
    folder = job.trained("latent_reader")
    reader.cpu().save(folder)
    _card(folder, "latent_reader", part, record)
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
    pool = job.lives()
    latents = job.latents_of_lives(vae)
    reader = job.latent_reader()
    judge = LatentReaderPart(reader, pool, latents, job.plan.batch // 2) if reader else None
    part = TextToImage(pool, latents, vae, tokenizer, job.plan.batch, job.drop, judge, job.teacher())
    record = job.run("text_to_image", part, part.begin)
    folder = job.shipped("text_to_image")
    part.export(folder)
    _card(folder, "text_to_image", part, record)
    return folder


def train_reader(job: Job) -> Path:
    """Train the factor reader, at first from ImageNet weights, on more drawings of a class than the world has.

    What is written lies halfway between the weights shipped before and the trained ones, as in arXiv 2109.01903: it
    reads drawings that it never saw as well as the trained ones do, and drawn pictures as well as those before.
    """
    from sidkit.pretrain.backbone import ARCHITECTURE, load_imagenet
    from sidkit.pretrain.looking import ReaderPart
    from sidkit.stickers.heads import HEADS
    from sidkit.stickers.nets import Reader, move_halfway

    reader = Reader(ARCHITECTURE, LOOK, HEADS)
    part = ReaderPart(reader, job.wider_pool(), job.plan.batch)

    def begin(shipped: Path | None) -> None:
        if shipped:
            _copy(Reader.load(shipped), reader)
        else:
            load_imagenet(reader.backbone.net)

    record = job.run("reader", part, begin)
    folder = job.shipped("reader")
    reader.cpu()
    if (folder / "model.safetensors").exists():
        move_halfway(reader, Reader.load(folder))
    reader.save(folder)
    _card(folder, "reader", part, record)
    return folder


def train_identity(job: Job) -> Path:
    """Train the identity encoder on the maps of the reader's backbone."""
    from sidkit.pretrain.looking import IdentityPart, feature_maps
    from sidkit.stickers.nets import IdentityNet, Reader

    reader = Reader.load(job.shipped("reader"))
    pool = job.pool()
    net = IdentityNet(reader.config["architecture"], LOOK)
    maps = feature_maps(reader.backbone, pool, FEATURES, job.plan.device)
    part = IdentityPart(net, pool, maps, job.plan.batch)

    def begin(shipped: Path | None) -> None:
        if shipped:
            _copy(IdentityNet.load(shipped), net)
        _copy(reader.backbone, net.backbone)

    record = job.run("identity", part, begin)
    folder = job.shipped("identity")
    net.save(folder)
    _card(folder, "identity", part, record)
    return folder


def train_image_text(job: Job) -> Path:
    """Train the image-text model on the features of the reader's backbone."""
    from sidkit.pretrain.image_text import load_image_text, make_image_text, save_image_text
    from sidkit.pretrain.looking import ImageTextPart, pooled_features
    from sidkit.stickers.nets import Reader

    tokenizer = job.tokenizer("image_text")
    reader = Reader.load(job.shipped("reader"))
    pool = job.pool()
    model = make_image_text(reader.config["architecture"], LOOK, len(tokenizer))
    features = pooled_features(reader.backbone, pool, FEATURES, job.plan.device)
    part = ImageTextPart(model, tokenizer, pool, features, job.plan.batch)

    def begin(shipped: Path | None) -> None:
        if shipped:
            _copy(load_image_text(shipped), model)
        _copy(reader.backbone.net, model.visual.trunk)

    record = job.run("image_text", part, begin)
    folder = job.shipped("image_text")
    save_image_text(model, tokenizer, folder)
    _card(folder, "image_text", part, record)
    return folder


def train_captioner(job: Job) -> Path:
    """Train the captioner on the maps of the reader's backbone."""
    from transformers import VisionEncoderDecoderModel

    from sidkit.pretrain.captioner_part import CaptionerPart, maps_on_disk
    from sidkit.pretrain.instructions import instruction_words
    from sidkit.stickers.captioner import LENGTH, make_captioner, save_captioner
    from sidkit.stickers.nets import Reader

    reader = Reader.load(job.shipped("reader"))
    pool = job.pool()
    tokenizer = job.tokenizer("captioner", more=instruction_words())
    tokenizer.model_max_length = LENGTH
    model = make_captioner(reader.config["architecture"], LOOK, tokenizer)
    _copy(reader.backbone, model.encoder.backbone)
    maps = maps_on_disk(model.encoder, pool, DESCRIBED, job.work / "captioner" / "maps", job.plan.device)
    part = CaptionerPart(model, tokenizer, pool, maps, job.plan.batch)

    def begin(shipped: Path | None) -> None:
        if shipped:
            _copy(VisionEncoderDecoderModel.from_pretrained(shipped, dtype=torch.float32), model)
            _copy(reader.backbone, model.encoder.backbone)

    record = job.run("captioner", part, begin)
    folder = job.shipped("captioner")
    save_captioner(model, tokenizer, folder)
    _card(folder, "captioner", part, record)
    return folder


def train_subject_encoder(job: Job) -> Path:
    """Train the subject encoder through the shipped text-to-image model, with the shipped reader's eyes."""
    from sidkit.config import load_profile
    from sidkit.models import load_pipeline
    from sidkit.pretrain.subject_encoder_part import SubjectEncoderPart
    from sidkit.pretrain.subject_views import COUNT, views_on_disk
    from sidkit.stickers.nets import Reader
    from sidkit.stickers.subject_encoder import SubjectNet, eyes_name, make_net

    device = job.plan.device
    profile = load_profile("stickers", pipeline=str(job.shipped("text_to_image")))
    pipe = load_pipeline(profile, device)
    eyes = Reader.load(job.shipped("reader")).backbone.to(device)
    views = views_on_disk(job.work / "subject_encoder" / "views", min(COUNT, job.scenes), eyes, pipe.vae)
    words = pipe.text_encoder.get_input_embeddings().weight.detach()
    net = make_net(eyes, eyes_name(job.shipped("reader")), words)
    part = SubjectEncoderPart(net.to(device), pipe, eyes, views, job.plan.batch, job.drop)

    def begin(shipped: Path | None) -> None:
        if shipped:
            _copy(SubjectNet.load(shipped), net)
        part.solve()  # for the text encoder as it is now

    record = job.run("subject_encoder", part, begin)
    folder = job.shipped("subject_encoder")
    net.save(folder)
    _card(folder, "subject_encoder", part, record)
    return folder


def train_segmenter(job: Job) -> Path:
    """Train the segmenter on its own scenes, whose masks are needed at full size."""
    from sidkit.pretrain.segmenter_part import HELD_OUT, SCENES, SegmenterPart, overlap, scenes
    from sidkit.stickers.segmenter import Segmenter

    pictures, masks = scenes(min(SCENES, job.scenes), seed=1)
    part = SegmenterPart(Segmenter(), pictures, masks, job.plan.batch)

    def begin(shipped: Path | None) -> None:
        if shipped:
            _copy(Segmenter.load(shipped), part.net)

    record = job.run("segmenter", part, begin)
    folder = job.shipped("segmenter")
    part.net.cpu().save(folder)
    score = overlap(Segmenter.load(folder), *scenes(HELD_OUT, seed=2, held_out=True)).mean()
    _card(folder, "segmenter", part, record, f"{score:.3f}.")
    return folder


def _from_nothing(shipped: Path | None) -> None:
    """The part's weights stay as they are."""


def _copy(source: torch.nn.Module, target: torch.nn.Module) -> None:
    target.load_state_dict(source.state_dict())


def _card(folder: Path, name: str, part: Part, record: dict, score: str = "") -> None:
    parameters = sum(weight.numel() for weight in part.parameters())
    write_card(folder, name, len(part.pool), parameters, record, score)


TRAINERS = {
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
