"""Pure tensor mathematics shared by labellers, losses and scores.

Shapes: B batch, K class channels, ``*S`` image space. A *head* says how channels relate: ``"sigmoid"`` for
overlapping structures (disc contains cup), ``"softmax"`` for mutually exclusive classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "Cutoff",
    "binary_cross_entropy",
    "channel_names",
    "check_cutoff",
    "check_head",
    "check_structures",
    "decide",
    "distributions",
    "exclusive_classes",
    "foreground_share",
    "log_distributions",
    "log_probabilities",
    "per_channel",
    "probabilities",
    "scaled",
    "soft_dice",
    "soft_dice_loss",
    "weighted_mean",
]


Cutoff = float | Sequence[float]
"""One probability for all channels, or one for each of K."""


def check_cutoff(cutoff: Cutoff) -> Cutoff:
    """Return ``cutoff`` if each of its numbers lies between 0 and 1.

    Raises:
        ValueError: if one does not.
    """
    numbers = cutoff if isinstance(cutoff, Sequence) and not isinstance(cutoff, str) else [cutoff]
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number < 1:
            raise ValueError(
                f"Expected a cutoff between 0 and 1, found {number!r}; 0.5 is usual, the papers on fundus use 0.75."
            )
    return cutoff


def per_channel(values: Cutoff, probs: Tensor) -> Tensor:
    """A number, or K numbers, shaped to be set against ``probs`` (B, K, *S).

    Raises:
        ValueError: if there are neither one nor K numbers.
    """
    numbers = torch.as_tensor(values, dtype=probs.dtype, device=probs.device).reshape(-1)
    if len(numbers) not in (1, probs.shape[1]):
        raise ValueError(
            f"Expected one cutoff, or one for each of {probs.shape[1]} channels, found {len(numbers)}; give that many."
        )
    return numbers.view(-1, *[1] * (probs.ndim - 2))


def check_head(head: str) -> str:
    """Return ``head`` if it is known.

    Raises:
        ValueError: if it is neither ``"sigmoid"`` nor ``"softmax"``.
    """
    if head not in ("sigmoid", "softmax"):
        raise ValueError(
            f"Expected head 'sigmoid' (overlapping channels) or 'softmax' (exclusive classes), found {head!r}."
        )
    return head


def check_structures(structures: Mapping[str, int], channels: int | None = None) -> dict[str, int]:
    """Return ``structures``, name -> channel, if each channel is there.

    Args:
        structures: at least one.
        channels: of the network, if that is known.

    Raises:
        ValueError: if it is no such mapping, or a channel is none of the network's.
    """
    numbers = list(structures.values()) if isinstance(structures, Mapping) else []
    if not numbers or any(isinstance(number, bool) or not isinstance(number, int) for number in numbers):
        raise ValueError(
            f'Expected structures as name and channel, such as {{"disc": 0, "cup": 1}}, found {structures!r}; '
            "correct structures."
        )
    if channels is not None and not set(numbers) <= set(range(channels)):
        raise ValueError(
            f"Expected structures whose channels are below {channels}, found {dict(structures)}; correct structures."
        )
    return dict(structures)


def probabilities(logits: Tensor, head: str) -> Tensor:
    """Channel probabilities (B, K, *S) of logits (B, K, *S), in float32 whatever the precision of the logits."""
    logits = logits.float()
    return logits.sigmoid() if check_head(head) == "sigmoid" else logits.softmax(1)


def log_probabilities(logits: Tensor, head: str) -> tuple[Tensor, Tensor]:
    """``(log p, log(1 - p))`` of each channel, both (B, K, *S), without ever forming p: finite for logits up to 1e38.

    With a softmax head ``1 - p_k`` is the sum of the other classes, taken with ``logsumexp``.

    Raises:
        ValueError: for a softmax over fewer than two channels.
    """
    if check_head(head) == "sigmoid":
        logits = logits.float()
        return F.logsigmoid(logits), F.logsigmoid(-logits)
    log_p = _log_softmax(logits)
    classes = log_p.shape[1]
    if classes == 2:
        return log_p, log_p.flip(1)
    others = [torch.cat([log_p[:, :k], log_p[:, k + 1 :]], 1).logsumexp(1) for k in range(classes)]
    return log_p, torch.stack(others, 1)


def log_distributions(logits: Tensor, head: str) -> Tensor:
    """Log-probabilities (B, G, C, *S) of G questions with C exclusive answers each, for logits (B, K, *S).

    Softmax asks one question, which of the K classes; sigmoid asks K questions, absent or present, in this order.

    Raises:
        ValueError: for a softmax over fewer than two channels.
    """
    if check_head(head) == "softmax":
        return _log_softmax(logits).unsqueeze(1)
    present, absent = log_probabilities(logits, head)
    return torch.stack([absent, present], 2)


def distributions(probs: Tensor, head: str) -> Tensor:
    """(B, G, C, *S) as `log_distributions`, of probabilities, shares or hard labels (B, K, *S)."""
    if check_head(head) == "softmax":
        return probs.unsqueeze(1)
    return torch.stack([1 - probs, probs], 2)


def _log_softmax(logits: Tensor) -> Tensor:
    if logits.shape[1] < 2:
        found = f"found {logits.shape[1]}; use head='sigmoid'"
        raise ValueError(f"Expected at least 2 channels for a softmax head, {found}.")
    return logits.float().log_softmax(1)


def binary_cross_entropy(logits: Tensor, label: Tensor, head: str) -> Tensor:
    """Cross-entropy of each channel against "not this class", (B, K, *S) in nats; ``label`` may be soft.

    For two softmax classes both channels equal the ordinary cross-entropy.
    """
    log_p, log_not_p = log_probabilities(logits, head)
    return -torch.lerp(log_not_p, log_p, label.to(log_p.dtype))


def weighted_mean(value: Tensor, weight: Tensor) -> Tensor:
    """``sum(weight * value) / sum(weight)`` over everything; 0 with a graph where no weight is left."""
    total = weight.sum()
    return (weight * value).sum() / torch.where(total > 0, total, torch.ones_like(total))


def decide(probs: Tensor, head: str, cutoff: Cutoff) -> Tensor:
    """Boolean masks (B, K, *S) of probabilities.

    Sigmoid: strictly above the cut-off. Softmax: the most likely class, after each probability has been divided by the
    odds of its cut-off, t / (1 - t), so that one number for all changes nothing, and of two classes, background with
    0.5, the other one is taken where its probability exceeds t.
    """
    if check_head(head) == "sigmoid":
        return probs > (per_channel(cutoff, probs) if isinstance(cutoff, Sequence) else cutoff)
    if isinstance(cutoff, Sequence):
        limits = per_channel(cutoff, probs)
        probs = probs * ((1 - limits) / limits)
    return torch.zeros_like(probs, dtype=torch.bool).scatter_(1, probs.argmax(1, keepdim=True), True)


def exclusive_classes(label: Tensor, head: str, nested: Sequence[Sequence[int]] = ()) -> Tensor:
    """One class for each pixel, (B, *S) whole numbers, of hard labels (B, K, *S).

    Softmax: the channel. Sigmoid: 0 for a pixel of no structure, else 1 + the channel of the innermost structure that
    it belongs to: of a disc (channel 0) with a cup in it (1) these are background, rim and cup.

    Args:
        label: of 0 and 1.
        head: how its channels relate.
        nested: pairs of channels (outer, inner) of a sigmoid head.

    Raises:
        ValueError: if structures overlap that are not nested.
    """
    if check_head(head) == "softmax":
        return label.argmax(1)
    present, inside = label > 0.5, {(outer, inner) for outer, inner in nested}
    depth = [sum(inner == channel for _, inner in inside) for channel in range(label.shape[1])]
    classes = torch.zeros_like(present[:, 0], dtype=torch.long)
    for channel in sorted(range(label.shape[1]), key=depth.__getitem__):
        for other in range(channel):
            apart = not {(other, channel), (channel, other)} & inside
            if apart and bool((present[:, channel] & present[:, other]).any()):
                raise ValueError(
                    f"Expected structures that are nested or do not overlap, found pixels of both channel {other} and "
                    f"channel {channel}; name the pair under nested in task.json, or choose a method without classes."
                )
        classes = torch.where(present[:, channel], channel + 1, classes)
    return classes


def scaled(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Maps (B, K, *s) at another size by (bi-, tri-)linear interpolation whose corners stay corners."""
    if tuple(maps.shape[2:]) == tuple(size):
        return maps
    mode = {3: "linear", 4: "bilinear", 5: "trilinear"}[maps.ndim]
    return F.interpolate(maps, size=tuple(size), mode=mode, align_corners=True)


