import torch
from ignite.engine import Engine
from torch import nn

from monai_sfda.handlers import KeepEpoch


def run(path, epoch, *, start=0):
    """An engine whose network holds the number of its steps, two in each of four epochs."""
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 2 * start)
    engine = Engine(lambda *_: network.weight.data.add_(1))
    KeepEpoch(network, path=path, epoch=epoch).attach(engine)
    engine.state.epoch = start
    engine.run([0, 1], max_epochs=4)
    return network


def test_the_weights_of_one_epoch_are_kept_and_the_run_goes_on(tmp_path):
    network = run(tmp_path / "epochs" / "2.pt", 2)
    assert torch.load(tmp_path / "epochs" / "2.pt", weights_only=True)["weight"].item() == 4
    assert network.weight.item() == 8


def test_nothing_is_kept_of_a_run_of_one_epoch(tmp_path):
    run(tmp_path / "epochs" / "0.pt", 0)
    assert not (tmp_path / "epochs").exists()
