import torch

from monai_sfda.losses import NoLoss


def test_nothing_is_zero_and_teaches_nothing():
    weight = torch.ones(2, requires_grad=True)
    loss = NoLoss()(pred=weight * 3, case=["a"])
    loss.backward()
    assert loss.item() == 0.0
    assert weight.grad is None
