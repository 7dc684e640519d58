import numpy as np
import pytest
import torch
from scipy import ndimage

from monai_sfda.losses import BoundaryLoss, boundary_target, shows_boundary


def disc(radius, size=96, centre=(48, 48)):
    rows, columns = np.mgrid[:size, :size]
    return (np.hypot(rows - centre[0], columns - centre[1]) < radius).astype(np.uint8)


def by_scipy(masks, width=5, sigma=3):
    """The definition, in SciPy's words."""
    band = np.zeros_like(masks[0], dtype=bool)
    for mask in masks:
        band |= ndimage.binary_dilation(mask, iterations=width) & ~ndimage.binary_erosion(mask, iterations=width)
    return ndimage.gaussian_filter(band.astype(np.uint8) * 255, sigma=sigma) / 255


@pytest.mark.parametrize("size", [96, 20])
def test_it_is_what_scipy_makes_of_8_bit_values(size):
    rim, cup = disc(0.3 * size, size, (size / 2, size / 3)), disc(0.1 * size, size, (size / 2, size / 3))
    found = boundary_target(torch.from_numpy(np.stack([rim, cup]))[None].float())[0, 0].numpy()
    expected = by_scipy([rim, cup])
    assert np.abs(found - expected).max() <= 1.01 / 255  # where a sum is all but a whole number
    assert (found == expected.astype(np.float32)).mean() > 0.99


def test_it_is_zero_far_from_edges_and_largest_on_them():
    target = boundary_target(torch.from_numpy(disc(25))[None, None].float())[0, 0]
    distance = np.abs(np.hypot(*(np.mgrid[:96, :96] - 48)) - 25)
    assert not target[distance > 5 * 2**0.5 + 12].any()
    assert target[distance < 0.5].min() > 0.85 * target.max()
    assert 0 <= target.min() <= target.max() <= 1


def test_a_mask_and_its_complement_have_one_boundary():
    mask = torch.from_numpy(disc(20))[None, None].float()
    inner = (slice(None), slice(None), slice(20, -20), slice(20, -20))  # the border of the image counts as an edge
    assert torch.equal(boundary_target(mask)[inner], boundary_target(1 - mask)[inner])


def test_the_loss_is_the_mean_squared_error_at_the_size_of_the_labels():
    label = torch.from_numpy(np.stack([disc(30), disc(12)]))[None].float()
    flat = BoundaryLoss()(boundary=torch.zeros(1, 1, 24, 24), label=label)
    assert flat.item() == pytest.approx((0.5 - boundary_target(label)).square().mean().item(), abs=1e-6)
    softmax = torch.cat([1 - label.amax(1, keepdim=True), label], 1)
    assert BoundaryLoss(head="softmax")(boundary=torch.zeros(1, 1, 24, 24), label=softmax) == flat


def test_a_discriminator_sees_probabilities_at_the_size_of_the_prediction():
    shown = shows_boundary(pred=torch.zeros(2, 2, 8, 8), boundary=torch.zeros(2, 1, 2, 2))
    assert torch.equal(shown, torch.full((2, 1, 8, 8), 0.5))
