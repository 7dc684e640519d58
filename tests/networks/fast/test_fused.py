"""Fused copies: the same logits in every dtype, and a network that cannot be fused is left as it is."""

from copy import deepcopy
from typing import ClassVar

import pytest
import torch
from bundle_support import BUNDLES, recipe_id
from monai.bundle import ConfigParser
from monai.networks.nets import BasicUNet, SegResNet, UNet
from torch import nn
from torch.nn import functional as F

from monai_sfda.networks import DeepLabV3Plus, norm_layers
from monai_sfda.networks.fast import FusedConv2d, fuse_for_inference
from monai_sfda.networks.fast.fused import activation_of
from monai_sfda.organs.fundus.simulated import write_clinic
from monai_sfda.precision import onednn_convolves

SIZE = [48, 64]
IMAGE = torch.rand(1, 3, *SIZE) * 2 - 1


def trained(network):
    """Statistics, scales and offsets that are not those of a new layer."""
    torch.manual_seed(0)
    network.train()
    with torch.no_grad():
        for layer in norm_layers(network):
            layer.weight.uniform_(0.5, 1.5)
            layer.bias.uniform_(-0.5, 0.5)
        for _ in range(3):
            network(torch.randn(4, 3, *SIZE))
    return network


def convolutions(network):
    return [module for module in network.modules() if type(module) is FusedConv2d]


@pytest.mark.parametrize(
    ("network", "norms_left"),
    [
        (lambda: DeepLabV3Plus(3, 2), 1),
        (lambda: DeepLabV3Plus(3, 2, decoder="boundary"), 2),
        (lambda: BasicUNet(2, 3, 2, features=(4, 4, 8, 8, 8, 4), norm="batch", dropout=0.1), 0),
        (lambda: UNet(2, 3, 2, (4, 8, 8), (2, 2), norm="batch", num_res_units=2), 2),
        (lambda: SegResNet(spatial_dims=2, init_filters=4, in_channels=3, out_channels=2, norm="batch"), None),
    ],
)
def test_a_fused_copy_gives_the_same_logits(network, norms_left):
    network = trained(network())
    before = {key: value.clone() for key, value in network.state_dict().items()}
    fused = fuse_for_inference(network.eval(), image=IMAGE)
    assert fused is not network
    assert convolutions(fused)
    if norms_left is not None:
        assert len(norm_layers(fused)) == norms_left
    images = torch.randn(3, 3, *SIZE).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        exact, found = network(images), fused(images)
    # float32 rounds each of some 60 layers to 6e-8 of its values.
    torch.testing.assert_close(found, exact, rtol=0, atol=1e-4 * float(exact.abs().max()))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(parameter.requires_grad for parameter in network.parameters())


@pytest.fixture(params=["this processor", "a processor with AVX2 alone"])
def processor(request, monkeypatch):
    if "AVX2" in request.param:
        monkeypatch.setattr("monai_sfda.networks.fast.fused.onednn_convolves", lambda dtype: dtype == torch.float32)


@pytest.mark.usefixtures("processor")
def test_in_bfloat16_it_errs_as_much_as_the_layers_do():
    network = trained(DeepLabV3Plus(3, 2))
    fused, images = fuse_for_inference(network.eval(), image=IMAGE), torch.randn(2, 3, *SIZE)
    with torch.no_grad():
        exact = network(images)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded, found = network(images), fused(images)
    assert found.dtype == rounded.dtype == torch.bfloat16
    error, usual = ((value.float() - exact).abs().mean() for value in (found, rounded))
    # It rounds less often, but other weights; with these, 1.5 times as much, with the shipped ones 0.8 times.
    assert error < 2 * usual


