"""Compare source and adapted network on the same images, without labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from monai_sfda.delivery.case_sums import CaseChange, CaseSums
from monai_sfda.delivery.one_piece import one_piece_each
from monai_sfda.delivery.shown import Shown, picture_of
from monai_sfda.engines.answers import misfit_explained
from monai_sfda.engines.batch import read_images
from monai_sfda.functional import Cutoff, check_cutoff, check_head, check_structures, decide, probabilities
from monai_sfda.networks.moved import mover_of
from monai_sfda.precision import autocast
from monai_sfda.protocols import Views
from monai_sfda.report.pictures import CasePicture

__all__ = ["Comparison"]


class _Part(NamedTuple):
    """What is known of one part of a case, before and after; all of a picture, or a slice or window of a volume."""

    name: str
    image: Tensor
    probs: list[Tensor]
    masks: list[Tensor]
    start: Tensor | None


class Comparison:
    """Run both networks over a loader once, and keep one row per case and structure, and a few pictures.

    Args:
        source, adapted: networks (B, C, *S) -> logits (B, K, *S); both are put into evaluation mode.
        views: the adaptation's views; the weak one is predicted.
        structures: name -> channel.
        head, cutoff: how probabilities become masks, see `decide`.
        precision: arithmetic of the networks.
        largest_piece: whether masks keep the largest piece of each structure of a case alone, as those of the bundle.
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
        largest_piece: bool = False,
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
        self.precision, self.largest_piece = precision, largest_piece
        self.rows: list[CaseChange] = []
        self._shown = Shown(keep)
        self._open: tuple[str, list[_Part]] = ("", [])

    @property
    def pictures(self) -> list[CasePicture]:
        """Largest changes, then the first cases that are not among them; of a volume, one slice."""
        return self._shown.pictures

    @torch.no_grad()
    def run(self, loader: Iterable[Mapping[str, Any]], device: torch.device | str) -> Comparison:
        """Compare on batches of ``image`` (B, C, *S) and ``case``; without it, the files that MONAI read count.

        Batches of the parts of volumes also have ``volume``, the case of each part's volume, and ``start`` (B, 3),
        where in the volume a part begins; these parts come one after the other, and their volume is one case.

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
            starts = batch.get("start", [None] * len(parts))
            for index, case in enumerate(batch.get("volume", parts)):
                if self._open[0] != case:
                    self._close()
                    self._open = case, []
                both = [p[index] for p in probs], [m[index] for m in masks]
                self._open[1].append(_Part(parts[index], image[index], *both, starts[index]))
        self._close()
        return self

    def _close(self) -> None:
        """The last part of a case was seen."""
        case, parts = self._open
        if not parts:
            return
        self._open = "", []
        masks = [[part.masks[number] for part in parts] for number in range(2)]
        if self.largest_piece:
            masks = [one_piece_each(of_one, [part.start for part in parts]) for of_one in masks]
        sums, pictures = CaseSums(), []
        for part, before, after in zip(parts, *masks, strict=True):
            sums.add(part.probs, [before, after])
            pictures.append(picture_of(part.name, part.image, before, after))
        self.rows += sums.rows(case, self.structures)
        _, picture = max(pictures, key=lambda pair: pair[0])
        self._shown.add(picture, float(sums.agreement.nan_to_num(1.0).mean()))
