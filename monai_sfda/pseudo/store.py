"""Maps of a large set of images on disk."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from monai_sfda.files import whole_file
from monai_sfda.fingerprint import fingerprint

__all__ = ["LabelStore"]

COMPLETE = "complete"
ROUND = re.compile(r"[0-9a-f]{32}-\d+")
LEVELS = 255


class LabelStore:
    """One small file per case, read when asked for: memory does not grow with the number of images.

    A map that is 0 or one other value takes 1 bit per pixel and is kept exactly; any other takes 8 bits, in 255 equal
    steps from 0 to its maximum. A file appears whole or not at all. The maps belong to a fingerprint: those of other
    weights, images or parameters are not found, and deleted when new ones are begun. They also belong to a round, the
    epoch in which they were made, for methods that ask again.

    Args:
        folder: for this store alone; made when first needed.
        weights, images, parameters: what the maps depend on, see :func:`monai_sfda.fingerprint`.
    """

    def __init__(
        self, folder: str | os.PathLike, *, weights: str | os.PathLike, images: Iterable[Mapping], parameters: object
    ) -> None:
        self.folder = Path(folder)
        self._key = fingerprint(weights=weights, images=images, parameters=parameters)[:32]

    @property
    def round(self) -> int | None:
        """Latest round that has been begun; None if nothing valid is there."""
        rounds = [int(path.name.rpartition("-")[2]) for path in self.folder.glob(f"{self._key}-*")]
        return max(rounds, default=None)

    @property
    def complete(self) -> bool:
        """Whether the round was finished."""
        return (self._path / COMPLETE).exists()

    def begin(self, number: int) -> None:
        """Make room for a round and delete every other; what is there of this one stays."""
        name = f"{self._key}-{number}"
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            if path.name != name and ROUND.fullmatch(path.name):
                (path / COMPLETE).unlink(missing_ok=True)  # first, so that a half-deleted round is no complete one
                shutil.rmtree(path)

    def finish(self) -> None:
        """Mark the round as complete."""
        (self._path / COMPLETE).touch()

    def __contains__(self, case: str) -> bool:
        return self._file(case).exists()

    def write(self, case: str, maps: Mapping[str, Tensor]) -> None:
        """Keep the maps of a case, name -> (K, *S), all values finite and >= 0; replaces what is there.

        Raises:
            ValueError: for a negative, infinite or undefined value.
        """
        packed = {name: _pack(name, values) for name, values in maps.items()}
        arrays: dict[str, Any] = {name: data for name, (data, _) in packed.items()}
        header = json.dumps({"case": case, "maps": {name: form for name, (_, form) in packed.items()}})
        with whole_file(self._file(case)) as draft, draft.open("wb") as file:
            np.savez(file, header=header, **arrays)

    def read(self, case: str) -> dict[str, Tensor]:
        """The maps of a case, name -> (K, *S) float32.

        Raises:
            OSError: if the file is missing (FileNotFoundError) or damaged.
        """
        path = self._file(case)
        try:
            with np.load(path) as file:
                forms = json.loads(str(file["header"]))["maps"]
                return {name: _unpack(file[name], **form) for name, form in forms.items()}
        except FileNotFoundError:
            message = f"Expected the maps of {case!r} in {self.folder}, found none; {self._again}."
            raise FileNotFoundError(message) from None
        except (EOFError, ValueError, zipfile.BadZipFile) as error:
            raise OSError(f"Expected the maps of {case!r} in {path}, found a damaged file; {self._again}.") from error

    @property
    def _again(self) -> str:
        return f"delete the folder {self.folder} and start the run again, so that all images are labelled again"

    @property
    def _path(self) -> Path:
        return self.folder / f"{self._key}-{self.round}"

    def _file(self, case: str) -> Path:
        return self._path / (hashlib.sha256(case.encode()).hexdigest()[:32] + ".npz")


def _pack(name: str, values: Tensor) -> tuple[np.ndarray, dict]:
    array = values.detach().float().cpu().numpy()
    scale = float(array.max(initial=0.0))
    if not (np.isfinite(scale) and array.min(initial=0.0) >= 0):
        raise ValueError(
            f"Expected finite values >= 0 in map {name!r}, found {array.min()} to {array.max()}; check the labeller."
        )
    levels = array / (scale or 1.0)
    bits = bool(((levels == 0) | (levels == 1)).all())
    data = np.packbits(levels.astype(bool)) if bits else np.rint(levels * LEVELS).astype(np.uint8)
    return data, {"shape": array.shape, "scale": scale, "bits": bits}


def _unpack(data: np.ndarray, *, shape: list[int], scale: float, bits: bool) -> Tensor:
    if bits:
        data = np.unpackbits(data, count=int(np.prod(shape)))
    return torch.from_numpy(data.reshape(shape)).float() * (scale if bits else scale / LEVELS)
