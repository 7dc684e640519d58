"""Where anatomy has one piece of a structure."""

import numpy as np
import torch
from monai.data import MetaTensor

from monai_sfda.volumes import LargestPieced


def kept(array):
    volume = MetaTensor(torch.from_numpy(array), affine=torch.diag(torch.tensor([2.0, 2.0, 8.0, 1.0])))
    result = LargestPieced("pred")({"pred": volume})["pred"]
    assert torch.equal(result.affine, volume.affine)
    assert result.dtype == volume.dtype
    return result.numpy()


def test_each_structure_of_a_label_map_keeps_its_largest_piece_in_three_dimensions():
    ids = np.zeros((1, 8, 8, 4), np.uint8)
    ids[0, 1:3, 1:3, 0:3] = 1  # 12 voxels over three slices
    ids[0, 4:7, 4:7, 3] = 1  # 9 voxels in one slice, more than the other has in any
    ids[0, 2, 3, 0] = 2
    expected = ids.copy()
    expected[0, 4:7, 4:7, 3] = 0
    assert np.array_equal(kept(ids), expected)


def test_masks_are_channels_and_an_empty_one_stays_empty():
    masks = np.zeros((2, 6, 6, 2), bool)
    masks[0, 0, 0, 0] = masks[0, 3:5, 3, 0] = True
    expected = masks.copy()
    expected[0, 0, 0, 0] = False
    assert np.array_equal(kept(masks), expected)
