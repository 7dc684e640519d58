from itertools import islice

import pytest
from torch.utils.data import DataLoader

from monai_sfda.data import EpochBatches, TwoStreams


def loader(count, *, seed=0, batch_size=2):
    items = list(range(count))
    return DataLoader(items, batch_sampler=EpochBatches(items, batch_size, seed=seed), collate_fn=list)


def run(streams, epochs):
    """The steps of a run, epoch after epoch."""
    steps = []
    for epoch in epochs:
        streams.set_epoch(epoch)
        steps += list(streams)
    return steps


def test_the_shorter_stream_starts_again_and_each_pass_shows_every_image_once():
    streams = TwoStreams(loader(10), loader(4), epochs=2)
    assert (len(streams), streams.epochs) == (5, 2)
    steps = run(streams, [1, 2])
    source, target = ([number for step in steps for number in step[name]] for name in ("source", "target"))
    for images, count in ((source, 10), (target, 4)):
        passes = [images[at : at + count] for at in range(0, len(images), count)]
        assert all(sorted(images) == list(range(count)) for images in passes)
        assert len({tuple(images) for images in passes}) > 1


@pytest.mark.parametrize("plain", [False, True])
def test_a_run_that_goes_on_in_a_later_epoch_sees_the_same_batches(plain):
    def streams():
        if plain:
            return TwoStreams(*(DataLoader(list(range(n)), batch_size=2, collate_fn=list) for n in (10, 6)), epochs=3)
        return TwoStreams(loader(10), loader(6), epochs=3)

    assert run(streams(), [1, 2, 3])[10:] == run(streams(), [3])


def test_without_being_told_an_epoch_it_goes_on_where_it_was():
    streams = TwoStreams(loader(10), loader(6))
    assert list(streams) + list(streams) == run(TwoStreams(loader(10), loader(6)), [1, 2])


@pytest.mark.parametrize(
    ("iterations", "length", "epochs"), [(3, 3, 1), (5, 5, 1), (6, 3, 2), (11, 4, 3), (250, 5, 50)]
)
def test_a_length_in_steps_becomes_epochs_of_equal_length(iterations, length, epochs):
    streams = TwoStreams(loader(10), loader(4), epochs=99, iterations=iterations)
    assert (len(streams), streams.epochs) == (length, epochs)


def test_a_pass_over_the_source_is_whole_whatever_was_seen_before():
    streams = TwoStreams(loader(6), loader(10))
    streams.set_epoch(2)
    list(islice(streams, 1))
    assert sorted(number for batch in streams.source_pass() for number in batch) == list(range(6))


def test_an_empty_stream_or_a_length_of_nothing_is_refused():
    empty = DataLoader([], batch_size=2)
    with pytest.raises(ValueError, match="Expected source images, found an empty data loader; correct what lists"):
        TwoStreams(empty, loader(4))
    with pytest.raises(ValueError, match="at least 1 epoch or step, found epochs 1 and iterations 0"):
        TwoStreams(loader(4), loader(4), iterations=0)
