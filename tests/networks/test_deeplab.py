"""DeepLabV3Plus: shapes, named features, precision, memory layout, TorchScript."""

import pytest
import torch
from torch import nn

from monai_sfda.networks import DeepLabV3Plus, FeatureTap, frozen_stats

torch.set_num_threads(1)


@pytest.fixture(params=["plain", "boundary"])
def network(request):
    torch.manual_seed(0)
    return DeepLabV3Plus(decoder=request.param).eval()


def image(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (100, 132)])
def test_logits_have_the_size_of_the_image(network, size):
    with torch.no_grad():
        assert network(image(1, 3, *size)).shape == (1, 2, *size)


def test_channels_follow_the_arguments():
    network = DeepLabV3Plus(in_channels=1, out_channels=5).eval()
    with torch.no_grad():
        assert network(image(1, 1, 64, 64)).shape == (1, 5, 64, 64)


@pytest.mark.parametrize(("decoder", "count"), [("plain", 5_811_170), ("boundary", 5_812_135)])
def test_parameters_are_as_many_as_released(decoder, count):
    assert sum(p.numel() for p in DeepLabV3Plus(decoder=decoder).parameters()) == count


@pytest.mark.parametrize(("decoder", "channels"), [("plain", 256), ("boundary", 305)])
def test_the_feature_has_stride_4_under_a_stable_name(decoder, channels):
    network = DeepLabV3Plus(decoder=decoder).eval()
    with FeatureTap(network, "decoder.feature") as tap:
        network(image(1, 3, 100, 132))
        assert tap.output.shape == (1, channels, 25, 33)


def test_the_boundary_is_the_last_channel_of_its_feature():
    network = DeepLabV3Plus(decoder="boundary").eval()
    with FeatureTap(network, "decoder.boundary") as boundary, FeatureTap(network, "decoder.feature") as feature:
        network(image(1, 3, 64, 64))
        assert torch.equal(feature.output[:, -1:], boundary.output)


def test_the_tapped_feature_is_what_the_head_reads(network):
    with torch.no_grad(), FeatureTap(network, "decoder.feature") as tap:
        logits = network(image(1, 3, 64, 64))
        head = network.decoder.head(tap.output)
    upsampled = nn.functional.interpolate(head, size=(64, 64), mode="bilinear", align_corners=True)
    assert torch.equal(logits, upsampled)


def test_evaluation_is_deterministic_and_training_is_not(network):
    x = image(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(x), network(x))
        network.train()
        assert not torch.equal(network(x), network(x))


def test_training_without_dropout_is_deterministic():
    network = DeepLabV3Plus(dropout=(0.0, 0.0, 0.0)).train()
    x = image(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(x), network(x))


def test_evaluation_does_not_depend_on_the_batch(network):
    x = image(3, 3, 64, 64)
    with torch.no_grad():
        one_by_one = torch.cat([network(part) for part in x.split(1)])
        # Other batch sizes take other kernels, which add up in another order: float32 noise only.
        torch.testing.assert_close(network(x), one_by_one, rtol=1e-4, atol=1e-4)


def test_channels_last_gives_the_same_logits(network):
    x = image(2, 3, 100, 132)
    with torch.no_grad():
        plain = network(x)
        last = network.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
    # Another order of summation in the convolutions: float32 noise only.
    torch.testing.assert_close(last, plain, rtol=1e-4, atol=1e-4)


def test_bf16_autocast_stays_near_float32(network):
    x = image(2, 3, 64, 64)
    with torch.no_grad():
        exact = network(x)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = network(x)
    # Each of about 60 layers rounds to 8 bits (up to 0.4 %): at most a quarter if all errors added up.
    assert (rounded.float() - exact).norm() < 0.25 * exact.norm()


def test_autocast_keeps_the_decoder_in_bf16(network):
    with torch.autocast("cpu", torch.bfloat16), FeatureTap(network, "decoder.feature") as tap:
        network(image(1, 3, 64, 64))
        assert tap.output.dtype == torch.bfloat16


def test_script_equals_eager(network):
    x = image(1, 3, 100, 132)
    with torch.no_grad():
        # The same kernels in the same order, but for fused element-wise ones.
        torch.testing.assert_close(torch.jit.script(network)(x), network(x), rtol=1e-5, atol=1e-5)


def test_every_parameter_learns(network):
    network.train()(image(2, 3, 64, 64)).square().mean().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


def test_one_image_with_batch_statistics_is_refused_with_a_remedy(network):
    with pytest.raises(ValueError, match=r"Expected at least 2 images .* found 1; raise the batch size"):
        network.train()(image(1, 3, 64, 64))


def test_one_image_with_frozen_statistics_is_fine(network):
    frozen_stats(network)
    assert network(image(1, 3, 64, 64)).shape == (1, 2, 64, 64)


def test_an_unknown_decoder_is_refused():
    with pytest.raises(ValueError, match=r"Expected decoder to be one of \['plain', 'boundary'\], found 'fancy'"):
        DeepLabV3Plus(decoder="fancy")


def test_imagenet_weights_reach_the_encoder(tmp_path):
    source = DeepLabV3Plus()
    torch.save(source.encoder.state_dict(), tmp_path / "imagenet.pth")
    target = DeepLabV3Plus(imagenet_weights=tmp_path / "imagenet.pth")
    assert torch.equal(target.encoder.features[0][0].weight, source.encoder.features[0][0].weight)
    assert not torch.equal(target.aspp.project[0].weight, source.aspp.project[0].weight)
