"""Prototypes that travel with a source network, so that its images need not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.utils import convert_to_tensor
from torch import Tensor, nn
from torch.nn import functional as F

from monai_sfda.files import save_tensors, sha256, whole_file
from monai_sfda.networks.tap import FeatureTap
from monai_sfda.protocols import Views
from monai_sfda.pseudo.prototype_bank import PrototypeBank

__all__ = ["load_prototypes", "measure_prototypes", "prototype_place"]

NAME = "prototypes.pt"
REMEDY = (
    "make it with the labelled source images: python -m monai.bundle run prototypes --config_file configs/train.json "
    "--dataset_dir LABELLED"
)


def prototype_place(checkpoint: str | os.PathLike) -> str:
    """The file of prototypes that belongs to weights: ``prototypes.pt`` beside them."""
    return str(Path(checkpoint).with_name(NAME))


def measure_prototypes(
    bank: PrototypeBank,
    loader: Iterable[Mapping[str, Any]],
    *,
    network: nn.Module,
    checkpoint: str | os.PathLike,
    layer: str,
    views: Views,
    device: torch.device | str,
) -> Path:
    """Fill a bank in one pass over labelled source images, and write it beside the weights.

    The file holds ``prototypes`` (K, D), ``names`` of the classes, ``layer``, and ``weights``, the checksum of the
    checkpoint. It contains no image; a prototype is the mean feature of a class over all images.

    Args:
        bank: without prototypes.
        loader: batches of ``image`` and ``label``, (B, K, *S) or class ids (B, 1, *S) of a softmax head.
        network: with the weights in ``checkpoint``.
        checkpoint: file of the weights.
        layer: whose output is the feature.
        views: the weak view is seen.
        device: of the network.

    Returns:
        The file.
    """
    with FeatureTap(network.eval(), layer) as tap:
        bank.see(_streams(bank, loader, network, tap, views, device))
    assert bank.prototypes is not None
    content = {
        "prototypes": bank.prototypes.cpu(),
        "names": bank.names,
        "layer": layer,
        "weights": sha256(checkpoint),
    }
    path = Path(prototype_place(checkpoint))
    with whole_file(path) as draft:
        save_tensors(content, draft)
    return path


def load_prototypes(
    path: str | os.PathLike, *, checkpoint: str | os.PathLike, layer: str, names: Sequence[str]
) -> Tensor:
    """Prototypes (K, D) that `measure_prototypes` wrote.

    Args:
        path: the file.
        checkpoint: weights that they must belong to.
        layer: of which they must be features.
        names: of the classes, the background first.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, holds numbers that are not finite, or is of another network, layer or classes.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"Expected the prototypes of the source at {path}, found no such file; {REMEDY}.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        found = content["prototypes"].float()
        said = {name: content[name] for name in ("weights", "layer", "names")}
    except Exception as error:  # torch raises many types for damaged files
        raise ValueError(f"Expected prototypes in {path}, found another or a damaged file; {REMEDY}.") from error
    if not found.isfinite().all():
        raise ValueError(f"Expected finite prototypes in {path}, found others; {REMEDY}.")
    wanted = {"weights": sha256(checkpoint), "layer": layer, "names": list(names)}
    other = [name for name in wanted if said[name] != wanted[name]]
    if other:
        what = "of other weights" if other[0] == "weights" else f"with {other[0]} {said[other[0]]!r}"
        raise ValueError(f"Expected prototypes of the network that adapts in {path}, found some {what}; {REMEDY}.")
    return found


@torch.no_grad()
def _streams(
    bank: PrototypeBank,
    loader: Iterable[Mapping[str, Any]],
    network: nn.Module,
    tap: FeatureTap,
    views: Views,
    device: torch.device | str,
) -> Iterator[dict[str, Tensor]]:
    for batch in loader:
        # volumes come with metadata, which would end up in the file and keep it from being loaded
        image, label = (convert_to_tensor(batch[key], device=device, track_meta=False) for key in ("image", "label"))
        network(views(image)[0])
        if bank.head == "softmax" and label.shape[1] == 1:
            label = F.one_hot(label[:, 0].long(), len(bank.names)).movedim(-1, 1)
        yield {"features": tap.output, "label": label.float()}
