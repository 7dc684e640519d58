import math

import pytest
import torch

from monai_sfda.losses import ClassRatioPrior, EntropyLoss, FixedRatio, WeightedSum
from monai_sfda.losses.ratio import log_class_ratio

PIXELS = torch.tensor([[[0.9, 0.6], [0.1, 0.4]]]).log()
"""Two pixels of two exclusive classes, (1, 2, 2)."""


def loss_of(pred, ratio, **kwargs):
    settings = {"head": "softmax"} | kwargs
    return ClassRatioPrior(prior=FixedRatio(ratio), **settings)(pred=pred, case=["a"] * len(pred), image=None)


def random_logits(*shape, scale=2.0):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("estimator", "expected"), [("mean", [0.75, 0.25]), ("released", [0.72, 0.28])])
def test_both_size_estimates_by_hand(estimator, expected):
    ratio = log_class_ratio(PIXELS, estimator).exp()
    torch.testing.assert_close(ratio, torch.tensor([expected]))


@pytest.mark.parametrize(
    ("direction", "estimator", "expected"),
    [
        ("predicted", "mean", 0.00616426),
        ("predicted", "released", 0.00096503),
        ("prior", "mean", 0.00640146),
        ("prior", "released", 0.00097825),
    ],
)
def test_both_directions_by_hand(direction, estimator, expected):
    loss = loss_of(PIXELS, [0.7, 0.3], direction=direction, estimator=estimator)
    assert loss.item() == pytest.approx(expected, abs=1e-7)  # float32 sums of terms near 0.2


@pytest.mark.parametrize("direction", ["predicted", "prior"])
@pytest.mark.parametrize("estimator", ["mean", "released"])
def test_the_prior_itself_costs_nothing_and_pulls_nowhere(direction, estimator):
    pred = random_logits(1, 3, 4, 4).requires_grad_()
    ratio = log_class_ratio(pred.detach().log_softmax(1).flatten(2), estimator).exp()[0].tolist()
    loss = loss_of(pred, ratio, direction=direction, estimator=estimator)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)  # float32
    torch.testing.assert_close(pred.grad, torch.zeros_like(pred), atol=1e-6, rtol=0)


@pytest.mark.parametrize("estimator", ["mean", "released"])
def test_one_hot_predictions_give_the_hard_proportions(estimator):
    hard = torch.tensor([0, 0, 0, 1, 2, 2, 2, 2])
    log_p = (100.0 * torch.nn.functional.one_hot(hard, 3).T).log_softmax(0)
    torch.testing.assert_close(log_class_ratio(log_p, estimator).exp(), torch.tensor([3 / 8, 1 / 8, 4 / 8]))


@pytest.mark.parametrize("direction", ["predicted", "prior"])
@pytest.mark.parametrize("estimator", ["mean", "released"])
def test_a_class_known_to_be_absent_is_pushed_down_at_every_pixel(direction, estimator):
    pred = random_logits(2, 2, 6, 6).requires_grad_()
    loss = loss_of(pred, [1.0, 0.0], direction=direction, estimator=estimator)
    loss.backward()
    assert torch.isfinite(loss)
    assert (pred.grad[:, 1] > 0).all()


