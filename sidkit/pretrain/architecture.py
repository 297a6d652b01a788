"""A small Stable Diffusion: cross-attention is all through which a caption reaches the picture."""

from __future__ import annotations

from transformers import CLIPTextConfig

from sidkit.pretrain.tokenizer import LENGTH

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


def text_config(vocabulary: int) -> CLIPTextConfig:
    """The text encoder for so many tokens."""
    return CLIPTextConfig(vocab_size=vocabulary, bos_token_id=0, eos_token_id=1, pad_token_id=1, **TEXT)
