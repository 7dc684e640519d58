import numpy as np
import pytest

from monai_sfda.reading.levels import scale_of, to_uint8


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (np.array([False, True]), [0, 255]),
        (np.array([0, 7, 255], np.uint8), [0, 7, 255]),
        (np.array([0, 7, 200], np.uint16), [0, 7, 200]),
        (np.array([0, 7, 200], np.int64), [0, 7, 200]),
        (np.array([0, 819, 4095], np.uint16), [0, 51, 255]),  # 12 bit: 819 * 255 / 4095 = 51
        (np.array([0, 257, 65535], np.uint16), [0, 1, 255]),  # 16 bit: 257 * 255 / 65535 = 1
        (np.array([0, 257, 65535], ">u2"), [0, 1, 255]),
        (np.array([0, 0.2, 1.0]), [0, 51, 255]),
        (np.array([0, 51.4, 255.0]), [0, 51, 255]),
        (np.array([-10, 0, 40], np.int16), [0, 51, 255]),
        (np.array([0, 1e5, 5e5]), [0, 51, 255]),
        (np.array([-3.0, -3.0]), [0, 0]),
    ],
)
def test_grey_levels_of_every_type_become_8_bit(levels, expected):
    result = to_uint8(levels)
    assert result.dtype == np.uint8
    assert result.tolist() == expected


def levelled(values, **rule):
    levels = np.array(values, np.uint16)
    return to_uint8(levels, scale_of(levels, **rule)).tolist()


def test_a_known_depth_sets_the_scale_unless_the_values_exceed_it():
    assert levelled([0, 512], bits=10) == [0, 128]  # 512 * 255 / 1023 = 127.6
    assert levelled([0, 4095], bits=8) == [0, 255]


def test_levels_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="found NaN or infinity"):
        to_uint8(np.array([0.0, np.nan]))


def test_black_and_white_that_are_given_hold_for_all_files_that_do_not_say_their_depth():
    assert levelled([0, 64, 255], fixed=[0, 510]) == [0, 32, 128]  # 64 / 2, and 127.5 to the even number
    assert levelled([0, 4095, 5000], fixed=[0, 4095]) == [0, 255, 255]
    assert levelled([0, 512], bits=10, fixed=[0, 4095]) == [0, 128]  # the file says more
    assert to_uint8(np.array([0, 9], np.uint8), scale_of(np.array([0, 9], np.uint8), fixed=[0, 9])).tolist() == [0, 9]
    below = np.array([-100.0, 0.0, 100.0])
    assert to_uint8(below, scale_of(below, fixed=[-60, 40])).tolist() == [0, 153, 255]


def test_who_says_what_is_black_and_white():
    deep = np.array([0, 4095], np.uint16)
    assert scale_of(deep) == (0, 4095, "values")
    assert scale_of(deep, bits=16) == (0, 65535, "file")
    assert scale_of(deep, fixed=[1, 2]) == (1, 2, "option")
    assert scale_of(deep.astype(np.uint8)) == (0, 255, "file")


def test_large_arrays_are_looked_up_to_the_same_levels():
    levels = np.arange(65536, dtype=np.uint16).repeat(2)
    assert np.array_equal(to_uint8(levels), np.rint(levels / 257.0).astype(np.uint8))


def test_complex_levels_are_refused():
    with pytest.raises(ValueError, match="found complex numbers"):
        scale_of(np.array([1j]))
