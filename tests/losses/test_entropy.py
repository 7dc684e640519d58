import math

import pytest
import torch

from monai_sfda.functional import log_distributions
from monai_sfda.losses import EntropyLoss

PIXELS = torch.tensor([[[0.9, 0.6], [0.1, 0.4]]]).log()
"""Two pixels of two exclusive classes, (1, 2, 2)."""


@pytest.mark.parametrize(("class_weight", "pixels"), [(None, (0.325083, 0.673012)), ([0.1, 0.9], (0.216715, 0.360514))])
def test_entropy_of_two_pixels_by_hand(class_weight, pixels):
    loss = EntropyLoss(head="softmax", class_weight=class_weight)
    each = [loss(pred=PIXELS[..., i : i + 1], image=None).item() for i in range(2)]
    assert each == pytest.approx(pixels, abs=1e-6)  # numbers given with six digits
    assert loss(pred=PIXELS).item() == pytest.approx(sum(pixels) / 2, abs=1e-6)


@pytest.mark.parametrize("classes", [2, 5])
def test_uniform_probabilities_have_the_largest_entropy(classes):
    loss = EntropyLoss(head="softmax")(pred=torch.zeros(2, classes, 4, 4))
    assert loss.item() == pytest.approx(math.log(classes), rel=1e-6)  # float32


def test_weights_of_one_are_the_plain_entropy():
    pred = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    weighted = EntropyLoss(head="softmax", class_weight=[1.0, 1.0, 1.0])
    torch.testing.assert_close(weighted(pred=pred), EntropyLoss(head="softmax")(pred=pred))


def test_binary_entropy_by_hand_in_value_and_slope():
    pred = torch.tensor([[[2.0]], [[0.0]]], requires_grad=True)
    loss = EntropyLoss()(pred=pred)
    loss.backward()
    assert loss.item() == pytest.approx((0.365334 + math.log(2)) / 2, abs=1e-6)  # a number given with six digits
    p = torch.tensor(2.0).sigmoid().item()
    assert pred.grad.flatten().tolist() == pytest.approx([-2 * p * (1 - p) / 2, 0.0], abs=1e-7)  # float32


def test_a_sigmoid_channel_is_a_softmax_over_zero_and_its_logit():
    pred = torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    pair = torch.cat([torch.zeros_like(pred), pred], 1)
    torch.testing.assert_close(log_distributions(pred, "sigmoid"), log_distributions(pair, "softmax"))
    for weight in (None, [0.1, 0.9]):
        torch.testing.assert_close(
            EntropyLoss(class_weight=weight)(pred=pred), EntropyLoss(head="softmax", class_weight=weight)(pred=pair)
        )


def test_weights_may_differ_between_channels():
    pred = torch.tensor([[[0.0], [0.0]]])
    loss = EntropyLoss(class_weight=[[1.0, 1.0], [0.0, 0.5]])(pred=pred)
    assert loss.item() == pytest.approx((math.log(2) + math.log(2) / 4) / 2, rel=1e-6)  # float32


@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
def test_certain_predictions_have_no_entropy_and_a_finite_gradient(head):
    pred = torch.tensor([[[300.0, -300.0], [-300.0, 300.0]]], requires_grad=True)
    loss = EntropyLoss(head=head)(pred=pred)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(pred.grad, torch.zeros_like(pred))


@pytest.mark.parametrize(("head", "wanted"), [("softmax", "3 numbers"), ("sigmoid", "absent, present")])
def test_a_wrong_number_of_weights_says_how_many(head, wanted):
    with pytest.raises(ValueError, match=wanted):
        EntropyLoss(head=head, class_weight=[1.0])(pred=torch.zeros(1, 3, 2, 2))


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match="at least 0"):
        EntropyLoss(class_weight=[-1.0, 1.0])


def test_a_softmax_of_one_channel_is_refused():
    with pytest.raises(ValueError, match="use head='sigmoid'"):
        EntropyLoss(head="softmax")(pred=torch.zeros(1, 1, 2, 2))
