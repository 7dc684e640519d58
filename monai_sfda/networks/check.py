"""Whether a network says what the configs say of it, asked before any image is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["check_output", "size_advice"]

MULTIPLES = (2, 4, 8, 16, 32, 64, 128)  # a size that networks ask for is a product of their strides


def check_output(
    network: nn.Module,
    *,
    image_size: Sequence[int],
    structures: Collection[str],
    head: str = "sigmoid",
    train: bool = False,
) -> None:
    """Ask a network for two blank images; its weights, its statistics and the random numbers stay as they are.

    Args:
        network: (B, 3, H, W) -> logits (B, K, H, W).
        image_size: H and W.
        structures: their names, or name -> channel; a sigmoid has a channel for each, a softmax one more, for the
            background.
        head: ``"sigmoid"`` or ``"softmax"``.
        train: whether to ask it as it trains: deep supervision gives several maps only then.

    Raises:
        ValueError: if it does not take such images, or gives anything but such logits.
    """
    network = deepcopy(network).train() if train else network.eval()
    size = (int(image_size[0]), int(image_size[1]))
    answer = _ask(network, size)
    if isinstance(answer, Exception):
        reason = str(answer).strip().split("\n")[0]
        raise ValueError(
            f"Expected a network for RGB images of {size[0]} x {size[1]}, found one that fails on them ({reason}); "
            f"{_remedy(network, size)}."
        ) from answer
    channels = len(structures) + (head == "softmax")
    if isinstance(structures, Mapping) and not set(structures.values()) <= set(range(channels)):
        raise ValueError(
            f"Expected structures whose channels are below {channels}, found {dict(structures)}; choose such channels."
        )
    expected = (2, channels, *size)
    if not isinstance(answer, Tensor) or tuple(answer.shape) != expected:
        raise ValueError(
            f"Expected logits of shape {expected} for {', '.join(structures)} and a {head} head, found {_named(answer)}"
            f"{' in training' if train else ''}; {_shape_remedy(network, answer, expected)}."
        )


def size_advice(network: nn.Module, image: Tensor) -> str:
    """Which sizes would do, if a copy of the network fails on blank images of this size (B, C, H, W); else nothing."""
    copy, channels, size = deepcopy(network).eval(), image.shape[1], (image.shape[-2], image.shape[-1])
    failed = image.ndim == 4 and isinstance(_ask(copy, size, channels), Exception)
    return _other_size(copy, size, channels=channels) if failed else ""


def _ask(network: nn.Module, size: tuple[int, int], channels: int = 3) -> Any:
    """What it says of two blank images, or the error that it raises."""
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    try:
        with torch.no_grad(), torch.random.fork_rng():
            return network(torch.zeros(2, channels, *size, device=device))
    except (RuntimeError, TypeError, IndexError, ValueError) as error:
        return error


def _remedy(network: nn.Module, size: tuple[int, int]) -> str:
    """What to change so that a network does not fail."""
    grey = "wrap it in monai_sfda.networks.with_input (grey: true), for it takes grey images"
    if _fits(network, size, channels=1):
        return grey
    for channels, wrapped in ((3, ""), (1, f", and {grey}")):
        if advice := _other_size(network, size, channels=channels):
            return advice + wrapped
    return "change network_def, which takes neither RGB nor grey images of this or a similar size"


def _other_size(network: nn.Module, size: tuple[int, int], *, channels: int = 3) -> str:
    """The sizes next to the one that failed, multiples of the least number that makes it work; else nothing."""
    for multiple in MULTIPLES:
        above = tuple(-(-side // multiple) * multiple for side in size)
        if above != size and _fits(network, above, channels=channels):
            below = tuple(side // multiple * multiple for side in size)
            near = [below] * (min(below) > 0 and _fits(network, below, channels=channels)) + [above]
            sizes = " or ".join(f"{height} x {width}" for height, width in near)
            return f"set image_size to multiples of {multiple}, such as {sizes}"
    return ""


def _fits(network: nn.Module, size: tuple[int, ...], *, channels: int = 3) -> bool:
    """Whether it takes such images, and gives maps of their size."""
    answer = _ask(network, (size[0], size[1]), channels)
    return not isinstance(answer, Exception) and (not isinstance(answer, Tensor) or answer.shape[2:] == size)


def _shape_remedy(network: nn.Module, answer: Any, expected: tuple[int, ...]) -> str:
    """What to change so that the logits have the right shape."""
    if not isinstance(answer, Tensor) or answer.ndim != len(expected):
        return "let network_def give one map (no deep supervision; of several maps the last alone)"
    if answer.shape[1] != expected[1]:
        return f"change out_channels of network_def (now {answer.shape[1]}), structures or head"
    advice = _other_size(network, (expected[2], expected[3]))
    return advice or "let network_def scale its logits to the size of the image"


def _named(output: Any) -> str:
    return f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
