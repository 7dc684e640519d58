"""The denoising inferer on a tiny network: what changes, what does not, and which prediction is returned."""

import pytest
import torch
from torch import nn

from monai_sfda.inferers import DenoisingInferer
from monai_sfda.networks import Normaliser


class Counted(nn.Module):
    """A denoiser that sharpens, and counts its calls."""

    def __init__(self):
        super().__init__()
        self.calls = 0
        self.register_buffer("steepness", torch.tensor(4.0))

    def forward(self, probs):
        self.calls += 1
        return (self.steepness * (probs - 0.4)).sigmoid()


class Scripted(DenoisingInferer):
    """Scores from a list instead of from the predictions; remembers the normaliser behind each."""

    def __init__(self, scores, **kwargs):
        super().__init__(**kwargs)
        self.scores, self.seen = iter(scores), []

    def agreement(self, probs, target):
        self.seen.append(probs)
        return next(self.scores)


def inferer(cls=DenoisingInferer, *args, **kwargs):
    settings = {"denoiser": Counted(), "normaliser": Normaliser(3, hidden=4), "precision": "float32"}
    return cls(*args, **settings | {"learning_rate": 0.01} | kwargs)


def state(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def same(before, module):
    return all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


@pytest.fixture
def batch():
    return torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("training", [False, True])
def test_only_the_normaliser_changes(network, batch, training):
    network.train(training)
    adapt = inferer(steps=6, refresh=2)
    before, denoiser, normaliser = state(network), state(adapt.denoiser), state(adapt.normaliser)
    with torch.no_grad():
        adapt(batch, network)
    assert same(before, network)
    assert same(denoiser, adapt.denoiser)
    assert not same(normaliser, adapt.normaliser)
    assert network.training is training
    assert all(parameter.grad is None for parameter in network.parameters())


def test_the_result_is_float32_logits_without_graph_that_differ_from_the_source(network, batch):
    network.eval()
    with torch.no_grad():
        source, adapted = network(batch), inferer(steps=21)(batch, network)
    assert adapted.shape == source.shape
    assert adapted.dtype == torch.float32
    assert not adapted.requires_grad
    assert not torch.allclose(source, adapted)


def test_one_step_is_the_source_network(network, batch):
    network.eval()
    # The same layout and batch size, for convolutions of others may sum in another order.
    image = batch[:1].contiguous(memory_format=torch.channels_last)
    assert torch.equal(inferer(steps=1)(image, network), network(image))


@pytest.mark.parametrize(("steps", "refresh", "calls"), [(1, 10, 1), (10, 10, 1), (11, 10, 2), (50, 10, 5), (7, 1, 7)])
def test_the_denoiser_is_asked_once_per_refresh(network, batch, steps, refresh, calls):
    adapt = inferer(steps=steps, refresh=refresh)
    adapt(batch[:1], network)
    assert adapt.denoiser.calls == calls


@pytest.mark.parametrize(("scores", "best"), [([0.3, 0.8, 0.5], 1), ([0.3, 0.5, 0.8], 2), ([0.8, 0.8, 0.8], 0)])
def test_the_prediction_with_the_best_score_is_returned(network, batch, scores, best):
    adapt = inferer(Scripted, scores, steps=5, refresh=2)
    logits = adapt(batch[:1], network)
    assert len(adapt.seen) == 3
    assert torch.equal(logits.sigmoid(), adapt.seen[best])
    assert not torch.equal(adapt.seen[0], adapt.seen[1])


def test_an_image_does_not_depend_on_those_before_it(network, batch):
    adapt = inferer(steps=9, refresh=2)
    both = adapt(batch, network)
    assert torch.equal(both[1:], inferer(steps=9, refresh=2)(batch[1:], network))
    adapt._start = adapt.normaliser.state_dict()  # aliases the present weights: nothing is reset any more
    assert not torch.equal(both[1:], adapt(batch[1:], network))


def test_it_adapts_where_gradients_are_off(network, batch):
    adapt = inferer(steps=9, refresh=2)
    expected = adapt(batch, network)
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            assert torch.equal(adapt(batch + 0, network), expected)


def test_the_target_carries_no_gradient(network, batch):
    denoiser, targets = nn.Conv2d(2, 2, 1), []

    def loss(probs, target):
        targets.append(target)
        return ((probs - target) ** 2).mean()

    inferer(denoiser=denoiser, loss=loss, steps=4, refresh=3)(batch[:1], network)
    assert len(targets) == 3
    assert not any(target.requires_grad for target in targets)
    assert denoiser.weight.grad is None
    assert targets[0] is targets[2]


def test_with_an_identity_denoiser_the_squared_error_teaches_nothing(network, batch):
    losses = []

    def squared(probs, target):
        losses.append(nn.functional.mse_loss(probs, target))
        return losses[-1]

    adapt = inferer(denoiser=nn.Identity(), loss=squared, steps=5, refresh=2)
    before = state(adapt.normaliser)
    adapt(batch[:1], network)
    assert [float(loss.detach()) for loss in losses] == [0.0] * 4
    assert same(before, adapt.normaliser)


def test_steps_raise_the_agreement_with_a_fixed_target(network, batch):
    target = torch.zeros(1, 2, 16, 16)
    target[:, :, 4:12, 4:12] = 1

    class Atlas(nn.Module):
        def forward(self, probs):
            return target

    adapt = inferer(denoiser=Atlas(), steps=30, refresh=29)
    with torch.no_grad():
        before, after = (
            adapt.agreement(x.sigmoid(), target) for x in (network.eval()(batch[:1]), adapt(batch[:1], network))
        )
    assert after > before


def test_a_callers_autocast_does_not_freeze_the_normaliser(network, batch):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        one = inferer(Scripted, [0, 1], steps=2, refresh=1)
        one(batch[:1], network)
        many = inferer(Scripted, [0, 1], steps=20, refresh=19)
        many(batch[:1], network)
    assert not torch.equal(one.seen[1], many.seen[1])


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="at least 1, found 0 and 10"):
        inferer(steps=0)
