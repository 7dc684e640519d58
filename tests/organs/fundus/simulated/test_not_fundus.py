import numpy as np
import pytest

from monai_sfda.organs.fundus.simulated.not_fundus import NOT_FUNDUS, simulate_not_fundus


@pytest.mark.parametrize("kind", NOT_FUNDUS)
def test_pictures_come_back_the_same_and_differ_from_each_other(kind):
    first, again, other = (simulate_not_fundus(index, kind=kind, size=120) for index in (0, 0, 1))
    assert (first.shape, first.dtype) == ((120, 120, 3), np.uint8)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_black_frame_is_black_and_a_page_is_not():
    assert simulate_not_fundus(0, kind="black").max() < 6
    assert np.median(simulate_not_fundus(0, kind="text")) > 200
