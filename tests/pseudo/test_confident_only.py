import pytest
import torch

from monai_sfda.losses import MaskedBCE
from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo import ConfidentOnly

P = torch.tensor([0.9, 0.2, 0.6, 0.1]).view(1, 1, 4)


def weight(confidence):
    pseudo = PseudoLabel((P > 0.75).float(), torch.ones_like(P))
    return ConfidentOnly(confidence=confidence)(pseudo, Evidence(["a"], P)).weight.flatten().tolist()


def test_unsure_pixels_are_ignored_on_both_sides():
    assert weight(0.85) == [1, 0, 0, 1]
    assert weight(0.7) == [1, 1, 0, 1]


def test_half_keeps_all():
    assert weight(0.5) == [1, 1, 1, 1]


def test_softmax_asks_the_likeliest_class_and_drops_whole_pixels():
    probs = torch.tensor([[0.80, 0.15, 0.05], [0.95, 0.04, 0.01]]).T[None]
    pseudo = PseudoLabel(probs, torch.ones_like(probs))
    kept = ConfidentOnly(confidence=0.9, head="softmax")(pseudo, Evidence(["a"], probs)).weight
    assert kept[0].tolist() == [[0, 1], [0, 1], [0, 1]]


def test_one_leaves_nothing_and_the_loss_is_zero_and_finite():
    pseudo = PseudoLabel((P > 0.75).float(), torch.ones_like(P))
    logits = torch.randn(1, 1, 4, requires_grad=True)
    loss = MaskedBCE()(pred=logits, pseudo=ConfidentOnly(confidence=1)(pseudo, Evidence(["a"], P)))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("confidence", [0.49, 1.01])
def test_a_confidence_out_of_range_is_refused(confidence):
    with pytest.raises(ValueError, match="Expected a confidence between"):
        ConfidentOnly(confidence=confidence)
