import math

import pytest
import torch

from monai_sfda.losses import EntropyLoss, SelfInformation, SingleTermEntropy


def logits(*probs):
    return torch.tensor(probs, dtype=torch.float64).log().reshape(1, -1, 1, 1).float()


def test_three_classes_by_hand():
    maps = SelfInformation(head="softmax")(pred=logits(0.5, 0.25, 0.25))
    assert maps.flatten().tolist() == pytest.approx([0.315465] * 3, abs=1e-6)
    share = EntropyLoss(head="softmax", share=True)(pred=logits(0.5, 0.25, 0.25))
    assert share.item() == pytest.approx(0.946395, abs=1e-6)


def test_equal_classes_have_all_of_the_entropy_and_certain_ones_none_with_a_finite_gradient():
    assert EntropyLoss(head="softmax", share=True)(pred=torch.zeros(1, 19, 1, 1)).item() == pytest.approx(1.0)
    certain = torch.tensor([1e4, -1e4, -1e4]).reshape(1, 3, 1, 1).requires_grad_()
    for value in (
        EntropyLoss(head="softmax", share=True)(pred=certain),
        SelfInformation(head="softmax")(pred=certain).sum(),
    ):
        (gradient,) = torch.autograd.grad(value, certain)
        assert value.item() == 0.0
        assert gradient.isfinite().all()


def test_a_class_that_is_never_used_makes_the_share_smaller():
    two = EntropyLoss(head="softmax", share=True)(pred=logits(0.5, 0.5))
    three = EntropyLoss(head="softmax", share=True)(pred=logits(0.5, 0.5, 1e-30))
    assert two.item() == pytest.approx(1.0)
    assert three.item() == pytest.approx(math.log(2) / math.log(3))


def test_a_sigmoid_channel_gives_two_maps_whose_sum_is_its_entropy_in_bits():
    pred = torch.tensor([math.log(0.2 / 0.8), 0.0]).reshape(1, 2, 1, 1)
    maps = SelfInformation()(pred=pred).reshape(2, 2)
    of_each = [-0.8 * math.log2(0.8), -0.2 * math.log2(0.2), 0.5, 0.5]
    assert maps.flatten().tolist() == pytest.approx(of_each, abs=1e-6)
    assert maps.sum(1).mean().item() == pytest.approx(EntropyLoss(share=True)(pred=pred).item(), abs=1e-6)


def test_other_logits_are_shown_at_the_size_of_the_prediction():
    maps = SelfInformation(pred="auxiliary")(pred=torch.zeros(1, 2, 8, 8), auxiliary=torch.zeros(1, 2, 4, 4))
    assert maps.shape == (1, 4, 8, 8)
    assert torch.allclose(maps, torch.tensor(0.5))


def test_the_single_term_of_beal():
    pred = torch.tensor([0.1, 0.5, 0.9, 1 - 1e-7]).logit().reshape(1, 1, 1, 4)
    found = SingleTermEntropy()(pred=pred).flatten().tolist()
    assert found == pytest.approx([0.230259, 0.346574, 0.094824, 0.0], abs=1e-6)
    assert SingleTermEntropy()(pred=torch.full((1, 1, 1, 1), 100.0)).item() == pytest.approx(-1e-7, abs=5e-8)
    grid = torch.linspace(0.01, 0.99, 981).reshape(1, 1, 1, -1)
    best = grid.flatten()[SingleTermEntropy()(pred=grid.logit()).argmax()].item()
    assert best == pytest.approx(1 / math.e, abs=1e-3)
