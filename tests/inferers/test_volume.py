import pytest
import torch
from monai.inferers import SimpleInferer
from torch import nn

from monai_sfda.inferers import FastInferer, VolumeInferer, refuse_slices


class Counts(SimpleInferer):
    """Notes how large the batches are."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def __call__(self, inputs, network, *args, **kwargs):
        self.shapes.append(tuple(inputs.shape))
        return super().__call__(inputs, network, *args, **kwargs)


def strided():
    """Fails on sides that 8 does not divide."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 4, 3, stride=8, padding=1), nn.ReLU(), nn.ConvTranspose2d(4, 2, 8, stride=8)]
    return nn.Sequential(*layers).eval()


def test_each_slice_is_asked_whole_and_comes_back_in_its_place():
    volume = torch.arange(5.0).view(1, 1, 5, 1, 1).expand(1, 1, 5, 6, 7)
    inferer = Counts()
    logits = VolumeInferer(inferer, image_size=[4, 4], batch_size=2)(volume, lambda x: torch.cat([x, -x], 1))
    assert torch.equal(logits, torch.cat([volume, -volume], 1))
    assert inferer.shapes == [(2, 1, 32, 32), (2, 1, 32, 32), (1, 1, 32, 32)]


def test_batches_of_slices_are_as_equal_as_they_can_be():
    inferer = Counts()
    VolumeInferer(inferer, image_size=[4, 4], batch_size=8)(torch.zeros(1, 1, 9, 32, 32), lambda x: x)
    assert [shape[0] for shape in inferer.shapes] == [5, 4]


def test_slices_do_not_depend_on_the_batch_that_they_are_in():
    network, volume = strided(), torch.rand(1, 1, 7, 45, 70)
    with torch.no_grad():
        one, many = (
            VolumeInferer(FastInferer("float32"), image_size=[8, 8], batch_size=n)(volume, network) for n in (1, 7)
        )
    torch.testing.assert_close(one, many, atol=1e-5, rtol=1e-5)
    assert one.shape == (1, 2, 7, 45, 70)


def test_what_is_added_to_a_slice_is_black():
    seen = []
    VolumeInferer(SimpleInferer(), image_size=[4, 4])(torch.ones(1, 1, 1, 30, 20), lambda x: seen.append(x) or x)
    assert (seen[0][0, 0, :30, :20] == 1).all()
    assert (seen[0][0, 0, 30:] == -1).all()
    assert (seen[0][0, 0, :, 20:] == -1).all()


@pytest.mark.parametrize("size", [(4, 5, 6), (12, 20, 9)], ids=["smaller", "larger"])
def test_windows_cover_a_volume_of_any_size(size):
    volume, inferer = torch.rand(1, 1, *size), Counts()
    logits = VolumeInferer(inferer, image_size=[8, 8, 8], batch_size=3)(volume, lambda x: 2 * x)
    torch.testing.assert_close(logits, 2 * volume)
    assert all(shape[2:] == (8, 8, 8) and shape[0] <= 3 for shape in inferer.shapes)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="batch_size of at least 1, found 0"):
        VolumeInferer(SimpleInferer(), image_size=[4, 4], batch_size=0)
    with pytest.raises(ValueError, match="adapt the network with --method dae"):
        refuse_slices([4, 4])
    refuse_slices([4, 4, 4])
