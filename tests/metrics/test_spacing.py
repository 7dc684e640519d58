from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_sfda.metrics import affine_spacing, spacing_per_case


@pytest.mark.parametrize(
    ("spacing", "rows"),
    [
        (2.0, [[2, 2], [2, 2], [2, 2]]),
        ([1.0, 3.0], [[1, 3], [1, 3], [1, 3]]),
        ([[1.0], [2.0], [3.0]], [[1, 1], [2, 2], [3, 3]]),
        ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[1, 2], [3, 4], [5, 6]]),
    ],
)
def test_a_spacing_spreads_over_cases_and_axes(spacing, rows):
    assert np.array_equal(spacing_per_case(spacing, cases=3, axes=2), rows)


@pytest.mark.parametrize("spacing", [[1.0, 2.0, 3.0], [[1.0, 2.0]]])
def test_a_spacing_that_does_not_fit_is_refused(spacing):
    with pytest.raises(ValueError, match=r"2 \(one per axis\) or 3 x 2"):
        spacing_per_case(spacing, cases=3, axes=2)


@pytest.mark.parametrize("spacing", [0.0, [1.0, -1.0], float("nan")])
def test_a_spacing_that_is_no_size_is_refused(spacing):
    with pytest.raises(ValueError, match="above 0"):
        spacing_per_case(spacing, cases=1, axes=2)


def test_the_affine_gives_one_spacing_per_axis():
    affine = torch.diag(torch.tensor([0.5, 2.0, 4.0, 1.0]))
    flat, volume = MetaTensor(torch.zeros(1, 4, 4), affine=affine), MetaTensor(torch.zeros(1, 4, 4, 4), affine=affine)
    assert affine_spacing([flat, volume]) == [[0.5, 2.0], [0.5, 2.0, 4.0]]


def test_a_tensor_without_affine_is_refused():
    with pytest.raises(ValueError, match=r"carry an affine, found a Tensor"):
        affine_spacing([torch.zeros(1, 4, 4)])


def test_a_slice_along_other_axes_keeps_its_spacing():
    coronal = torch.tensor([[0.5, 0, 0, 0], [0, 0, 4, 0], [0, 2.0, 0, 0], [0, 0, 0, 1]])  # rows along S
    assert affine_spacing([MetaTensor(torch.zeros(1, 4, 4), affine=coronal)]) == [[0.5, 2.0]]
