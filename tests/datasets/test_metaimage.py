"""MetaImage as PROMISE12 has it."""

import numpy as np
import pytest
from lps_files import write_metaimage

from monai_sfda.datasets.metaimage import metaimage_files, read_metaimage

VALUES = np.arange(24).reshape(4, 3, 2) - 5


def test_values_and_place_are_those_of_the_file(tmp_path):
    image = read_metaimage(write_metaimage(tmp_path / "a.mhd", VALUES))
    assert np.array_equal(np.asarray(image.dataobj), VALUES)
    assert image.get_data_dtype() == np.int16
    # LPS to RAS: x and y change their sign.
    assert np.allclose(image.affine, [[-0.5, 0, 0, -10], [0, -0.6, 0, -20], [0, 0, 3, 30], [0, 0, 0, 1]])


def test_each_axis_has_three_numbers_of_the_matrix_after_one_another(tmp_path):
    steps = ((0, 0.5, 0), (0, 0, -0.6), (3, 0, 0))
    image = read_metaimage(write_metaimage(tmp_path / "a.mhd", VALUES, steps))
    assert np.allclose(image.affine[:3, :3], np.diag([-1, -1, 1]) @ np.transpose(steps))


def test_the_bytes_may_stand_the_other_way_round(tmp_path):
    path = write_metaimage(tmp_path / "a.mhd", VALUES, BinaryDataByteOrderMSB=True)
    path.with_suffix(".raw").write_bytes(VALUES.astype(">i2").tobytes(order="F"))
    assert np.array_equal(np.asarray(read_metaimage(path).dataobj), VALUES)


def test_both_files_are_named(tmp_path):
    path = write_metaimage(tmp_path / "a.mhd", VALUES)
    assert metaimage_files(path) == (path, tmp_path / "a.raw")


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"Offset": None}, "Expected Offset in the header a.mhd, found none"),
        ({"CompressedData": True}, "Expected an uncompressed volume of three axes"),
        ({"NDims": 4}, "Expected an uncompressed volume of three axes"),
        ({"ElementType": "MET_OTHER"}, "Expected numbers in a.mhd, found MET_OTHER"),
        ({"DimSize": "4 3 x"}, "Expected numbers in the header of a.mhd"),
        ({"DimSize": "4 3 3"}, "Expected 72 bytes of voxels in a.mhd, found 48; the file was not unpacked to its end"),
        ({"ElementDataFile": "b.raw"}, "Expected the voxels of a.mhd in b.raw beside it, found no such file"),
        ({"ElementSpacing": "0 0 0"}, "Expected three directions"),
    ],
)
def test_another_header_is_refused_in_a_sentence(tmp_path, other, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_metaimage(write_metaimage(tmp_path / "a.mhd", VALUES, **other))


def test_voxels_are_never_read_from_another_folder(tmp_path):
    write_metaimage(tmp_path / "elsewhere" / "b.mhd", VALUES)
    with pytest.raises(ValueError, match=r"b\.raw beside it, found no such file"):
        read_metaimage(write_metaimage(tmp_path / "a.mhd", VALUES, ElementDataFile="elsewhere/b.raw"))
