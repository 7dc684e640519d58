"""MM-WHS as the field shares it: cut to the heart, standardised, as arrays or NIfTI without a place.

Dou et al. (PnP-AdaNet) cut 256 x 256 pixels around the heart, in coronal slices, and standardised each volume; SIFA
(Chen et al., TMI 2020) bring its values to [-1, 1] by a fixed range per modality, and turn the volumes for testing by
half a turn in each slice, so that they stand as the slices for training do. MPSCL (Liu et al., JBHI 2022) stores those
slices as arrays, with values already in [-1, 1]. Patients of slices are not known; test volumes keep their number.

Shapes: H rows and W columns of a slice.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

from monai_sfda.datasets.files import find_files, pair_up
from monai_sfda.datasets.labelled_volumes import Case
from monai_sfda.datasets.nifti_pair import exchange_ids, size_of

__all__ = ["RANGES", "TEST", "find_heart_slices", "load_heart_slices"]

RANGES = {"ct": (-2.8, 3.2), "mr": (-1.8, 4.4)}
"""Values of a standardised volume that become -1 and 1."""
TEST = {"ct": ("1003", "1008", "1014", "1019"), "mr": ("1007", "1009", "1018", "1019")}
IDS = {1: 1, 2: 2, 3: 3, 4: 4}
BEYOND = 1.01
"""Of [-1, 1], for rounding."""


def find_heart_slices(source: Path) -> list[Case]:
    """Test volumes and training slices of both modalities; what there is of them, each complete.

    Raises:
        OSError: if there is neither.
        ValueError: if a test volume or the label of a slice is missing, or a volume is there in two forms.
    """
    cases = []
    for modality in RANGES:
        if any(source.rglob(f"*_{modality}_10*")):
            cases += _test_volumes(source, modality)
        if any(source.rglob(f"train_{modality}/*.npy")):
            name = r"(?P<name>[^/]+)"
            images = find_files(source, rf"train_{modality}/{name}\.npy", f"train_{modality}/NAME.npy")
            labels = find_files(source, rf"gt_train_{modality}/{name}_gt\.npy", f"gt_train_{modality}/NAME_gt.npy")
            cases += [
                Case(pair.name, (pair.image, *pair.masks), {"patient": "unknown"}, f"train_{modality}")
                for pair in pair_up(images, labels)
            ]
    if not cases:
        raise FileNotFoundError(
            f"Expected test volumes such as image_ct_1003.nii.gz or arrays such as train_ct/NAME.npy below {source}, "
            f"found none{_records(source)}; unpack the shared download there."
        )
    return cases


def load_heart_slices(case: Case) -> tuple[nib.Nifti1Image, np.ndarray]:
    """Image (W, H, slices) float32 in [-1, 1], and class ids: 1 myocardium, 2 left atrium, 3 left ventricle, 4 aorta.

    Raises:
        ValueError: if the arrays are no slices, differ in size, or have other values.
    """
    values, ids = _arrays(case.files)
    if values.ndim != 3 or values.shape != ids.shape or values.shape[:2] != (256, 256):
        raise ValueError(
            f"Expected slices of 256 x 256 with their label, found {size_of(values.shape)} and {size_of(ids.shape)}; "
            "take the shared download as it is."
        )
    if case.subset.startswith("test"):
        low, high = RANGES[case.subset[-2:]]
        values, ids = values[::-1, ::-1], ids[::-1, ::-1]
        values = 2 * (values - low) / (high - low) - 1
    elif np.abs(values).max() > BEYOND:
        raise ValueError(
            f"Expected values from -1 to 1, found {values.min():.3g} to {values.max():.3g}; take the arrays that MPSCL "
            "shares, not those of another release."
        )
    # Columns towards the left, rows towards the back, 1 mm: a place to show it, not a fact. The field counts in voxels.
    image = nib.Nifti1Image(np.clip(values, -1, 1).transpose(1, 0, 2).astype(np.float32), np.diag([-1.0, -1, 1, 1]))
    image.set_qform(image.affine, code=2)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = b"voxels of unknown size, written as 1 mm; cut to the heart"  # at most 79 bytes
    return image, exchange_ids(ids.transpose(1, 0, 2), IDS)


def _test_volumes(source: Path, modality: str) -> list[Case]:
    found: dict[str, tuple[Path, ...]] = {}
    image, label = (rf"{kind}_{modality}_(?P<name>10\d\d)" for kind in ("image", "gth"))
    if any(source.rglob(f"image_{modality}_*.nii.gz")):
        images = find_files(source, rf"{image}\.nii\.gz", f"image_{modality}_1003.nii.gz")
        labels = find_files(source, rf"{label}\.nii\.gz", f"gth_{modality}_1003.nii.gz")
        found = {pair.name: (pair.image, *pair.masks) for pair in pair_up(images, labels)}
    if any(source.rglob(f"*_{modality}_*.npz")):
        arrays = find_files(source, rf"[^/]*_{modality}_(?P<name>10\d\d)[^/]*\.npz", f"{modality}_1003.npz")
        if found:
            raise ValueError(
                f"Expected the test volumes of {modality} once, found NIfTI and npz; keep one of the two forms."
            )
        found = {name: (file.path,) for name, file in arrays.items()}
    if set(found) != set(TEST[modality]):
        raise ValueError(
            f"Expected the test volumes {', '.join(TEST[modality])} of {modality}, found "
            f"{', '.join(found) or 'none'}; complete the download, or leave all of them out."
        )
    return [
        Case(f"{modality}_{name}", files, {"patient": f"{modality}_{name}"}, f"test_{modality}")
        for name, files in found.items()
    ]


def _arrays(files: tuple[Path, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, slices) of image and label."""
    if files[0].suffix == ".npz":
        with np.load(files[0], allow_pickle=False) as arrays:
            if set(arrays.files) != {"arr_0", "arr_1"}:
                raise ValueError(f"Expected image and label in {files[0].name}, found other arrays; download it again.")
            return arrays["arr_0"], arrays["arr_1"]
    if files[0].suffix == ".npy":
        image, label = (np.load(file, allow_pickle=False) for file in files)
        return image.reshape(*image.shape[:2], -1), label.reshape(*label.shape[:2], -1)
    image, label = (np.asanyarray(nib.load(file).dataobj) for file in files)  # type: ignore[attr-defined]
    return image, label


def _records(source: Path) -> str:
    records = next(source.rglob("*.tfrecords"), None)
    return " but TensorFlow records, which MPSCL shares as arrays" if records else ""