ACTIVATIONS = [nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.3), nn.PReLU(), None]
OPTIONS = [{"padding": 1, "bias": False}, {"stride": 2, "groups": 4}, {"dilation": 2}]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("options", OPTIONS)
def test_one_call_does_what_the_layers_do(activation, options):
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 8, 3, **options)
    nn.init.normal_(conv.weight, std=2)  # so that ReLU6 has something to cut off
    x = torch.randn(2, 4, 9, 11)
    with torch.no_grad():
        expected = conv(x) if activation is None else activation(conv(x))
        torch.testing.assert_close(FusedConv2d(conv, activation)(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("options", OPTIONS)
def test_any_processor_rounds_to_bfloat16_and_differs_by_that_alone(activation, options):
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 8, 3, **options)
    layer, x = FusedConv2d(conv, activation), torch.randn(2, 4, 9, 11)
    with torch.no_grad():
        expected = conv(x) if activation is None else activation(conv(x))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = layer(x), layer(x)
    assert found[0].dtype == torch.bfloat16
    assert torch.equal(*found)
    torch.testing.assert_close(found[0].float(), expected, rtol=0.02, atol=0.02)  # 8 significant bits


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_where_the_processor_can_it_is_one_call(dtype, monkeypatch):
    if not onednn_convolves(dtype):
        pytest.skip(f"needs a processor on which oneDNN convolves in {dtype}")
    monkeypatch.delattr(F, "conv2d")
    assert FusedConv2d(nn.Conv2d(3, 2, 1), nn.ReLU())(IMAGE.to(dtype)).dtype == dtype


def test_in_a_dtype_that_onednn_does_not_know_it_computes_all_the_same():
    conv = nn.Conv2d(3, 2, 1).double()
    with torch.no_grad():
        torch.testing.assert_close(FusedConv2d(conv)(IMAGE.double()), conv(IMAGE.double()))


@pytest.mark.parametrize("module", [nn.PReLU(4), nn.Sigmoid(), nn.BatchNorm2d(2), None])
def test_other_modules_are_no_activations_that_can_be_fused(module):
    assert activation_of(module) is None


def test_an_activation_that_is_not_known_stays_behind_its_convolution():
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Sigmoid(), nn.Conv2d(2, 1, 3, padding="same"))
    fused = fuse_for_inference(network.eval(), image=IMAGE)
    assert [type(layer).__name__ for layer in fused] == ["FusedConv2d", "Identity", "Sigmoid", "Conv2d"]


def test_dropout_does_not_part_a_convolution_from_its_activation():
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Dropout2d(0.5), nn.BatchNorm2d(2), nn.ReLU())
    fused = fuse_for_inference(network.eval(), image=IMAGE)
    assert fused[0].activation == ("relu", [])
    assert not norm_layers(fused)


def test_a_convolution_that_mirrors_its_input_keeps_its_own_call():
    network = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1, padding_mode="reflect"), nn.BatchNorm2d(2), nn.ReLU())
    fused = fuse_for_inference(network.eval(), image=IMAGE)
    assert [type(layer).__name__ for layer in fused] == ["Conv2d", "Identity", "ReLU"]


class Steered(nn.Module):
    """Uses the layers of a ``Sequential`` one by one, and what lies between them."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.ReLU())

    def forward(self, x):
        before = self.layers[0](x)
        return before + self.layers[2](self.layers[1](before))


class Doubled(nn.Conv2d):
    def forward(self, x):
        return 2 * super().forward(x)


class Shared(nn.Module):
    """One convolution, two norms: batch norm of one domain and of another."""

    def __init__(self):
        super().__init__()
        conv = nn.Conv2d(3, 2, 1)
        self.first, self.second = (nn.Sequential(conv, nn.BatchNorm2d(2)) for _ in range(2))
        self.second[1].bias.data += 1

    def forward(self, x):
        return self.first(x) - 2 * self.second(x)


@pytest.mark.parametrize("network", [Steered, Shared, lambda: nn.Sequential(Doubled(3, 2, 1), nn.BatchNorm2d(2))])
def test_layers_used_in_another_way_keep_their_meaning(network):
    network = network().eval()
    for layer in norm_layers(network):
        layer.running_mean += 0.5
    fused, images = fuse_for_inference(network, image=IMAGE), torch.randn(1, 3, *SIZE)
    with torch.no_grad():
        torch.testing.assert_close(fused(images), network(images))


def test_a_network_that_differs_when_fused_is_returned_itself(caplog):
    caplog.set_level("INFO")
    network = Steered().eval()
    network.layers[1].running_mean += 0.5
    assert fuse_for_inference(network, image=IMAGE) is network
    assert "Steered predicts layer by layer: it gives other logits when fused." in caplog.text


def test_a_network_that_fails_is_returned_itself():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)).eval()  # for one channel, not three
    assert fuse_for_inference(network, image=IMAGE) is network


def test_without_the_operators_batch_norm_is_folded_all_the_same(monkeypatch):
    monkeypatch.setattr("monai_sfda.networks.fast.fused.onednn_convolves", lambda dtype: False)
    fused = fuse_for_inference(trained(DeepLabV3Plus(3, 2)).eval(), image=IMAGE)
    assert len(norm_layers(fused)) == 1
    assert not convolutions(fused)


def test_on_another_device_the_network_stays_as_it_is():
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2)).eval().to("meta")
    assert fuse_for_inference(network, image=IMAGE.to("meta")) is network


def test_a_network_that_learns_stays_as_it_is():
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))
    assert fuse_for_inference(network.train(), image=IMAGE) is network


class Faint(nn.Module):
    """As `Steered`, in a channel that is small beside the other."""

    def __init__(self):
        super().__init__()
        self.steered = Steered()

    def forward(self, x):
        y = self.steered(x)
        return torch.cat((1e4 * x[:, :1], y), 1)


class Brightness(nn.Module):
    """Uses its layers in another way in bright pictures."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))

    def forward(self, x):
        return self.layers[0](x) if x.mean() > 0.9 else self.layers(x)


