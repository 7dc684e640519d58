import numpy as np
import pytest

from monai_sfda.prediction.geometry import measure_mask, structure_masks

CLASSES = {1: "shell", 2: "egg yolk"}


def rectangles():
    ids = np.zeros((20, 30), np.uint8)
    ids[2:12, 5:25] = 1  # 10 rows, 20 columns
    ids[4:9, 10:15] = 2  # 5 rows, 5 columns of it
    return ids


def test_a_structure_holds_what_lies_inside_it():
    apart = structure_masks(rectangles(), CLASSES, {})
    assert [(name, mask.sum()) for name, mask in apart.items()] == [("shell", 175), ("egg yolk", 25)]
    nested = structure_masks(rectangles(), CLASSES, {1: [2]})
    assert [(name, mask.sum()) for name, mask in nested.items()] == [("shell", 200), ("egg yolk", 25)]


def test_areas_in_square_millimetres_where_the_size_of_a_pixel_is_known():
    masks = structure_masks(rectangles(), CLASSES, {1: [2]})
    assert measure_mask(masks, (0.1, 0.2))["shell_mm2"] == pytest.approx(200 * 0.02)
    assert "shell_mm2" not in measure_mask(masks)


def test_a_row_has_areas_and_pieces_of_every_class():
    ids = np.zeros((20, 30), np.uint8)
    ids[2:4, 2:4], ids[10:14, 10:13] = 2, 2
    assert measure_mask(structure_masks(ids, CLASSES, {})) == {
        "shell_pixels": 0,
        "shell_pieces": 0,
        "shell_largest_piece": None,
        "egg_yolk_pixels": 16,
        "egg_yolk_pieces": 2,
        "egg_yolk_largest_piece": 0.75,
    }
