"""What the tests share: a Stable Diffusion pipeline of random weights that fits into memory a thousand times."""

import sidkit  # noqa: F401  # isort: skip  (before diffusers: `sidkit.torchvision_ops`)

import copy
import functools
import shutil
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from xdist.scheduler import LoadFileScheduling

from sidkit.book import build_book
from sidkit.config import WEIGHTS
from sidkit.models import add_identifier
from sidkit.pretrain.image_text import make_image_text, save_image_text
from sidkit.runs import Runs
from sidkit.stickers.heads import HEADS
from sidkit.stickers.nets import IdentityNet, Reader
from sidkit.stickers.references import make_subject
from sidkit.stickers.segmenter import Segmenter
from sidkit.study.chapter import Results

# A shell has what it runs in the background ignore Ctrl-C, and that would be inherited by what the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]
SECRETS = {"OPENAI_API_KEY": "sk-test-3f9a7c51d2e84b06", "HF_TOKEN": "hf_test91c0d7aa45be2f63"}  # nobody's
BOOK = ("test_browser.py", "test_pages.py", "test_secrets.py")  # they use `small_book`
SIDE = 64  # px; latents are 4 x 16 x 16
WIDTH = 16
SCHEDULE = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False, steps_offset=1)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config, log):
    """Each process of `make test` takes a file at a time."""
    return Files(config, log)


class Files(LoadFileScheduling):
    """Test files one by one; those that look at the book are as one, so that it is built once."""

    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        return "the book" if Path(file).name in BOOK else file


@functools.cache
def _tokenizer():
    """The shipped one: each new training of it breaks ties differently, and numbers its words anew."""
    return CLIPTokenizer.from_pretrained(WEIGHTS / "text_to_image" / "tokenizer")


def results_of(chapter, studies, *, seed=0, **parameters):
    """A chapter's results from studies that are there already, as `sidkit.study.chapter.run` gives them."""
    plans = {name: study.plan for name, study in studies.items()}
    return Results(chapter, "smoke", Runs("nowhere"), {"seed": seed, **parameters}, plans, studies)


def without_masks(folder):
    """A subject as a photographer has it, in a folder of that name: pictures and captions, and no masks or truth."""
    subject = make_subject(folder, "cat", "background", 1, seed=0)
    (subject.folder / "scenes.json").unlink()
    for masks in (subject.folder / "masks", subject.folder / "outlines"):
        shutil.rmtree(masks, ignore_errors=True)
    return subject.folder


def dosed_frame():
    """A study's frame of three arms with rising doses, in which leakage falls by 0.6 from none to all."""
    doses_by_subject = {"s": (0.0, 0.5, 1.0), "t": (0.0, 0.25, 1.0)}
    return pd.DataFrame(
        {"subject": subject, "prompt": prompt, "seed": 0, "arm": arm, "dose": dose, "leakage": 0.8 - 0.6 * dose}
        for subject, doses in doses_by_subject.items()
        for prompt in "xy"
        for arm, dose in zip("abc", doses)
    )


