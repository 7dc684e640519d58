"""The script that prepares MM-WHS, on tiny trees shaped like the challenge's archive and like the shared slices."""

import nibabel as nib
import numpy as np
import pytest
from prepare_support import SHAPE, label, names, nothing_written, save
from script_support import load

from monai_sfda.datasets.heart_slices import TEST

MMWHS = load("prepare_mmwhs")
ONE = {"ct": 1, "mr": 1}
SIDE = 256


def prepare(folder):
    MMWHS.main([str(folder), str(folder / "out")], ONE)


def refused(folder, sentence):
    with pytest.raises((ValueError, OSError), match=sentence) as error:
        prepare(folder)
    assert "\n" not in str(error.value)
    assert nothing_written(folder)


# The challenge


@pytest.fixture
def challenge(tmp_path):
    for name in ("ct_train_1001", "mr_train_1001"):
        save(tmp_path / name[:8] / f"{name}_image.nii.gz", np.ones(SHAPE))
        ids = np.zeros(SHAPE)
        ids.flat[:7] = 205, 420, 500, 820, 550, 600, 850
        save(tmp_path / name[:8] / f"{name}_label.nii.gz", ids)
    return tmp_path


def test_four_structures_of_the_challenge_have_the_order_of_the_field(challenge, capsys):
    prepare(challenge)
    assert "ct 1, mr 1 volumes" in capsys.readouterr().out
    mask = np.asarray(nib.load(challenge / "out/mr/mask/mr_train_1001.nii.gz").dataobj)
    assert mask.flat[:8].tolist() == [1, 2, 3, 4, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: (d / "ct_train/ct_train_1001_image.nii.gz").unlink(), r"an image for each mask, found none for 1"),
        (lambda d: [p.unlink() for p in (d / "ct_train").iterdir()], "Expected 1 images in ct, found 0"),
        (lambda d: save(d / "ct_train/ct_train_1001_label.nii.gz", label(205, 421)), "850 in the label, found 421"),
        (lambda d: save(d / "image_ct_1003.nii.gz", np.ones(SHAPE)), "Expected one version of MM-WHS in .*, found the"),
    ],
)
def test_a_challenge_that_is_not_whole_is_refused_in_a_sentence(challenge, spoil, sentence):
    spoil(challenge)
    refused(challenge, sentence)


def test_the_complete_challenge_has_20_volumes_of_each():
    assert MMWHS.COUNTS == {"ct": 20, "mr": 20}


# The slices that the field shares


def standardised(value):
    """Two slices; the corner of the first row and last column has the value, and the label 3."""
    values, ids = np.zeros((SIDE, SIDE, 2)), np.zeros((SIDE, SIDE, 2))
    values[0, -1], ids[0, -1] = value, 3
    return values, ids


def write_test(folder, name, value):
    for kind, values in zip(("image", "gth"), standardised(value), strict=True):
        folder.mkdir(exist_ok=True)
        nib.save(nib.Nifti1Image(values.astype(np.float32), np.eye(4)), folder / f"{kind}_{name}.nii.gz")


@pytest.fixture
def shared(tmp_path):
    for modality, value in (("ct", 3.2), ("mr", 9.0)):
        for number in TEST[modality]:
            write_test(tmp_path / f"test_{modality}_image&labels", f"{modality}_{number}", value)
    for kind, end, values in (
        ("train_ct", "", np.full((SIDE, SIDE), -0.5)),
        ("gt_train_ct", "_gt", np.zeros((SIDE, SIDE))),
    ):
        (tmp_path / kind).mkdir()
        np.save(tmp_path / kind / f"ctslice0_1{end}.npy", values)
    return tmp_path


def test_test_volumes_are_scaled_clipped_and_turned_as_the_field_does(shared, capsys):
    prepare(shared)
    assert "test_ct 4, test_mr 4, train_ct 1 volumes" in capsys.readouterr().out
    for modality, low, high in (("ct", -2.8, 3.2), ("mr", -1.8, 4.4)):
        image = nib.load(shared / f"out/test_{modality}/image/{modality}_1019.nii.gz")
        values, mask = (
            np.asarray(nib.load(shared / f"out/test_{modality}/{kind}/{modality}_1019.nii.gz").dataobj)
            for kind in ("image", "mask")
        )
        assert np.isclose(values[5, 5, 0], 2 * (0 - low) / (high - low) - 1)
        # Half a turn brings the first row to the last and the last column to the first; NIfTI counts columns first.
        assert np.argwhere(mask).tolist() == [[0, SIDE - 1, 0], [0, SIDE - 1, 1]]
        assert values[0, SIDE - 1, 0] == 1
        assert b"1 mm" in image.header["descrip"].item()


def test_training_slices_keep_their_values_and_may_be_without_a_structure(shared):
    prepare(shared)
    image = nib.load(shared / "out/train_ct/image/ctslice0_1.nii.gz")
    assert image.shape == (SIDE, SIDE, 1)
    assert np.allclose(np.asarray(image.dataobj), -0.5)


def test_test_volumes_may_be_arrays(shared):
    folder = shared / "test_ct_image&labels"
    for path in folder.iterdir():
        path.unlink()
    for number in TEST["ct"]:
        np.savez(folder / f"image_ct_{number}.nii.gz", *standardised(3.2))
    prepare(shared)
    assert names(shared / "out/test_ct/image") == [f"ct_{number}" for number in TEST["ct"]]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: (d / "test_ct_image&labels/gth_ct_1003.nii.gz").unlink(), "Expected a mask for each image"),
        (
            lambda d: [p.unlink() for p in d.glob("*/*_ct_1003*")],
            "Expected the test volumes 1003, 1008, 1014, 1019 of ct, found 1008, 1014, 1019",
        ),
        (
            lambda d: np.savez(d / "image_ct_1003.nii.gz", *standardised(1)),
            "the test volumes of ct once, found NIfTI and",
        ),
        (lambda d: (d / "gt_train_ct/ctslice0_1_gt.npy").rename(d / "gt_train_ct/1_gt.npy"), "a mask for each image"),
        (lambda d: np.save(d / "train_ct/ctslice0_1.npy", np.full((SIDE, SIDE), 3.2)), "Expected values from -1 to 1"),
        (lambda d: np.save(d / "train_ct/ctslice0_1.npy", np.ones((9, 9))), "slices of 256 x 256 with their label"),
        (
            lambda d: np.save(d / "gt_train_ct/ctslice0_1_gt.npy", np.full((SIDE, SIDE), 5)),
            "3, 4 in the label, found 5",
        ),
    ],
)
def test_shared_slices_that_are_not_whole_are_refused_in_a_sentence(shared, spoil, sentence):
    spoil(shared)
    refused(shared, sentence)


def test_records_of_tensorflow_are_named(tmp_path):
    (tmp_path / "slice1.tfrecords").write_bytes(b"")
    refused(tmp_path, "found none but TensorFlow records, which MPSCL shares as arrays")
