"""Priors: what is known before adaptation about the size of each class."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from monai_sfda.files import sha256
from monai_sfda.tables import read_csv

__all__ = ["FixedRatio", "RatioPrior", "RatioTable", "for_cases", "source_ratios"]


class RatioPrior(Protocol):
    """Expected share of the pixels that each channel takes."""

    uses_target_tags: bool
    """Whether image-level labels of the target went in, such as "no disc in this slice": that is weak supervision."""

    def __call__(self, case: Sequence[str]) -> Tensor:
        """(B, K) in [0, 1]."""


class FixedRatio:
    """The same class ratio for every image, from anatomy or from source masks.

    Args:
        ratio: K numbers in [0, 1]. With exclusive classes they add up to 1, background included; with overlapping
            channels each is a share of all pixels.
        uses_target_tags: whether labels of target images went into it.
    """

    def __init__(self, ratio: Sequence[float], *, uses_target_tags: bool = False) -> None:
        self.ratio, self.uses_target_tags = torch.tensor(ratio, dtype=torch.float32), uses_target_tags
        if self.ratio.ndim != 1 or not ((self.ratio >= 0) & (self.ratio <= 1)).all():
            raise ValueError(f"Expected one class ratio in [0, 1] per channel, found {ratio}; divide sizes by pixels.")

    def __call__(self, case: Sequence[str]) -> Tensor:
        return self.ratio.expand(len(case), -1)


def source_ratios(path: str | os.PathLike, *, structures: Mapping[str, int], scale: float = 1.0) -> FixedRatio:
    """The mean class ratio of the source masks, as ``scripts/class_ratios.py`` measures it.

    Args:
        path: JSON file with ``ratios``: name -> share of the pixels, in the order of the channels.
        structures: name -> channel, which must agree with the file.
        scale: factor on the share of every structure, to see what a wrong prior costs; of exclusive classes background
            takes what is left.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another task, or ``scale`` makes a share that is none.
    """
    remedy = "measure the source masks with scripts/class_ratios.py"
    if not Path(path).is_file():
        raise FileNotFoundError(f"Expected the class ratios of the source at {path}, found no such file; {remedy}.")
    try:
        ratios = {name: float(share) for name, share in json.loads(Path(path).read_text())["ratios"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"Expected {path} to be JSON with 'ratios', name and share of each channel, found another file; {remedy}."
        ) from error
    names = list(ratios)
    if any(names[channel : channel + 1] != [name] for name, channel in structures.items()):
        raise ValueError(f"Expected ratios with channels {dict(structures)} in {path}, found {names}; {remedy}.")
    values = {name: ratio * scale if name in structures else ratio for name, ratio in ratios.items()}
    for background in set(ratios) - set(structures):
        values[background] = 1 - sum(values[name] for name in structures)
    return FixedRatio(list(values.values()))


class RatioTable:
    """A class ratio for each image, from a table of sizes in pixels as released with AdaMI (Bateson et al., 2022).

    The table has a column ``val_ids`` with cases and columns with lists of sizes, background first, such as
    ``[51625, 4428, 4996, 4487, 3706]``; it is separated by ``;``, or by ``,`` with quoted lists, as both were released.

    Departs: the released code divides by the pixels of the image, and some released rows then add up to 1.06; here each
    row is divided by its sum.

    Args:
        path: the table.
        column: which sizes to use; released: ``dumbpredwtags`` (classes that an image-level label says are absent have
            size 0: pass ``uses_target_tags=True``) and ``dumbprednotags``.
        uses_target_tags: whether image-level labels of the target went into that column.
        ids: for each overlapping channel the classes that belong to it, as of `NestedLabeld`, such as
            ``[[1, 2], [2]]``; None for exclusive classes.
        cases: images that must be in the table.

    Raises:
        ValueError: if the table lacks the column or a case, its rows make no sense or differ for a case, ``column``
            holds the true sizes, or a class is absent in some rows only and tags are not declared.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        column: str,
        uses_target_tags: bool,
        ids: Sequence[Sequence[int]] | None = None,
        cases: Iterable[str] = (),
    ) -> None:
        if column == "val_gt_size":
            raise ValueError("Expected a column of estimated sizes, found val_gt_size: these are target labels.")
        self.path, self.column, self.ids, self.uses_target_tags = Path(path), column, ids, uses_target_tags
        self.content = sha256(path)
        sizes = _read_sizes(self.path, column)
        total = sizes.sum(1, keepdim=True)
        if (sizes < 0).any() or (total == 0).any():
            raise ValueError(f"Expected sizes of at least 0 and not all 0 in {path}, column {column}, found others.")
        present = sizes > 0
        if not uses_target_tags and (present != present[0]).any():
            raise ValueError(
                f"Expected the same classes in all rows of {path}, column {column}, found some absent in some rows, "
                "which is image-level knowledge of the target; use another column or declare uses_target_tags=True."
            )
        ratio = sizes / total
        if ids is not None:
            ratio = torch.stack([ratio[:, list(channel)].sum(1) for channel in ids], 1)
        names = _read_column(self.path, "val_ids")
        if len({*zip(names, map(tuple, sizes.tolist()), strict=True)}) > len(set(names)):
            raise ValueError(
                f"Expected one row for each image in {path}, found several of one that differ; correct its val_ids."
            )
        self._ratios = dict(zip(names, ratio, strict=True))
        self(list(cases))

    def __call__(self, case: Sequence[str]) -> Tensor:
        missing = [name for name in case if name not in self._ratios]
        if missing:
            raise ValueError(
                f"Expected a row for every image in {self.path}, found none for {len(missing)} ({missing[0]}); its "
                "column val_ids holds paths relative to the image folder, and of volumes the slice, such as "
                "'p1.nii.gz slice 4'."
            )
        return torch.stack([self._ratios[name] for name in case]) if case else torch.empty(0)


def for_cases(prior: RatioPrior, cases: Sequence[str]) -> RatioPrior:
    """The prior, after it was asked for every case: a row that is missing is found before the first step.

    Raises:
        ValueError: if it does not know a case.
    """
    prior(cases)
    return prior


def _read_sizes(path: Path, column: str) -> Tensor:
    cells = _read_column(path, column)
    try:
        rows = [[float(size) for size in json.loads(cell)] for cell in cells]
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"Expected lists such as [51625, 4428] in {path}, column {column}, found another cell; correct the table."
        ) from error
    if not rows or len({len(row) for row in rows}) != 1:
        raise ValueError(f"Expected lists of equal length in {path}, column {column}, found none or several lengths.")
    return torch.tensor(rows, dtype=torch.float32)


def _read_column(path: Path, column: str) -> list[str]:
    rows = read_csv(path)
    if rows and column not in rows[0]:
        raise ValueError(f"Expected a column {column} in {path}, found {', '.join(rows[0])}; give another file.")
    return [row[column] for row in rows]