class Standardised(nn.Module):
    """Not a number in a uniform picture, of which oneDNN's ReLU makes 0."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())

    def forward(self, x):
        return self.layers((x - x.mean()) / x.std())


@pytest.mark.parametrize("kind", [Faint, Brightness, Standardised])
def test_differences_that_noise_does_not_show_are_found(kind):
    network = kind().eval()
    for layer in norm_layers(network):
        layer.running_mean += 0.5
    assert fuse_for_inference(network, image=IMAGE) is network


class Seen(nn.Sequential):
    """Keeps the sizes of what it is given, those of its copies too."""

    sizes: ClassVar[list] = []

    def forward(self, x):
        self.sizes.append(tuple(x.shape[2:]))
        return super().forward(x)


@pytest.mark.parametrize(
    ("size", "other"), [((256, 192), (128, 96)), ((128, 128), (128, 128)), ((200, 256), (200, 256))]
)
def test_the_image_is_tried_whole_and_the_other_pictures_at_half_a_large_size(size, other, monkeypatch):
    monkeypatch.setattr(Seen, "sizes", [])
    fuse_for_inference(Seen(nn.Conv2d(3, 2, 1), nn.ReLU()).eval(), image=torch.rand(1, 3, *size))
    assert Seen.sizes == [size] * 2 + [other] * 7


def test_a_fused_network_can_be_copied_and_refuses_gradients():
    fused = fuse_for_inference(nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU()).eval(), image=IMAGE)
    with torch.no_grad():
        assert torch.equal(deepcopy(fused)(IMAGE), fused(IMAGE))
    with pytest.raises(RuntimeError, match="use the network that was fused"):
        fused(IMAGE.clone().requires_grad_())


@pytest.mark.parametrize("bundle", BUNDLES, ids=recipe_id)
def test_the_shipped_bundles_predict_with_it(bundle):
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    assert parser.get_parsed_content("inferer").fused


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return write_clinic(tmp_path_factory.mktemp("clinic"), camera="source", count=4, size=256) / "image"


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("bundle", BUNDLES, ids=recipe_id)
def test_the_shipped_networks_mark_the_same_pixels(bundle, photographs):
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    parser.update({"bundle_root": str(bundle), "dataset_dir": str(photographs), "device": "cpu"})
    images = torch.stack([item["image"].as_tensor() for item in parser.get_parsed_content("dataset")])
    plain = parser.get_parsed_content("network").eval()
    fused = fuse_for_inference(plain, image=images[:1])
    assert convolutions(fused)
    with torch.no_grad():
        exact = plain(images) > 0
        assert exact.any()
        # A pixel on the border may be rounded to the other side.
        assert ((fused(images) > 0) != exact).float().mean() < 1e-4
        with torch.autocast("cpu", dtype=torch.bfloat16):
            # Layer by layer, bfloat16 moves about 0.1 % of the pixels.
            assert ((fused(images) > 0) != exact).float().mean() < 3e-3
