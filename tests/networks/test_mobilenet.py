"""MobileNetV2Encoder: strides, sizes, and ImageNet weights from a local file."""

import pytest
import torch

from monai_sfda.networks import MobileNetV2Encoder, load_imagenet


def imagenet_file(path, encoder):
    """A file with the keys of torchvision's mobilenet_v2."""
    weights = {key: weight + 1 for key, weight in encoder.state_dict().items()}
    weights |= {"features.18.0.weight": torch.zeros(1280, 320, 1, 1), "features.18.1.bias": torch.zeros(1280)}
    weights |= {"classifier.1.weight": torch.zeros(1000, 1280), "classifier.1.bias": torch.zeros(1000)}
    torch.save(weights, path)
    return path


@pytest.mark.parametrize(
    ("size", "low", "high"),
    [((64, 64), (16, 16), (4, 4)), ((100, 132), (25, 33), (7, 9)), ((32, 33), (8, 9), (2, 3))],
)
def test_feature_maps_have_stride_4_and_16_rounded_up(size, low, high):
    low_level, high_level = MobileNetV2Encoder()(torch.rand(2, 3, *size))
    assert low_level.shape == (2, 24, *low)
    assert high_level.shape == (2, 320, *high)


def test_it_has_the_parameters_of_mobilenet_without_its_head():
    # torchvision's mobilenet_v2: 3,504,872; its classifier 1,281,000; its last convolution and norm 412,160.
    assert sum(p.numel() for p in MobileNetV2Encoder().parameters()) == 3_504_872 - 1_281_000 - 412_160


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("features.0.0.weight", (32, 3, 3, 3)),
        ("features.0.1.running_var", (32,)),
        ("features.1.conv.0.0.weight", (32, 1, 3, 3)),
        ("features.1.conv.1.weight", (16, 32, 1, 1)),
        ("features.1.conv.2.bias", (16,)),
        ("features.2.conv.0.0.weight", (96, 16, 1, 1)),
        ("features.2.conv.1.0.weight", (96, 1, 3, 3)),
        ("features.17.conv.2.weight", (320, 960, 1, 1)),
        ("features.17.conv.3.running_mean", (320,)),
    ],
)
def test_keys_are_those_of_torchvision(key, shape):
    assert MobileNetV2Encoder().state_dict()[key].shape == shape


def test_first_convolution_follows_the_input_channels():
    assert MobileNetV2Encoder(1)(torch.rand(1, 1, 32, 32).expand(2, -1, -1, -1))[1].shape == (2, 320, 2, 2)


def test_imagenet_weights_arrive_and_the_classifier_is_left_out(tmp_path):
    source, target = MobileNetV2Encoder(), MobileNetV2Encoder()
    load_imagenet(target, imagenet_file(tmp_path / "mobilenet_v2.pth", source))
    for key, weight in target.state_dict().items():
        torch.testing.assert_close(weight, source.state_dict()[key] + 1, rtol=0, atol=0)


def test_imagenet_weights_of_another_network_are_refused(tmp_path):
    torch.save({"layer1.0.conv1.weight": torch.zeros(64, 64, 1, 1)}, tmp_path / "resnet.pth")
    with pytest.raises(
        ValueError, match=r"missing .*features\.0\.0\.weight.*1 unexpected \(layer1\.0\.conv1\.weight\)"
    ):
        load_imagenet(MobileNetV2Encoder(), tmp_path / "resnet.pth")


def test_imagenet_weights_of_three_channels_do_not_fit_one_channel(tmp_path):
    path = imagenet_file(tmp_path / "mobilenet_v2.pth", MobileNetV2Encoder())
    with pytest.raises(ValueError, match=r"features\.0\.0\.weight \(32, 3, 3, 3\) in the file, \(32, 1, 3, 3\)"):
        load_imagenet(MobileNetV2Encoder(1), path)


def test_padding_precedes_the_expansion():
    # A block whose 1x1 expansion gives 2 everywhere through its norm's bias, and whose 3x3 takes the mean: 9 taps of 2
    # also at the corner, where padding the input of the 3x3 itself would leave 4 taps.
    block = MobileNetV2Encoder().features[2].eval()
    (_, expand_norm, _), (depthwise, _, _), project, _ = block.conv
    with torch.no_grad():
        expand_norm.weight.zero_()
        expand_norm.bias.fill_(2.0)
        depthwise.weight.fill_(1 / 9)
        project.weight.zero_()[0, 0] = 1.0
        corner = block(torch.rand(1, 16, 8, 8))[0, 0, 0, 0]
    # 2, divided twice by sqrt(1 + 1e-5), the norms' own eps.
    assert corner.item() == pytest.approx(2.0, rel=2e-5)
