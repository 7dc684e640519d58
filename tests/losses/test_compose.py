import math

import pytest
import torch

from monai_sfda.losses import ClassRatioPrior, EntropyLoss, FixedRatio, WeightedSum


def constant(value):
    return lambda *, pred, **_: value * pred.sum()


def test_parts_are_weighted_and_added():
    loss = WeightedSum({"a": constant(2.0), "b": constant(5.0)}, weights={"b": 0.1})
    pred = torch.ones(1, requires_grad=True)
    total = loss(pred=pred, image=None)
    total.backward()
    assert total.item() == pytest.approx(2.5)
    assert pred.grad.item() == pytest.approx(2.5)


def test_a_factor_of_zero_leaves_the_other_parts_alone_and_is_still_watched():
    ratio = ClassRatioPrior(prior=FixedRatio([1.0, 0.0]), head="softmax")
    entropy = EntropyLoss(head="softmax", class_weight=[0.1, 0.9])
    pred = torch.randn(2, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    loss = WeightedSum({"entropy": entropy, "ratio": ratio}, weights={"ratio": 0.0})
    assert torch.equal(loss(pred=pred, case=["a", "b"]), entropy(pred=pred))
    assert loss.take_mean("ratio") == ratio(pred=pred, case=["a", "b"]).item()


def test_the_mean_of_a_part_is_taken_once_and_without_its_weight():
    loss = WeightedSum({"a": constant(1.0), "b": constant(10.0)}, weights={"b": 0.5})
    for value in (1.0, 2.0):
        loss(pred=torch.tensor(value))
    assert loss.take_mean("b") == 15.0
    assert math.isnan(loss.take_mean("b"))
    assert loss.take_mean("a") == 1.5


def test_what_is_remembered_holds_no_graph():
    loss = WeightedSum({"a": constant(1.0)})
    loss(pred=torch.ones(1, requires_grad=True))
    assert not loss._means._sums["a"][0].requires_grad


@pytest.mark.parametrize(("criteria", "weights"), [({}, None), ({"a": constant(1.0)}, {"b": 1.0})])
def test_a_weight_without_criterion_and_a_sum_of_nothing_are_refused(criteria, weights):
    with pytest.raises(ValueError, match="Expected weights for"):
        WeightedSum(criteria, weights=weights)
