import pytest
import torch

from monai_sfda.losses import MaskedBCE
from monai_sfda.protocols import PseudoLabel

CUP, DISC = torch.tensor([0.6, 0.3]), torch.tensor([0.9, 0.2])
PRED = torch.stack([DISC, CUP]).logit().view(1, 2, 2)
LABEL = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])


def weights(cup_background):
    return torch.tensor([[[1.0, 1.0], [1.0, cup_background]]])


@pytest.mark.parametrize(
    ("cup_background", "normaliser", "expected"),
    [(0.25, "weights", 0.285692), (1.0, "weights", 0.299001), (0.25, "pixels", 0.232125)],
)
def test_weighted_loss_by_hand(cup_background, normaliser, expected):
    loss = MaskedBCE(normaliser=normaliser)(pred=PRED, pseudo=PseudoLabel(LABEL, weights(cup_background)), image=None)
    assert loss.item() == pytest.approx(expected, abs=1e-6)  # numbers given with six digits


def test_equal_weights_of_any_size_give_the_mean():
    pseudo = PseudoLabel(LABEL, torch.full_like(LABEL, 7.0))
    expected = torch.nn.functional.binary_cross_entropy_with_logits(PRED, LABEL)
    torch.testing.assert_close(MaskedBCE()(pred=PRED, pseudo=pseudo), expected)


def test_no_weight_gives_zero_with_a_graph():
    pred = PRED.clone().requires_grad_()
    loss = MaskedBCE()(pred=pred, pseudo=PseudoLabel(LABEL, torch.zeros_like(LABEL)))
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(pred.grad).all()


def test_disc_gradient_keeps_its_direction_whatever_the_cup_weight():
    gradients = []
    for weight in (1.0, 0.25):
        pred = PRED.clone().requires_grad_()
        MaskedBCE()(pred=pred, pseudo=PseudoLabel(LABEL, weights(weight))).backward()
        gradients.append(torch.nn.functional.normalize(pred.grad[0, 0], dim=0))
    torch.testing.assert_close(*gradients)


def test_a_missing_pseudo_label_says_which_part_is_missing():
    with pytest.raises(TypeError, match="pseudo"):
        MaskedBCE()(pred=PRED)
