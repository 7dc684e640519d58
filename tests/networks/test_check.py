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


def test_a_channel_that_there_is_not_is_named():
    check(unet(), structures={"disc": 0, "cup": 1})
    with pytest.raises(ValueError, match=r"channels are below 2, found \{'disc': 0, 'cup': 9\}; mend structures"):
        check(unet(), structures={"disc": 0, "cup": 9})
