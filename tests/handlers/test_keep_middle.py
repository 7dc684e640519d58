import torch
from ignite.engine import Engine
from torch import nn

from monai_sfda.handlers import KeepMiddle


def run(folder, epochs):
    """An engine whose network holds the number of its steps, two in each epoch."""
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    engine = Engine(lambda *_: network.weight.data.add_(1))
    KeepMiddle(network, folder=folder).attach(engine)
    engine.run([0, 1], max_epochs=epochs)
    return network


def test_the_weights_of_half_of_the_epochs_are_kept_and_the_run_goes_on(tmp_path):
    network = run(tmp_path / "epochs", 5)
    assert [path.name for path in (tmp_path / "epochs").iterdir()] == ["2.pt"]
    assert torch.load(tmp_path / "epochs" / "2.pt", weights_only=True)["weight"].item() == 4
    assert network.weight.item() == 10


def test_nothing_is_kept_of_a_run_of_one_epoch(tmp_path):
    run(tmp_path / "epochs", 1)
    assert not (tmp_path / "epochs").exists()
