import numpy as np
import pytest

from monai_sfda.volumes.intensity import Percentiles, ZScore, scaled

LEVELS = np.arange(300, dtype=np.int32).reshape(10, 10, 3)


@pytest.mark.parametrize("rule", [Percentiles(1, 99), ZScore(2.0)])
@pytest.mark.parametrize("offset", [-(2**31), 2**24, 2**30])
def test_levels_far_from_0_stay_apart(rule, offset):
    far = scaled(LEVELS + np.int32(offset), rule)
    assert far.dtype == np.float32
    assert far == pytest.approx(scaled(LEVELS, rule), abs=1e-5)


def test_what_float32_holds_is_scaled_as_float32():
    assert scaled(LEVELS.astype(np.int64), ZScore(2.0)).dtype == np.float32
    assert np.array_equal(scaled(LEVELS, ZScore(2.0)), scaled(LEVELS.astype(np.float32), ZScore(2.0)))
