"""Check before any image is read that a network's output is what the configs state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from monai_sfda.functional import check_structures
from monai_sfda.networks.layers import unwrapped
from monai_sfda.networks.norm import norm_layers

__all__ = ["MISFITS", "check_output", "input_advice"]

CHANNELS = (1, 3, 2, 4)
COLOURS = {1: "grey", 3: "RGB"}
KINDS = {2: "images", 3: "volumes"}
MULTIPLES = (2, 4, 8, 16, 32, 64, 128)  # a size that networks ask for is a product of their strides
MISFITS = (RuntimeError, TypeError, IndexError, ValueError)
"""What layers raise for input of another shape than theirs."""


def check_output(
    network: nn.Module,
    *,
    image_size: Sequence[int],
    structures: Collection[str],
    head: str = "sigmoid",
    train: bool = False,
    channels: int = 3,
) -> None:
    """Ask a network for two blank images; its weights, its statistics and the random numbers stay as they are.

    Args:
        network: (B, C, *S) -> logits (B, K, *S).
        image_size: H and W, or slices, H and W of a volume.
        structures: their names, or name -> channel; a sigmoid has a channel for each, a softmax one more, for the
            background.
        head: ``"sigmoid"`` or ``"softmax"``.
        train: whether to ask it as it trains: deep supervision gives several maps only then.
        channels: C, 3 for pictures and 1 for volumes and their slices.

    Raises:
        ValueError: if it does not take such images, or gives anything but such logits.
    """
    network = deepcopy(network).train() if train else network.eval()
    size = tuple(int(side) for side in image_size)
    answer = _ask(network, size, channels)
    if isinstance(answer, Exception):
        reason = str(answer).strip().split("\n")[0]
        wanted = f"{COLOURS.get(channels, f'{channels}-channel')} {KINDS.get(len(size), 'images')} of {_times(size)}"
        raise ValueError(
            f"Expected a network for {wanted}, found one that fails on them ({reason}); "
            f"{_remedy(network, size, channels)}."
        ) from answer
    classes = len(structures) + (head == "softmax")
    if isinstance(structures, Mapping):
        check_structures(structures, classes)
    expected = (2, classes, *size)
    if not isinstance(answer, Tensor) or tuple(answer.shape) != expected:
        raise ValueError(
            f"Expected logits of shape {expected} for {', '.join(structures)} and a {head} head, found {_named(answer)}"
            f"{' in training' if train else ''}; {_shape_remedy(network, answer, expected, channels)}."
        )


def input_advice(network: nn.Module, image: Tensor) -> str:
    """Advice if a copy of the network fails on blank images of this shape (B, C, *S); empty if it does not fail."""
    network, channels, size = deepcopy(unwrapped(network)), image.shape[1], image.shape[2:]
    for layer in norm_layers(network):
        layer.eval()  # a synchronised one waits for the other processes
    if image.ndim not in (4, 5) or not isinstance(_ask(network, size, channels), Exception):
        return ""
    if advice := _other_axes(network, len(size)):
        return advice
    last = image.shape[-1]
    if last in CHANNELS and _fits(network, image.shape[1:-1], channels=last):
        return "move their channels before their rows, as EnsureChannelFirstd does"
    if advice := _other_size(network, size, channels=channels):
        return f"resize them to {advice}"
    known = [c for c in CHANNELS if _fits(network, size, channels=c) or _other_size(network, size, channels=c)]
    if 1 in known:
        return "wrap it, as in monai_sfda.networks.with_input(network, grey=True), because it takes grey images"
    return f"give images of {known[0]} channels" if known else ""


def _ask(network: nn.Module, size: Sequence[int], channels: int = 3) -> Any:
    """What it says of two blank images, or the error that it raises."""
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    try:
        with torch.no_grad(), torch.random.fork_rng():
            return network(torch.zeros(2, channels, *size, device=device))
    except MISFITS as error:
        return error


def _other_axes(network: nn.Module, axes: int) -> str:
    """Advice for a network whose convolutions all have another number of axes."""
    layers = {type(layer) for layer in network.modules()}
    if axes == 2 and nn.Conv3d in layers and nn.Conv2d not in layers:
        return "give a network with 2 spatial dimensions, because this one takes volumes"
    if axes == 3 and nn.Conv2d in layers and nn.Conv3d not in layers:
        return "give a network with 3 spatial dimensions, because this one takes single slices"
    return ""


def _remedy(network: nn.Module, size: tuple[int, ...], channels: int) -> str:
    """What to change so that a network does not fail."""
    if advice := _other_axes(network, len(size)):
        return advice
    if channels != 3:
        if advice := _other_size(network, size, channels=channels):
            return f"set image_size to {advice}"
        plural = "s" * (channels > 1)
        return f"change network_def, which does not take {channels} channel{plural} of this or a similar size"
    grey = "wrap it in monai_sfda.networks.with_input (grey: true), because it takes grey images"
    if _fits(network, size, channels=1):
        return grey
    for number, wrapped in ((3, ""), (1, f", and {grey}")):
        if advice := _other_size(network, size, channels=number):
            return f"set image_size to {advice}{wrapped}"
    return "change network_def, which takes neither RGB nor grey images of this or a similar size"


def _other_size(network: nn.Module, size: Sequence[int], *, channels: int = 3) -> str:
    """The sizes next to the one that failed, multiples of the least number that makes it work; else nothing."""
    for multiple in MULTIPLES:
        above = tuple(-(-side // multiple) * multiple for side in size)
        if above != size and _fits(network, above, channels=channels):
            below = tuple(side // multiple * multiple for side in size)
            near = [below] * (min(below) > 0 and _fits(network, below, channels=channels)) + [above]
            sizes = " or ".join(map(_times, near))
            return f"multiples of {multiple}, such as {sizes}"
    return ""


def _fits(network: nn.Module, size: Sequence[int], *, channels: int = 3) -> bool:
    """Whether it takes such images, and gives maps of their size."""
    answer = _ask(network, size, channels)
    return not isinstance(answer, Exception) and (not isinstance(answer, Tensor) or answer.shape[2:] == tuple(size))


def _shape_remedy(network: nn.Module, answer: Any, expected: tuple[int, ...], channels: int) -> str:
    """What to change so that the logits have the right shape."""
    if not isinstance(answer, Tensor) or answer.ndim != len(expected):
        return "let network_def give one map (no deep supervision; if it gives several maps, only the last)"
    if answer.shape[1] != expected[1]:
        return f"change out_channels of network_def (now {answer.shape[1]}), structures or head"
    advice = _other_size(network, expected[2:], channels=channels)
    return f"set image_size to {advice}" if advice else "let network_def scale its logits to the size of the image"


def _times(size: Sequence[int]) -> str:
    return " x ".join(map(str, size))


def _named(output: Any) -> str:
    return f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
