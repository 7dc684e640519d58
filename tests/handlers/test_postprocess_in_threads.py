import errno
import threading

import pytest
import torch
from monai.engines import SupervisedEvaluator
from torch import nn

from monai_sfda.handlers import PostprocessInThreads


class Notes(dict):
    def add(self, item, error):
        self[item["case"]] = str(error)


class Loader(list):
    """Batches of two; ``missing`` of them come to nothing, though the length counts them."""

    missing = 0

    def __len__(self):
        return super().__len__() + self.missing


def run(transform, count=5, **kwargs):
    failures = Notes()
    items = [{"case": str(i), "image": torch.full((1, 2, 2), float(i))} for i in range(count)]
    batches = Loader(
        {"image": torch.stack([i["image"] for i in items[k : k + 2]]), "items": items[k : k + 2]}
        for k in range(0, count, 2)
    )
    batches.missing = kwargs.pop("missing", 0)
    handler = PostprocessInThreads(transform, failures=failures, **kwargs)
    SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=batches,
        epoch_length=len(batches),
        network=nn.Identity(),
        decollate=False,
        val_handlers=[handler],
    ).run()
    return failures


@pytest.mark.parametrize("missing", [0, 2])
def test_every_image_is_worked_on_once_in_another_thread(missing):
    seen, threads = [], set()

    def work(item):
        seen.append((item["case"], float(item["pred"].mean())))
        threads.add(threading.get_ident())

    assert run(work, missing=missing) == {}
    assert seen == [(str(i), float(i)) for i in range(5)]
    assert threading.get_ident() not in threads


def test_an_image_that_fails_costs_a_row():
    def work(item):
        if item["case"] == "1":
            raise ValueError("too odd")
        if item["case"] == "2":
            raise OSError(errno.ENAMETOOLONG, "File name too long")

    assert set(run(work)) == {"1", "2"}


@pytest.mark.parametrize("last", [0, 4])
def test_a_full_disk_stops_the_run_with_its_own_error(last):
    def work(item):
        if item["case"] == str(last):
            raise RuntimeError("applying transform") from OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        run(work, ahead=1)


def test_the_network_waits_for_a_slow_disk():
    gate, done = threading.Event(), []

    def work(item):
        gate.wait(5)
        done.append(item["case"])

    threading.Timer(0.2, gate.set).start()
    run(work, ahead=1)
    assert len(done) == 5
