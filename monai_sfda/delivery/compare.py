"""Compare source and adapted network on the same images, without labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from monai_sfda.delivery.case_sums import CaseChange, CaseSums
from monai_sfda.delivery.shown import Shown, picture_of
from monai_sfda.engines.answers import misfit_explained
from monai_sfda.engines.batch import read_images
from monai_sfda.functional import Cutoff, check_cutoff, check_head, check_structures, decide, probabilities
from monai_sfda.networks.moved import mover_of
from monai_sfda.precision import autocast
from monai_sfda.protocols import Views
from monai_sfda.report.pictures import CasePicture

__all__ = ["Comparison"]


class Comparison:
    """Run both networks over a loader once, and keep one row per case and structure, and a few pictures.

    Args:
        source, adapted: networks (B, C, *S) -> logits (B, K, *S); both are put into evaluation mode.
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
        self.precision = precision
        self.rows: list[CaseChange] = []
        self._shown = Shown(keep)
        self._open: tuple[str, CaseSums, tuple[int, int], CasePicture] | None = None

    @property
    def pictures(self) -> list[CasePicture]:
        """Largest changes, then the first cases that are not among them; of a volume, one slice."""
        return self._shown.pictures

    @torch.no_grad()
    def run(self, loader: Iterable[Mapping[str, Any]], device: torch.device | str) -> Comparison:
        """Compare on batches of ``image`` (B, C, *S) and ``case``; without it, the files that MONAI read count.

        Batches of the parts of volumes also have ``volume``, the case of each part's volume; these parts come one after
        the other, and their volume is one case.

        Raises:
            ValueError: if a batch has no such image or case, or a structure is none of the networks' channels.
        """
        channels = list(self.structures.values())
        for batch in tqdm(loader, "comparing", unit="batch", leave=False):
            image, parts = read_images(batch)
            weak = self.views(image.to(device))[0]
            with autocast(device, self.precision), misfit_explained(self.networks[1], weak):
                probs = [probabilities(network(weak), self.head) for network in self.networks]
            check_structures(self.structures, probs[1].shape[1])
            masks = [decide(p, self.head, self.cutoff)[:, channels] for p in probs]
            probs = [p[:, channels] for p in probs]
            for index, case in enumerate(batch.get("volume", parts)):
                self._add(case, parts[index], image[index], [p[index] for p in probs], [m[index] for m in masks])
        self._close()
        return self

    def _add(self, case: str, part: str, image: Tensor, probs: list[Tensor], masks: list[Tensor]) -> None:
        if self._open is not None and self._open[0] != case:
            self._close()
        weight, picture = picture_of(part, image, *masks)
        if self._open is None:
            self._open = (case, CaseSums(), weight, picture)
        elif weight > self._open[2]:
            self._open = (*self._open[:2], weight, picture)
        self._open[1].add(probs, masks)

    def _close(self) -> None:
        """The last part of a case was seen."""
        if self._open is None:
            return
        case, sums, _, picture = self._open
        self.rows += sums.rows(case, self.structures)
        self._shown.add(picture, float(sums.agreement.nan_to_num(1.0).mean()))
        self._open = None
