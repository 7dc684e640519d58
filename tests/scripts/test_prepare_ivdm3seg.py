"""The script that prepares IVDM3Seg, on a tiny tree shaped like the release."""

import shutil

import nibabel as nib
import numpy as np
import pytest
from prepare_support import SHAPE, ids, label, names, nothing_written, save
from script_support import load

IVDM3SEG = load("prepare_ivdm3seg")
VALUES = {"wat": 1, "inn": 2, "opp": 3, "fat": 4}


@pytest.fixture
def download(tmp_path):
    for number in ("01", "02"):
        folder = tmp_path / "Training" / number
        for channel, value in VALUES.items():
            save(folder / f"{number}_{channel}.nii", np.full(SHAPE, value))
        save(folder / f"{number}_Labels.nii", label(1))
    return tmp_path


def prepare(folder, *options):
    IVDM3SEG.main([str(folder), str(folder / "out"), *options], 2)


def test_source_and_target_of_adami_are_written_compressed(download, capsys):
    prepare(download)
    assert "in_phase 2, water 2 volumes" in capsys.readouterr().out
    for channel, value in (("water", 1), ("in_phase", 2)):
        image = nib.load(download / "out" / channel / "image/02.nii.gz")
        assert np.array_equal(np.asarray(image.dataobj), np.full(SHAPE, value))
        assert np.allclose(image.affine, np.diag([-1.5, -1.5, 10, 1]))
        assert ids(download / "out" / channel / "mask/02.nii.gz") == [1, 0, 0]


def test_another_channel_can_be_asked_for(download):
    prepare(download, "--channels", "fat", "opposed_phase", "fat")
    assert sorted(path.name for path in (download / "out").iterdir() if path.is_dir()) == ["fat", "opposed_phase"]
    assert names(download / "out/fat/image") == ["01", "02"]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: (d / "02/02_inn.nii").unlink(), r"Expected an image for each mask, found none for 1 \(02\)"),
        (lambda d: (d / "02/02_Labels.nii").rename(d / "02/02_labels.nii"), r"a mask for each image, found none for 1"),
        (lambda d: shutil.rmtree(d / "02"), r"Expected 2 images in water, found 1 \(missing: 02\); complete"),
        (
            lambda d: (d / "02").rename(d / "03"),
            "Expected each data set in the folder of its number, found .*03/02_wat",
        ),
        (lambda d: shutil.copytree(d / "01", d / "other" / "01"), "Expected one file for 01, found"),
        (lambda d: save(d / "02/02_Labels.nii", label(1, 2)), r"values 0, 1 in the label, found 2"),
        (
            lambda d: (d / "02/02_wat.nii").write_bytes((d / "02/02_wat.nii").read_bytes()[:400]),
            "Expected a whole file",
        ),
        (lambda d: save(d / "02/02_wat.nii", np.ones((4, 5, 4))), "found 4 x 5 x 3 on 4 x 5 x 4"),
    ],
)
def test_a_download_that_is_not_whole_is_refused_in_a_sentence(download, spoil, sentence):
    spoil(download / "Training")
    with pytest.raises((ValueError, OSError), match=sentence) as error:
        prepare(download)
    assert "\n" not in str(error.value)
    assert nothing_written(download)


def test_the_complete_release_has_16_data_sets():
    assert IVDM3SEG.VOLUMES == 16
