import torch

from monai_sfda.losses import SoftDiceLoss
from monai_sfda.protocols import PseudoLabel


def logit(*values):
    return torch.tensor(values).view(1, 1, -1).logit()


def pseudo(label, weight=None):
    label = torch.tensor(label).view(1, 1, -1)
    return PseudoLabel(label, torch.ones_like(label) if weight is None else torch.tensor(weight).view(1, 1, -1))


def test_a_hand_worked_value():
    # 1 - 2 * (.5 * 1 + .25 * 0) / (.5 + .25 + 1 + 0) = 1 - 1 / 1.75
    loss = SoftDiceLoss()(pred=logit(0.5, 0.25), pseudo=pseudo([1.0, 0.0]))
    torch.testing.assert_close(loss, torch.tensor(1 - 1 / 1.75))


def test_a_pixel_of_weight_0_does_not_count():
    loss = SoftDiceLoss()(pred=logit(0.5, 0.25), pseudo=pseudo([1.0, 0.0], [1.0, 0.0]))
    torch.testing.assert_close(loss, torch.tensor(1 - 1 / 1.5))


def test_no_weight_at_all_gives_1_and_no_gradient():
    pred = logit(0.5, 0.25).requires_grad_()
    loss = SoftDiceLoss()(pred=pred, pseudo=pseudo([1.0, 0.0], [0.0, 0.0]))
    loss.backward()
    assert float(loss.detach()) == 1
    assert not pred.grad.any()


def test_softmax_counts_both_classes():
    pred = torch.zeros(1, 2, 3)
    label = torch.tensor([[[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    # Dice 2 * 1 / (1.5 + 2) and 2 * .5 / (1.5 + 1), mean of both.
    expected = 1 - (2 / 3.5 + 1 / 2.5) / 2
    loss = SoftDiceLoss(head="softmax")(pred=pred, pseudo=PseudoLabel(label, torch.ones_like(label)))
    torch.testing.assert_close(loss, torch.tensor(expected))
