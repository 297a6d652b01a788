"""An autoencoder for pictures of twice the side, begun from a trained one: the same latents, one level more.

What is taken over computes the same in its new place, so training starts where the smaller autoencoder stopped: a
channel may stand there more than once (Net2Net, arXiv 1511.05641, section 2.2), and layers that are new pass on what
they are given.
"""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL

State = dict[str, torch.Tensor]

# px (down, across) by which each copy of the picture, three channels, is moved.
MOVES = ((-1, -1), (-1, 1), (1, -1), (1, 1))
# Of each of the five rows, or columns: the copy that shows it, by its move, and the tap that sees it there.
TAPS = ((-1, 0), (-1, 1), (1, 0), (1, 1), (1, 2))


@torch.no_grad()
def begin_doubled(new: AutoencoderKL, small: AutoencoderKL, generator: torch.Generator, unlike: float = 0.03) -> None:
    """Fill `new`, of one level more than `small`, so that it does for pictures of twice the side what `small` does.

    The latents of a picture are nearly those that `small` has of the same picture at half the side; what is decoded
    is what `small` decodes, with its pixels doubled. `new` may have more layers a level and whole multiples of
    `small`'s channels; repeated channels get noise of `unlike` times their weights' deviation, or they would learn the
    same for ever. ValueError for an architecture that does not fit.
    """
    _check(new.config.block_out_channels, small.config.block_out_channels)
    state = _passing_on(new)
    for name, value in small.state_dict().items():
        if not name.startswith("encoder.conv_in."):
            place = _place(name, len(small.config.down_block_types))
            state[place] = _repeated(value, state[place].shape, generator, unlike)
    state |= _halving(new, small) | _doubling(new, small)
    new.load_state_dict(state)


def _check(wide: tuple[int, ...], small: tuple[int, ...]) -> None:
    fits = len(wide) == len(small) + 1 and wide[0] == small[0] >= 3 * len(MOVES)
    if not fits or any(a % b for a, b in zip(wide[1:], small)):
        expected = f"{small[0]}, {3 * len(MOVES)} or more, and then whole multiples of {', '.join(map(str, small))}"
        raise ValueError(f"block_out_channels: expected {expected}; got {', '.join(map(str, wide))}")


def _passing_on(vae: AutoencoderKL) -> State:
    """The weights of `vae`, changed so that each residual layer gives what it is given."""
    state = vae.state_dict()
    for name, value in state.items():
        if ".resnets." in name and ".conv2." in name:
            value.zero_()
    return state


def _place(name: str, levels: int) -> str:
    """Where a weight of the smaller autoencoder stands in the new one, whose encoder begins a level before."""
    for level in reversed(range(levels)):
        name = name.replace(f"encoder.down_blocks.{level}.", f"encoder.down_blocks.{level + 1}.")
    return name


def _repeated(value: torch.Tensor, shape: torch.Size, generator: torch.Generator, unlike: float) -> torch.Tensor:
    """A weight for channels of which each stands there several times: what comes in is shared among them."""
    if value.shape == shape:
        return value
    wide = value
    if value.ndim > 1:
        times = shape[1] // value.shape[1]
        wide = wide.repeat_interleave(times, dim=1) / times
    wide = wide.repeat_interleave(shape[0] // value.shape[0], dim=0)
    return wide + unlike * wide.std() * torch.randn(wide.shape, generator=generator)


def _copies(rows: int, columns: int) -> torch.Tensor:
    """A 1 x 1 convolution that repeats channels, or takes the mean of those repeated."""
    few, many = sorted((rows, columns))
    repeat = torch.eye(few).repeat_interleave(many // few, dim=0)
    return (repeat if rows == many else repeat.T * few / many)[:, :, None, None]


def _halving(new: AutoencoderKL, small: AutoencoderKL) -> State:
    """The new encoder's first level: a picture is halved, and the smaller encoder's first layer sees it."""
    first = torch.zeros_like(new.encoder.conv_in.weight)
    for copy, (down, across) in enumerate(MOVES):
        for color in range(3):
            first[3 * copy + color, color, 1 + down, 1 + across] = 1
    halve = new.encoder.down_blocks[0].downsamplers[0].conv
    state = {
        "conv_in.weight": first,
        "conv_in.bias": torch.zeros_like(new.encoder.conv_in.bias),
        "down_blocks.0.downsamplers.0.conv.weight": _halved_then(small.encoder.conv_in.weight, halve.weight),
        "down_blocks.0.downsamplers.0.conv.bias": small.encoder.conv_in.bias,
    }
    if new.encoder.down_blocks[1].resnets[0].conv_shortcut is not None:
        shortcut = _copies(new.config.block_out_channels[1], len(first))
        state["down_blocks.1.resnets.0.conv_shortcut.weight"] = shortcut
        state["down_blocks.1.resnets.0.conv_shortcut.bias"] = torch.zeros(len(shortcut))
    return {f"encoder.{name}": value for name, value in state.items()}


def _halved_then(layer: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """A 3 x 3 convolution of a picture's means over 2 x 2 px, as one of stride 2 over the picture's moved copies.

    It would have to see six rows and sees five: the first is taken to be as the second.
    """
    rows = layer.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3) / 4  # (n, 3, 6, 6)
    seen = rows[:, :, 1:, 1:].clone()
    seen[:, :, 0] += rows[:, :, 0, 1:]
    seen[:, :, :, 0] += rows[:, :, 1:, 0]
    seen[:, :, 0, 0] += rows[:, :, 0, 0]
    weight = torch.zeros_like(like)
    for row, (down, tap_down) in enumerate(TAPS):
        for column, (across, tap_across) in enumerate(TAPS):
            copy = MOVES.index((down, across))
            weight[:, 3 * copy : 3 * copy + 3, tap_down, tap_across] = seen[:, :, row, column]
    return weight


def _doubling(new: AutoencoderKL, small: AutoencoderKL) -> State:
    """The new decoder's last level passes on the smaller decoder's pixels, each as 2 x 2."""
    levels = len(small.config.up_block_types)
    before, last = new.decoder.up_blocks[levels - 1], new.decoder.up_blocks[levels]
    double = torch.zeros_like(before.upsamplers[0].conv.weight)
    double[:, :, 1, 1] = torch.eye(len(double))
    state = {
        f"up_blocks.{levels - 1}.upsamplers.0.conv.weight": double,
        f"up_blocks.{levels - 1}.upsamplers.0.conv.bias": torch.zeros(len(double)),
    }
    if last.resnets[0].conv_shortcut is not None:
        shortcut = _copies(new.config.block_out_channels[0], len(double))
        state[f"up_blocks.{levels}.resnets.0.conv_shortcut.weight"] = shortcut
        state[f"up_blocks.{levels}.resnets.0.conv_shortcut.bias"] = torch.zeros(len(shortcut))
    return {f"decoder.{name}": value for name, value in state.items()}
