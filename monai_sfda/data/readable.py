"""Decode every file before the work starts, so that a damaged image does not stop the run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from monai.data import ImageReader
from tqdm import tqdm

from monai_sfda.data.processors import count_processors
from monai_sfda.failures import reason
from monai_sfda.files import case_of
from monai_sfda.reading.affines import refuse_other_affines

__all__ = ["Readable", "SameSize", "readable"]

logger = logging.getLogger(__name__)


class Readable(NamedTuple):
    """A datalist, sorted into what can be read and what cannot."""

    good: list[dict[str, Any]]
    """Items that passed, in the given order."""
    failures: list[dict[str, str]]
    """``case`` and ``reason``, one sentence without folders, of the others."""


def readable(
    datalist: Sequence[Mapping[str, Any]],
    check: Callable[[dict[str, Any]], Any],
    *,
    min_count: int = 1,
    progress: bool = True,
) -> Readable:
    """Separate the items of a datalist that cannot be used from the others.

    Args:
        datalist: items with the path of an ``image`` or ``label``; the path is their ``case`` where they have none.
        check: takes an item and raises an error if it cannot be used: the transforms that read it, or `SameSize`.
        min_count: fewest good items to go on with.
        progress: whether to show a progress bar.

    Raises:
        ValueError: if fewer than ``min_count`` items are good, or an item has no path.
    """
    datalist = [{"case": case_of(item), **item} for item in datalist]
    with ThreadPoolExecutor(min(8, count_processors())) as pool:
        checks = pool.map(partial(_reason, check=check), datalist)
        reasons = list(tqdm(checks, "checking images", len(datalist), unit="image", disable=not progress))
    good = [dict(item) for item, reason in zip(datalist, reasons, strict=True) if reason is None]
    failures = [
        {"case": str(item["case"]), "reason": reason}
        for item, reason in zip(datalist, reasons, strict=True)
        if reason is not None
    ]
    first = f"{failures[0]['case']}: {failures[0]['reason']}" if failures else ""
    if len(good) < min_count:
        found = f"found {len(good)} of {len(datalist)}" + (f" (first failure: {first})" if first else "")
        raise ValueError(f"Expected at least {min_count} readable image(s), {found}; replace or add files.")
    if isinstance(check, SameSize):
        check.warn_of_empty_labels()
    if failures:
        logger.warning("%d of %d images cannot be read and are left out (%s).", len(failures), len(datalist), first)
    return Readable(good, failures)


class SameSize:
    """Decode the files of an item, and compare their sizes and positions.

    Args:
        readers: which reader opens which key: ``{"image": PhotoReader(), "label": MaskReader()}``.

    Raises:
        ValueError: on a call, if the sizes differ, or one file lies as it is stored and another as EXIF turns it, or
            two NIfTI files put the same voxel at different places; besides, whatever a reader raises.
    """

    def __init__(self, readers: Mapping[str, ImageReader]) -> None:
        self.readers = dict(readers)
        self._empty: list[bool] = []

    def __call__(self, item: Mapping[str, Any]) -> None:
        arrays, metas = {}, {}
        for key, reader in self.readers.items():
            arrays[key], metas[key] = reader.get_data(reader.read(item[key]))
        if any(meta.get("exif_turned") for meta in metas.values()) and any(m.get("as_stored") for m in metas.values()):
            raise ValueError(
                "Expected a picture file as the mask of a photograph that EXIF rotates, found NIfTI, which follows the "
                "stored orientation; draw the mask on the upright photograph and save it as png."
            )
        sizes = {key: tuple(int(n) for n in meta["spatial_shape"]) for key, meta in metas.items()}
        if len(set(sizes.values())) > 1:
            found = ", ".join(f"{key} {'x'.join(map(str, size))}" for key, size in sizes.items())
            raise ValueError(f"Expected files of one size, found {found}; save the mask at the size of the image.")
        refuse_other_affines([item[key] for key in self.readers])
        if "label" in arrays:
            self._empty.append(not arrays["label"].any())

    def warn_of_empty_labels(self) -> None:
        """Warn if no label shows any structure, because scores would have no meaning."""
        if self._empty and all(self._empty):
            logger.warning(
                "Expected masks that show structures, found all %d empty (0 everywhere), so there is nothing to score "
                "or to learn. Check that the masks hold class ids as grey levels.",
                len(self._empty),
            )


def _reason(item: Mapping[str, Any], check: Callable[[dict[str, Any]], Any]) -> str | None:
    """Why an item cannot be used; None if it can."""
    try:
        check(dict(item))
    except Exception as error:  # decoders of damaged files raise nearly everything
        return reason(error, Path(case_of({**item, "case": None})))
    return None
