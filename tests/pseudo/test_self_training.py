"""What plain pseudo-labels do to the student they come from."""

import pytest
import torch
from torch.nn import functional as F

from monai_sfda.losses import MaskedBCE
from monai_sfda.protocols import Evidence
from monai_sfda.pseudo import PseudoLabeller, Threshold

P = torch.tensor([0.2, 0.6, 0.75, 0.76]).view(1, 1, 4)


def gradient(probs, *refiners):
    logits = torch.logit(probs).requires_grad_()
    labeller = PseudoLabeller(lambda image, case: Evidence(case, image), refiners=refiners)
    loss = MaskedBCE()(pred=logits, pseudo=labeller(probs, ["a"]))
    loss.backward()
    return logits.grad.flatten().tolist()


def test_hand_worked_gradient():
    # (p - y) / 4.
    assert gradient(P, Threshold(cutoff=0.75)) == pytest.approx([0.05, 0.15, 0.1875, -0.06], abs=1e-6)


def test_a_cutoff_of_half_sharpens_and_one_of_three_quarters_pushes_undecided_foreground_down():
    undecided = torch.tensor([[[0.6]]])
    assert gradient(undecided, Threshold(cutoff=0.5))[0] < 0
    assert gradient(undecided, Threshold(cutoff=0.75))[0] > 0


def test_soft_labels_of_the_same_view_teach_nothing():
    # Rounding of float32.
    assert gradient(P) == pytest.approx([0] * 4, abs=1e-7)


def test_soft_labels_with_a_graph_would_minimise_the_entropy():
    """Why labels are detached: dH/dz = -z p (1 - p)."""
    logits = torch.logit(P).requires_grad_()
    F.binary_cross_entropy_with_logits(logits, logits.sigmoid(), reduction="sum").backward()
    torch.testing.assert_close(logits.grad, -torch.logit(P) * P * (1 - P))


def test_a_prediction_without_foreground_stays_one():
    logits = torch.logit(0.5 * P)
    labeller = PseudoLabeller(lambda image, case: Evidence(case, image), refiners=[Threshold()])
    loss = MaskedBCE()(pred=logits, pseudo=labeller(0.5 * P, ["a"]))
    torch.testing.assert_close(loss, F.softplus(logits).mean())
    assert min(gradient(0.5 * P, Threshold())) > 0
