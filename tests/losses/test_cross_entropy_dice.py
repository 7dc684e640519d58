import math

import pytest
import torch

from monai_sfda.losses import WeightedCrossEntropyDice


def labels(*classes, count):
    return torch.nn.functional.one_hot(torch.tensor(classes), count).T.reshape(1, count, 1, -1).float()


def test_a_class_weighs_by_the_pixels_that_are_not_of_it():
    """Of four pixels three are background: its weight is 1/4, that of the other class 3/4."""
    logits = torch.tensor([[2.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]).T.reshape(1, 2, 1, 4)
    label = labels(0, 0, 0, 1, count=2)
    entropies = [math.log(1 + math.exp(-2)), math.log(1 + math.exp(-1)), math.log(2), math.log(1 + math.exp(-1))]
    weighted = sum(w * e for w, e in zip((0.25, 0.25, 0.25, 0.75), entropies, strict=True)) / 1.5
    p = [1 / (1 + math.exp(-2)), 1 / (1 + math.exp(-1)), 0.5, 1 / (1 + math.exp(1))]  # of the background
    dice = [
        2 * sum(p[:3]) / (sum(x * x for x in p) + 3 + 1e-5),
        2 * (1 - p[3]) / (sum((1 - x) ** 2 for x in p) + 1 + 1e-5),
    ]
    value = WeightedCrossEntropyDice(head="softmax")(pred=logits, label=label)
    assert value.item() == pytest.approx(weighted + 1 - sum(dice) / 2, abs=1e-6)


@pytest.mark.parametrize(("shown", "floor"), [((0, 1, 2, 3), 0.0), ((0, 1, 1, 0), 0.5), ((0, 0, 0, 0), 0.75)])
def test_a_class_that_an_image_does_not_show_adds_one_in_k(shown, floor):
    label = labels(*shown, count=4)
    value = WeightedCrossEntropyDice(head="softmax")(pred=100 * label, label=label)
    assert value.item() == pytest.approx(floor, abs=1e-4)


def test_a_batch_of_one_class_is_finite():
    logits = torch.zeros(1, 2, 1, 3, requires_grad=True)
    value = WeightedCrossEntropyDice(head="softmax")(pred=logits, label=labels(0, 0, 0, count=2))
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()


def test_one_sigmoid_channel_is_a_softmax_over_absent_and_present():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 1, 3, 4, generator=generator)
    label = (torch.rand(2, 1, 3, 4, generator=generator) > 0.6).float()
    pair = torch.cat([torch.zeros_like(logits), logits], 1), torch.cat([1 - label, label], 1)
    sigmoid = WeightedCrossEntropyDice(head="sigmoid")(pred=logits, label=label)
    assert torch.allclose(sigmoid, WeightedCrossEntropyDice(head="softmax")(pred=pair[0], label=pair[1]))
