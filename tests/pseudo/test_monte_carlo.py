from copy import deepcopy

import pytest
import torch
from torch import nn

from monai_sfda.pseudo import MonteCarlo


class Script(nn.Module):
    """Gives one number after another as the logit of every pixel; its layer gives the number itself."""

    def __init__(self, logits):
        super().__init__()
        self.logits, self.calls, self.layer = logits, 0, nn.Identity()

    def forward(self, image):
        logit = self.logits[self.calls % len(self.logits)]
        self.calls += 1
        return self.layer(torch.full((len(image), 1, *image.shape[2:]), logit))


def observe(logits, **kwargs):
    return MonteCarlo(Script(logits), passes=len(logits), **kwargs)(torch.zeros(2, 3, 4, 4), ["a", "b"])


# Hand-worked figures have six decimals.
@pytest.mark.parametrize(
    ("logits", "temperature", "spread"),
    [([2, 2.2, 2.4], 2, 0.018735), ([2, 2.2, 2.4], 1, 0.018034), ([0, 2, -2], 2, 0.231059)],
)
def test_spread_is_the_unbiased_deviation_of_cooled_probabilities(logits, temperature, spread):
    found = observe(logits, temperature=temperature).spread
    assert found.shape == (2, 1, 4, 4)
    assert found.flatten().tolist() == pytest.approx([spread] * 32, abs=1e-6)


def test_probabilities_are_averaged_at_temperature_one():
    assert float(observe([2, 2.2, 2.4], temperature=5).probs[0, 0, 0, 0]) == pytest.approx(0.899291, abs=1e-6)


def test_features_are_the_mean_of_the_layer_and_absent_without_one():
    features = observe([1, 2, 6], layer="layer").features
    # Mean of three numbers in float32.
    assert features.flatten().tolist() == pytest.approx([3.0] * 32, abs=1e-6)
    assert observe([1, 2, 6]).features is None


def test_the_network_stays_as_it_is_to_the_bit(network, images):
    network.eval()
    before = deepcopy(network.state_dict())
    batch = torch.stack([image["image"] for image in images]).float() / 255
    evidence = MonteCarlo(network, layer="2")(batch, [image["case"] for image in images])
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert not network.training
    assert not evidence.features.requires_grad
    assert evidence.features.shape == (5, 8, 16, 16)
    assert (evidence.spread > 0).any()


def test_batch_statistics_are_the_batch_s_own_and_do_not_drift(network):
    network[3].p = 1e-3
    observer = MonteCarlo(network, passes=4)
    batch = torch.rand(4, 3, 16, 16)
    torch.manual_seed(0)
    first = observer(batch, "abcd").probs
    observer(torch.rand(4, 3, 16, 16) * 9, "efgh")
    torch.manual_seed(0)
    assert torch.equal(observer(batch, "abcd").probs, first)


def test_softmax_probabilities_sum_to_one(network):
    probs = MonteCarlo(network, passes=2, head="softmax")(torch.rand(2, 3, 8, 8), "ab").probs
    # Rounding of float32.
    torch.testing.assert_close(probs.sum(1), torch.ones(2, 8, 8), atol=1e-6, rtol=0)


def test_the_mode_decides_what_is_random(network):
    with pytest.raises(ValueError, match="found 10 equal ones; give it dropout"):
        MonteCarlo(network, mode=nn.Module.eval)(torch.rand(2, 3, 8, 8), "ab")


def test_a_network_without_dropout_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match="Expected passes of Script that differ, found 3 equal ones; give it dropout"):
        observe([1, 1, 1])


def test_arguments_are_checked(network):
    with pytest.raises(ValueError, match="at least 2 passes for a standard deviation, found 1"):
        MonteCarlo(network, passes=1)
    with pytest.raises(ValueError, match="temperature > 0, found 0"):
        MonteCarlo(network, temperature=0)
    with pytest.raises(ValueError, match="name of a layer of Sequential, found 'nothing'"):
        MonteCarlo(network, layer="nothing")
