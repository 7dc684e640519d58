"""Whether a network says what the configs say of it, asked before any image is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["check_output"]


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
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    size = (int(image_size[0]), int(image_size[1]))
    try:
        with torch.no_grad(), torch.random.fork_rng():
            output = network(torch.zeros(2, 3, *size, device=device))
    except (RuntimeError, TypeError, IndexError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"Expected a network for RGB images of {size[0]} x {size[1]}, found one that fails on them ({reason}); "
            "wrap it in monai_sfda.networks.with_input, or mend image_size."
        ) from error
    channels = len(structures) + (head == "softmax")
    if isinstance(structures, Mapping) and not set(structures.values()) <= set(range(channels)):
        raise ValueError(
            f"Expected structures whose channels are below {channels}, found {dict(structures)}; mend structures."
        )
    expected = (2, channels, *size)
    if not isinstance(output, Tensor) or tuple(output.shape) != expected:
        raise ValueError(
            f"Expected logits of shape {expected} for {', '.join(structures)} and a {head} head, found {_named(output)}"
            f"{' in training' if train else ''}; mend network_def (one map, no deep supervision), structures or head."
        )


def _named(output: Any) -> str:
    return f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
