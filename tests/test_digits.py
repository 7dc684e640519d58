import math

import pytest

from monai_sfda.digits import in_digits


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (0.7, 0.8, "0.70"),
        (0.7962, 0.8, "0.796"),
        (0.79999, 0.8, "0.79999"),
        (0.8, 0.8, "0.80"),
        (1.2504, 1.25, "1.2504"),
        (1 / 3, 1 / 3, "0.3333333333333333"),
        (math.nan, 0.8, "nan"),
        (math.inf, 0.8, "inf"),
    ],
)
def test_a_number_is_written_on_its_side_of_the_limit(value, limit, text):
    assert in_digits(value, 2, limits=[limit], kind="f") == text


def test_several_limits_are_all_kept_to():
    assert in_digits(0.9996, 2, limits=[0.8, 1], kind="f") == "0.9996"
    assert in_digits(0.9996, 2, kind="f") == "1.00"


def test_significant_digits():
    assert in_digits(24.96, 2, limits=[25]) == "24.96"
