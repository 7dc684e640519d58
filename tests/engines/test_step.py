import pytest
import torch
from conftest import tiny_network
from ignite.engine import State
from monai.engines.utils import IterationEvents

from monai_sfda.engines.step import minimise, to_device


def step():
    maps = torch.ones(2, 3, 4, 4)
    return {"image": maps, "case": ["a", "b"], "weak": maps, "strong": maps, "pred": torch.ones(2, 2, 4, 4)}


def test_pictures_move_in_the_layout_that_networks_want_and_volumes_as_they_are():
    pictures, volumes = torch.rand(2, 3, 4, 5), torch.rand(2, 1, 4, 5, 6)
    assert to_device(pictures, "cpu").is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(to_device(pictures, "cpu"), pictures)
    assert to_device(volumes, "cpu").is_contiguous()


def test_a_step_is_zero_backward_step_with_the_events_of_monai():
    layer, fired = torch.nn.Linear(1, 1, bias=False), []
    layer.weight.data.fill_(2.0)
    layer.weight.grad = torch.full_like(layer.weight, 100.0)  # of a step before
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)

    def fire(event):
        fired.append((event, layer.weight.item()))

    loss = layer(torch.ones(1, 1)).square().sum()  # 4, with the gradient 4
    assert minimise(loss, network=layer, optimizer=optimizer, step=step(), state=State(), fire=fire) == 4.0
    assert [event for event, _ in fired] == [IterationEvents.BACKWARD_COMPLETED, IterationEvents.MODEL_COMPLETED]
    assert [weight for _, weight in fired] == pytest.approx([2.0, 1.6])


def test_what_is_not_finite_changes_nothing_and_its_stream_is_named():
    network = tiny_network()
    before = [parameter.clone() for parameter in network.parameters()]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    streams = {"source": step(), "target": step()}
    streams["target"]["image"] = streams["target"]["image"].clone().index_fill_(0, torch.tensor([1]), float("nan"))
    loss = network(torch.ones(2, 3, 4, 4)).sum() * float("nan")
    with pytest.raises(FloatingPointError, match="found nan first in the target image of b "):
        minimise(loss, network=network, optimizer=optimizer, step=streams, state=State(epoch=1, iteration=1))
    assert all(torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True))