def make_pipe(prediction_type="v_prediction"):
    """The classes and the tokenizer of the shipped pipeline, random and small; the same every time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 3,
            up_block_types=("UpDecoderBlock2D",) * 3,
            block_out_channels=(8, 8, 8),
            norm_num_groups=4,
            sample_size=SIDE,
            mid_block_add_attention=False,
        )
        unet = UNet2DConditionModel(
            sample_size=SIDE // 4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            block_out_channels=(WIDTH, 2 * WIDTH),
            layers_per_block=1,
            attention_head_dim=2,
            norm_num_groups=8,
            cross_attention_dim=WIDTH,
        )
        tokenizer = copy.deepcopy(_tokenizer())
        text = dict(hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=2, num_attention_heads=2)
        special = dict(bos_token_id=0, eos_token_id=1, pad_token_id=1)
        length = tokenizer.model_max_length
        config = CLIPTextConfig(vocab_size=len(tokenizer), max_position_embeddings=length, **text, **special)
        text_encoder = CLIPTextModel(config)
    zero_snr = prediction_type == "v_prediction"
    spacing = dict(rescale_betas_zero_snr=zero_snr, timestep_spacing="trailing" if zero_snr else "leading")
    pipe = StableDiffusionPipeline(
        vae=vae.eval(),
        text_encoder=text_encoder.eval(),
        tokenizer=tokenizer,
        unet=unet.eval(),
        scheduler=DDIMScheduler(prediction_type=prediction_type, **SCHEDULE, **spacing),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    add_identifier(pipe, "sks")
    return pipe


def make_xl_pipe():
    """The same, as Stable Diffusion XL: two text encoders, and a UNet that is told the picture's size."""
    small = make_pipe("epsilon")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        second = CLIPTextModelWithProjection(
            CLIPTextConfig(**small.text_encoder.config.to_dict() | {"projection_dim": 8})
        )
        told = {key: value for key, value in small.unet.config.items() if key[0] != "_"}
        told |= dict(cross_attention_dim=2 * WIDTH, addition_embed_type="text_time", addition_time_embed_dim=4)
        unet = UNet2DConditionModel(**told | {"projection_class_embeddings_input_dim": 8 + 6 * 4})
    parts = {name: getattr(small, name) for name in ("vae", "text_encoder", "tokenizer", "scheduler")}
    options = dict(text_encoder_2=second.eval(), tokenizer_2=small.tokenizer, unet=unet.eval(), add_watermarker=False)
    pipe = StableDiffusionXLPipeline(**parts, **options)
    pipe.set_progress_bar_config(disable=True)
    add_identifier(pipe, "sks")
    return pipe


def save_looking(folder, architecture, size, heads):
    """The shipped models that look, random and tiny, as pretraining saves them."""
    torch.manual_seed(0)
    Reader(architecture, size, heads).save(folder / "reader")
    IdentityNet(architecture, size, 16).save(folder / "identity")
    Segmenter(4).save(folder / "segmenter")
    tokenizer = _tokenizer()
    save_image_text(make_image_text(architecture, size, len(tokenizer)), tokenizer, folder / "image_text")


@pytest.fixture(scope="session")
def _tiny_pipe():
    return make_pipe()


@pytest.fixture
def tiny_pipe(_tiny_pipe):
    """A fresh random pipeline (v-prediction, zero terminal SNR): 64 px, the shipped tokenizer, seconds to nothing."""
    return copy.deepcopy(_tiny_pipe)


@pytest.fixture
def pictures():
    """Four 64 px pictures that a model can learn: a coloured square on a coloured ground each."""
    rng = np.random.default_rng(0)
    arrays = np.zeros((4, SIDE, SIDE, 3), np.uint8)
    for array in arrays:
        array[:] = rng.integers(0, 256, 3)
        array[16:48, 16:48] = rng.integers(0, 256, 3)
    return [Image.fromarray(array) for array in arrays]


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory, _tiny_pipe):
    """A folder of shipped weights, random and tiny but for the captioner; `config.WEIGHTS` is where they are."""
    folder = tmp_path_factory.mktemp("tiny_weights")
    _tiny_pipe.save_pretrained(folder / "text_to_image")
    save_looking(folder, "test_vit", 160, HEADS)
    (folder / "captioner").symlink_to(WEIGHTS / "captioner")  # quick as it is, and its sentences make sense
    return folder


@pytest.fixture(scope="session")
def small_book(tmp_path_factory):
    """Folder of the real book's pages, its notebooks executed at scale smoke, warnings being errors."""
    root = tmp_path_factory.mktemp("book")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, root)
    for name in ("book", "notebooks"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("chapters"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)  # the run store is made where the notebooks run
        for name, key in SECRETS.items():  # which must not be found in what is built (test_secrets)
            patch.setenv(name, key)
        return build_book(root, scale="smoke").parent
