"""Ejection fractions from the scores of volumes, by hand."""

import nibabel
import numpy as np
import pytest
from script_support import load

from monai_sfda.tables import write_csv

COLUMNS = ("case", "cavity_pred_area", "cavity_reference_area")
ROWS = [("p1_frame01.nii.gz", 100, 120), ("p1_frame09.nii.gz", 50, 30), ("p2_frame01.nii.gz", 80, 80)]


def test_errors_are_means_over_patients_with_two_frames(tmp_path):
    script = load("ejection_fraction")
    for name, *_ in ROWS:
        image = nibabel.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.diag([-2.0, -2.0, 10.0, 1.0]))
        nibabel.save(image, tmp_path / name)
    write_csv(tmp_path / "cases.csv", COLUMNS, [dict(zip(COLUMNS, row, strict=True)) for row in ROWS])
    # 50 % against 75 %, and 4.0 against 4.8 ml of voxels of 0.04 ml
    assert script.errors(tmp_path, tmp_path / "cases.csv", "cavity") == (pytest.approx(25), pytest.approx(0.8), 1)
