from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from monai_sfda.metrics import binary_masks


def test_masks_become_plain_booleans():
    pred, reference = binary_masks(MetaTensor(torch.ones(1, 2, 3, 3)), torch.zeros(1, 2, 3, 3))
    assert type(pred) is torch.Tensor
    assert pred.dtype == reference.dtype == torch.bool
    assert pred.all()
    assert not reference.any()


def test_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one shape .* found \(1, 2, 3, 3\) and \(1, 2, 3, 4\)"):
        binary_masks(torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 4))


@pytest.mark.parametrize(("value", "found"), [(0.5, "0 to 0.5"), (2.0, "0 to 2"), (float("nan"), "nan")])
def test_values_other_than_0_and_1_are_refused(value, found):
    pred = torch.zeros(1, 1, 2, 2)
    pred[0, 0, 0, 0] = value
    with pytest.raises(ValueError, match=rf"prediction of 0 and 1, .*{found}"):
        binary_masks(pred, torch.zeros(1, 1, 2, 2))
