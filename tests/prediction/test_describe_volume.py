import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_sfda.organs.heart import Heart
from monai_sfda.prediction.describe_volume import DescribeVolumed, describe_volume, measure_volume
from monai_sfda.prediction.judge import Judge
from monai_sfda.volumes import Grid, Volume

CLASSES = {1: "cavity"}
JUDGE = Judge(CLASSES, volumes=True)


def block(*places, shape=(6, 10, 12)):
    ids = np.zeros(shape, np.uint8)
    for place in places:
        ids[place] = 1
    return ids


def row_of(ids, spacing=(8.0, 1.5, 1.5)):
    return describe_volume(ids, "a.nii.gz", CLASSES, JUDGE, spacing=spacing)


def test_a_structure_is_measured_in_ml_voxels_and_slices():
    row = row_of(block(np.s_[1:4, 2:6, 3:8]))
    assert (row["slices"], row["cavity_voxels"], row["cavity_slices"]) == (6, 60, 3)
    assert row["cavity_ml"] == pytest.approx(60 * 18 / 1000)
    assert (row["cavity_empty_slices"], row["cavity_border_voxels"]) == (0, 0)
    assert (row["cavity_pieces"], row["cavity_largest_piece"]) == (1, 1.0)
    assert row["status"] == "ok"


def test_without_the_size_of_a_voxel_there_are_no_ml():
    row = row_of(block(np.s_[1:4, 2:6, 3:8]), spacing=None)
    assert row["cavity_ml"] is None
    assert row["cavity_voxels"] == 60


def test_an_empty_slice_between_found_ones_is_a_gap_and_two_pieces():
    row = row_of(block(np.s_[1, 2:6, 3:8], np.s_[4:, 2:6, 3:8]))
    assert row["cavity_empty_slices"] == 2
    assert list(row["flags"]) == ["gap_cavity"]
    assert (row["cavity_pieces"], row["cavity_largest_piece"]) == (2, 0.6667)


@pytest.mark.parametrize(
    ("place", "voxels"),
    [
        (np.s_[1:3, 0:2, 3:6], 6),
        (np.s_[1:3, 8:10, 3:6], 6),
        (np.s_[1:3, 3:6, 10:12], 6),
        (np.s_[1:3, 0:2, 0:2], 6),
        (np.s_[:, 1:9, 1:11], 0),
        (np.s_[1:2], 40),
    ],
    ids=["top", "bottom", "right", "corner", "ends of the stack do not count", "all of a slice"],
)
def test_voxels_on_the_border_of_a_slice_are_counted(place, voxels):
    row = row_of(block(place))
    assert row["cavity_border_voxels"] == voxels
    assert ("at_border_cavity" in row["flags"]) == (voxels > 0)


def test_nothing_found_is_missing_and_nothing_else():
    row = row_of(block())
    assert list(row["flags"]) == ["missing_cavity"]
    assert (row["cavity_voxels"], row["cavity_ml"], row["cavity_largest_piece"]) == (0, 0.0, None)


def test_pieces_that_touch_at_a_corner_of_a_voxel_are_one():
    masks = {"x": block(np.s_[0, 0, 0], np.s_[1, 1, 1]) > 0}
    assert measure_volume(masks)["x_pieces"] == 1


def test_a_tilted_stack_has_the_volume_of_its_voxels():
    ids = block(np.s_[1:4, 2:6, 3:8]).T
    tilted = np.array([[-1.5, 0, 0, 0], [0, -1.5, 3, 0], [0, 0, 8, 0], [0, 0, 0, 1.0]])
    meta = {"grid": Grid.of(Volume(ids, tilted), (1.0, 1.0)), "measured": True}
    item = {"pred": MetaTensor(torch.from_numpy(ids)[None], affine=torch.from_numpy(tilted), meta=meta)}
    row = DescribeVolumed("pred", classes=CLASSES, findings=Heart(myocardium=1))(item)["row"]
    assert row["cavity_ml"] == pytest.approx(60 * 18 / 1000)
    assert row["myocardial_mass_g"] == pytest.approx(1.05 * 60 * 18 / 1000)
