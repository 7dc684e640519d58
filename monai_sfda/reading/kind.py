"""Which decoder a file needs."""

from __future__ import annotations

from pathlib import Path

from monai_sfda.reading.stored import Refused

__all__ = ["is_dicom", "other_content", "sniff"]

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # with 32 bits, and BigTIFF
LFS = b"version https://git-lfs"  # what git puts in place of a large file that it has not fetched
HEAD = 132  # bytes: the preamble of DICOM and its four letters


def sniff(path: str | Path) -> str:
    """Say which decoder a file needs: ``"dicom"``, ``"nifti"``, ``"tiff"`` or ``"picture"``.

    Raises:
        ValueError: if the file is empty, or a pointer of git-lfs.
        OSError: if the file is not there or may not be read.
    """
    name = Path(path).name.lower()
    with open(path, "rb") as file:
        head = file.read(HEAD)
    if not head:
        raise ValueError(f"Expected an image in {Path(path).name}, found an empty file; export or copy it again.")
    if head.startswith(LFS):
        raise ValueError(
            f"Expected an image in {Path(path).name}, found a pointer of git-lfs; fetch the files with: git lfs pull."
        )
    if head[128:] == b"DICM" or name.endswith((".dcm", ".dicom", ".ima")):
        return "dicom"
    if name.endswith((".nii", ".nii.gz")):
        return "nifti"
    if head.startswith(TIFF):
        return "tiff"
    return "dicom" if is_dicom(head) else "picture"


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins with ``head`` (132 bytes) is DICOM, also one without a preamble.

    Such a file begins with the element of the lowest number: of group 2 (the file's own header) or 8, with a short
    value.
    """
    if head[128:] == b"DICM":
        return True
    group, form, length = head[:2], head[4:6], head[4:8]
    if group in (b"\x02\0", b"\x08\0", b"\0\x08") and form.isalpha() and form.isupper():
        return True
    size = int.from_bytes(length, "little")
    return group == b"\x08\0" and head[3:4] == b"\0" and len(head) > 8 and size <= 128 and size % 2 == 0


def other_content(path: str | Path, expected: str) -> Refused:
    return Refused(f"Expected a {expected} in {Path(path).name}, found other content; export or copy it again.")
