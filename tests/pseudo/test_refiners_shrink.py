"""A refiner takes pixels away: it makes no weight larger."""

import pytest
import torch

from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo import ConfidentOnly, LowSpreadOnly, Threshold, WeighBackground


@pytest.mark.parametrize(
    "refiner",
    [
        Threshold(),
        Threshold(head="softmax"),
        LowSpreadOnly(),
        ConfidentOnly(confidence=0.8),
        WeighBackground(channels=[1], weights=[0.24]),
        WeighBackground(channels=[1], weights=[0.24], head="softmax"),
    ],
    ids=lambda refiner: f"{type(refiner).__name__} {getattr(refiner, 'head', '')}",
)
def test_weights_only_shrink(refiner):
    torch.manual_seed(0)
    probs = torch.randn(2, 2, 8, 8).mul(3).softmax(1)
    evidence = Evidence(["a", "b"], probs, spread=0.1 * torch.rand_like(probs))
    pseudo = PseudoLabel((probs > 0.75).float(), torch.rand_like(probs))
    refined = refiner(pseudo, evidence)
    assert (refined.weight <= pseudo.weight).all()
    assert (refined.weight >= 0).all()


def test_pixels_on_which_all_passes_agree_are_all_certain():
    probs = torch.rand(1, 2, 4, 4)
    pseudo = PseudoLabel(probs, torch.rand_like(probs))
    refined = LowSpreadOnly()(pseudo, Evidence(["a"], probs, spread=torch.zeros_like(probs)))
    assert torch.equal(refined.weight, pseudo.weight)
