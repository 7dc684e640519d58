"""Labels that were drawn on other voxels than those of their image."""

import nibabel as nib
import numpy as np
import pytest

from monai_sfda.datasets.on_grid import label_on_grid

IMAGE = nib.Nifti1Image(np.zeros((6, 5, 8), np.int16), np.diag([-0.5, -0.5, 3, 1]))


def drawn(shape, affine, *places):
    """One voxel of 1, 2, ... at each place."""
    values = np.zeros(shape, np.uint8)
    for number, place in enumerate(places, 1):
        values[place] = number
    return nib.Nifti1Image(values, affine)


def test_a_label_on_the_same_voxels_stays():
    label = drawn(IMAGE.shape, IMAGE.affine, (1, 2, 3))
    assert np.array_equal(label_on_grid(IMAGE, label), np.asarray(label.dataobj))


def test_fewer_slices_lie_where_their_position_says():
    affine = IMAGE.affine.copy()
    affine[2, 3] = 6  # two slices of 3 mm higher
    found = label_on_grid(IMAGE, drawn((6, 5, 4), affine, (1, 2, 0), (4, 4, 3)))
    assert np.argwhere(found).tolist() == [[1, 2, 2], [4, 4, 5]]
    assert found[4, 4, 5] == 2


def test_axes_in_another_order_and_direction_are_followed():
    affine = np.array([[0, 0, 0.5, -2.5], [0, -0.5, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1.0]])  # slices, rows, columns back
    found = label_on_grid(IMAGE, drawn((8, 5, 6), affine, (7, 1, 0)))
    assert np.argwhere(found).tolist() == [[5, 1, 7]]


def test_finer_voxels_give_the_nearest_one():
    values = np.zeros((12, 10, 8), np.uint8)
    values[4:8, 2:6, 3] = 1
    label = nib.Nifti1Image(values, np.diag([-0.25, -0.25, 3, 1]))
    assert np.argwhere(label_on_grid(IMAGE, label)).tolist() == [[x, y, 3] for x in (2, 3) for y in (1, 2)]


def test_a_label_of_another_image_is_refused():
    affine = IMAGE.affine.copy()
    affine[0, 3] = 40
    with pytest.raises(ValueError, match="found 1 of 1 labelled voxels outside; take image and label of one patient"):
        label_on_grid(IMAGE, drawn(IMAGE.shape, affine, (1, 2, 3)))
