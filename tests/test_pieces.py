import numpy as np

from monai_sfda.pieces import bounding_box, largest_piece, piece_sizes, pieces


def test_the_margin_of_a_bounding_box_ends_at_the_image():
    mask = np.zeros((10, 12), bool)
    mask[2:4, 5:9] = True
    assert bounding_box(mask) == (slice(2, 4), slice(5, 9))
    assert bounding_box(mask, margin=3) == (slice(0, 7), slice(2, 12))
    assert mask[bounding_box(~mask & mask, margin=3)].size == 0


def test_pieces_touch_at_corners_too():
    mask = np.eye(4, dtype=bool)
    assert pieces(mask) == (1, 1.0)
    mask[0, 3] = True
    assert pieces(mask) == (2, 0.8)
    assert pieces(np.zeros((3, 3), bool)) == (0, None)


def test_a_structure_thinner_than_the_steps_is_a_piece_all_the_same():
    mask = np.zeros((3000, 1200), bool)
    mask[1001, 301:310] = True  # no row or column that is a multiple of the steps
    assert pieces(mask) == (1, 1.0)
    mask[2:2000, 1] = True
    assert pieces(mask[:, :20]) == (1, 1.0)


def test_the_largest_of_several_pieces():
    mask = np.zeros((5, 8), bool)
    mask[0, 0] = mask[1, 1] = mask[3:, 3:5] = mask[0, 7] = True
    kept = np.zeros_like(mask)
    kept[3:, 3:5] = True
    assert (largest_piece(mask) == kept).all()
    assert not largest_piece(np.zeros((3, 3), bool)).any()


def test_sizes_of_pieces_in_any_dimension():
    mask = np.zeros((4, 4, 4), bool)
    assert piece_sizes(mask).tolist() == []
    mask[0, 0, 0] = mask[1, 1, 1] = True  # they touch at a corner
    assert piece_sizes(mask).tolist() == [2]
    mask[3, 3, 3] = True
    assert piece_sizes(mask).tolist() == [2, 1]
