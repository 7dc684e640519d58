import pytest
import torch

from monai_sfda.losses import MaskedBCE
from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo import LowSpreadOnly

U = torch.tensor([0.01, 0.05, 0.10, 0.0]).view(1, 1, 4)
P = torch.tensor([0.9, 0.2, 0.6, 0.1]).view(1, 1, 4)


def pseudo():
    label = (P > 0.5).float()
    return PseudoLabel(label, torch.full_like(label, 0.5))


def test_the_limit_is_strict_and_weights_are_kept():
    found = LowSpreadOnly(limit=0.05)(pseudo(), Evidence(["a"], P, U))
    assert found.weight.flatten().tolist() == [0.5, 0, 0, 0.5]
    assert torch.equal(found.label, pseudo().label)


def test_it_treats_both_classes_alike():
    one = pseudo()
    other = one._replace(label=1 - one.label)
    refine = LowSpreadOnly()
    assert torch.equal(refine(one, Evidence(["a"], P, U)).weight, refine(other, Evidence(["a"], 1 - P, U)).weight)


def test_an_infinite_limit_gives_the_plain_mean_cross_entropy():
    found = LowSpreadOnly(limit=float("inf"))(pseudo(), Evidence(["a"], P, U))
    logits = torch.tensor([1.0, -2.0, 0.5, 3.0]).view(1, 1, 4)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, found.label)
    torch.testing.assert_close(MaskedBCE()(pred=logits, pseudo=found), expected)


def test_a_limit_of_zero_gives_loss_zero_with_a_graph():
    found = LowSpreadOnly(limit=0)(pseudo(), Evidence(["a"], P, U))
    logits = torch.randn(1, 1, 4, requires_grad=True)
    loss = MaskedBCE()(pred=logits, pseudo=found)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.abs().max() == 0


def test_evidence_without_spread_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match="found none; observe with MonteCarlo"):
        LowSpreadOnly()(pseudo(), Evidence(["a"], P))


def test_a_limit_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="limit >= 0 on the spread, found -1"):
        LowSpreadOnly(limit=-1)
