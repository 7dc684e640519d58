from types import SimpleNamespace

import pytest
import torch

from monai_sfda.data import EpochBatches
from monai_sfda.handlers import EpochSeed


def draw(seed, epoch, batches=None):
    loader = SimpleNamespace(batch_sampler=batches)
    EpochSeed(seed)(SimpleNamespace(state=SimpleNamespace(epoch=epoch), data_loader=loader))
    return torch.rand(4).tolist()


def test_draws_depend_on_seed_and_epoch_only():
    first = draw(0, 3)
    torch.rand(100)
    assert draw(0, 3) == first
    assert draw(0, 4) != first
    assert draw(1, 3) != first


def test_neighbouring_seeds_share_no_epoch():
    assert draw(0, 2) != draw(1, 1)


def test_order_of_images_follows_the_epoch():
    batches = EpochBatches(range(20), batch_size=4)
    orders = []
    for epoch in (1, 2, 1):
        draw(0, epoch, batches)
        orders.append(list(batches))
    assert orders[0] == orders[2] != orders[1]


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="found -1"):
        EpochSeed(-1)
