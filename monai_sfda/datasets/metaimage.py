"""MetaImage: a short text file NAME.mhd, and the uncompressed voxels in a file of their own beside it.

The format is described at itk.org/Wiki/ITK/MetaIO/Documentation. This is the part of it that the downloads here need;
as in ITK, positions are LPS, whatever ``AnatomicalOrientation`` says.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from monai_sfda.datasets.lps import volume_of

__all__ = ["metaimage_files", "read_metaimage"]

ELEMENTS = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
NEEDED = ("NDims", "DimSize", "ElementSpacing", "TransformMatrix", "Offset", "ElementType", "ElementDataFile")
LONGEST = 1 << 16  # bytes of a header; it has some dozen lines


def read_metaimage(path: Path) -> nib.Nifti1Image:
    """A volume (X, Y, Z) from ``NAME.mhd``.

    Raises:
        ValueError: if the header lacks an entry, describes something else, or has more or fewer voxels beside it.
        OSError: if a file cannot be opened.
    """
    header = _header(path)
    if header.get("CompressedData", "False").lower() == "true" or header["NDims"] != "3":
        raise ValueError(
            f"Expected an uncompressed volume of three axes in {path.name}, found another; take the file of the "
            "official download."
        )
    if header["ElementType"] not in ELEMENTS:
        raise ValueError(f"Expected numbers in {path.name}, found {header['ElementType']}; download it again.")
    large = header.get("BinaryDataByteOrderMSB", header.get("ElementByteOrderMSB", "False")).lower() == "true"
    dtype = np.dtype(ELEMENTS[header["ElementType"]]).newbyteorder(">" if large else "<")
    try:
        sizes = [int(word) for word in header["DimSize"].split()]
        spacing, origin = (np.array(header[name].split(), float) for name in ("ElementSpacing", "Offset"))
        steps = np.array(header["TransformMatrix"].split(), float).reshape(3, 3) * spacing[:, None]
    except ValueError as error:
        raise ValueError(
            f"Expected numbers in the header of {path.name}, found: {error}; download it again."
        ) from error
    content = _voxels_of(path, header).read_bytes()
    return volume_of(content, dtype, sizes, steps, origin.tolist(), path.name)


def metaimage_files(path: Path) -> tuple[Path, ...]:
    """Header and voxels.

    Raises:
        ValueError: if the header is none, or the file that it names is not beside it.
    """
    return path, _voxels_of(path, _header(path))


def _header(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        text = file.read(LONGEST).decode("latin-1")
    entries = (line.partition("=") for line in text.splitlines())
    header = {name.strip(): value.strip() for name, sign, value in entries if sign}
    if lacking := [name for name in NEEDED if name not in header]:
        raise ValueError(f"Expected {lacking[0]} in the header {path.name}, found none; download it again.")
    return header


def _voxels_of(path: Path, header: dict[str, str]) -> Path:
    voxels = path.with_name(Path(header["ElementDataFile"]).name)
    if not voxels.is_file():
        raise ValueError(
            f"Expected the voxels of {path.name} in {voxels.name} beside it, found no such file; unpack the archive "
            "whole, and rename nothing."
        )
    return voxels
