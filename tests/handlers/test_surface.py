from __future__ import annotations

import math

import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor

from monai_sfda.handlers.surface import SymmetricSurfaceDistance


def case(column: int, target: int, width: float = 1.0) -> dict[str, torch.Tensor]:
    """One pixel each on a row of five; ``width`` is the size of a pixel along the row, told by the affine."""
    pred, label = torch.zeros(1, 1, 5), torch.zeros(1, 1, 5)
    pred[0, 0, column] = label[0, 0, target] = 1
    return {"pred": pred, "label": MetaTensor(label, affine=torch.diag(torch.tensor([1.0, width, 1.0, 1.0])))}


def run(metric: SymmetricSurfaceDistance, *batches: list[dict[str, torch.Tensor]]) -> Engine:
    engine = Engine(lambda _, batch: batch)
    metric.attach(engine, "assd")
    engine.run(batches)
    return engine


def test_the_mean_over_cases_includes_the_first_channel():
    engine = run(SymmetricSurfaceDistance("pooled"), [case(0, 1), case(0, 3)], [case(0, 2)])
    assert engine.state.metrics == {"assd": 2, "assd_skipped": 0}
    assert engine.state.metric_details["assd"].flatten().tolist() == [1, 3, 2]


def test_a_given_spacing_holds_for_all_cases():
    assert run(SymmetricSurfaceDistance("pooled", spacing=(1, 0.5)), [case(0, 2)]).state.metrics["assd"] == 1


def test_the_affine_gives_each_case_its_own_spacing():
    batch = [case(0, 1, width=2.0), case(0, 1, width=4.0)]
    engine = run(SymmetricSurfaceDistance("pooled", spacing="affine"), batch)
    assert engine.state.metric_details["assd"].flatten().tolist() == [2, 4]


def test_a_missed_case_is_skipped_and_counted():
    missed = case(0, 1)
    missed["pred"].zero_()
    engine = run(SymmetricSurfaceDistance("pooled"), [missed, case(0, 3)])
    assert engine.state.metrics == {"assd": 3, "assd_skipped": 1}


def test_missing_every_case_is_nan():
    missed = case(0, 1)
    missed["pred"].zero_()
    assert math.isnan(run(SymmetricSurfaceDistance("pooled"), [missed]).state.metrics["assd"])


def test_a_second_run_starts_again():
    metric = SymmetricSurfaceDistance("mean_of_directed")
    engine = Engine(lambda _, batch: batch)
    metric.attach(engine, "assd")
    engine.run([[case(0, 4)]])
    engine.run([[case(0, 2)]])
    assert engine.state.metrics["assd"] == 2


def test_the_convention_must_be_said():
    with pytest.raises(ValueError, match="pooled, mean_of_directed, found 'mean'"):
        SymmetricSurfaceDistance("mean")
