import pytest
import torch
from conftest import tiny_network
from torch import nn

from monai_sfda.networks import start_of, warm_started


def changed(network):
    for parameter in network.parameters():
        parameter.data.add_(1)
    return network


def equal(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_a_checkpoint_fills_the_network_and_what_stands_beside_it(tmp_path):
    learnt, discriminator = changed(tiny_network()), nn.Linear(2, 1)
    state = {"network": learnt.state_dict(), "adversary_main": discriminator.state_dict(), "progress": {"epoch": 3}}
    torch.save(state, tmp_path / "latest.pt")
    other, new, head = tiny_network(), nn.Linear(2, 1), nn.Linear(1, 1)
    before = head.weight.clone()
    assert warm_started(other, tmp_path / "latest.pt", beside={"adversary_main": new, "auxiliary": head}) is other
    assert equal(other, learnt)
    assert equal(new, discriminator)
    assert torch.equal(head.weight, before)
    assert start_of(tmp_path / "latest.pt").startswith("checkpoint ")


def test_a_file_of_weights_fills_the_network_alone(tmp_path):
    torch.save(changed(tiny_network()).state_dict(), tmp_path / "model.pt")
    assert equal(warm_started(tiny_network(), tmp_path / "model.pt", beside={}), changed(tiny_network()))


def test_nothing_and_what_does_not_fit(tmp_path):
    assert equal(warm_started(tiny_network(), None, beside={}), tiny_network())
    assert start_of(None) == "source network"
    with pytest.raises(FileNotFoundError, match=r"Expected the checkpoint of a run at .*latest\.pt, found none"):
        warm_started(tiny_network(), tmp_path / "latest.pt", beside={})
    torch.save({"network": nn.Linear(1, 1).state_dict(), "progress": {}}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"in network of .*other\.pt, found 2"):
        warm_started(tiny_network(), tmp_path / "other.pt", beside={})
