"""Compare source and adapted network on the same images, without labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from monai_sfda.engines.answers import misfit_explained
from monai_sfda.engines.batch import read_images
from monai_sfda.functional import Cutoff, check_cutoff, check_head, check_structures, decide, probabilities
from monai_sfda.metrics import dice_score, largest_component_share, soft_dice_confidence
from monai_sfda.networks.moved import mover_of
from monai_sfda.precision import autocast
from monai_sfda.protocols import Views
from monai_sfda.report.pictures import CasePicture

__all__ = ["CaseChange", "Comparison"]


class CaseChange(NamedTuple):
    """One structure of one image, before and after adaptation."""

    case: str
    structure: str
    area_before: float
    """Share of the image, in [0, 1]."""
    area_after: float
    agreement: float
    """Dice of the two masks; nan where both are empty."""
    confidence_before: float
    """Soft Dice confidence in [0, 1]; nan where the prediction is empty."""
    confidence_after: float
    pieces_after: float
    """Share of the adapted mask in its largest piece; nan where it is empty."""


class Comparison:
    """Run both networks over a loader once, and keep one row per image and structure, and a few pictures.

    Args:
        source, adapted: networks (B, C, H, W) -> logits (B, K, H, W); both are put into evaluation mode.
        views: the adaptation's views; the weak one is predicted.
        structures: name -> channel.
        head, cutoff: how probabilities become masks, see `decide`.
        precision: arithmetic of the networks.
        keep: number of pictures of the largest changes, and again of ordinary cases.

    Raises:
        ValueError: if ``source`` is the network that adapted, or ``structures``, ``head`` or ``cutoff`` is wrong.
    """

    def __init__(
        self,
        *,
        source: nn.Module,
        adapted: nn.Module,
        views: Views,
        structures: Mapping[str, int],
        head: str = "sigmoid",
        cutoff: Cutoff = 0.5,
        precision: str = "float32",
        keep: int = 6,
    ) -> None:
        mover = mover_of(adapted)
        if source is adapted or (mover is not None and mover.follows(source)):
            raise ValueError(
                f"Expected the network before adaptation as source, found the {type(source).__name__} that adapts; "
                "copy it before the run, as in source = copy.deepcopy(network)."
            )
        self.networks = (source.eval(), adapted.eval())
        self.views, self.structures, self.head = views, check_structures(structures), check_head(head)
        self.cutoff = check_cutoff(cutoff)
        self.precision, self.keep = precision, keep
        self.rows: list[CaseChange] = []
        self._changed: list[tuple[float, CasePicture]] = []
        self._ordinary: list[CasePicture] = []

    @property
    def pictures(self) -> list[CasePicture]:
        """Largest changes, then the first images of the folder that are not among them."""
        changed = [picture for _, picture in self._changed]
        names = {picture.case for picture in changed}
        return changed + [picture for picture in self._ordinary if picture.case not in names][: self.keep]

    @torch.no_grad()
    def run(self, loader: Iterable[Mapping[str, Any]], device: torch.device | str) -> Comparison:
        """Compare on batches of ``image`` (B, C, H, W) and ``case``; without it, the files that MONAI read count.

        Raises:
            ValueError: if a batch has no such image or case, or a structure is none of the networks' channels.
        """
        channels = list(self.structures.values())
        for batch in tqdm(loader, "comparing", unit="batch", leave=False):
            image, cases = read_images(batch)
            weak = self.views(image.to(device))[0]
            with autocast(device, self.precision), misfit_explained(self.networks[1], weak):
                probs = [probabilities(network(weak), self.head) for network in self.networks]
            check_structures(self.structures, probs[1].shape[1])
            masks = [decide(p, self.head, self.cutoff)[:, channels] for p in probs]
            probs = [p[:, channels] for p in probs]
            agreement = dice_score(*masks).cpu()
            self._add_rows(cases, probs, masks, agreement)
            self._add_pictures(cases, image, masks, agreement)
        return self

    def _add_rows(self, cases: list[str], probs: list[Tensor], masks: list[Tensor], agreement: Tensor) -> None:
        columns = [
            *(mask.flatten(2).float().mean(-1) for mask in masks),
            agreement,
            *(_confidence(p, mask) for p, mask in zip(probs, masks, strict=True)),
            largest_component_share(masks[1]),
        ]
        table = torch.stack([column.cpu().double() for column in columns], -1).tolist()
        for case, per_structure in zip(cases, table, strict=True):
            for name, values in zip(self.structures, per_structure, strict=True):
                self.rows.append(CaseChange(case, name, *values))

    def _add_pictures(self, cases: list[str], image: Tensor, masks: list[Tensor], agreement: Tensor) -> None:
        before, after = (mask.cpu().numpy() for mask in masks)
        agreed = agreement.nan_to_num(1.0).mean(1).tolist()
        for index, case in enumerate(cases):
            changed = len(self._changed) < self.keep or agreed[index] < self._changed[-1][0]
            if not changed and len(self._ordinary) >= 2 * self.keep:
                continue
            picture = CasePicture(case, _photograph(image[index]), before[index], after[index])
            if changed:
                entry = (agreed[index], picture._replace(note="among the most changed"))
                self._changed = sorted([*self._changed, entry], key=lambda pair: pair[0])
                self._changed = self._changed[: self.keep]
            if len(self._ordinary) < 2 * self.keep:
                self._ordinary.append(picture)


def _confidence(probs: Tensor, masks: Tensor) -> Tensor:
    return soft_dice_confidence(probs, masks).masked_fill(~masks.flatten(2).any(-1), float("nan"))


def _photograph(image: Tensor) -> np.ndarray:
    """Stored image (C, H, W) -> (H, W, 3) uint8; grey is repeated, other ranges are stretched."""
    array = image.cpu().numpy()
    if array.dtype != np.uint8:
        low, high = float(array.min()), float(array.max())
        array = ((array - low) / max(high - low, 1e-12) * 255).astype(np.uint8)
    array = array[:3] if len(array) >= 3 else array[:1].repeat(3, 0)
    return np.ascontiguousarray(array.transpose(1, 2, 0))
