from collections import Counter
from itertools import chain

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from monai_sfda.data import EpochBatches


def flat(batches):
    return list(chain.from_iterable(batches))


def batches(count, size, epoch=0, **kwargs):
    sampler = EpochBatches(range(count), size, **kwargs)
    sampler.set_epoch(epoch)
    return list(sampler)


@pytest.mark.parametrize("count", range(2, 30))
@pytest.mark.parametrize("size", [2, 3, 8])
def test_every_image_is_seen_once_and_no_batch_is_of_one(count, size):
    sampler = EpochBatches(range(count), size)
    found = list(sampler)
    assert sorted(flat(found)) == list(range(count))
    assert len(found) == len(sampler)
    assert all(len(batch) == size for batch in found[:-1])
    assert 2 <= len(found[-1]) <= size + 1


def test_a_lone_last_image_joins_the_batch_before_it():
    assert [len(batch) for batch in batches(9, 4)] == [4, 5]
    assert [len(batch) for batch in batches(10, 4)] == [4, 4, 2]
    assert [len(batch) for batch in batches(3, 2)] == [3]


def test_the_order_depends_on_seed_and_epoch_only():
    sampler = EpochBatches(range(50), 8, seed=3)
    sampler.set_epoch(4)
    first = list(sampler)
    torch.manual_seed(99)
    assert list(sampler) == first
    assert batches(50, 8, epoch=4, seed=3) == first
    assert batches(50, 8, epoch=5, seed=3) != first
    assert batches(50, 8, epoch=3, seed=4) != first


def test_without_shuffling_every_epoch_has_the_same_batches_in_the_order_of_the_data():
    assert batches(7, 3, shuffle=False) == [[0, 1, 2], [3, 4, 5, 6]]
    assert batches(7, 3, epoch=5, seed=2, shuffle=False) == batches(7, 3, shuffle=False)


def test_without_shuffling_each_process_has_its_part_of_the_data(become):
    for rank, expected in enumerate([[[0, 1], [2, 3]], [[4, 5], [6, 7]]]):
        become(rank, 2)
        assert batches(8, 2, shuffle=False) == expected


@pytest.mark.parametrize("world", [2, 3, 4])
@pytest.mark.parametrize("count", [2, 3, 5, 8, 17, 24])
def test_processes_share_an_epoch_evenly(become, count, world):
    shares = []
    for rank in range(world):
        become(rank, world)
        shares.append(batches(count, 4))
    assert len({tuple(map(len, share)) for share in shares}) == 1
    assert min(len(batch) for share in shares for batch in share) >= 2
    seen = Counter(index for share in shares for batch in share for index in batch)
    assert set(seen) == set(range(count))
    # No more repeats than it takes to fill the shares, and never twice in one share.
    assert seen.total() == max(2 * world, -(-count // world) * world)
    assert all(len(set(flat(share))) == len(flat(share)) for share in shares)


def test_a_data_loader_takes_it():
    data = TensorDataset(torch.arange(7))
    loader = DataLoader(data, batch_sampler=EpochBatches(data, 3))
    assert len(loader) == 2
    assert sorted(torch.cat([batch for (batch,) in loader]).tolist()) == list(range(7))


def test_one_image_or_batches_of_one_are_refused():
    with pytest.raises(ValueError, match="Expected at least 2 images to adapt to, found 1; add images"):
        EpochBatches([0], 8)
    with pytest.raises(ValueError, match="Expected a batch size of at least 2, found 1"):
        EpochBatches(range(5), 1)
