import math

import pytest
import torch

from monai_sfda.functional import (
    binary_cross_entropy,
    channel_names,
    decide,
    exclusive_classes,
    foreground_share,
    log_probabilities,
    probabilities,
    soft_dice,
    soft_dice_loss,
    weighted_mean,
)


@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
@pytest.mark.parametrize("classes", [2, 4])
def test_log_probabilities_agree_with_probabilities(head, classes):
    logits = torch.randn(2, classes, 5, 5)
    p = probabilities(logits, head)
    log_p, log_not_p = log_probabilities(logits, head)
    torch.testing.assert_close(log_p.exp(), p)
    torch.testing.assert_close(log_not_p.exp(), 1 - p, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
def test_cross_entropy_stays_finite_for_extreme_logits(head):
    logits = torch.tensor([[[[200.0, -200.0]], [[-200.0, 200.0]]]], requires_grad=True)
    loss = binary_cross_entropy(logits, torch.tensor([[[[0.0, 1.0]], [[1.0, 0.0]]]]), head)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(logits.grad).all()


def test_two_class_softmax_cross_entropy_is_the_ordinary_one():
    logits, target = torch.randn(3, 2, 4), torch.randint(2, (3, 4))
    label = torch.nn.functional.one_hot(target, 2).movedim(-1, 1).float()
    ours = binary_cross_entropy(logits, label, "softmax")
    expected = torch.nn.functional.cross_entropy(logits, target, reduction="none")
    torch.testing.assert_close(ours[:, 0], expected)
    torch.testing.assert_close(ours[:, 1], expected)


def test_gradient_of_pseudo_label_loss_is_p_minus_y_over_n():
    p = torch.tensor([0.2, 0.6, 0.75, 0.76]).view(1, 1, 4)
    logits = p.logit().requires_grad_()
    binary_cross_entropy(logits, (p > 0.75).float(), "sigmoid").mean().backward()
    torch.testing.assert_close(logits.grad.flatten(), torch.tensor([0.05, 0.15, 0.1875, -0.06]))


def test_weighted_mean_of_nothing_is_zero_with_a_finite_gradient():
    value = torch.ones(3, requires_grad=True)
    result = weighted_mean(value, torch.zeros(3))
    result.backward()
    assert result.item() == 0
    assert torch.equal(value.grad, torch.zeros(3))


def test_decide_is_strict_for_sigmoid_and_takes_the_largest_for_softmax():
    probs = torch.tensor([[[0.75, 0.76]], [[0.2, 0.9]]]).movedim(0, 1)
    assert decide(probs, "sigmoid", 0.75).tolist() == [[[False, True], [False, True]]]
    assert decide(torch.tensor([[[0.4], [0.35], [0.25]]]), "softmax", 0.75).flatten().tolist() == [True, False, False]


def test_foreground_share_counts_over_batch_and_space():
    label = torch.zeros(2, 2, 2, 2)
    label[0, 0] = 1
    label[1, 1, 0, 0] = 1
    assert foreground_share(label) == [0.5, 0.125]


def test_unknown_head_and_single_channel_softmax_are_refused():
    with pytest.raises(ValueError, match=r"'sigmoid' .* or 'softmax'"):
        probabilities(torch.zeros(1, 1, 2), "linear")
    with pytest.raises(ValueError, match="at least 2 channels"):
        log_probabilities(torch.zeros(1, 1, 2), "softmax")


def test_entropy_of_an_even_pixel_is_log_two():
    assert binary_cross_entropy(torch.zeros(1, 1, 1), torch.full((1, 1, 1), 0.5), "sigmoid").item() == pytest.approx(
        math.log(2)
    )


def test_soft_dice_of_equal_maps_is_1_only_if_they_are_certain():
    half, sure = torch.full((1, 1, 2), 0.5), torch.tensor([[[1.0, 0.0]]])
    assert soft_dice(half, half).item() == 0.5  # 2 * (.25 + .25) / (1 + 1)
    assert soft_dice(sure, sure).item() == 1
    assert soft_dice_loss(half, half).item() == 0.5


def test_soft_dice_of_two_empty_maps_is_0_with_a_finite_gradient():
    probs = torch.zeros(1, 1, 4, requires_grad=True)
    score = soft_dice(probs, torch.zeros(1, 1, 4))
    score.sum().backward()
    assert score.item() == 0
    assert probs.grad.isfinite().all()


def test_soft_dice_weighs_pixels():
    probs, label, weight = torch.tensor([[[0.5, 1.0]]]), torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[3.0, 1.0]]])
    # 2 * 3 * .5 / (3 * 1.5 + 1)
    assert soft_dice(probs, label, weight).item() == pytest.approx(3 / 5.5)


def test_each_channel_is_cut_at_its_own_number():
    probs = torch.tensor([[[0.6, 0.4], [0.6, 0.4]]]).view(1, 2, 2)
    assert decide(probs, "sigmoid", [0.5, 0.3]).tolist() == [[[True, False], [True, True]]]
    with pytest.raises(ValueError, match="one for each of 2 channels, found 3"):
        decide(probs, "sigmoid", [0.5, 0.3, 0.2])


def test_a_class_of_two_is_taken_where_its_probability_exceeds_its_cut_off():
    nucleus = torch.tensor([0.2, 0.31, 0.29, 0.6])
    probs = torch.stack([1 - nucleus, nucleus])[None]
    assert decide(probs, "softmax", [0.5, 0.3])[0, 1].tolist() == [False, True, False, True]
    assert decide(probs, "softmax", [0.5, 0.5]).equal(decide(probs, "softmax", 0.75))


def test_channels_are_named_in_their_order():
    assert list(channel_names({"posterior": 2, "anterior": 1}, "softmax")) == ["background", "anterior", "posterior"]
    assert list(channel_names({"cup": 1, "disc": 0}, "sigmoid")) == ["disc", "cup"]


def test_classes_of_nested_and_of_exclusive_channels():
    disc_and_cup = torch.tensor([[0, 0], [1, 0], [1, 1]]).T.reshape(1, 2, 3).float()
    assert exclusive_classes(disc_and_cup, "sigmoid", [(0, 1)]).tolist() == [[0, 1, 2]]
    swapped = disc_and_cup.flip(1)  # the inner one comes first
    assert exclusive_classes(swapped, "sigmoid", [(1, 0)]).tolist() == [[0, 2, 1]]
    assert exclusive_classes(torch.eye(3)[None], "softmax").tolist() == [[0, 1, 2]]
    assert exclusive_classes(torch.tensor([[[1.0, 0.0], [0.0, 0.0]]]), "sigmoid").tolist() == [[1, 0]]
    with pytest.raises(ValueError, match="found pixels of both channel 0 and channel 1; name the pair under nested"):
        exclusive_classes(disc_and_cup, "sigmoid")
