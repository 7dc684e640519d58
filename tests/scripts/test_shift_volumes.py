"""Simulated scanners: labels stay on their image, and each kind changes it."""

import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from bundle_support import write_volumes

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import shift_volumes


@pytest.fixture
def labelled(tmp_path):
    return write_volumes(tmp_path / "labelled", 2, classes=2)


def values(folder, name="case_0.nii.gz"):
    return np.asarray(nibabel.load(folder / name).dataobj, np.float32)


@pytest.mark.parametrize("kind", shift_volumes.KINDS)
def test_a_kind_changes_the_image_and_leaves_the_label(kind, labelled, tmp_path):
    for severity in ("0.01", "1"):
        out = tmp_path / severity
        shift_volumes.main([str(labelled), str(out), "--kind", kind, "--severity", severity])
        assert np.array_equal(values(out / "mask"), values(labelled / "mask"))
    image = values(labelled / "image")
    similar = [np.corrcoef(image.ravel(), values(tmp_path / s / "image").ravel())[0, 1] for s in ("0.01", "1")]
    assert similar[0] > similar[1]
    assert similar[0] > 0.95


def test_slices_become_thicker_and_the_label_with_them(labelled, tmp_path):
    shift_volumes.main([str(labelled), str(tmp_path / "out"), "--kind", "spacing", "--severity", "1", "--count", "1"])
    image, mask = (nibabel.load(tmp_path / "out" / kind / "case_0.nii.gz") for kind in ("image", "mask"))
    assert image.shape == mask.shape == (18, 20, 3)
    assert image.header.get_zooms() == (1, 1, 9)
    assert np.allclose(image.affine, mask.affine)
    assert not (tmp_path / "out" / "image" / "case_1.nii.gz").exists()


def test_the_same_seed_gives_the_same_volumes(labelled, tmp_path):
    for out in ("a", "b"):
        shift_volumes.main([str(labelled), str(tmp_path / out), "--seed", "3"])
    assert np.array_equal(values(tmp_path / "a" / "image"), values(tmp_path / "b" / "image"))
