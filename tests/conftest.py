"""What the tests share: a Stable Diffusion pipeline of random weights that fits into memory a thousand times."""

import copy

import numpy as np
import pytest
import torch
from PIL import Image

from sidkit import torchvision_ops  # noqa: F401  (before diffusers)
from sidkit.stickers.pretrain.tokenizer import make_tokenizer

from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel  # isort: skip
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline  # isort: skip
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection  # isort: skip

SIDE = 64  # px; latents are 4 x 16 x 16
WIDTH = 16
SCHEDULE = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False, steps_offset=1)


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
        tokenizer = make_tokenizer()
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
    return pipe


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
