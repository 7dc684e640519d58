import csv
from types import SimpleNamespace

import pytest
import torch

from monai_sfda.handlers import History


def engine(epoch, loss, pred):
    return SimpleNamespace(state=SimpleNamespace(epoch=epoch, output={"loss": loss, "pred": pred}))


@pytest.fixture
def history(tmp_path):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    return History(tmp_path / "history.csv", optimizer=optimizer, structures={"cup": 1}, extra={"weight": lambda: 0.25})


def test_a_row_is_the_mean_of_its_epoch(history):
    half = torch.full((1, 2, 2, 2), -9.0)
    half[:, 1, 0] = 9.0
    history.reset()
    history.update(engine(1, 1.0, half))
    history.update(engine(1, 2.0, torch.full((1, 2, 2, 2), 9.0)))
    history.store(engine(1, 0.0, half))
    assert history.rows == [{"epoch": 1, "loss": 1.5, "foreground_cup": 0.75, "lr": 0.5, "weight": 0.25}]


def test_file_holds_all_rows_after_a_restart(history, tmp_path):
    pred = torch.zeros(1, 2, 2, 2)
    for epoch in (1, 2):
        if epoch == 2:
            state, history.rows = history.state_dict(), []
            history.load_state_dict(state)
        history.reset()
        history.update(engine(epoch, 1.0, pred))
        history.store(engine(epoch, 1.0, pred))
    with (tmp_path / "history.csv").open(encoding="utf-8-sig") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]


def test_structures_that_are_no_channels_are_refused(history, tmp_path):
    with pytest.raises(ValueError, match=r"Expected structures as name and channel, .*found \['cup'\]"):
        History(tmp_path / "other.csv", optimizer=history.optimizer, structures=["cup"])
    with pytest.raises(ValueError, match=r"channels are below 1, found \{'cup': 1\}; correct structures"):
        history.update(engine(1, 1.0, torch.zeros(1, 1, 2, 2)))