def test_a_lost_class_costs_little_in_one_direction_and_without_bound_in_the_other():
    costs = {"predicted": [], "prior": []}
    for background in (50.0, 500.0):
        pred = torch.tensor([background, 0.0]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
        for direction, values in costs.items():
            values.append(loss_of(pred, [0.9, 0.1], direction=direction).item())
    assert costs["predicted"] == pytest.approx([-math.log(0.9)] * 2, rel=1e-5)  # float32
    assert costs["prior"][1] - costs["prior"][0] == pytest.approx(0.1 * 450, rel=1e-5)  # float32


def test_a_class_lost_beyond_float32_still_has_a_gradient():
    pred = torch.tensor([500.0, 0.0]).view(1, 2, 1, 1).repeat(1, 1, 4, 4).requires_grad_()
    loss_of(pred, [0.9, 0.1], direction="prior").backward()
    assert pred.grad[:, 1].sum().item() == pytest.approx(-0.1, rel=1e-5)  # float32


def test_the_ratio_does_not_know_places():
    pred = random_logits(2, 3, 16)
    shuffled = pred[..., torch.randperm(16, generator=torch.Generator().manual_seed(1))]
    torch.testing.assert_close(loss_of(pred, [0.5, 0.3, 0.2]), loss_of(shuffled, [0.5, 0.3, 0.2]))


def test_classes_have_no_order():
    def total(pred, weight, ratio):
        loss = WeightedSum(
            {
                "entropy": EntropyLoss(head="softmax", class_weight=weight),
                "ratio": ClassRatioPrior(prior=FixedRatio(ratio), head="softmax"),
            }
        )
        return loss(pred=pred, case=["a", "b"])

    pred, weight, ratio, order = random_logits(2, 3, 4, 4), [0.1, 0.3, 0.6], [0.5, 0.3, 0.2], [2, 0, 1]
    permuted = total(pred[:, order], [weight[k] for k in order], [ratio[k] for k in order])
    torch.testing.assert_close(permuted, total(pred, weight, ratio))


def test_a_sigmoid_channel_is_a_softmax_over_zero_and_its_logit():
    pred = random_logits(2, 2, 4, 4)
    pairs = [torch.stack([torch.zeros_like(channel), channel], 1) for channel in pred.unbind(1)]
    expected = (loss_of(pairs[0], [0.8, 0.2]) + loss_of(pairs[1], [0.95, 0.05])) / 2
    torch.testing.assert_close(loss_of(pred, [0.2, 0.05], head="sigmoid"), expected)


def test_per_batch_lets_sizes_vary_and_per_image_does_not():
    small, large = torch.tensor([100.0, 0.0]), torch.tensor([0.0, 100.0])
    pred = torch.stack([torch.stack([small] * 4, 1), torch.stack([small] * 2 + [large] * 2, 1)])
    assert loss_of(pred, [0.75, 0.25], per="batch").item() == pytest.approx(0, abs=1e-6)  # float32
    by_hand = (-math.log(0.75) + 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)) / 2
    assert loss_of(pred, [0.75, 0.25], per="image").item() == pytest.approx(by_hand, rel=1e-5)  # float32


def test_per_batch_uses_the_mean_of_its_priors():
    class TwoSizes:
        uses_target_tags = False

        def __call__(self, case):
            return torch.tensor([[1.0, 0.0], [0.5, 0.5]])

    pred = random_logits(2, 2, 4, 4)
    loss = ClassRatioPrior(prior=TwoSizes(), per="batch", head="softmax")(pred=pred, case=["a", "b"])
    torch.testing.assert_close(loss, loss_of(pred, [0.75, 0.25], per="batch"))


def test_one_image_per_batch_is_the_same_both_ways():
    pred = random_logits(1, 3, 4, 4)
    torch.testing.assert_close(loss_of(pred, [0.5, 0.3, 0.2], per="batch"), loss_of(pred, [0.5, 0.3, 0.2], per="image"))


@pytest.mark.parametrize(
    ("ratio", "channels", "message"),
    [([0.5, 0.5], 3, "each of 3 channels, found 2"), ([0.8, 0.257], 2, r"add up to 1 .* found the sum 1\.057")],
)
def test_a_prior_that_does_not_fit_is_refused(ratio, channels, message):
    with pytest.raises(ValueError, match=message):
        loss_of(torch.zeros(1, channels, 2, 2), ratio)


@pytest.mark.parametrize("option", ["direction", "estimator", "per", "head"])
def test_an_unknown_option_lists_the_known_ones(option):
    with pytest.raises(ValueError, match=f"Expected {option} '.* or '.*, found 'other'"):
        ClassRatioPrior(prior=FixedRatio([0.5]), **{option: "other"})
