import threading

import pytest

from monai_sfda.data import PrefetchLoader


class Numbers:
    def __init__(self, bad=None):
        self.bad, self.threads = bad, set()

    def __len__(self):
        return 10

    def __getitem__(self, index):
        self.threads.add(threading.get_ident())
        if index == self.bad:
            raise OSError("disk gone")
        return index


def test_batches_are_those_of_a_plain_loader_in_order():
    assert [batch.tolist() for batch in PrefetchLoader(Numbers(), batch_size=4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_reading_happens_in_another_thread():
    numbers = Numbers()
    list(PrefetchLoader(numbers, batch_size=4))
    assert threading.get_ident() not in numbers.threads


def test_reading_stays_in_the_loop_where_it_is_not_to_run_ahead():
    numbers = Numbers()
    assert [len(batch) for batch in PrefetchLoader(numbers, batch_size=4, ahead=False)] == [4, 4, 2]
    assert numbers.threads == {threading.get_ident()}


def test_an_error_while_reading_is_raised_after_the_good_batches():
    batches = iter(PrefetchLoader(Numbers(bad=5), batch_size=4))
    assert next(batches).tolist() == [0, 1, 2, 3]
    with pytest.raises(OSError, match="disk gone"):
        next(batches)


def test_it_can_be_walked_again_and_left_early():
    loader = PrefetchLoader(Numbers(), batch_size=4)
    assert next(iter(loader)).tolist() == [0, 1, 2, 3]
    assert len(list(loader)) == 3
