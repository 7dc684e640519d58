from copy import deepcopy

import pytest
import torch

from monai_sfda.inferers import FastInferer, fast
from monai_sfda.networks.fast import FusedConv2d


def test_logits_are_float32_and_near_the_exact_ones():
    torch.manual_seed(0)
    network, image = torch.nn.Conv2d(3, 4, 3, padding=1), torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        exact, fast = network(image), FastInferer("bfloat16")(image, network)
    assert fast.dtype == torch.float32
    # bfloat16 has 8 significant bits: relative error 2**-8 per operand, sums of 27 terms of size up to 1.
    torch.testing.assert_close(fast, exact, atol=0.05, rtol=0.05)


def test_float32_is_exact_and_3d_images_pass():
    network, image = torch.nn.Conv3d(1, 2, 1), torch.randn(1, 1, 4, 4, 4)
    assert torch.equal(FastInferer("float32")(image, network), network(image))


def test_parts_of_a_batch_give_the_logits_of_the_whole_in_order(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    sizes = []

    def network(images):
        sizes.append(len(images))
        return 2 * images

    images = torch.arange(5.0).view(5, 1, 1, 1)
    with torch.no_grad():
        assert torch.equal(FastInferer("float32", split_batch=True)(images, network), 2 * images)
    assert sorted(sizes) == [2, 3]


def test_a_batch_stays_whole_where_gradients_are_wanted(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    network, images = torch.nn.Conv2d(1, 1, 1), torch.randn(4, 1, 2, 2)
    FastInferer("float32", split_batch=True)(images, network).sum().backward()
    assert network.weight.grad is not None


@pytest.fixture
def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU()).eval()


def fused_calls(monkeypatch):
    """Records what the fused convolution is asked for."""
    calls, forward = [], FusedConv2d.forward
    monkeypatch.setattr(FusedConv2d, "forward", lambda self, x: (calls.append(len(x)), forward(self, x))[1])
    return calls


def test_a_fused_network_is_made_once_and_again_for_other_weights(network, monkeypatch):
    inferer, images, copies = FastInferer("float32", fused=True), torch.randn(2, 3, 8, 8), []
    fuse = fast.fuse_for_inference
    monkeypatch.setattr(fast, "fuse_for_inference", lambda *args, **kwargs: copies.append(1) or fuse(*args, **kwargs))
    calls = fused_calls(monkeypatch)
    with torch.no_grad():
        for _ in range(2):
            torch.testing.assert_close(inferer(images, network), network(images))
        assert len(copies) == 1
        assert calls[-1] == 2
        network[1].running_mean += 1  # as a handler or another training step may do
        torch.testing.assert_close(inferer(images, network), network(images))
        network.load_state_dict({key: 2 * value for key, value in network.state_dict().items()})
        torch.testing.assert_close(inferer(images, network), network(images))
        assert len(copies) == 3
        network.train()
        expected = deepcopy(network)(images)
        torch.testing.assert_close(inferer(images, network), expected)


def test_another_network_with_the_same_weights_is_fused_by_itself(network):
    inferer, images = FastInferer("float32", fused=True), torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        for other in (network, torch.nn.Sequential(*network, torch.nn.Sigmoid()).eval()):
            torch.testing.assert_close(inferer(images, other), other(images))


def test_layers_are_not_fused_where_gradients_are_wanted(network, monkeypatch):
    calls = fused_calls(monkeypatch)
    FastInferer("float32", fused=True)(torch.randn(1, 3, 8, 8), network).sum().backward()
    assert network[0].weight.grad is not None
    assert not calls
