import numpy as np
import pytest
from nibabel.affines import from_matvec, voxel_sizes

from monai_sfda.reading.cell_sizes import cell_sizes

STEPS = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) * [1.5, 2, 4]


def test_at_right_angles_sizes_are_those_of_a_voxel():
    affine = from_matvec(STEPS, [3, 4, 5])
    assert cell_sizes(affine, (2, 0, 1)) == pytest.approx(voxel_sizes(affine)[[2, 0, 1]])


def test_of_a_tilted_stack_the_distance_of_slices_is_that_along_their_normal():
    tilted = from_matvec(STEPS + np.array([[0, 0, 1], [0, 0, -2], [0, 0, 0]]))
    assert cell_sizes(tilted, (2, 1, 0)) == pytest.approx([4, 2, 1.5])


@pytest.mark.parametrize("axes", [(2, 1, 0), (0, 2, 1)])
def test_the_product_is_the_volume_of_a_voxel_whatever_its_shape(axes):
    steps = np.random.default_rng(0).normal(size=(3, 3))
    assert np.prod(cell_sizes(from_matvec(steps), axes)) == pytest.approx(abs(np.linalg.det(steps)))
