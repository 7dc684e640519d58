"""NRRD: a text header, an empty line, and the voxels, as they are or compressed with gzip, in one file.

The format is described at teem.sourceforge.net/nrrd/format.html. This is the part of it that the downloads here need.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import nibabel as nib
import numpy as np

from monai_sfda.datasets.lps import RAS_OF_LPS, volume_of

__all__ = ["read_nrrd"]

NUMBERS = {
    "i1": "signed char, int8, int8_t",
    "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t",
    "u4": "uint, unsigned int, uint32, uint32_t",
    "f4": "float",
    "f8": "double",
}
TYPES = {name: dtype for dtype, names in NUMBERS.items() for name in names.split(", ")}
LPS = np.eye(3)
SPACES = {
    "left-posterior-superior": LPS,
    "lps": LPS,
    "right-anterior-superior": RAS_OF_LPS[:3, :3],
    "ras": RAS_OF_LPS[:3, :3],
}
KNOWN = {"type": TYPES, "dimension": ("3",), "encoding": ("raw", "gzip", "gz"), "space": SPACES}
NEEDED = (*KNOWN, "sizes", "space directions", "space origin")


def read_nrrd(path: Path) -> nib.Nifti1Image:
    """A volume (X, Y, Z) from ``NAME.nrrd``.

    Raises:
        ValueError: if it is no NRRD file, or one of another kind, or has more or fewer voxels than its header says.
        OSError, EOFError, zlib.error: if it cannot be read, or was cut short.
    """
    text, *voxels = re.split(rb"\r?\n\r?\n", path.read_bytes(), maxsplit=1)
    if not (text.startswith(b"NRRD000") and voxels):
        raise ValueError(f"Expected NRRD in {path.name}, found other content; download it again.")
    header = _header(text.decode("latin-1"), path)
    byte_order = ">" if header.get("endian", "little").lower() == "big" else "<"
    dtype = np.dtype(byte_order + TYPES[header["type"].lower()])
    turn = SPACES[header["space"].lower()]
    directions, (origin, *_) = (_vectors(header[name], path) for name in ("space directions", "space origin"))
    content = voxels[0] if header["encoding"].lower() == "raw" else gzip.decompress(voxels[0])
    sizes = [int(word) for word in header["sizes"].split()]
    return volume_of(content, dtype, sizes, directions @ turn, (origin @ turn).tolist(), path.name)


def _header(text: str, path: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in text.splitlines()[1:] if line[:1] != "#")
    header = {name.strip().lower(): value.strip() for name, _, value in lines}
    if lacking := [name for name in NEEDED if name not in header]:
        raise ValueError(f"Expected '{lacking[0]}' in the header of {path.name}, found none; download it again.")
    for name, values in KNOWN.items():
        if header[name].lower() not in values:
            raise ValueError(
                f"Expected {name} {' or '.join(values)} in the header of {path.name}, found {header[name]}; take the "
                "file of the official download."
            )
    return header


def _vectors(text: str, path: Path) -> np.ndarray:
    """(N, 3) from ``(1,0,0) (0,1,0)``."""
    try:
        vectors = np.array([vector.split(",") for vector in re.findall(r"\(([^)]*)\)", text)], float)
    except ValueError:
        vectors = np.empty(0)
    if vectors.ndim != 2 or vectors.shape[1] != 3:
        raise ValueError(f"Expected vectors of three numbers in {path.name}, found {text}; download it again.")
    return vectors