def foreground_share(label: Tensor) -> list[float]:
    """Share of the pixels of a whole batch (B, K, *S) that each channel takes, K numbers in [0, 1]."""
    return label.transpose(0, 1).flatten(1).float().mean(1).tolist()


def soft_dice(probs: Tensor, label: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Soft Dice of each image and channel, :math:`2\sum wpy / \sum w(p + y)`, (B, K) in [0, 1]; 0 if both are empty.

    It is 1 only for equal maps of 0 and 1: uncertain probabilities do not agree fully even with themselves.

    Args:
        probs, label: (B, K, *S) in [0, 1].
        weight: (B, K, *S), >= 0; 1 everywhere by default.
    """
    overlap, total = probs * label, probs + label
    if weight is not None:
        overlap, total = weight * overlap, weight * total
    # An empty pair is no agreement: a stopping rule must not prefer a network that predicts nothing.
    return 2 * overlap.flatten(2).sum(-1) / total.flatten(2).sum(-1).clamp_min(1e-6)


def soft_dice_loss(probs: Tensor, label: Tensor) -> Tensor:
    """``1 - soft_dice``, mean over images and channels."""
    return 1 - soft_dice(probs, label).mean()


def channel_names(structures: Mapping[str, int], head: str) -> dict[str, int]:
    """Name -> channel of each channel of a network, in their order: with a softmax head also of the background, 0."""
    named = {"background": 0, **structures} if head == "softmax" else structures
    return dict(sorted(named.items(), key=lambda item: item[1]))
