import nibabel
import numpy as np

from monai_sfda.prediction.montage import draw_montage, read_montage

CLASSES = {1: "cavity"}
LARGE = {"tiles": 40, "tile": 60, "columns": 4, "near": False}


def write(path, values, affine):
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return path


def test_a_volume_is_shown_as_a_radiologist_sees_it_with_square_pixels(tmp_path):
    """Stored from left to right and from back to front, rows twice as far apart as columns."""
    affine = np.diag([1.0, 2.0, 8.0, 1.0])
    values, ids = np.zeros((20, 10, 3), np.float32), np.zeros((20, 10, 3), np.uint8)
    values[15:, 7:, 1] = 100  # to the patient's left and in front
    ids[15:, 7:, 1] = 1
    paths = write(tmp_path / "a.nii.gz", values, affine), write(tmp_path / "m.nii.gz", ids, affine)
    grey, labels = read_montage({"image": str(paths[0])}, paths[1])
    assert grey.shape == labels.shape == (3, 20, 20)
    rows, columns = np.nonzero(labels[1])
    assert rows.max() < 8  # the front is at the top
    assert columns.max() < 6 or columns.min() > 13
    assert grey[1][labels[1] > 0].min() > 0.5


def test_slices_around_what_is_found_are_drawn_and_numbered_from_one():
    grey, ids = np.full((9, 40, 40), 0.5), np.zeros((9, 40, 40), np.uint8)
    ids[3:5, 18:24, 18:24] = 1
    sheet = draw_montage(grey, ids, CLASSES, tiles=12, tile=60, columns=2, near=False)
    assert sheet.shape == (122, 122, 3)  # the slices 3, 4, 5 and 6
    near = draw_montage(grey, ids, CLASSES, tiles=12, tile=60, columns=2, near=True)
    green = [(picture[..., 1].astype(int) - picture[..., 0] > 60).sum() for picture in (sheet, near)]
    assert green[1] > green[0] > 0


def test_at_most_so_many_slices_are_spread_over_the_volume():
    grey, ids = np.full((50, 20, 30), 0.5), np.zeros((50, 20, 30), np.uint8)
    assert draw_montage(grey, ids, CLASSES, **{**LARGE, "tiles": 8}).shape == (82, 246, 3)
    ids[10:40, 5:10, 5:10] = 1
    assert draw_montage(grey, ids, CLASSES, **{**LARGE, "tiles": 12}).shape == (124, 246, 3)


def test_a_structure_that_fills_the_volume_can_be_drawn():
    grey = np.full((2, 20, 20), 0.5)
    assert draw_montage(grey, np.ones((2, 20, 20), np.uint8), CLASSES, **{**LARGE, "near": True}).shape == (60, 122, 3)
