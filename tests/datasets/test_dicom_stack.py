"""Slices of a DICOM series as a volume."""

import numpy as np
import pytest
from dicom_files import write_dicom

from monai_sfda.datasets.dicom_stack import by_position, read_slice, stack_image


@pytest.fixture
def slices(tmp_path):
    """Four axial slices, named against their order from the feet."""
    return [
        write_dicom(
            tmp_path / f"{name}.dcm",
            np.full((5, 4), height, np.uint16),
            "MONOCHROME2",
            bits=12,
            SeriesInstanceUID="1.2.3",
            PixelSpacing=[0.6, 0.5],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            ImagePositionPatient=[10, 20, 3 * height],
        )
        for name, height in zip("dcba", range(4), strict=True)
    ]


def test_position_orders_the_slices_and_places_the_volume(slices):
    image = stack_image(by_position([read_slice(path) for path in sorted(slices)]))
    assert np.asarray(image.dataobj)[0, 0].tolist() == [0, 1, 2, 3]
    assert np.allclose(image.affine, [[-0.5, 0, 0, -10], [0, -0.6, 0, -20], [0, 0, 3, 0], [0, 0, 0, 1]])


def test_a_missing_slice_is_noticed(slices):
    with pytest.raises(ValueError, match=r"found distances of 3\.0, 6\.0 mm; the series is another one, or not"):
        stack_image(by_position([read_slice(path) for path in (slices[0], slices[1], slices[3])]))


def test_two_series_are_not_mixed(slices):
    files = [read_slice(path) for path in slices]
    files[1].SeriesInstanceUID = "1.2.4"
    with pytest.raises(ValueError, match="Expected one series in a folder, found 2"):
        by_position(files)


def test_another_file_is_refused(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"no DICOM")
    with pytest.raises(ValueError, match="Expected a slice with its position in"):
        read_slice(tmp_path / "a.dcm")
