import pytest
import torch

from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo import Threshold


def refine(threshold, probs):
    return threshold(PseudoLabel(probs, torch.ones_like(probs)), Evidence(["a"], probs))


def test_sigmoid_threshold_is_strict():
    pseudo = refine(Threshold(cutoff=0.75), torch.tensor([0.2, 0.6, 0.75, 0.76]).view(1, 1, 4))
    assert pseudo.label.flatten().tolist() == [0, 0, 0, 1]
    assert pseudo.weight.flatten().tolist() == [1, 1, 1, 1]


def test_softmax_labels_the_largest_and_ignores_the_unsure():
    probs = torch.tensor([[0.9, 0.6, 0.1], [0.1, 0.4, 0.9]]).unsqueeze(0)
    pseudo = refine(Threshold(cutoff=0.75, head="softmax"), probs)
    assert pseudo.label.tolist() == [[[1, 1, 0], [0, 0, 1]]]
    assert pseudo.weight.tolist() == [[[1, 0, 1], [1, 0, 1]]]


def test_a_cutoff_outside_zero_and_one_is_refused():
    with pytest.raises(ValueError, match=r"between 0 and 1, found 1\.5"):
        Threshold(cutoff=1.5)
