import math
from types import SimpleNamespace

import pytest
import torch
from ignite.engine import Engine, Events

from monai_sfda.handlers import TrainingHistory
from monai_sfda.tables import read_csv


@pytest.fixture
def run(tmp_path, capsys):
    """Two epochs of two steps; Dice is scored by hand after each."""
    scores = iter([[[0.5, math.nan], [0.7, math.nan]], [[0.2, 0.4], [0.2, math.nan]]])

    def score(engine, _):
        details = torch.tensor(next(scores))
        engine.state.metrics = {"val_mean_dice": float(details.nanmean())}
        engine.state.metric_details = {"val_mean_dice": details}

    validator, losses = Engine(score), iter([1.0, 2.0, 3.0, 5.0])
    trainer = Engine(lambda *_: {"loss": next(losses)})
    names = {"disc": 0, "cup": 1}
    path = tmp_path / "training.csv"
    history = TrainingHistory(path, validator=validator, structures=names, loss=lambda output: output["loss"])
    history.attach(trainer)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: validator.run([0]))
    trainer.run([0, 1], max_epochs=2)
    return SimpleNamespace(rows=history.rows, path=path, printed=capsys.readouterr().out.splitlines())


def test_a_row_has_the_mean_loss_and_the_dice_of_each_structure(run):
    first, second = run.rows
    assert first == pytest.approx({"epoch": 1, "loss": 1.5, "cutoff": 0.5, "dice": 0.6, "dice_disc": 0.6})
    of_each = {"dice_disc": 0.2, "dice_cup": 0.4}
    assert second == pytest.approx({"epoch": 2, "loss": 4.0, "cutoff": 0.5, "dice": 0.8 / 3, **of_each})


def test_the_file_holds_a_column_for_a_structure_that_was_not_shown_at_first(run):
    first, second = read_csv(run.path)
    assert first["dice_cup"] == ""
    assert float(second["dice_cup"]) == pytest.approx(0.4)


def test_each_validation_is_said_and_the_best_is_marked(run):
    assert run.printed == [
        "epoch 1/2  loss 1.5000  held-out Dice % at 0.5: disc 60.0, cup -  best so far",
        "epoch 2/2  loss 4.0000  held-out Dice % at 0.5: disc 20.0, cup 40.0",
    ]
