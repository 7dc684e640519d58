"""check_output: one question to a network, one sentence about its answer."""

import pytest
import torch
from monai.networks.nets import DynUNet, UNet
from torch import nn

from monai_sfda.networks import check_output


def unet(channels=3, out=2):
    return UNet(2, channels, out, channels=(4, 8, 8), strides=(2, 2), norm="batch")


def check(network, structures=("disc", "cup"), **more):
    check_output(network, image_size=[16, 24], structures=structures, **more)


@pytest.mark.parametrize("train", [False, True])
def test_a_network_that_fits_stays_as_it_was(train):
    network = unet().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    check(network, train=train)
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_softmax_has_a_background():
    check(unet(out=3), head="softmax")
    with pytest.raises(
        ValueError, match=r"shape \(2, 3, 16, 24\) for disc, cup and a softmax .*shape \(2, 2, 16, 24\);"
    ):
        check(unet(out=2), head="softmax")


def test_deep_supervision_is_found_in_training():
    layers = {"kernel_size": [3, 3, 3], "strides": [1, 2, 2], "upsample_kernel_size": [2, 2], "filters": [4, 8, 8]}
    network = DynUNet(2, 3, 2, **layers, deep_supervision=True, deep_supr_num=1)
    check(network)
    with pytest.raises(ValueError, match=r"found shape \(2, 2, 2, 16, 24\) in training; .*no deep supervision"):
        check(network, train=True)


class Several(nn.Module):
    def forward(self, x):
        return [x[:, :2]]


def test_a_list_of_maps_is_named():
    with pytest.raises(ValueError, match="found a list;"):
        check(Several())


def test_a_network_for_grey_images_is_told_how_to_wrap_it():
    with pytest.raises(ValueError, match=r"RGB images of 16 x 24, found one that fails .*with_input"):
        check(unet(channels=1))


def test_a_size_that_does_not_fit_is_told_the_next_that_do():
    deep = UNet(2, 3, 2, channels=(4, 4, 4, 4), strides=(2, 2, 2), norm="batch")
    with pytest.raises(ValueError, match=r"of 100 x 100, .*; set image_size to multiples of 8, such as 96 x 96"):
        check_output(deep, image_size=[100, 100], structures=("disc", "cup"))
    with pytest.raises(ValueError, match=r"multiples of 8, such as 96 x 64 or 104 x 64\.$"):
        check_output(deep, image_size=[100, 64], structures=("disc", "cup"))
    check_output(deep, image_size=[104, 96], structures=("disc", "cup"))


def test_a_size_that_is_too_small_is_told_a_larger_one():
    deep = UNet(2, 3, 2, channels=(4, 4, 4), strides=(2, 2), norm="instance")
    with pytest.raises(ValueError, match=r"; set image_size to multiples of 8, such as 8 x 8\.$"):
        check_output(deep, image_size=(2, 2), structures=("disc", "cup"), train=True)


def test_a_network_for_grey_images_of_another_size_is_told_both():
    with pytest.raises(ValueError, match=r"multiples of 4, such as .* and wrap it in .*with_input \(grey: true\)"):
        check_output(unet(channels=1), image_size=[18, 16], structures=("disc", "cup"))


def test_a_network_that_takes_neither_is_to_be_changed():
    with pytest.raises(ValueError, match="change network_def, which takes neither RGB nor grey images"):
        check(unet(channels=4))


class Coarse(nn.Module):
    """Gives logits at a quarter of the size, or at the next multiple of 8."""

    def __init__(self, padded):
        super().__init__()
        self.head, self.padded = nn.Conv2d(3, 2, 1), padded

    def forward(self, image):
        size = [-(-side // 8) * 8 if self.padded else side // 4 for side in image.shape[2:]]
        return nn.functional.interpolate(self.head(image), size=size)


def test_logits_of_another_size_are_no_matter_of_channels():
    with pytest.raises(ValueError, match=r"found shape \(2, 2, 104, 104\); set image_size to multiples of 8, such as"):
        check_output(Coarse(True), image_size=[100, 100], structures=("disc", "cup"))
    with pytest.raises(ValueError, match=r"found shape \(2, 2, 4, 6\); let network_def scale its logits to the size"):
        check(Coarse(False))


def test_channels_that_do_not_fit_are_counted():
    with pytest.raises(ValueError, match=r"; change out_channels of network_def \(now 5\), structures or head"):
        check(unet(out=5))


def test_a_channel_that_there_is_not_is_named():
    check(unet(), structures={"disc": 0, "cup": 1})
    with pytest.raises(ValueError, match=r"channels are below 2, found \{'disc': 0, 'cup': 9\}; correct structures"):
        check(unet(), structures={"disc": 0, "cup": 9})


def volume_unet(channels=1, out=3):
    return UNet(3, channels, out, channels=(4, 8, 8), strides=(2, 2), norm="batch")


def check_volume(network, size=(8, 16, 24), channels=1, **more):
    check_output(network, image_size=size, structures=("front", "back"), head="softmax", channels=channels, **more)


def test_a_network_for_volumes_or_for_grey_slices_fits():
    check_volume(volume_unet(), train=True)
    check_volume(unet(channels=1, out=3), size=(16, 24))


def test_volumes_are_told_from_slices():
    with pytest.raises(ValueError, match=r"grey volumes of 8 x 16 x 24, .*; give a network with 3 spatial dim"):
        check_volume(unet(channels=1, out=3))
    with pytest.raises(ValueError, match=r"grey images of 16 x 24, .*; give a network with 2 spatial dim"):
        check_volume(volume_unet(), size=(16, 24))


def test_a_window_that_does_not_fit_is_told_the_next_that_do():
    with pytest.raises(ValueError, match=r"; set image_size to multiples of 4, such as 8 x 16 x 20 or 12 x 16 x 24\.$"):
        check_volume(volume_unet(), size=(9, 16, 22))


def test_a_network_for_other_channels_than_volumes_have_is_to_be_changed():
    with pytest.raises(ValueError, match=r"; change network_def, which does not take 1 channel of this or a"):
        check_volume(volume_unet(channels=3))
