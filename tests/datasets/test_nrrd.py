"""NRRD as the segmentations of NCI-ISBI 2013 are stored."""

import gzip
import zlib

import numpy as np
import pytest
from lps_files import STEPS, write_nrrd

from monai_sfda.datasets.nrrd import read_nrrd

VALUES = np.arange(24).reshape(4, 3, 2) - 5
AFFINE = [[-0.5, 0, 0, -10], [0, -0.6, 0, -20], [0, 0, 3, 30], [0, 0, 0, 1]]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_values_and_place_are_those_of_the_file(tmp_path, encoding, end):
    image = read_nrrd(write_nrrd(tmp_path / "a.nrrd", VALUES, encoding=encoding, end=end))
    assert np.array_equal(np.asarray(image.dataobj), VALUES)
    assert np.allclose(image.affine, AFFINE)


def test_a_space_that_counts_as_nifti_does_is_turned(tmp_path):
    steps = np.array(STEPS) * [-1, -1, 1]
    path = write_nrrd(tmp_path / "a.nrrd", VALUES, steps, (-10, -20, 30), space="RAS")
    assert np.allclose(read_nrrd(path).affine, AFFINE)


def test_voxels_that_look_like_the_end_of_a_header_stay(tmp_path):
    values = np.full((4, 3, 2), ord("\n"))
    image = read_nrrd(write_nrrd(tmp_path / "a.nrrd", values, encoding="raw"))
    assert np.array_equal(np.asarray(image.dataobj), values)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"space_origin": None}, "Expected 'space origin' in the header of a.nrrd, found none"),
        ({"space": "scanner-xyz"}, "Expected space left-posterior-superior or .*, found scanner-xyz"),
        ({"encoding": "bzip2"}, "Expected encoding raw or gzip or gz in the header"),
        ({"dimension": 4}, "Expected dimension 3 in the header of a.nrrd, found 4"),
        ({"sizes": "4 3 3"}, "Expected 36 bytes of voxels in a.nrrd, found 24"),
        ({"space_directions": "(1,0) (0,1)"}, "Expected vectors of three numbers"),
        ({"space_directions": "(1,0,x)"}, "Expected vectors of three numbers"),
    ],
)
def test_another_header_is_refused_in_a_sentence(tmp_path, other, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_nrrd(write_nrrd(tmp_path / "a.nrrd", VALUES, **other))


def test_other_content_is_refused(tmp_path):
    (tmp_path / "a.nrrd").write_bytes(b"\x89PNG\n\n")
    with pytest.raises(ValueError, match=r"Expected NRRD in a\.nrrd, found other content"):
        read_nrrd(tmp_path / "a.nrrd")


def test_a_file_that_was_cut_short_is_not_read(tmp_path):
    path = write_nrrd(tmp_path / "a.nrrd", VALUES)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises((EOFError, OSError, zlib.error, gzip.BadGzipFile)):
        read_nrrd(path)
