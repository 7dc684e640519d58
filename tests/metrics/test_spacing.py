from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_sfda.metrics.spacing import affine_spacing, spacing_per_axis


@pytest.mark.parametrize(("spacing", "expected"), [(2.0, [2, 2]), ([1.0, 3.0], [1, 3])])
def test_a_spacing_spreads_over_axes(spacing, expected):
    assert np.array_equal(spacing_per_axis(spacing, axes=2), expected)


@pytest.mark.parametrize("spacing", [[1.0, 2.0, 3.0], [[1.0, 2.0]]])
def test_a_spacing_that_does_not_fit_is_refused(spacing):
    with pytest.raises(ValueError, match=r"one number or 2 \(one per axis\)"):
        spacing_per_axis(spacing, axes=2)


@pytest.mark.parametrize("spacing", [0.0, [1.0, -1.0], float("nan")])
def test_a_spacing_that_is_no_size_is_refused(spacing):
    with pytest.raises(ValueError, match="above 0"):
        spacing_per_axis(spacing, axes=2)


def test_the_affine_gives_one_spacing_per_axis():
    affine = torch.diag(torch.tensor([0.5, 2.0, 4.0, 1.0]))
    assert affine_spacing(MetaTensor(torch.zeros(1, 4, 4), affine=affine)) == [0.5, 2.0]
    assert affine_spacing(MetaTensor(torch.zeros(1, 4, 4, 4), affine=affine)) == [0.5, 2.0, 4.0]


def test_a_tensor_without_affine_is_refused():
    with pytest.raises(ValueError, match=r"carries an affine, found a Tensor"):
        affine_spacing(torch.zeros(1, 4, 4))


def test_a_slice_along_other_axes_keeps_its_spacing():
    coronal = torch.tensor([[0.5, 0, 0, 0], [0, 0, 4, 0], [0, 2.0, 0, 0], [0, 0, 0, 1]])  # rows along S
    assert affine_spacing(MetaTensor(torch.zeros(1, 4, 4), affine=coronal)) == [0.5, 2.0]
