"""Check that the parts of a step return what the step needs; only shapes and types, which takes no time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from monai_sfda.networks.check import MISFITS, input_advice
from monai_sfda.protocols import PseudoLabel

__all__ = ["check_answers", "check_loss", "check_views", "misfit_explained", "warn_of_probabilities"]

logger = logging.getLogger(__name__)


@contextmanager
def misfit_explained(network: nn.Module, image: Tensor) -> Iterator[None]:
    """Turn a layer's error about images that do not fit into advice on the size or channels that would fit.

    Raises:
        ValueError: in place of an error of the network, where images of another shape would do.
    """
    try:
        yield
    except MISFITS as error:
        if isinstance(error, torch.OutOfMemoryError) or not (advice := input_advice(network, image)):
            raise
        reason, shape = str(error).strip().split("\n")[0].rstrip("."), tuple(image.shape[1:])
        raise ValueError(
            f"Expected images (C, H, W) that fit the network, found {shape} ({reason}); {advice}."
        ) from error


def check_views(views: Any, image: Tensor) -> tuple[Tensor, Tensor]:
    """Both views.

    Raises:
        ValueError: unless they are two floating-point tensors, one picture for each image.
    """
    if not (isinstance(views, (tuple, list)) and len(views) == 2 and all(isinstance(view, Tensor) for view in views)):
        raise ValueError(
            f"Expected views that give a pair of tensors (weak, strong), found a {type(views).__name__}; use "
            "WeakStrongViews, or lambda image: (image, image)."
        )
    for view in views:
        if not view.is_floating_point() or len(view) != len(image):
            raise ValueError(
                f"Expected views in floating point of {len(image)} images, found {view.dtype} {tuple(view.shape)}; "
                "give views=WeakStrongViews(), which scales stored images (0 to 255) for the network."
            )
    weak, strong = views
    if weak.shape[2:] != strong.shape[2:]:
        raise ValueError(
            f"Expected two views that show the same pixels, found {tuple(weak.shape)} and {tuple(strong.shape)}; "
            "neither of them may crop, resize or rotate the images."
        )
    return weak, strong


def check_answers(*, strong: Tensor, pred: Any, pseudo: Any = None, **_: object) -> None:
    """Raises ValueError: unless the network gave one map of logits for each image, and a labeller labels for each."""
    if not isinstance(pred, Tensor):
        raise ValueError(
            f"Expected a network that gives one tensor of logits, found a {type(pred).__name__}; switch deep "
            "supervision off, or wrap the network so that it gives the last map alone."
        )
    if pred.ndim != strong.ndim or (len(pred), *pred.shape[2:]) != (len(strong), *strong.shape[2:]):
        expected = ", ".join(map(str, (len(strong), "K", *strong.shape[2:])))
        raise ValueError(
            f"Expected logits of the size of the images, ({expected}), found {tuple(pred.shape)}; switch deep "
            "supervision off, or wrap the network so that it gives one map of that size."
        )
    if pseudo is None:
        return
    if not (hasattr(pseudo, "label") and hasattr(pseudo, "weight")):
        raise ValueError(
            f"Expected a labeller that gives a PseudoLabel, found {type(pseudo).__name__}; wrap an observer, as in "
            "PseudoLabeller(Observe(network), refiners=[Threshold()])."
        )
    shapes = {name: tuple(getattr(pseudo, name).shape) for name in PseudoLabel._fields}
    if any(shape != tuple(pred.shape) for shape in shapes.values()):
        raise ValueError(
            f"Expected a label and a weight of the shape of the prediction, {tuple(pred.shape)}, found "
            f"{shapes['label']} and {shapes['weight']}; give the labeller a network with the channels of the student, "
            "and refiners that keep the shape."
        )


def warn_of_probabilities(pred: Tensor) -> None:
    """Warn if a network seems to end in a sigmoid or softmax, which losses and labels would apply once more."""
    low, high = (float(end) for end in torch.aminmax(pred.detach()))
    if 0 <= low < high <= 1:
        logger.warning(
            "Expected logits, found predictions from %.3g to %.3g, as probabilities are; if the network ends in a "
            "sigmoid or softmax, take it off, because the parts of a run apply their own.",
            *(low, high),
        )


def check_loss(loss: Any) -> None:
    """Raises ValueError: unless it is one number with a gradient."""
    if not isinstance(loss, Tensor) or loss.ndim:
        found = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
        raise ValueError(f"Expected a criterion that gives one number as a tensor, found {found}; take the mean.")
    if not loss.requires_grad:
        raise ValueError(
            "Expected a loss with a gradient, found one without; compute it from pred with tensor functions (no "
            "detach, argmax or comparison), and let parameters of the network require a gradient."
        )
